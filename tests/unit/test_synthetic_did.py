"""Synthetic difference-in-differences: weights meet their conditions, effects are weighted regressions, errors by brute force."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.optimize import minimize

import sme_eval as sme
from sme_eval.stats.simplex import few_weights, ridge_weights

EXACT = {"rel": 1e-8}
YEARS = np.arange(2010, 2020)


def panel(seed: int = 0, firms: int = 40, cohorts: tuple[int, ...] = (2016,), treated: int = 4) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    cohort = np.zeros(firms, dtype=int)
    for n, g in enumerate(cohorts):
        cohort[n * treated : (n + 1) * treated] = g
    loading = rng.standard_normal(firms) + 0.5 * (cohort > 0)
    path = np.outer(loading, np.linspace(0, 2, len(YEARS))) + rng.standard_normal((firms, 1))
    effect = 1.0 * ((cohort[:, None] > 0) & (cohort[:, None] <= YEARS))
    y = path + effect + 0.3 * rng.standard_normal(path.shape)
    frame = {"id": np.repeat(np.arange(firms), len(YEARS)), "year": np.tile(YEARS, firms), "y": y.ravel()}
    return pd.DataFrame(frame).assign(g=np.repeat(cohort, len(YEARS)), town=lambda d: d.id // 2)


def sample(frame: pd.DataFrame, **choices: str | tuple[str, ...]) -> sme.Sample:
    return sme.Sample.from_frame(frame, firm="id", year="year", outcome="y", cohort="g", **choices)


@pytest.mark.parametrize("ridge", [1e-6, 0.1, 10.0])
@pytest.mark.parametrize(("rows", "columns"), [(6, 30), (12, 9), (3, 400)])
def test_unit_weights_meet_the_conditions_of_a_minimum(ridge: float, rows: int, columns: int) -> None:
    """The gradient is the same for all positive weights, and no smaller where the weight is zero."""
    rng = np.random.default_rng(rows)
    matrix, target = rng.standard_normal((rows, columns)), rng.standard_normal(rows)
    weight = ridge_weights(matrix, target, ridge)
    gradient = matrix.T @ (matrix @ weight - target) + ridge * weight
    assert weight.min() >= 0.0
    assert weight.sum() == pytest.approx(1.0, abs=1e-12)
    positive = weight > 1e-9
    assert np.ptp(gradient[positive]) < 1e-7
    assert gradient.min() > gradient[positive].mean() - 1e-7


def test_both_solvers_and_a_general_one_agree() -> None:
    rng = np.random.default_rng(1)
    matrix, target = rng.standard_normal((12, 7)), rng.standard_normal(12)
    dual, direct = ridge_weights(matrix, target, 0.3), few_weights(matrix, target, 0.3)
    general = minimize(
        lambda w: float(np.sum((matrix @ w - target) ** 2) + 0.3 * w @ w),
        np.full(7, 1 / 7),
        bounds=[(0, 1)] * 7,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
        options={"ftol": 1e-15},
    ).x
    assert dual == pytest.approx(direct, abs=1e-9)
    assert dual == pytest.approx(general, abs=1e-5)


def test_a_heavy_ridge_makes_weights_equal() -> None:
    rng = np.random.default_rng(2)
    assert ridge_weights(rng.standard_normal((5, 20)), rng.standard_normal(5), 1e9) == pytest.approx(np.full(20, 0.05), rel=1e-6)


def test_effect_is_the_weighted_two_way_regression() -> None:
    """The paper's definition: firm and year effects, weights ω_i λ_t."""
    frame = panel()
    fit = sme.SyntheticDiD().fit(sample(frame))
    weight = pd.Series(1 / 4, index=range(40))
    weight[list(fit.controls)] = fit.unit_weights[2016]
    time = pd.Series([*fit.time_weights[2016], *[1 / 4] * 4], index=YEARS)
    own = frame.id.map(weight) * frame.year.map(time)
    treated = ((frame.g > 0) & (frame.year >= frame.g)).astype(float)
    used = own > 0
    effects = [pd.get_dummies(frame.id[used]), pd.get_dummies(frame.year[used], drop_first=True)]
    design = np.column_stack([treated[used], *effects]).astype(float)
    other = sm.WLS(frame.y[used].to_numpy(), design, weights=own[used].to_numpy()).fit()
    assert fit.estimate == pytest.approx(other.params[0], **EXACT)


def test_equal_weights_are_difference_in_differences(monkeypatch: pytest.MonkeyPatch) -> None:
    from sme_eval.estimators import synthetic_did

    monkeypatch.setattr(synthetic_did, "ridge_weights", lambda a, b, ridge: np.full(a.shape[1], 1 / a.shape[1]))
    monkeypatch.setattr(synthetic_did, "few_weights", lambda a, b, ridge: np.full(a.shape[1], 1 / a.shape[1]))
    data = sample(panel())
    assert sme.SyntheticDiD().fit(data).estimate == pytest.approx(float(sme.TwoWayFixedEffects().fit(data).estimate), **EXACT)


