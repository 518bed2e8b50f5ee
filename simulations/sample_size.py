"""What sample would do: minimum detectable effects, power and cities from the measured errors; arithmetic, nothing is drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

from simulations.summaries import Measured

FACTOR: Final = NormalDist().inv_cdf(0.975) + NormalDist().inv_cdf(0.8)
"""Standard errors of the effect that is found with 80 % power at the 5 % level: 2.80."""
MANY: Final = 11
"""Cities of the last column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """What is asked, the effect of the simulated world in per cent, where its error is measured, and the earlier numbers."""

    label: str
    effect: float
    key: tuple[str, str, str, str]
    earlier: str


QUANTITIES: Final = (
    Quantity(
        label="certification, own gain (A with dummies)",
        effect=4.2,
        key=("certification", "baseline", "landmark_dummies", "mean_se"),
        earlier="1.36 / 3.8 / .88 / 0.8 / 1.15",
    ),
    Quantity(
        label="certification, step alone (A with dummies)",
        effect=3.1,
        key=("certification", "baseline", "landmark_dummies", "mean_se"),
        earlier="1.36 / 3.8 / .63 / 1.5 / 1.15",
    ),
    *(
        Quantity(
            label=f"certification, batch of {year}",
            effect=effect,
            key=("certification", "baseline", f"landmark_{year}", "mean_se"),
            earlier=earlier,
        )
        for year, effect, earlier in (
            (2019, 4.0, "10 / 29 / .06 / 60 / –"),
            (2020, 4.0, "3.2 / 9 / .2 / 7 / –"),
            (2021, 3.5, "2.0 / 5.7 / .4 / 2.7 / –"),
            (2022, 3.5, "2.3 / 6.4 / .3 / 3.3 / –"),
        )
    ),
    Quantity(
        label="bundle: certificate + 50",
        effect=3.1,
        key=("bundle", "baseline", "certificate_with_cash", "mean_se"),
        earlier="2.2 / 6.2 / .30 / 4 / 1.9",
    ),
    Quantity(
        label="bundle: certificate at dose 0 (spread over panels)",
        effect=2.7,
        key=("bundle", "baseline", "certificate", "sd"),
        earlier="7.8 / 22 / .06 / 64 / 6.6",
    ),
    Quantity(
        label="SRDI certificate",
        effect=1.0,
        key=("bundle", "baseline", "srdi", "mean_se"),
        earlier="1.3 / 3.6 / .12–.19 / 13 / 1.1",
    ),
    Quantity(
        label="entering the library, netted",
        effect=1.5,
        key=("credit", "baseline", "plain netted", "mean_se"),
        earlier="0.80 / 2.2 / .49 / 2.2 / 0.67",
    ),
    Quantity(
        label="cash per 50, stated doses (spread over draws)",
        effect=0.4,
        key=("district_tests", "null", "five_stated", "sd"),
        earlier="6.5 / 18 / .05 / 2,000 / 5.5",
    ),
    Quantity(
        label="cash per 50, twelve doses, Fenghua 100 (spread over draws)",
        effect=0.4,
        key=("district_tests", "null", "twelve_fenghua_100", "sd"),
        earlier="3.0 / 8.4 / .05 / 440 / 2.5",
    ),
    Quantity(
        label="ln employment, certification",
        effect=1.3,
        key=("certification", "baseline", "landmark_dummies_employment", "mean_se"),
        earlier=".65 / 1.8 / .5 / 1.9 / .55",
    ),
)


def power(effect: float, error: float) -> float:
    """Probability that a two-sided 5 % test rejects."""
    limit, normal = NormalDist().inv_cdf(0.975), NormalDist()
    return normal.cdf(effect / error - limit) + normal.cdf(-effect / error - limit)


def lines(numbers: Sequence[Measured]) -> list[str]:
    """The table as Markdown."""
    found = {one.key: one.value for one in numbers}
    table = ["| quantity | effect | SE | MDE, 1 city | power now | cities for 80 % | MDE, 11 cities | earlier measurement |"]
    table.append("|---|---|---|---|---|---|---|---|")
    for asked in QUANTITIES:
        if asked.key not in found:
            continue
        error = found[asked.key]
        detectable = FACTOR * error
        table.append(
            f"| {asked.label} | {asked.effect:g} | {error:.2f} | {detectable:.2g} | {power(asked.effect, error):.2f} | "
            f"{_cities(detectable, asked.effect)} | {detectable / math.sqrt(MANY):.2f} | {asked.earlier} |"
        )
    return [*table, *_claimed(found)]


def _claimed(found: Mapping[tuple[str, str, str, str], float]) -> list[str]:
    """How often the claim rule says “consistent” with one city and with four."""
    keys = [("claims", f"baseline{cities}", "package", "consistent") for cities in ("", "_4_cities")]
    if not all(key in found for key in keys):
        return []
    one, four = (found[key] for key in keys)
    return [
        "",
        f"“Consistent” by the claim rule in baseline: {one:.2f} with one city (earlier .30), {four:.2f} with four (.77–.85).",
    ]


def _cities(detectable: float, effect: float) -> str:
    """Cities like this one, pooled, until the effect is found with 80 % power; two digits."""
    need = (detectable / effect) ** 2
    return f"{need:.1f}" if need < 10.0 else f"{round(need, 1 - math.floor(math.log10(need))):,.0f}"
