"""Scenarios of the simulation: every magnitude in one place, each an assumption unless it says otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from sme_eval.errors import ParameterError, Problem, suggestion
from sme_eval.panel.frozen_mapping import FrozenMapping

BATCHES: Final = FrozenMapping({2019: 5, 2020: 50, 2021: 127, 2022: 101})
"""Cohort → firms certified: the four batches of little giants in Ningbo (a fact of the published reply; 283 in all)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeProcess:
    """An outcome without any policy: firm effect + trend + shocks of industry × year and district × year + noise."""

    level: float
    """Mean in 2015, log points."""
    growth: float
    """Common growth, log points per year."""
    sd_firm: float
    """Standard deviation of the firm effect."""
    sd_noise: float
    """Standard deviation of the firm's yearly noise (in every year: the process is stationary)."""
    persistence: float = 0.6
    """First-order autocorrelation of the noise."""
    sd_cell_year: float = 0.02
    """Standard deviation of each industry × year and each district × year shock."""
    slope_rd: float = 0.0
    """Extra growth per year and standard deviation of R&D intensity, an observed difference in trends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Effect of the little-giant certificate by event time 0, 1, …; the last value holds from then on."""

    revenue: tuple[float, ...] = (0.01, 0.03, 0.045, 0.05)
    """Log points of revenue, before the cohort's factor. Below the median of the published estimates."""
    employment: tuple[float, ...] = (0.0, 0.015, 0.025, 0.03)
    """Log points of employment, before the cohort's factor. Employment lags behind revenue."""
    cohort_factor: tuple[float, ...] = (1.2, 1.2, 1.0, 0.8)
    """Factor on both effects, in the order of `BATCHES`: the second batch gains half as much again as the fourth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Weights of the score by which a batch is drawn (without replacement, probability proportional to exp(score))."""

    growth: float = 1.2
    """Per log point of revenue growth from g − 3 to g − 1, relative to the mean of all firms."""
    rd: float = 0.8
    """Per standard deviation of R&D intensity."""
    size: float = 0.3
    """Per standard deviation of the firm effect of revenue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One simulated world."""

    name: str = "custom"
    certificate: Certificate = Certificate()
    selection: Selection = Selection()
    revenue: OutcomeProcess = field(default=OutcomeProcess(level=8.0, growth=0.05, sd_firm=1.1, sd_noise=0.25, slope_rd=0.005))
    """ln 10,000 yuan: the median firm starts at about 30 million yuan."""
    employment: OutcomeProcess = field(default=OutcomeProcess(level=4.5, growth=0.01, sd_firm=0.9, sd_noise=0.12))
    """ln persons: the median firm starts with 90. Its noise is independent of revenue's, so that selection on past
    revenue growth leaves its trends parallel in every scenario."""


_BASELINE: Final = Scenario(name="baseline")
_NO_EFFECT: Final = Certificate(revenue=(0.0,), employment=(0.0,))

SCENARIOS: Final = FrozenMapping(
    {
        scenario.name: scenario
        for scenario in (
            # Selection on what is observed: two-year revenue growth and R&D. Given both, trends are parallel.
            _BASELINE,
            # The same firms, the same draws, no effect: whatever is estimated is bias or chance.
            replace(_BASELINE, name="null", certificate=_NO_EFFECT),
            # Parallel trends hold: neither growth nor R&D decides, and R&D does not change growth.
            replace(
                _BASELINE,
                name="clean",
                selection=Selection(growth=0.0, rd=0.0),
                revenue=replace(_BASELINE.revenue, slope_rd=0.0),
            ),
        )
    }
)


def find_scenario(scenario: str | Scenario) -> Scenario:
    """The named scenario, or the given one; a ParameterError with a suggestion if the name is unknown."""
    if isinstance(scenario, Scenario):
        return scenario
    if scenario not in SCENARIOS:
        raise ParameterError(Problem(what=f"There is no scenario {scenario!r}.", remedy=suggestion(scenario, tuple(SCENARIOS))))
    return SCENARIOS[scenario]
