"""How far an estimate moves when some firms are left out, in standard errors of the difference; what several checks share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sme_eval.results.estimate import Estimate
from sme_eval.results.unavailable import Unavailable

from .protocol import Row, Value
from .sizes import SMALL_COHORT

LARGEST_SHIFT = 2.0
"""Standard errors of the difference that leaving firms out may move an estimate by, where they are left out once."""

SHIFT_ALPHA = 0.05
"""Share of samples without any real difference in which one of several exclusions may be said to move the estimate."""

SHIFT_COLUMNS = ("estimate", "conf_low", "conf_high", "n_treated", "statistic")


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """The headline without some firms: `estimate` or why there is none; `n_treated` treated firms of `n_firms` were left out."""

    key: str
    estimate: Estimate | Unavailable
    n_treated: int
    n_firms: int
    label: tuple[str, str] | None = None

    @property
    def value(self) -> float:
        """The estimate as a number, NaN where there is none."""
        return math.nan if isinstance(self.estimate, Unavailable) else float(self.estimate.estimate)

    @property
    def fewest(self) -> int:
        """The fewest firms it tells of: those left, or those left out, of whom the difference to the headline tells."""
        left = None if isinstance(self.estimate, Unavailable) else self.estimate.n_treated
        return min(n for n in (left, self.n_treated or None, self.n_firms) if n is not None)

    @property
    def tellable(self) -> bool:
        """Whether a sentence may quote it: the gate withholds rows only."""
        return self.fewest >= SMALL_COHORT


def shift_of(headline: Estimate, left: LeftOut) -> float:
    """(θ₋ − θ) / se(θ₋ − θ), NaN where it is not known.

    se² is the larger of Hausman's se(θ₋)² − se(θ)² and se(θ)²·w/(1 − w), w the share of the treated left out: the variance of the
    difference between a mean and the mean of its part, every treated firm being equally informative. Hausman's alone may be
    negative; where neither is positive, only comparison firms were left out and the headline's own error stands in.
    """
    if isinstance(left.estimate, Unavailable):
        return math.nan
    own, other = float(headline.std_error), float(left.estimate.std_error)
    all_treated = (left.estimate.n_treated or 0) + left.n_treated
    share = left.n_treated / all_treated if all_treated else 0.0
    apart = own**2 * share / (1.0 - share) if share < 1.0 else math.inf
    variance = max(other**2 - own**2, apart)
    difference = left.value - float(headline.estimate)
    return difference / math.sqrt(variance if variance > 0.0 else own**2) if own > 0.0 and math.isfinite(variance) else math.nan


def allowed_shift(exclusions: int) -> float:
    """Šidák's critical value of the largest of so many shifts at `SHIFT_ALPHA`, and never below `LARGEST_SHIFT`."""
    from scipy import stats

    each = 1.0 - (1.0 - SHIFT_ALPHA) ** (1.0 / max(exclusions, 1))
    return max(LARGEST_SHIFT, float(stats.norm.isf(each / 2.0)))


def turns(headline: Estimate, left: LeftOut) -> bool:
    """Whether an estimate whose interval excludes zero changes sign; one that is not told from zero has no sign to lose."""
    side = int(headline.conf_low > 0.0) - int(headline.conf_high < 0.0)
    return side * left.value < 0.0


def shift_row(headline: Estimate, left: LeftOut) -> Row:
    """A row of `SHIFT_COLUMNS`."""
    return Row(
        key=left.key,
        label=left.label,
        values=estimate_values(left.estimate) | {"statistic": shift_of(headline, left)},
        n_firms=left.fewest,
    )


def estimate_values(estimate: Estimate | Unavailable) -> dict[str, Value]:
    """Estimate, interval and treated firms as cells of a row, or everywhere why there are none."""
    if isinstance(estimate, Unavailable):
        return dict.fromkeys(("estimate", "conf_low", "conf_high", "n_treated"), estimate)
    return {
        "estimate": estimate.estimate,
        "conf_low": estimate.conf_low,
        "conf_high": estimate.conf_high,
        "n_treated": estimate.n_treated,
    }


def largest(shifts: Sequence[float]) -> float | None:
    """The shift of largest size, None if none is known."""
    known = [abs(shift) for shift in shifts if math.isfinite(shift)]
    return max(known) if known else None
