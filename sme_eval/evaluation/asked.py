"""What every group of checks is asked with: the design and what it gave on the data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.panel.sample import Sample

from .design import Design
from .fitting import Fitted, event_source, fit, sample_of

Progress = Callable[[str], None]
"""Hears the name of each step as it begins."""


def silent(step: str) -> None:
    """No progress is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much a check may draw: `draws` of normal vectors, `placebos` of assignments, all from `seed`."""

    draws: int = 999
    placebos: int = 500
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A design, its panel and sample, the headline, and `shown`, which has effects by event time where any are known."""

    design: Design
    panel: FirmPanel
    sample: Sample
    headline: Fitted
    shown: Fitted
    smallest_effect: float | None
    effort: Effort = Effort()


def asked_of(design: Design, panel: FirmPanel, effort: Effort) -> Asked:
    """The design fitted on the panel."""
    sample = sample_of(design, panel, design.outcome)
    headline = fit(design.estimator, sample)
    return Asked(
        design=design,
        panel=panel,
        sample=sample,
        headline=headline,
        shown=event_source(design, headline, sample),
        smallest_effect=design.policy.outcome(design.outcome).smallest_effect,
        effort=effort,
    )
