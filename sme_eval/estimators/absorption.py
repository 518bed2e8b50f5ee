"""What regressions with absorbed fixed effects share: rows, levels, parameters counted, fixest's errors, effects taken out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sme_eval.errors import DesignError, IdentificationError, Problem, raise_if_any
from sme_eval.panel.codes import MISSING, Codes, factorise
from sme_eval.panel.sample import Sample
from sme_eval.panel.validation import read_number
from sme_eval.results.basis import Basis
from sme_eval.stats.arrays import BoolArray, FloatArray
from sme_eval.stats.small_sample import SmallSample
from sme_eval.terms import Covariance

EffectName = str | tuple[str, ...]

SOLVER_TOLERANCE = 1e-14
"""linearmodels absorbs effects iteratively; at its default tolerance coefficients are good to six digits only."""

NO_VARIATION = 1e-20
"""Share of the outcome's sum of squares about its mean that rounding leaves when the fixed effects explain all of it."""

ROUNDING = 1e-28
"""The same about zero, for an outcome that is the same in every row."""

SOLVER_PASSES = 2
"""The second pass takes out what rounding left of the effects in the first."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Rows:
    """The n rows of a sample that a regression uses, with their levels, clusters and weights (n,), and how many were left out."""

    keep: BoolArray
    effects: tuple[Codes, ...]
    effect_names: tuple[str, ...]
    cluster: Codes
    weight: FloatArray | None
    n_firms: int
    incomplete: int
    singletons: int

    @property
    def n_clusters(self) -> int:
        """Clusters among the kept rows."""
        return int(self.cluster.max()) + 1


def refuse_covariates(sample: Sample, estimator: str) -> None:
    """Refuse a sample with baseline covariates, which `estimator` would ignore."""
    names = ", ".join(sample.names.covariates)
    if names:
        what = f"{estimator} would ignore the covariates {names}."
        remedy = "leave them out of `covariates`; keep them as `columns` and name what varies over time among the regressors"
        raise DesignError(Problem(what=what, remedy=remedy))


def refuse_no_variation(left: FloatArray, outcome: FloatArray, name: str) -> None:
    """Refuse an outcome (n,) of which nothing is `left` (n,) beside the fixed effects: there is nothing to explain."""
    spread, left = outcome - outcome.mean(), left - left.mean()
    if float(left @ left) <= NO_VARIATION * float(spread @ spread) + ROUNDING * float(outcome @ outcome):
        what = f"The outcome {name} does not vary beside the fixed effects."
        raise IdentificationError(Problem(what=what, remedy="choose another outcome or fewer effects"))


def kept_rows(sample: Sample, effects: Sequence[EffectName], complete: BoolArray) -> Rows:
    """Rows that are complete and not alone in a level of an effect; IdentificationError if none is."""
    codes = [effect_codes(sample, effect) for effect in effects]
    keep = without_singletons(codes, complete)
    if not keep.any():
        counts = f"{int((~complete).sum())} rows without a value, {int(complete.sum())} alone in their fixed effect"
        raise IdentificationError(Problem(what="No row is left.", where=counts, remedy="fewer regressors or effects"))
    cluster = sample.firm_codes if sample.cluster is None else sample.cluster[sample.firm_codes]
    return Rows(
        keep=keep,
        effects=tuple(factorise(own[keep])[0] for own in codes),
        effect_names=tuple(effect_words(sample, effect) for effect in effects),
        cluster=factorise(cluster[keep])[0],
        weight=None if sample.weight is None else sample.weight[sample.firm_codes][keep],
        n_firms=int(np.unique(sample.firm_codes[keep]).size),
        incomplete=int((~complete).sum()),
        singletons=int(complete.sum()) - int(keep.sum()),
    )


def error_basis(sample: Sample, rows: Rows, covariance: Covariance, n_regressors: int, level: float) -> tuple[float, Basis]:
    """(factor on the raw covariance, what the estimates rest on)."""
    clustered = covariance == "clustered"
    n, groups = len(rows.cluster), rows.n_clusters
    n_params = count_parameters(n_regressors, rows.effects, rows.cluster if clustered else None)
    factor, freedom, convention = fixest_convention(covariance, n, n_params, groups, sample.names.cluster or "firm")
    counts = {
        "rows without a regressor are left out": rows.incomplete,
        "observations alone in their fixed effect are left out": rows.singletons,
    }
    return factor, Basis(
        n_firms=rows.n_firms,
        n_observations=n,
        n_clusters=groups if clustered else n,
        convention=convention,
        degrees_of_freedom=float(freedom),
        level=level,
        unit=sample.names.outcome,
        notes=tuple(f"{count} {text}" for text, count in counts.items() if count),
        effects=rows.effect_names,
        cluster=(sample.names.cluster or "firm") if clustered else "",
        covariance=covariance,
    )


def effect_words(sample: Sample, effect: EffectName) -> str:
    """An effect as tables name it, such as "industry × year"; "firm" and "year" whatever the sample calls them."""
    known = {sample.names.firm: "firm", sample.names.year: "year"}
    return " × ".join(known.get(part, part) for part in ((effect,) if isinstance(effect, str) else effect))


def effect_codes(sample: Sample, effect: EffectName) -> Codes:
    """Level 0..L-1 of one effect per kept row."""
    parts = (effect,) if isinstance(effect, str) else effect
    codes = np.zeros(len(sample.position), dtype=np.intp)
    for part in parts:
        if part in ("firm", sample.names.firm):
            own = sample.firm_codes
        elif part in ("year", sample.names.year):
            own = sample.year_codes
        else:
            own = factorise(sample.column(part))[0]
            if (own == MISSING).any():
                raise DesignError(
                    Problem(what=f"The effect {part} is missing in {int((own == MISSING).sum())} rows.", remedy="fill it")
                )
        codes = factorise(codes * (int(own.max()) + 1) + own)[0]
    return codes


def numbers(sample: Sample, names: Sequence[str]) -> tuple[FloatArray, BoolArray]:
    """Numeric columns (rows, q) and which rows have them all."""
    problems: list[Problem] = []
    columns = [read_number(sample.column(name).to_frame(), name, problems) for name in names]
    raise_if_any(DesignError, problems)
    matrix = np.column_stack(columns)
    return matrix, np.asarray(~np.isnan(matrix).any(axis=1))


def without_singletons(effects: Sequence[Codes], keep: BoolArray) -> BoolArray:
    """Rows kept after observations that are alone in a level of an effect are left out, again and again, as fixest does."""
    while True:
        alone = np.zeros_like(keep)
        for codes in effects:
            alone |= keep & (np.bincount(codes[keep], minlength=int(codes.max()) + 1)[codes] == 1)
        if not alone.any():
            return keep
        keep = keep & ~alone


def covariance_options(covariance: Covariance, cluster: Codes) -> dict[str, Any]:
    """Linearmodels' covariance without any small-sample factor: ours follows fixest and is applied after."""
    if covariance == "clustered":
        return {"cov_type": "clustered", "clusters": cluster, "debiased": False}
    return {"cov_type": {"robust": "robust", "classical": "unadjusted"}[covariance], "debiased": False}


