"""A Ningbo-like panel of firms whose true effects are known.

Source: the batches are facts of the published reply of the city's bureau; everything else is an assumption
(`scenario.py`). For now one policy acts, the little-giant certificate. Another one adds its own module that returns
an effect per outcome, a line in `_effects`, and its columns in `_frame`; random streams are named, so earlier draws
stay what they were.
"""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Final

import numpy as np

from sme_eval.errors import ParameterError, Problem, raise_if_any
from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.panel.truth import Truth
from sme_eval.simulate.certification import GROWTH_WINDOW, certify, dynamic_effect
from sme_eval.simulate.firms import DISTRICTS, INDUSTRIES, Firms, FloatArray, IntegerArray, draw_firms, stream
from sme_eval.simulate.outcomes import untreated_outcome
from sme_eval.simulate.scenario import BATCHES, Scenario, find_scenario
from sme_eval.terms import NEVER

if TYPE_CHECKING:
    import pandas as pd

SOURCE: Final = "ningbo_simulated"
FEWEST_FIRMS: Final = 1000
"""Below, the 283 certified firms are no longer a small part of the city."""


def simulate_ningbo(
    seed: int,
    scenario: str | Scenario = "baseline",
    firms: int = 6000,
    years: tuple[int, int] = (2015, 2024),
) -> tuple[FirmPanel, Truth]:
    """Draw a balanced panel and its true effects; the same arguments give the same panel.

    `years` are the first and the last one, both included. Columns: `firm` (1, 2, …, meaningless), `year`,
    `log_revenue` (ln 10,000 yuan), `log_employment` (ln persons), `rd_intensity` (percent of revenue, baseline),
    `district`, `industry`, `certified_year` (0 never), `certified` (0/1). Rows are sorted by firm and year. The
    second value is `panel.truth`.

    Estimand of the truth: log outcome with the certificate as it was given, minus without any; the certificate is
    never withdrawn.

    Raises
    ------
    ParameterError
        The seed is negative, the scenario unknown, `firms` below 1,000, or `years` leave less than three years before
        the first batch (2019) or end before the last (2022).

    Examples
    --------
    >>> panel, truth = simulate_ningbo(seed=1, scenario="null", firms=1000)
    >>> truth.average("log_revenue")
    0.0
    """
    world = find_scenario(scenario)
    raise_if_any(ParameterError, _problems(seed, firms, years))
    calendar = np.arange(years[0], years[1] + 1)
    traits = draw_firms(seed, firms)
    untreated = _untreated(seed, world, traits, calendar)
    cohort = certify(seed, world.selection, traits, untreated["log_revenue"], calendar)
    effects = _effects(world, cohort, calendar)
    observed = {outcome: untreated[outcome] + effects[outcome] for outcome in untreated}
    frame = _frame(traits, cohort, calendar, observed)
    truth = Truth(
        firm=frame["firm"].to_numpy(),
        year=frame["year"].to_numpy(),
        cohort=np.repeat(cohort, calendar.size),
        effects={outcome: effect.ravel() for outcome, effect in effects.items()},
    )
    parameters = {"seed": int(seed), "scenario": world.name, "firms": firms, "first_year": years[0], "last_year": years[1]}
    panel = FirmPanel(frame, data_kind="simulated", source=SOURCE, truth=truth, parameters=parameters)
    return panel, truth


def _is_whole(value: object) -> bool:
    """Python's and numpy's integers alike."""
    return isinstance(value, Integral)


def _problems(seed: int, firms: int, years: tuple[int, int]) -> list[Problem]:
    """What is wrong with the arguments."""
    earliest, latest = min(BATCHES), max(BATCHES)
    start = earliest - GROWTH_WINDOW[0]
    problems = []
    if not _is_whole(seed) or seed < 0:
        problems.append(Problem(what=f"seed is {seed}.", remedy="pass a whole number of at least 0"))
    if firms < FEWEST_FIRMS:
        problems.append(Problem(what=f"firms is {firms}.", remedy=f"simulate at least {FEWEST_FIRMS:,} firms"))
    if years[0] > start or years[1] < latest:
        problems.append(
            Problem(
                what=f"years are {years[0]} to {years[1]}, but the batches are certified in {earliest} to {latest}.",
                remedy=f"start in {start} or before (three years before the first batch) and end in {latest} or later",
            )
        )
    return problems


def _untreated(seed: int, world: Scenario, traits: Firms, calendar: IntegerArray) -> dict[str, FloatArray]:
    """Outcome → (firms, years) without policy; firm effects of employment share half their variance with revenue's."""
    own = stream(seed, "employment firm effect").standard_normal(traits.size.size)
    employment_size = np.sqrt(0.5) * (traits.size + own)
    return {
        "log_revenue": untreated_outcome(seed, "revenue", world.revenue, traits, calendar, traits.size),
        "log_employment": untreated_outcome(seed, "employment", world.employment, traits, calendar, employment_size),
    }


def _effects(world: Scenario, cohort: IntegerArray, calendar: IntegerArray) -> dict[str, FloatArray]:
    """Outcome → (firms, years) effect of all policies together."""
    factor = dict(zip(BATCHES, world.certificate.cohort_factor, strict=True))
    return {
        "log_revenue": dynamic_effect(cohort, calendar, world.certificate.revenue, factor),
        "log_employment": dynamic_effect(cohort, calendar, world.certificate.employment, factor),
    }


def _frame(traits: Firms, cohort: IntegerArray, calendar: IntegerArray, outcomes: dict[str, FloatArray]) -> pd.DataFrame:
    """One row per firm and year, sorted by both."""
    import pandas as pd

    count, length = cohort.size, calendar.size
    certified = calendar >= cohort[:, None]
    return pd.DataFrame(
        {
            "firm": np.repeat(np.arange(1, count + 1), length),
            "year": np.tile(calendar, count),
            **{outcome: values.ravel() for outcome, values in outcomes.items()},
            "rd_intensity": np.repeat(traits.rd_intensity, length),
            "district": _categorical(traits.district, length, DISTRICTS),
            "industry": _categorical(traits.industry, length, INDUSTRIES),
            "certified_year": np.repeat(np.where(cohort == NEVER, 0, cohort), length),
            "certified": certified.ravel().astype(np.int64),
        }
    )


def _categorical(position: IntegerArray, length: int, keys: tuple[str, ...]) -> pd.Categorical[str]:
    """(firms × length,) `keys` at the firms' positions."""
    import pandas as pd

    return pd.Categorical.from_codes(np.repeat(position, length), categories=pd.Index(list(keys), dtype="str"))
