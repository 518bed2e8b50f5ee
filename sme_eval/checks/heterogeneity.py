"""Whether the effect differs between groups of treated firms, trait by trait.

Per trait a Wald test in Welch's form that the effects of all its groups are equal, from their joint covariance: two p-values of
which one is small and the other is not say nothing about a difference. Over all traits the p-values are adjusted in two ways:
step-down of Romano and Wolf, which keeps the chance of any false finding, with draws from the joint law of all contrasts; and
Benjamini and Hochberg, which keeps their share. Nothing here decides a claim: a difference says for whom, not whether.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.arrays import FloatArray, IntArray
from sme_eval.stats.equal_effects import equal_effects
from sme_eval.stats.inference import critical_value
from sme_eval.stats.multiple_testing import benjamini_hochberg, drawn_wald_p, step_down

from .protocol import CheckResult, Row, Table, Value
from .sizes import SMALL_COHORT

ALPHA = 0.05
"""Adjusted p-value up to which effects count as different."""

DETECTABLE = 2.8
"""Standard errors of a difference that a test at 5 % finds with a power of 80 %: 1.96 + 0.84."""

FEWEST = 2
"""Treated firms below which a group has no effect of its own."""

COLUMNS = ("n_treated", "estimate", "std_error", "conf_low", "conf_high", "p_interaction", "p_adjusted", "q_value")
FEW = Unavailable("fewer than two treated firms")
UNTESTED = Unavailable("fewer than two groups with ten treated firms")


@dataclass(frozen=True, kw_only=True, eq=False)
class Grouped:
    """J groups of treated firms over all traits: `trait` and `key` name each, `label` is (Chinese, English).

    `value` (J,) is NaN with the reason in `notes` where there is no effect; `covariance` (J, J) is joint, across traits too;
    `n_treated` (J,); `degrees_of_freedom` and `level` are those of the headline's interval.
    """

    trait: tuple[str, ...]
    key: tuple[str, ...]
    label: tuple[tuple[str, str], ...]
    value: FloatArray
    covariance: FloatArray
    n_treated: IntArray
    notes: tuple[str, ...]
    degrees_of_freedom: float = float("inf")
    level: float = 0.95

    @property
    def std_error(self) -> FloatArray:
        """Of the effects (J,)."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def shown(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """(J,) groups with an effect of their own."""
        return np.asarray(np.isfinite(self.value) & (self.std_error > 0.0) & (self.n_treated >= FEWEST))

    def compared(self) -> dict[str, IntArray]:
        """Trait → positions of its groups with `SMALL_COHORT` treated firms, where there are two of them."""
        large, trait = self.shown & (self.n_treated >= SMALL_COHORT), np.array(self.trait)
        found = {name: np.flatnonzero(large & (trait == name)) for name in dict.fromkeys(self.trait)}
        return {name: here for name, here in found.items() if len(here) > 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """The test of one trait: unadjusted, adjusted over all traits for any false finding, and the rate of false discoveries."""

    p_value: float
    adjusted: float
    q_value: float
    detectable: float
    """The smallest difference between two groups that a test of them alone would find: the best-measured pair of the trait."""


def interactions(grouped: Grouped, draws: int = 999, seed: int = 0) -> dict[str, Interaction]:
    """Trait → test that the effects of its groups are equal; without traits that have less than two groups to compare."""
    compared = grouped.compared()
    if not compared:
        return {}
    tests = [equal_effects(grouped.value[j], grouped.covariance[np.ix_(j, j)], grouped.n_treated[j]) for j in compared.values()]
    used = np.concatenate(list(compared.values()))
    place = np.split(np.arange(len(used)), np.cumsum([len(j) for j in compared.values()])[:-1])
    contrasts = [test.contrast @ np.eye(len(used))[j] for test, j in zip(tests, place, strict=True)]
    p_value = np.array([test.p_value for test in tests])
    adjusted = step_down(p_value, drawn_wald_p(grouped.covariance[np.ix_(used, used)], contrasts, draws, seed))
    rate = benjamini_hochberg(p_value)
    return {
        name: Interaction(
            p_value=float(p_value[h]),
            adjusted=float(adjusted[h]),
            q_value=float(rate[h]),
            detectable=DETECTABLE * _best_error(tests[h].covariance),
        )
        for h, name in enumerate(compared)
    }


def check_heterogeneity(grouped: Grouped, draws: int = 999, seed: int = 0) -> CheckResult:
    """Whether effects differ by any trait; never passed or failed. `draws` of the joint law, from `seed`."""
    tests = interactions(grouped, draws, seed)
    table = _table(grouped, tests)
    if not tests:
        return _informative("heterogeneity_untestable", table)
    smallest = min(test.adjusted for test in tests.values())
    n_found = sum(test.adjusted <= ALPHA for test in tests.values())
    detectable = [test.detectable for test in tests.values()]
    return CheckResult(
        name="heterogeneity",
        threat="heterogeneity",
        passed=None,
        reason="heterogeneity_found" if n_found else "heterogeneity_none",
        numbers={
            "n_traits": len(tests),
            "n_found": n_found,
            "p_value": smallest,
            "detectable_low": min(detectable),
            "detectable_high": max(detectable),
        },
        statistic=smallest,
        table=table,
        figure="intervals",
    )


def not_asked() -> CheckResult:
    """Of a headline that is no average effect of treated firms: a slope over districts, the parts of a bundle."""
    return _informative("heterogeneity_not_asked")


def _informative(reason: str, table: Table | None = None) -> CheckResult:
    return CheckResult(name="heterogeneity", threat="heterogeneity", passed=None, reason=reason, table=table)


def _best_error(covariance: FloatArray) -> float:
    """Smallest standard error of a difference between two of the groups whose effects have this covariance."""
    variance = np.diag(covariance)[:, None] + np.diag(covariance)[None, :] - 2.0 * covariance
    return float(np.sqrt(variance[np.triu_indices(len(covariance), 1)].min()))


def _table(grouped: Grouped, tests: dict[str, Interaction]) -> Table:
    half = critical_value(grouped.level, grouped.degrees_of_freedom) * grouped.std_error
    rows = []
    for j, trait in enumerate(grouped.trait):
        test, n_treated = tests.get(trait), int(grouped.n_treated[j])
        values: dict[str, Value] = {"n_treated": n_treated, **_effect(grouped, j, float(half[j]))}
        values |= {
            "p_interaction": test.p_value if test else UNTESTED,
            "p_adjusted": test.adjusted if test else UNTESTED,
            "q_value": test.q_value if test else UNTESTED,
        }
        rows.append(Row(key=f"{trait}.{grouped.key[j]}", values=values, n_firms=n_treated, label=grouped.label[j]))
    return Table(columns=COLUMNS, rows=tuple(rows))


def _effect(grouped: Grouped, j: int, half: float) -> dict[str, Value]:
    if not grouped.shown[j]:
        reason = FEW if grouped.n_treated[j] < FEWEST else Unavailable(grouped.notes[j] or "not estimated")
        return dict.fromkeys(COLUMNS[1:5], reason)
    value = float(grouped.value[j])
    return {
        "estimate": value,
        "std_error": float(grouped.std_error[j]),
        "conf_low": value - half,
        "conf_high": value + half,
    }
