"""Whether firms that were dealt somebody else's history seem to have an effect too, and how unusual the estimate is among them.

Within a stratum the histories of firms are dealt out again, so that each deal has as many entrants of each cohort in each stratum
as there were; the same estimator is applied to each deal. It shows whether the estimate could come from the composition of strata,
from shocks common to a stratum, or from the estimator itself. It cannot show selection within strata: entrants that grew before
they entered are not imitated by firms drawn at random.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sme_eval.stats.arrays import FloatArray

from .protocol import CheckResult, Row, Table

UNUSUAL = 0.05
"""Largest p-value at which the estimate counts as unusual among placebo assignments."""

CENTRE_ERRORS = 3.0
"""Standard errors that the mean placebo may lie from zero."""

CENTRE_SHARE = 0.25
"""Share of the estimate's standard error that it may lie from zero besides: less is no matter."""

FEWEST_PLACEBOS = 19
"""Below this no p-value of 0.05 exists."""

BINS = 24
"""Bars of the histogram."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placebos:
    """Effects and errors (R,) of R deals, NaN where one has none, and what they are held against.

    `carried` is the mean effect of the deals on being treated itself: placebo entrants may be real ones. `overlap` is the expected
    share of really treated firms among placebo entrants. `n_fixed` of `n_treated` treated firms have nobody else's history in
    their stratum and keep their own.
    """

    effect: FloatArray
    std_error: FloatArray
    carried: float
    overlap: float
    n_strata: int
    n_treated: int
    n_fixed: int

    @property
    def known(self) -> FloatArray:
        """The effects that there are."""
        return self.effect[np.isfinite(self.effect)]

    @property
    def studentised(self) -> FloatArray:
        """Effects over their errors, where both are known."""
        kept = np.isfinite(self.effect) & (self.std_error > 0.0)
        return np.asarray(self.effect[kept] / self.std_error[kept])


def check_placebo_assignment(estimate: float, std_error: float, placebos: Placebos) -> CheckResult:
    """Passed if the estimate is unusual, failed if placebos are not centred at zero, else informative.

    p = (1 + #{|θ* − m| ≥ |θ − m|}) / (1 + R), m the mean placebo; the same of θ/se(θ), which decides: with cohorts and strata of
    unequal size only the studentised statistic keeps its level. The centre is m less what real entrants among the placebo ones
    carry over, the estimate times `carried`. Its error has two parts: that of R draws, and that of the stratum means which it
    averages, which rest on the same firms' outcomes: se² times `overlap`.
    """
    known = placebos.known
    if len(known) < FEWEST_PLACEBOS or not std_error > 0.0:
        return CheckResult(name="placebo_assignment", threat="design", passed=None, reason="placebo_assignment_unknown")
    raw = empirical_p(estimate, known)
    ratios = placebos.studentised
    studentised = empirical_p(estimate / std_error, ratios) if len(ratios) >= FEWEST_PLACEBOS else raw
    spread = float(known.std(ddof=1))
    centre = float(known.mean()) - estimate * placebos.carried
    noise = math.sqrt(spread**2 / len(known) + placebos.overlap * std_error**2)
    off = abs(centre) > CENTRE_ERRORS * noise and abs(centre) > CENTRE_SHARE * std_error
    unusual = studentised <= UNUSUAL
    return CheckResult(
        name="placebo_assignment",
        threat="design",
        passed=False if off else (True if unusual else None),
        reason=_reason(off, unusual),
        numbers={
            "estimate": estimate,
            "centre": centre,
            "spread": spread,
            "p_value": raw,
            "p_studentised": studentised,
            "n_draws": len(known),
            "n_strata": placebos.n_strata,
            "n_fixed": placebos.n_fixed,
            "n_treated": placebos.n_treated,
        },
        statistic=studentised,
        table=histogram(known),
        figure="histogram",
    )


def _reason(off: bool, unusual: bool) -> str:
    if off:
        return "placebo_assignment_off_centre"
    return "placebo_assignment_unusual" if unusual else "placebo_assignment_usual"


def empirical_p(observed: float, placebos: FloatArray) -> float:
    """Two-sided share of placebos at least as far from their mean as the observed value, which counts as one of them."""
    centre = float(placebos.mean())
    return float((1 + (np.abs(placebos - centre) >= abs(observed - centre)).sum()) / (1 + len(placebos)))


def histogram(placebos: FloatArray) -> Table:
    """Bars of equal width over all placebos: `low`, `high`, and the `count` of draws, no firm's."""
    counts, edges = np.histogram(placebos, bins=BINS)
    rows = tuple(
        Row(key=str(n), values={"low": float(edges[n]), "high": float(edges[n + 1]), "count": int(count)})
        for n, count in enumerate(counts)
    )
    return Table(columns=("low", "high", "count"), rows=rows)
