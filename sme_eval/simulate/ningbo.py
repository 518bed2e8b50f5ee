"""A Ningbo-like panel of firms whose true effects are known.

Source: the counts of firms on lists (`letter_counts.py`) and the stated rewards (`rewards.py`) are facts of the published
reply of the city's bureau; everything else is an assumption (`scenario.py`, `services.py`, `service_effects.py`). Three
policies act on revenue: certificates, cash and cheaper credit. Services act on outcomes of their own. Beside them stand
columns for the checks of a design: traits, two other policies, reviews of certificates, research as reported and as
verified, exposure to suppliers (`traits.py`, `beside.py`). None of these moves revenue or employment, except the
high-technology status in the scenario `concurrent`. Random streams are named, so that scenarios share every draw that
their difference does not touch.
"""

from __future__ import annotations

from numbers import Integral
from typing import Final

import numpy as np

from sme_eval.errors import ParameterError, Problem, raise_if_any
from sme_eval.panel.dictionary import load_dictionary
from sme_eval.panel.firm_panel import Contract, FirmPanel
from sme_eval.panel.truth import Truth
from sme_eval.simulate.city import draw_city
from sme_eval.simulate.columns import city_dictionary, simulated_rows
from sme_eval.simulate.firms import Draws
from sme_eval.simulate.scenario import BATCHES, SCENARIOS, Scenario, find_scenario
from sme_eval.simulate.selection import GROWTH_WINDOW

SOURCE: Final = "ningbo_simulated"
FEWEST_FIRMS: Final = 2500
"""Per city: 1,735 firms are on a list at the end, and enough others must be left to compare with."""
MOST_CITIES: Final = 99


def simulate_ningbo(
    seed: int,
    scenario: str | Scenario = "baseline",
    firms: int = 6000,
    years: tuple[int, int] = (2015, 2024),
) -> tuple[FirmPanel, Truth]:
    """Draw a panel and its true effects; the same arguments give the same panel. Balanced, except in `attrition` and `register`.

    `firms` counts those of each city; a scenario of several cities draws each with its own firms, shocks (of districts
    and of industries) and full lists, the first one as if it were alone. `years` are the first and the last one, both
    included. Rows are sorted by firm and year.

    Columns: `firm` (1, 2, …, meaningless), `year`, `log_revenue` (ln 10,000 yuan), `log_employment` (ln persons),
    `rd_intensity` (percent of revenue, baseline), `city` (1, 2, …), `district`, `industry`; years of entry, 0 never:
    `certified_year` (little giant), `certified_year_half` (the same with announcements of a second half counted from
    the next year), `srdi_year`, `library_year` (without any certificate), `listed_year` (the first of these two);
    `certified` (0/1); `spread` (percentage points over the reference rate), `log_credit_balance` (ln 10,000 yuan),
    `unsecured_share` (percent); `reward_dose` (10,000 yuan that the firm's district pays per certified firm, missing
    where no source states it).

    Traits: `ownership` (private, state, foreign), `founded_year`, `age_class` (young, mature: at least ten years old in
    2015), `size_class` (small, medium, large: from 60 and 200 persons on in the first year), `high_technology` (0/1, from the
    industry), `constrained` (0/1, financing constraint at baseline: small and young firms more often). Other years of entry,
    0 never: `high_tech_year` (status of national high-technology enterprise), `digital_year` (grant for a digital retrofit),
    `lapse_year` (first year without a valid certificate, if within the panel). By year: `rd_reported` and `rd_verified`
    (percent of revenue; both statuses raise the reported figure and leave the verified one, which is missing for some
    firms), `supplier_exposure` (share of little giants among the other firms of the industry and district).

    Every instrument of the reply, years of entry, 0 never: `innovative_year`, `key_year`, `upgrade_library_year`,
    `above_scale_year`, `provincial_library_year`, `board_year`, `export_insurance_year`, `land_year`, `loan_platform_year`,
    `loan_equity_year`, `training_year`, `internship_year`, `clinic_year`, `first_set_year`, `first_loan_year`, `bank_target_year`
    (the assessment of the firm's `main_bank`, 1, 2, …, meaningless, asks for loans to such firms); the certificate's
    `valid_from`, `valid_to` and `review` (renewed, not_renewed, pending, none). What they act on: `log_exports` (missing unless
    `exporter`), `log_fixed_assets`, `log_rd_spending` (ln 10,000 yuan), `log_wage` (ln 10,000 yuan per person), `equity_share`
    (percent), `log_productivity`. The banks' return, calibrated to the reply: `loan_balance`, `unsecured_loans`, `new_loans`
    (10,000 yuan), `loan_rate` (percent). `entered_year`; `reward_jurisdiction`, `stat_district`, `stat_district_2015`.

    The second value is `panel.truth`.

    Estimand of the truth: outcome with all policies as they were, minus without any; see `Truth` for its three averages.

    Raises
    ------
    ParameterError
        The seed is negative, the scenario unknown, `firms` below 2,500, `years` leave less than three years before the
        first batch (2019) or end before the last (2022), or the scenario has no city or more than 99.

    Examples
    --------
    >>> panel, truth = simulate_ningbo(seed=1, scenario="null", firms=2500)
    >>> truth.average("log_revenue")
    0.0
    >>> _, truth = simulate_ningbo(seed=1, scenario="baseline")
    >>> for estimand in ("step", "own", "bundle"):
    ...     print(estimand, round(100 * truth.average("log_revenue", estimand=estimand, event_time=(0, 2)), 1))
    step 3.1
    own 4.2
    bundle 5.8
    """
    world = find_scenario(scenario)
    raise_if_any(ParameterError, _problems(seed, world, firms, years))
    calendar = np.arange(years[0], years[1] + 1)
    cities = [draw_city(Draws(int(seed), number), world, firms, calendar) for number in range(1, world.cities + 1)]
    frame, truth = simulated_rows(cities, calendar, world.reward)
    panel = FirmPanel(
        frame,
        data_kind="simulated",
        source=SOURCE,
        truth=truth,
        parameters=_parameters(seed, world, firms, years),
        contract=Contract(city_dictionary(load_dictionary(), world.cities)),
    )
    return panel, truth


