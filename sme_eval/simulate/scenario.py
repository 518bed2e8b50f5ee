"""What a simulated world is made of: every magnitude has its place here, each an assumption unless it says otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from sme_eval.errors import ParameterError, Problem, suggestion
from sme_eval.panel.frozen_mapping import FrozenMapping
from sme_eval.simulate.beside import Arrival, Concurrent, Exit, Reporting, Review
from sme_eval.simulate.service_effects import ServiceEffects

BATCHES: Final = FrozenMapping({2019: 5, 2020: 50, 2021: 127, 2022: 101})
"""Cohort → firms certified: the four batches of little giants in Ningbo (a fact of the published reply; 283 in all)."""

SRDI_ONLY: Final = FrozenMapping({2019: 60, 2020: 80, 2021: 120, 2022: 172})
"""Year → SRDI (specialised, refined, distinctive, innovative) firms that never become little giants: 432, so that all SRDI
firms are the 715 of the reply (a fact); how they spread over the years is an assumption."""

LIBRARY_ONLY: Final = FrozenMapping({2019: 0, 2020: 60, 2021: 98, 2022: 862})
"""Year → firms that enter the library and get no certificate: 1,020, of which 862 in 2022 (facts); the rest is an assumption."""

SECOND_HALF: Final = (2020, 2021, 2022)
"""Batches announced in the second half of their year, which the half-year coding counts from the next year: an assumption."""


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
    srdi: float = 0.01
    """Log points of revenue that the SRDI status brings from its first year on."""
    district_sd: float = 0.0
    """Standard deviation over districts of a part of the revenue effect that nothing explains."""
    anticipation: float = 0.0
    """Share of the first year's revenue effect that is there one year early."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reward:
    """Cash that a district pays to each newly certified firm."""

    per_50: float = 0.004
    """Log points of revenue from 500,000 yuan."""
    power: float = 0.8
    """Exponent of the dose: below 1, twice the money brings less than twice the effect."""
    matched_award: float = 50.0
    """The upper award that Fenghua matches one to one, 10,000 yuan; no source states it."""
    doses_known: bool = False
    """Whether the panel publishes every district's dose, the invented ones included."""
    richer_grow_faster: float = 0.0
    """Extra growth per year and 500,000 yuan of the district's dose: a trend that is no effect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """What entry to the list (SRDI or library) changes in a firm's credit, and what that does to its revenue."""

    spread_srdi: float = -0.35
    """Percentage points, from the first year on, for firms that are SRDI at any time."""
    spread_library: float = -0.20
    """The same for firms of the library only."""
    balance: float = 0.12
    """Log points of the credit balance, times the ramp."""
    unsecured: float = 6.0
    """Percentage points of the share of unsecured credit, times the ramp."""
    ramp: tuple[float, ...] = (0.5, 1.0)
    """By event time; the last value holds from then on."""
    elasticity: float = 0.15
    """Of revenue to the credit balance: access."""
    price_effect: float = 0.0
    """Log points of revenue per percentage point that the spread falls, beyond the balance: price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Weights of the score on observed traits; draws are without replacement, probability proportional to exp(score)."""

    growth: float = 1.2
    """Per log point of revenue growth from g − 3 to g − 1, relative to the mean of all firms of the city."""
    rd: float = 0.8
    """Per standard deviation of R&D intensity."""
    size: float = 0.3
    """Per standard deviation of the firm effect of revenue."""
    srdi: float = 0.8
    """Factor on the whole score (hidden part included) when SRDI firms are drawn."""
    library: float = 0.5
    """Factor on the whole score when firms of the library are drawn."""
    lags: tuple[float, ...] = (0.3, 0.4, 0.3)
    """Probability that a little giant has been SRDI for 0, 1, 2 years."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenTrend:
    """Selection on growth to come that no column of the panel shows: no covariate removes it."""

    weight: float = 0.0
    """Added to the score, per standard deviation of the hidden trait."""
    slope: float = 0.0
    """Extra growth of untreated revenue per year and standard deviation of the hidden trait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One simulated world, possibly of several cities, each with its own firms, shocks and full counts."""

    name: str = "custom"
    description: str = ""
    """One line."""
    cities: int = 1
    certificate: Certificate = Certificate()
    reward: Reward = Reward()
    credit: Credit = Credit()
    selection: Selection = Selection()
    hidden: HiddenTrend = HiddenTrend()
    spillover_per_10pp: float = 0.0
    """Log points of every firm's revenue per 10 percentage points of little giants in its industry × district."""
    concurrent: Concurrent = field(default=Concurrent())
    reporting: Reporting = field(default=Reporting())
    review: Review = field(default=Review())
    exit: Exit = field(default=Exit())
    arrival: Arrival = field(default=Arrival())
    services: ServiceEffects = field(default=ServiceEffects())
    revenue: OutcomeProcess = field(default=OutcomeProcess(level=8.0, growth=0.05, sd_firm=1.1, sd_noise=0.25, slope_rd=0.005))
    """ln 10,000 yuan: the median firm starts at about 30 million yuan."""
    employment: OutcomeProcess = field(default=OutcomeProcess(level=4.5, growth=0.01, sd_firm=0.9, sd_noise=0.12))
    """ln persons: the median firm starts with 90. Its noise is independent of revenue's, so that selection on past
    revenue growth leaves its trends parallel in every scenario."""


