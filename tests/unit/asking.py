"""Designs asked their checks: the declared policies on a small simulated city and on the observed panel."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any, cast

import pandas as pd

import sme_eval as sme
from sme_eval.evaluation.asked import Asked
from sme_eval.evaluation.design import Design
from sme_eval.evaluation.fitting import event_source, fit, sample_of
from sme_eval.panel.frozen_mapping import FrozenMapping
from sme_eval.policies.policy import find_policy
from sme_eval.policies.rules import CheckRule

OBSERVED = "training_grants"


@lru_cache(maxsize=1)
def city() -> sme.FirmPanel:
    """The smallest simulated city."""
    return sme.simulate_ningbo(seed=1, firms=2500)[0]


@lru_cache(maxsize=1)
def grants() -> sme.FirmPanel:
    """The observed panel."""
    return sme.open_source("jobtraining")


@lru_cache(maxsize=16)
def asked(policy: str, outcome: str | None = None) -> Asked:
    """A declared policy on its panel, with the industry named for checks where there is one."""
    observed = policy == OBSERVED
    return asked_of(policy, outcome, grants() if observed else city(), industry="" if observed else "industry")


def asked_of(policy: str, outcome: str | None, panel: sme.FirmPanel, **checks: Any) -> Asked:
    """A policy on any panel, with these columns declared for its checks."""
    chosen = replace(find_policy(policy), checks=CheckRule(**checks))
    design = Design.from_policy(chosen, outcome)
    sample = sample_of(design, panel, design.outcome)
    headline = fit(design.estimator, sample)
    smallest = chosen.outcome(design.outcome).smallest_effect
    shown = event_source(design, headline, sample)
    return Asked(design=design, panel=panel, sample=sample, headline=headline, shown=shown, smallest_effect=smallest)


class WithColumns:
    """A panel with columns that the dictionary does not know yet."""

    def __init__(self, panel: sme.FirmPanel, **columns: Any) -> None:
        self._frame = panel.frame.assign(**columns)
        self.dictionary, self.source, self.truth, self.data_kind = panel.dictionary, panel.source, panel.truth, panel.data_kind

    @property
    def frame(self) -> pd.DataFrame:
        return self._frame.copy(deep=False)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(map(str, self._frame.columns))


def with_columns(panel: sme.FirmPanel, **columns: Any) -> sme.FirmPanel:
    """`panel` with further columns."""
    return cast(sme.FirmPanel, WithColumns(panel, **columns))


def mapping(**pairs: str) -> FrozenMapping[str, str]:
    """Outcome → its better measured twin."""
    return FrozenMapping(pairs)
