"""Oracle of the dose tests: every estimate as a function of firms' weights, firm by firm, without moments.

An estimator that is smooth in the weights and unchanged when all are scaled has the influence w_i ∂θ/∂w_i. The derivative is taken
by a complex step, θ(w + ih)/h, which is exact to the last digits because nothing is subtracted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

STEP = 1e-30


@dataclass(frozen=True)
class Panel:
    """Wide outcomes (N, T) with NaN, years, and per firm cohort (0: never), dose, weight, cluster."""

    wide: np.ndarray
    years: np.ndarray
    cohort: np.ndarray
    dose: np.ndarray
    weight: np.ndarray
    cluster: np.ndarray

    @classmethod
    def of(cls, data: pd.DataFrame, weight: str | None, rule: str) -> Panel:
        wide = data.pivot(index="id", columns="year", values="y")
        if rule == "balanced":
            wide = wide.dropna()
        firm = data.groupby("id")[["g", "reward", "w", "d"]].first().loc[wide.index]
        weights = np.ones(len(firm)) if weight is None else firm[weight].to_numpy()
        return cls(wide.to_numpy(), wide.columns.to_numpy(), firm.g.to_numpy(), firm.reward.to_numpy(), weights, firm.d.to_numpy())


def effects(panel: Panel, weight: np.ndarray, comparison: str) -> pd.DataFrame:
    """One row per cohort, dose and year: ATT(g, t | d), the group's share, as functions of `weight`."""
    rows = []
    for g in np.unique(panel.cohort[panel.cohort > 0]):
        for d in np.unique(panel.dose[panel.cohort == g]):
            for t, year in enumerate(panel.years[1:], start=1):
                b = int(np.flatnonzero(panel.years < g)[-1]) if year >= g else t - 1
                change = panel.wide[:, t] - panel.wide[:, b]
                seen = np.isfinite(change)
                later = (panel.cohort == 0) | ((panel.cohort > max(year, panel.years[b])) & (panel.cohort != g))
                control = seen & (later if comparison == "not_yet_treated" else panel.cohort == 0)
                treated = seen & (panel.cohort == g) & (panel.dose == d)
                sides = [(weight[m] * change[m]).sum() / weight[m].sum() for m in (treated, control)]
                share = weight[(panel.cohort == g) & (panel.dose == d)].sum() / weight.sum()
                rows.append({"cohort": g, "dose": d, "year": year, "effect": sides[0] - sides[1], "share": share})
    return pd.DataFrame(rows)


def line(x: np.ndarray, y: np.ndarray, m: np.ndarray) -> np.ndarray:
    """Weighted least squares of y on the columns of x."""
    return np.linalg.solve((x * m[:, None]).T @ x, (x * m[:, None]).T @ y)


def answers(panel: Panel, weight: np.ndarray, comparison: str) -> np.ndarray:
    """ATT(d) of every dose, overall, slope, intercept, slope through the origin, slope within, steps: one vector."""
    table = effects(panel, weight, comparison)
    table = table[table.year >= table.cohort]
    by_dose = [(d, rows.effect.to_numpy(), rows.share.to_numpy()) for d, rows in table.groupby("dose")]
    dose = np.array([d for d, _, _ in by_dose])
    att = np.array([(e * p).sum() / p.sum() for _, e, p in by_dose])
    mass = np.array([p.sum() for _, _, p in by_dose])
    intercept, slope = line(np.column_stack([np.ones(len(dose)), dose]), att, mass)
    origin = line(dose[:, None], att, mass)
    cells = pd.get_dummies(table.cohort.astype(str) + "-" + table.year.astype(str), dtype=float).to_numpy()
    within = line(np.column_stack([table.dose, cells]), table.effect.to_numpy(), table.share.to_numpy())[:1]
    steps = np.diff(att, prepend=0.0) / np.diff(dose, prepend=0.0)
    return np.concatenate([att, [(att * mass).sum() / mass.sum(), slope, intercept], origin, within, steps])


def influences(data: pd.DataFrame, weight: str | None, rule: str, comparison: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The vector of `answers`, every firm's influence on it, and the firms' clusters."""
    panel = Panel.of(data, weight, rule)
    found = []
    for i, w in enumerate(panel.weight):
        moved = panel.weight.astype(complex)
        moved[i] += 1j * STEP
        found.append(w * answers(panel, moved, comparison).imag / STEP)
    return answers(panel, panel.weight, comparison), np.array(found), panel.cluster
