"""Goodman-Bacon: the two-group comparisons that two-way fixed effects average, and their weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sme_eval.errors import IdentificationError, Problem
from sme_eval.moments.moments import Moments
from sme_eval.panel.sample import Sample
from sme_eval.stats.arrays import BoolArray, FloatArray

from .protocol import as_moments

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("treated vs never treated", "earlier vs later treated", "later vs earlier treated")


def bacon_decomposition(data: Sample | Moments) -> pd.DataFrame:
    """Decompose the two-way fixed-effects coefficient into the comparisons of two groups that it averages.

    One row per pair of a cohort and a comparison group: `kind`, `cohort` (whose treatment starts), `comparison_cohort` (missing for
    never treated), `weight`, `estimate`. The weights are positive, sum to one, and Σ weight × estimate is the coefficient of
    `TwoWayFixedEffects`. A row of kind "later vs earlier treated" takes firms already treated as comparison: if effects grow over
    time it is biased towards the opposite sign, and its weight says how much that matters.

    The estimate is (ȳ_cohort,after − ȳ_cohort,before) − (the same of the comparison), over the years in which the comparison's
    treatment does not change; the weight is proportional to p_a p_b s₁ s₀, p the groups' shares of all firms (Σw), s₁ and s₀ the
    shares of all years after and before among those years. Cohorts after the last year count as never treated.

    Parameters
    ----------
    data
        A sample or its moments, every firm seen in every year.

    Raises
    ------
    DesignError
        The sample names no treatment or has covariates.
    IdentificationError
        A firm is not seen in every year, or there is nothing to compare.

    No standard errors: the table says what a regression is made of. Source: Goodman-Bacon (2021), Theorem 1; R bacondecomp 0.1.

    Examples
    --------
    >>> import pandas as pd, sme_eval as sme
    >>> frame = pd.DataFrame({"id": [1, 1, 1, 2, 2, 2, 3, 3, 3], "year": [2019, 2020, 2021] * 3,
    ...                       "y": [1.0, 2.0, 3.0, 2.0, 2.2, 3.2, 0.0, 0.0, 0.2], "g": [2020] * 3 + [2021] * 3 + [0] * 3})
    >>> sample = sme.Sample.from_frame(frame, firm="id", year="year", outcome="y", cohort="g")
    >>> table = sme.bacon_decomposition(sample)
    >>> table["kind"].tolist()
    ['earlier vs later treated', 'treated vs never treated', 'later vs earlier treated', 'treated vs never treated']
    >>> bool(abs(table["weight"] @ table["estimate"] - sme.TwoWayFixedEffects().fit(sample).estimate) < 1e-12)
    True
    """
    import pandas as pd

    moments = as_moments(data, (), "bacon_decomposition")
    _refuse_gaps(moments)
    groups = _groups(moments)
    rows = [row for a in groups for b in groups if (row := _compare(a, b)) is not None]
    if not rows:
        raise IdentificationError(
            Problem(
                what="There is nothing to compare.",
                where=f"cohorts treated within the panel: {len(moments.treated_cohorts)}",
                remedy="two cohorts, or a cohort and never-treated firms, are needed",
            )
        )
    table = pd.DataFrame(rows, columns=["kind", "cohort", "comparison_cohort", "weight", "estimate"])
    table["comparison_cohort"] = table["comparison_cohort"].astype("Int64")
    table["weight"] /= table["weight"].sum()
    return table


@dataclass(frozen=True, kw_only=True, eq=False)
class _Group:
    """A cohort, or the never treated (None): its share of Σw, mean path (T,) and treated years (T,)."""

    cohort: int | None
    share: float
    mean: FloatArray
    treated: BoolArray


def _refuse_gaps(moments: Moments) -> None:
    gaps = int(moments.n_firms[~moments.observed.all(axis=1)].sum())
    if gaps:
        raise IdentificationError(
            Problem(
                what="The decomposition holds for balanced panels only.",
                where=f"{gaps} of {int(moments.n_firms.sum())} firms are not seen in every year",
                remedy="keep the firms seen in every year, or fewer years",
            )
        )


def _groups(moments: Moments) -> list[_Group]:
    """Cohorts ascending, then the never treated."""
    groups, total = [], moments.weight.sum()
    never = moments.cohort > moments.years[-1]
    members: list[tuple[int | None, BoolArray]] = [(int(g), moments.cohort == g) for g in moments.treated_cohorts]
    for cohort, cells in [*members, (None, never)]:
        weight = moments.weight[cells]
        if len(weight):
            treated = np.zeros(len(moments.years), dtype=bool) if cohort is None else moments.years >= cohort
            mean = weight @ moments.mean[cells] / weight.sum()
            groups.append(_Group(cohort=cohort, share=float(weight.sum() / total), mean=mean, treated=treated))
    return groups


def _compare(a: _Group, b: _Group) -> tuple[str, int, int | None, float, float] | None:
    """The row of cohort `a` whose treatment starts against `b` whose treatment does not change meanwhile; None if there is none."""
    if a is b or a.cohort is None:
        return None
    earlier = b.cohort is None or a.cohort < b.cohort
    stable = ~b.treated if earlier else b.treated
    after, before = stable & a.treated, stable & ~a.treated
    if not after.any() or not before.any():
        return None
    gap = a.mean - b.mean
    weight = a.share * b.share * float(after.mean() * before.mean())
    kind = KINDS[0] if b.cohort is None else KINDS[1] if earlier else KINDS[2]
    return kind, a.cohort, b.cohort, weight, float(gap[after].mean() - gap[before].mean())
