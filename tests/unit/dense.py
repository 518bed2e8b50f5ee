"""Oracle of the tests: the untreated model with every dummy written out, firm by firm, without moments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

import sme_eval as sme


@dataclass(frozen=True)
class Dense:
    """Rows with a counterfactual, their gap y − α̂ − λ̂, and the map from outcomes to counterfactuals."""

    rows: pd.DataFrame
    gap: np.ndarray
    fit: np.ndarray
    untreated: np.ndarray
    weight: np.ndarray


def dummies(data: pd.DataFrame, by: tuple[str, ...] = (), covariates: tuple[str, ...] = ()) -> np.ndarray:
    """Firm dummies, year dummies (label × year ones for each label of `by`) and covariates × year."""
    year = data.year.astype(str)
    years = [year + "_" + data[label].astype(str) for label in by] or [year]
    sets = [pd.get_dummies(column, dtype=float).to_numpy() for column in (data.id.astype(str), *years)]
    products = [pd.get_dummies(year, dtype=float).to_numpy() * data[[name]].to_numpy(float) for name in covariates]
    return np.concatenate([*sets, *products], axis=1)


def untreated_dense(
    data: pd.DataFrame, weight: str | None = None, by: tuple[str, ...] = (), covariates: tuple[str, ...] = ()
) -> Dense:
    """Least squares with dummies on untreated rows; rows whose prediction is not determined are left out."""
    data = data.reset_index(drop=True)
    untreated = ~((data.g > 0) & (data.year >= data.g)).to_numpy()
    z = dummies(data, by, covariates)
    w = np.ones(len(data)) if weight is None else data[weight].to_numpy()
    root = np.sqrt(w[untreated])[:, None]
    inverse = np.linalg.pinv(z[untreated] * root, rcond=1e-10)
    fit = np.zeros((len(data), len(data)))
    fit[:, untreated] = (z @ inverse) * root.T
    determined = np.abs(z @ (inverse @ (z[untreated] * root)) - z).max(axis=1) < 1e-8
    rows, fit = data[determined].reset_index(drop=True), fit[determined][:, determined]
    return Dense(
        rows=rows, gap=rows.y.to_numpy() - fit @ rows.y.to_numpy(), fit=fit, untreated=untreated[determined], weight=w[determined]
    )


def same_average(study: sme.EventStudy, dense: Dense, target: np.ndarray, centre: str) -> bool:
    """Whether the overall effect and its error are those of the rows `target`; an error that is only rounding is unavailable."""
    estimate, error = average(dense, target, centre)
    if isinstance(study.std_error, sme.Unavailable):
        rounding = 1e-14 * float(dense.rows["y"].abs().max())  # of sums of outcomes, however small the estimate
        return bool(np.isclose(study.estimate, estimate, rtol=1e-7, atol=1e-9) and error <= max(1e-12 * abs(estimate), rounding))
    return bool(np.allclose((study.estimate, study.std_error), (estimate, error), rtol=1e-7, atol=1e-9))


def average(dense: Dense, target: np.ndarray, centre: str, cluster: str = "id") -> tuple[float, float]:
    """Weighted mean gap over the rows `target`, and its clustered error: centred by cohort × year, or at the mean itself."""
    estimate, scores = influences(dense, target, centre, cluster)
    return estimate, float(np.sqrt((scores**2).sum()))


def influences(dense: Dense, target: np.ndarray, centre: str, cluster: str = "id") -> tuple[float, pd.Series]:
    """Weighted mean gap over the rows `target`, and the influence of every cluster on it."""
    share = np.where(target, dense.weight, 0.0) / dense.weight[target].sum()
    estimate = float(share @ dense.gap)
    v = share - dense.fit.T @ share
    if centre == "cohort and year":
        square = np.where(dense.untreated, 0.0, v**2)
        groups = [dense.rows.g, dense.rows.year]
        total = pd.Series(square).groupby(groups).transform("sum")
        middle = (pd.Series(square * dense.gap).groupby(groups).transform("sum") / total).fillna(0.0).to_numpy()
        residual = dense.gap - np.where(dense.untreated, 0.0, middle)
        score = v * residual
    else:
        score = v * dense.gap - share * estimate
    return estimate, pd.Series(score).groupby(dense.rows[cluster]).sum()