_BASELINE: Final = Scenario(name="baseline", description="Selection on observed growth, R&D and size; all policies act.")
_NO_CERTIFICATE: Final = Certificate(revenue=(0.0,), employment=(0.0,), srdi=0.0)
_NO_CASH: Final = Reward(per_50=0.0)
_NO_SERVICES: Final = ServiceEffects().nothing()
_NO_CREDIT: Final = Credit(spread_srdi=0.0, spread_library=0.0, balance=0.0, unsecured=0.0, elasticity=0.0)


def _null(scenario: Scenario, name: str, description: str) -> Scenario:
    """`scenario` without any effect: the same firms, the same draws, the same selection."""
    return replace(
        scenario,
        name=name,
        description=description,
        certificate=_NO_CERTIFICATE,
        reward=replace(scenario.reward, per_50=0.0),
        credit=_NO_CREDIT,
        services=_NO_SERVICES,
    )


def _selecting(
    name: str, description: str, selection: Selection, hidden: HiddenTrend = HiddenTrend(), slope_rd: float = 0.0
) -> Scenario:
    """Baseline with other selection."""
    return replace(
        _BASELINE,
        name=name,
        description=description,
        selection=selection,
        hidden=hidden,
        revenue=replace(_BASELINE.revenue, slope_rd=slope_rd),
    )


_BY_SIZE: Final = Selection(growth=0.0, rd=0.0)
_WEAK: Final = HiddenTrend(weight=1.0, slope=0.0075)
_STRONG: Final = HiddenTrend(weight=1.2, slope=0.015)
_CLEAN: Final = _selecting("clean", "Selection on size only, no difference in trends: trends are parallel.", _BY_SIZE)
_LITERAL: Final = _selecting("literal", "Selection on growth and on a hidden trend of about 1 % a year.", Selection(rd=0.0), _WEAK)
_STRONG_SELECTION: Final = _selecting(
    "strong_selection",
    "More selection on growth, and a hidden trend about twice as steep as in literal.",
    Selection(growth=2.0),
    _STRONG,
    slope_rd=_BASELINE.revenue.slope_rd,
)
_HIDDEN_ONLY: Final = _selecting("hidden_only", "", _BY_SIZE, _STRONG)
_HIDDEN_WEAK: Final = _selecting("hidden_weak", "", _BY_SIZE, _WEAK)

SCENARIOS: Final = FrozenMapping(
    {
        scenario.name: scenario
        for scenario in (
            _BASELINE,
            _null(_BASELINE, "null", "The firms, draws and selection of baseline, no effect: estimates are bias or chance."),
            _CLEAN,
            _LITERAL,
            _STRONG_SELECTION,
            _null(_LITERAL, "null_literal", "The firms and the hidden trend of literal, no effect."),
            _null(_STRONG_SELECTION, "null_strong_selection", "The firms and the hidden trend of strong_selection, no effect."),
            _null(_HIDDEN_ONLY, "null_hidden_only", "No effect, no growth bump, only a strong hidden trend."),
            _null(_HIDDEN_WEAK, "null_hidden_weak", "No effect, no growth bump, only a weak hidden trend: the honest adversary."),
            _null(_CLEAN, "null_no_selection", "The firms of clean, no effect."),
            replace(
                _BASELINE,
                name="credit_only",
                description="Listing changes credit; certificates and cash do nothing.",
                certificate=_NO_CERTIFICATE,
                reward=_NO_CASH,
                services=_NO_SERVICES,
            ),
            replace(
                _BASELINE,
                name="certificate_only",
                description="Both certificates act; cash does nothing and listing leaves credit as it is.",
                reward=_NO_CASH,
                credit=_NO_CREDIT,
                services=_NO_SERVICES,
            ),
            replace(
                _BASELINE,
                name="cash_only",
                description="Stress test beyond belief: 500,000 yuan bring 10 % of revenue; nothing else acts, all doses known.",
                certificate=_NO_CERTIFICATE,
                reward=Reward(per_50=0.10, doses_known=True),
                credit=_NO_CREDIT,
                services=_NO_SERVICES,
            ),
            replace(
                _BASELINE,
                name="price_only",
                description="Credit works through its price alone: 9 % of revenue per percentage point of spread.",
                credit=Credit(elasticity=0.0, price_effect=0.09),
            ),
            replace(
                _BASELINE,
                name="price_and_access",
                description="Credit works through access as in baseline and through price, 5 % per percentage point.",
                credit=Credit(price_effect=0.05),
            ),
            replace(_BASELINE, name="informative", description="Baseline in four cities like Ningbo.", cities=4),
            replace(
                _BASELINE,
                name="pooled11",
                description="Baseline in eleven cities like Ningbo, all doses known.",
                cities=11,
                reward=Reward(doses_known=True),
            ),
            replace(
                _BASELINE,
                name="concurrent",
                description="Baseline; high-technology status raises revenue by 8 % and mostly comes with the certificate.",
                concurrent=Concurrent(effect=0.08, aligned=0.8),
            ),
            replace(
                _BASELINE,
                name="attrition",
                description="Baseline; 4 % of firms leave each year, shrinking ones more often, little giants less often.",
                exit=Exit(hazard=0.04),
            ),
            replace(
                _BASELINE,
                name="register",
                description="Attrition, and 30 % of firms enter the register after the panel's first year.",
                exit=Exit(hazard=0.04),
                arrival=Arrival(share=0.3),
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
