"""The result of matching: the matched sample, how alike its groups are, and who found no partner."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from sme_eval.terms import DataKind, Language

from .plots import BEFORE, EFFECT, INK, LEAD, new_axes
from .table_text import TEXTS
from .text import Printable, text_table

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

MatchedSample = TypeVar("MatchedSample")
ALIKE: Final = 0.1
"""Standardised differences below this are commonly taken as balance; the drawing shades them."""
WORDS: Final[Mapping[Language, Mapping[str, str]]] = {
    "en": {
        "axis": "standardised difference of means, treated less comparison",
        "before": "before matching",
        "after": "after matching",
        "alike": f"within ±{ALIKE:g}",
    },
    "zh": {"axis": "标准化均值差（处理组减对照组）", "before": "匹配前", "after": "匹配后", "alike": f"±{ALIKE:g} 以内"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """One covariate: means by group, their difference in standard deviations and the ratio of variances, before and after.

    The standard deviation is that before matching, √((s²_treated + s²_comparison) / 2), for both.
    """

    covariate: str
    treated_before: float
    comparison_before: float
    difference_before: float
    ratio_before: float
    treated_after: float
    comparison_after: float
    difference_after: float
    ratio_after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortBalance:
    """One cohort and covariate: standardised difference from all candidates, from its partners, from all matched comparison firms.

    The last is what an estimator sees that compares every cohort with all never-treated firms.
    """

    cohort: int
    covariate: str
    difference_before: float
    difference_partners: float
    difference_all: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedCohort:
    """Counts of one cohort: treated firms, those matched, firms that could be compared, those that are, and unmatched by reason."""

    cohort: int
    treated: int
    matched: int
    candidates: int
    compared: int
    unmatched: Mapping[str, int]


@dataclass(frozen=True, kw_only=True, eq=False)
class Matching(Printable, Generic[MatchedSample]):
    """A matched `sample` for every estimator, `balances` by covariate, pooled and by cohort, counts by cohort (`matched`).

    `effective_sample_size` is (Σw)² / Σw² over comparison firms: how many equally weighted firms would vary as much.
    Means of small groups are as confidential as firms; firms themselves appear in the sample only.
    """

    sample: MatchedSample
    balances: tuple[Balance, ...]
    cohort_balances: tuple[CohortBalance, ...]
    matched: tuple[MatchedCohort, ...]
    n_compared: int
    effective_sample_size: float
    convention: str

    @property
    def balance(self) -> pd.DataFrame:
        """One row per covariate: means, standardised difference and variance ratio, before and after."""
        import pandas as pd

        return pd.DataFrame([asdict(row) for row in self.balances])

    @property
    def cohort_balance(self) -> pd.DataFrame:
        """One row per cohort and covariate: difference_before, difference_partners, difference_all."""
        import pandas as pd

        return pd.DataFrame([asdict(row) for row in self.cohort_balances])

    @property
    def cohorts(self) -> pd.DataFrame:
        """One row per cohort: treated, matched, candidates, compared."""
        import pandas as pd

        columns = ("cohort", "treated", "matched", "candidates", "compared")
        return pd.DataFrame([{name: getattr(row, name) for name in columns} for row in self.matched], columns=list(columns))

    @property
    def unmatched(self) -> pd.DataFrame:
        """Treated firms without a partner: cohort, reason, firms; no row if there are none."""
        import pandas as pd

        rows = [(row.cohort, reason, count) for row in self.matched for reason, count in row.unmatched.items()]
        return pd.DataFrame(rows, columns=["cohort", "reason", "firms"])

    def to_frame(self) -> pd.DataFrame:
        """The balance table."""
        return self.balance

    def summary(self) -> str:
        """Balance, counts by cohort, who is unmatched and why, and the rule."""
        treated, matched = (sum(getattr(row, name) for row in self.matched) for name in ("treated", "matched"))
        counts = (
            f"{matched} of {treated} treated firms matched with {self.n_compared} comparison firms, "
            f"which vary like {self.effective_sample_size:.1f} equally weighted ones"
        )
        lost = [f"cohort {c}: {n} unmatched, {reason}" for c, reason, n in self.unmatched.itertuples(index=False)]
        return "\n".join(
            [text_table(self.balance), "", text_table(self.cohorts), counts, *lost, *self._farthest(), self.convention]
        )

    def _farthest(self) -> list[str]:
        """The cohort least like all matched comparison firms, if there are several cohorts and it is not like them."""
        known = [row for row in self.cohort_balances if abs(row.difference_all) > ALIKE]
        if len(self.matched) < 2 or not known:
            return []
        row = max(known, key=lambda one: abs(one.difference_all))
        return [
            f"cohort {row.cohort} differs in {row.covariate} by {row.difference_all:.2f} standard deviations from all matched "
            f"comparison firms, from its own partners by {row.difference_partners:.2f}: match cohorts one by one"
        ]

    def plot(self, *, axes: Axes | None = None, data_kind: DataKind | None = None, language: Language = "en") -> Axes:
        """Standardised differences before and after; "simulated" as `data_kind` is written into the drawing."""
        axes = draw_balance(self.balance, axes=axes, words=WORDS[language])
        if data_kind == "simulated":
            axes.set_title(TEXTS[language]["simulated"], loc="left", fontsize="small", color=INK)
        return axes


def draw_balance(frame: pd.DataFrame, *, words: Mapping[str, str], axes: Axes | None = None) -> Axes:
    """One line per row of a balance table, the largest difference before matching on top: hollow before, filled after."""
    frame = frame.sort_values("difference_before", key=lambda column: column.abs(), kind="stable")
    axes = new_axes(axes, 1.5 + 0.36 * len(frame))
    place = range(len(frame))
    before, after = (frame[f"difference_{when}"].to_numpy() for when in ("before", "after"))
    axes.axvspan(-ALIKE, ALIKE, facecolor=BEFORE, zorder=0, label=words["alike"])
    axes.axvline(0.0, color=INK, linewidth=0.8, zorder=1)
    axes.hlines(place, before, after, color=LEAD, linewidth=1.0, zorder=2)
    axes.scatter(before, place, s=36, facecolors="white", edgecolors=LEAD, linewidths=1.4, zorder=3, label=words["before"])
    axes.scatter(after, place, s=36, color=EFFECT, zorder=4, label=words["after"])
    axes.set_yticks(list(place), list(frame["covariate"]))
    axes.set_ylim(-0.6, len(frame) - 0.4)
    low, high = axes.get_xlim()
    axes.set_xlim(min(low, -1.5 * ALIKE), max(high, 1.5 * ALIKE))
    axes.set_xlabel(words["axis"])
    axes.grid(False, axis="y")
    band, *marks = axes.get_legend_handles_labels()[0]
    axes.legend(handles=[*marks, band], frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return axes


def standardised(difference: float, deviation: float) -> float:
    """A difference in standard deviations; zero of zero is zero, and a difference between two constants has no finite size."""
    if deviation > 0.0:
        return difference / deviation
    return 0.0 if difference == 0.0 else math.copysign(math.inf, difference)