def _parameters(seed: int, world: Scenario, firms: int, years: tuple[int, int]) -> dict[str, object]:
    """What draws this panel again; a changed scenario does not go by the name of the one it was made from."""
    changed = world.name in SCENARIOS and world != SCENARIOS[world.name]
    made = {"seed": int(seed), "scenario": "custom" if changed else world.name}
    made |= {"firms": firms, "first_year": years[0], "last_year": years[1]}
    return made | ({"cities": world.cities} if world.cities > 1 else {})


def _is_whole(value: object) -> bool:
    """Python's and numpy's integers alike."""
    return isinstance(value, Integral)


def _problems(seed: int, world: Scenario, firms: int, years: tuple[int, int]) -> list[Problem]:
    """What is wrong with the arguments."""
    earliest, latest = min(BATCHES), max(BATCHES)
    start = earliest - GROWTH_WINDOW[0]
    problems = []
    if not _is_whole(seed) or seed < 0:
        problems.append(Problem(what=f"seed is {seed}.", remedy="pass a whole number of at least 0"))
    if not _is_whole(firms) or firms < FEWEST_FIRMS:
        problems.append(Problem(what=f"firms is {firms}.", remedy=f"simulate at least {FEWEST_FIRMS:,} firms"))
    if not _is_whole(world.cities) or not 1 <= world.cities <= MOST_CITIES:
        problems.append(Problem(what=f"The scenario has {world.cities} cities.", remedy=f"give it 1 to {MOST_CITIES}"))
    if years[0] > start or years[1] < latest:
        problems.append(
            Problem(
                what=f"years are {years[0]} to {years[1]}, but the batches are certified in {earliest} to {latest}.",
                remedy=f"start in {start} or before (three years before the first batch) and end in {latest} or later",
            )
        )
    return problems