def test_cohorts_one_by_one_then_by_firm_years() -> None:
    frame = panel(cohorts=(2014, 2017))
    both = sme.SyntheticDiD().fit(sample(frame))
    alone = [sme.SyntheticDiD().fit(sample(frame[frame.g.isin([0, g])])).estimate for g in (2014, 2017)]
    assert list(both.effects.estimate) == pytest.approx(alone, **EXACT)
    assert both.estimate == pytest.approx((alone[0] * 6 + alone[1] * 3) / 9, **EXACT)


@pytest.mark.parametrize("cluster", [None, "town"])
def test_jackknife_by_brute_force(cluster: str | None) -> None:
    frame = panel(cohorts=(2014, 2017), firms=24)
    fit = sme.SyntheticDiD().fit(sample(frame, **({"cluster": cluster} if cluster else {})))
    wide = frame.pivot(index="id", columns="year", values="y")
    cohort, groups = frame.groupby("id").g.first(), frame.groupby("id")[cluster or "id"].first()
    left_out = []
    for group in groups.unique():
        kept = groups != group
        parts, sizes = [], []
        for g in (2014, 2017):
            before = wide.columns < g
            change = wide.loc[:, ~before].mean(axis=1) - wide.loc[:, before] @ fit.time_weights[g]
            weight = pd.Series(fit.unit_weights[g], index=list(fit.controls))
            weight = weight[kept[weight.index].to_numpy()]
            mine = change[(cohort == g) & kept]
            parts.append(mine.mean() - (weight / weight.sum()) @ change[weight.index])
            sizes.append(len(mine) * (~before).sum())
        left_out.append(np.average(parts, weights=sizes))
    n = len(left_out)
    assert fit.std_error == pytest.approx(np.sqrt((n - 1) / n * np.sum((left_out - np.mean(left_out)) ** 2)), **EXACT)


def test_placebo_is_the_spread_over_comparison_firms() -> None:
    """One treated firm: a placebo is one of the comparison firms, so many draws approach all of them in turn."""
    frame = panel(treated=1, firms=25)
    fit = sme.SyntheticDiD(errors="placebo", draws=2000).fit(sample(frame))
    rest = frame[frame.g == 0]
    each = []
    for firm in rest.id.unique():
        own = rest.assign(g=np.where(rest.id == firm, 2016, 0))
        each.append(float(sme.SyntheticDiD(errors="placebo", draws=2).fit(sample(own)).estimate))
    assert fit.std_error == pytest.approx(np.std(each), rel=0.06)
    assert fit.std_error == sme.SyntheticDiD(errors="placebo", draws=2000).fit(sample(frame)).std_error
    assert fit.std_error != sme.SyntheticDiD(errors="placebo", draws=2000, seed=1).fit(sample(frame)).std_error


def test_firms_with_gaps_and_early_cohorts_are_left_out_and_said() -> None:
    frame = panel(cohorts=(2011, 2016))
    frame = frame[~((frame.id == 20) & (frame.year == 2013))]
    fit = sme.SyntheticDiD().fit(sample(frame))
    assert fit.overall.notes == (
        "1 firms not seen in every year are left out",
        "cohorts with fewer than two years before them are left out: 2011",
    )
    assert fit.effects.keys["cohort"] == (2016,)
    assert 20 not in fit.controls


def test_tables_of_weights_and_words() -> None:
    fit = sme.SyntheticDiD().fit(sample(panel()))
    assert fit.weights().groupby("cohort").weight.sum().tolist() == pytest.approx([1.0])
    assert fit.year_weights().year.tolist() == list(range(2010, 2016))
    assert "weight spread like" in fit.summary()


@pytest.mark.parametrize(
    ("change", "choices", "words"),
    [
        (lambda f: f[f.g > 0], {}, "0 firms are never treated"),
        (lambda f: f[f.year >= 2015], {}, "two years before"),
        (lambda f: f[(f.g == 0) | (f.id == 0)], {}, 'errors="placebo"'),
        (lambda f: f[f.id < 9], {"errors": "placebo"}, "more comparison firms"),
        (lambda f: f.assign(y=f.year * 1.0 + f.id), {}, "all change alike"),
    ],
)
def test_refusals(change: object, choices: dict, words: str) -> None:
    with pytest.raises(sme.IdentificationError, match=words):
        sme.SyntheticDiD(**choices).fit(sample(change(panel())))


def test_misuse() -> None:
    frame = panel().assign(w=1.0, x=0.5)
    with pytest.raises(sme.DesignError, match="3 problems"):
        sme.SyntheticDiD(errors="placebo").fit(sample(frame, weight="w", covariates=("x",), cluster="town"))
    with pytest.raises(sme.DesignError, match="who was treated"):
        sme.SyntheticDiD().fit(sme.Sample.from_frame(frame, firm="id", year="year", outcome="y"))
    with pytest.raises(sme.DesignError, match="2 problems"):
        sme.SyntheticDiD(errors="bootstrap", draws=1)
    with pytest.raises(sme.DesignError, match="fits a Sample"):
        sme.SyntheticDiD().fit(frame)
