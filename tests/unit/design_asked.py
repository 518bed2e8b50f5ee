"""A small simulated city asked for design checks, with columns that a policy may name added to its dictionary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

import sme_eval as sme
from sme_eval.evaluation.asked import Asked, Effort
from sme_eval.evaluation.design import Design
from sme_eval.evaluation.fitting import event_source, fit, sample_of
from sme_eval.panel.dictionary import Dictionary
from sme_eval.panel.firm_panel import Contract, FirmPanel
from sme_eval.policies.policy import find_policy
from sme_eval.policies.rules import CheckRule

RULE = CheckRule(district="district", industry="industry")


def city(seed: int = 1, scenario: str = "baseline", firms: int = 2500, **years: Any) -> FirmPanel:
    """A simulated panel with further columns of first years."""
    panel, _ = sme.simulate_ningbo(seed=seed, scenario=scenario, firms=firms)
    return with_columns(panel, years)


def with_columns(panel: FirmPanel, further: Mapping[str, Any]) -> FirmPanel:
    """The panel with columns that are declared like first years, without its truth."""
    known = panel.dictionary
    columns = {**known.columns, **{name: replace(known["srdi_year"], name=name) for name in further}}
    return FirmPanel(
        panel.frame.assign(**further),
        data_kind=panel.data_kind,
        source=panel.source,
        contract=Contract(Dictionary(columns, known.units)),
    )


def asked(
    panel: FirmPanel, policy: str = "certification", rule: CheckRule = RULE, effort: Effort | None = None, **design: Any
) -> Asked:
    """What the checks of a policy's own design are asked with; `design` replaces parts of it."""
    chosen = replace(Design.from_policy(replace(find_policy(policy), checks=rule)), **design)
    sample = sample_of(chosen, panel, chosen.outcome)
    headline = fit(chosen.estimator, sample)
    return Asked(
        design=chosen,
        panel=panel,
        sample=sample,
        headline=headline,
        shown=event_source(chosen, headline, sample),
        smallest_effect=0.03,
        effort=effort or Effort(placebos=60),
    )


def shuffled(panel: FirmPanel, seed: int = 5) -> FirmPanel:
    """The same rows in another order."""
    order = np.random.default_rng(seed).permutation(panel.n_rows)
    return FirmPanel(
        panel.frame.iloc[order].reset_index(drop=True),
        data_kind=panel.data_kind,
        source=panel.source,
        contract=Contract(panel.dictionary),
    )
