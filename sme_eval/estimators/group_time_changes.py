"""What was found for the changes of a group-time design given covariates, and why some of them cannot be given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sme_eval.errors import IdentificationError, Problem
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray
from sme_eval.stats.conditional_changes import NO_OVERLAP

from .group_time_rows import Row


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FoundChanges:
    """J changes: `estimate` (J,), why each is refused (`reasons`, empty if it is not), treated firms behind it, (J,).

    `joint` (K + G, K + G) is the covariance of the K that are not refused and of the shares of the G treated cohorts.
    """

    estimate: FloatArray
    reasons: Sequence[str]
    n_treated: IntArray
    joint: FloatArray

    @property
    def known(self) -> BoolArray:
        """Changes that are not refused, (J,)."""
        return np.array([not reason for reason in self.reasons])


def refuse_all(rows: Sequence[Row], reasons: Sequence[str], remedy: str) -> None:
    """Nothing is identified: say why, cohort by cohort."""
    found = dict.fromkeys((cohort, reason) for (cohort, _, _), reason in zip(rows, reasons, strict=True))
    raise IdentificationError(
        [Problem(what=f"No effect is identified: {reason}.", where=f"cohort {cohort}", remedy=remedy) for cohort, reason in found]
    )


def empty_groups(treated: float, compared: float) -> str:
    """Which of the two groups has no firm; empty if both have."""
    empty = [name for name, count in (("treated", treated), ("comparison", compared)) if not count]
    return f"no {' and no '.join(empty)} firm is seen in both years" if empty else ""


def no_overlap(names: Sequence[str], largest: float, certain: int, firms: tuple[int, int]) -> str:
    """`largest` is the highest propensity, `certain` counts treated firms at the bound, `firms` are the treated and compared."""
    if largest < NO_OVERLAP:
        return ""
    return (
        f"no overlap: given {', '.join(names)}, the propensity reaches {largest:.6f} "
        f"({certain} of {firms[0]} treated firms at {NO_OVERLAP} or more, against {firms[1]} comparison firms)"
    )