def without_effects(values: FloatArray, effects: Sequence[Codes], weight: FloatArray | None) -> FloatArray:
    """Columns (n, q) after the fixed effects, by weighted least squares; with weights the result is multiplied by their roots."""
    root = np.ones(len(values)) if weight is None else np.sqrt(weight / weight.mean())
    left = values * root[:, None]
    if not effects:
        return left
    from scipy.sparse import csr_matrix, hstack
    from scipy.sparse.linalg import lsmr

    blocks = []
    for codes in effects:
        size = np.sqrt(np.bincount(codes, weights=root**2))  # columns of length one: the solver needs few steps
        blocks.append(csr_matrix((root / size[codes], (np.arange(len(codes)), codes)), shape=(len(codes), len(size))))
    dummies = hstack(blocks, format="csr")
    options = {"atol": SOLVER_TOLERANCE, "btol": SOLVER_TOLERANCE, "conlim": 0.0, "maxiter": max(10 * dummies.shape[1], 1000)}
    for _ in range(SOLVER_PASSES):
        left = np.column_stack([column - dummies @ lsmr(dummies, column, **options)[0] for column in left.T])
    return left


def count_parameters(n_regressors: int, effects: Sequence[Codes], cluster: Codes | None) -> int:
    """Fixest's K: regressors + levels of each effect (1 if it nests in the cluster) − (number of effects − 1)."""
    if not effects:
        return n_regressors
    levels = [1 if cluster is not None and nests(codes, cluster) else int(codes.max()) + 1 for codes in effects]
    return n_regressors + sum(levels) - (len(effects) - 1)


def nests(codes: Codes, cluster: Codes) -> bool:
    """Whether every level lies in one cluster."""
    owner = np.empty(int(codes.max()) + 1, dtype=np.intp)
    owner[codes] = cluster
    return bool((owner[codes] == cluster).all())


def fixest_convention(covariance: Covariance, n: int, k: int, groups: int, cluster: str) -> tuple[float, int, str]:
    """(factor on the raw covariance, degrees of freedom, words)."""
    small = SmallSample(observations=n, parameters=k)
    if covariance == "clustered":
        return small.clustered(groups), groups - 1, small.words(cluster, groups)
    name = {"robust": "heteroskedasticity-robust (HC1)", "classical": "classical"}[covariance]
    return small.per_observation(), n - k, f"{name} errors, N−K = {n - k}; t with N−K"
