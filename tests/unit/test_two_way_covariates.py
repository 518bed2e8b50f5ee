"""Two-way regressions with covariates × year and label × year effects against least squares with every dummy written out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sme_eval as sme
from sme_eval.stats import firm_blocks

EXACT = 1e-9
By = str | tuple[str, ...] | None
NAMES = ("x1", "x2")
YEARS = np.arange(2016, 2022)
FIRMS = 60


def panel(seed: int = 0, missing: float = 0.12) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.standard_normal(FIRMS), rng.integers(0, 2, FIRMS)])
    cohort = rng.choice([0, 0, 2018, 2020], FIRMS)
    treated = (cohort[:, None] > 0) & (cohort[:, None] <= YEARS)
    y = rng.standard_normal((FIRMS, 1)) + (x @ [0.3, -0.2])[:, None] * (YEARS - 2016) + 0.5 * treated
    y = y + rng.standard_normal((FIRMS, len(YEARS)))
    columns = {"id": np.repeat(np.arange(FIRMS), len(YEARS)), "year": np.tile(YEARS, FIRMS), "y": y.ravel()}
    data = pd.DataFrame(columns).assign(g=np.repeat(cohort, len(YEARS)), w=np.repeat(rng.uniform(0.5, 2.0, FIRMS), len(YEARS)))
    data["d"], data["big"], data["elig"] = data.id % 5, (data.id % 5) // 2, (data.id // 5) % 2
    data["s"] = data.id.map(dict(enumerate(rng.integers(0, 4, FIRMS))))
    for j, name in enumerate(NAMES):
        data[name] = np.repeat(x[:, j], len(YEARS))
    return data[rng.random(len(data)) >= missing].reset_index(drop=True)


def make(data: pd.DataFrame, covariates: tuple[str, ...] = NAMES, **names: str) -> sme.Sample:
    columns = ("d", "s", "big", "elig")
    return sme.Sample.from_frame(
        data, firm="id", year="year", outcome="y", cohort="g", covariates=covariates, columns=columns, **names
    )


def dense(
    data: pd.DataFrame, regressors: np.ndarray, by: By, weight: str | None, cluster: str | None, covariates: tuple[str, ...] = NAMES
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients and their clustered covariance with fixest's factor.

    K counts the levels of effects that do not nest in the clusters, the others once all in all, and independent covariates × year.
    """
    labels = (by,) if isinstance(by, str) else by
    keys = [data.year] if labels is None else [data[name].astype(str) + "_" + data.year.astype(str) for name in labels]
    firm, *years = (pd.get_dummies(key, dtype=float).to_numpy() for key in (data.id.astype(str), *keys))
    year = pd.get_dummies(data.year, dtype=float).to_numpy()
    by_year = np.concatenate([year[:, :0], *(year * data[[name]].to_numpy() for name in covariates)], axis=1)
    w = np.ones(len(data)) if weight is None else data[weight].to_numpy()
    root = np.sqrt(w)[:, None]
    effects = np.concatenate([firm, *years], axis=1)
    nuisance = np.concatenate([effects, by_year], axis=1)
    residual = regressors - nuisance @ np.linalg.lstsq(nuisance * root, regressors * root, rcond=1e-11)[0]
    everything = np.concatenate([regressors, nuisance], axis=1)
    coefficients = np.linalg.lstsq(everything * root, data.y.to_numpy() * root[:, 0], rcond=1e-11)[0]
    e = data.y.to_numpy() - everything @ coefficients
    bread = np.linalg.inv((residual * w[:, None]).T @ residual)
    groups = data[cluster or "id"]
    scores = pd.DataFrame(residual * (w * e)[:, None]).groupby(groups.to_numpy()).sum().to_numpy()
    extra = np.linalg.matrix_rank(nuisance, tol=1e-8) - np.linalg.matrix_rank(effects, tol=1e-8)
    levels = [1 if groups.groupby(key).nunique().max() == 1 else key.nunique() for key in keys]
    n, g, k = len(data), len(scores), regressors.shape[1] + extra + 1 + sum(levels) - len(levels)
    factor = g / (g - 1) * (n - 1) / (n - k)
    return coefficients[: regressors.shape[1]], factor * bread @ scores.T @ scores @ bread


CASES = [
    (0.0, None, None, None),
    (0.12, None, None, None),
    (0.12, "d", None, None),
    (0.12, None, "w", None),
    (0.12, None, "w", "d"),
    (0.12, "d", None, "d"),
    (0.12, ("d", "s"), "w", None),
    (0.12, ("s", "d"), None, "big"),
]
CONDITIONS = ("missing", "by", "weight", "cluster")


def options(**names: str | None) -> dict[str, str]:
    return {key: value for key, value in names.items() if value}


@pytest.mark.parametrize(CONDITIONS, CASES)
def test_treated_is_that_of_dense_least_squares(missing: float, by: By, weight: str | None, cluster: str | None) -> None:
    data = panel(missing=missing)
    found = sme.TwoWayFixedEffects(year_effects_by=by).fit(make(data, **options(weight=weight, cluster=cluster)))
    treated = ((data.g > 0) & (data.year >= data.g)).to_numpy(float)[:, None]
    estimate, covariance = dense(data, treated, by, weight, cluster)
    assert found.estimate == pytest.approx(estimate[0], rel=EXACT)
    assert found.std_error == pytest.approx(np.sqrt(covariance[0, 0]), rel=EXACT)
    assert "x1, x2 × year" in found.convention


@pytest.mark.parametrize(CONDITIONS, CASES)
def test_event_times_are_those_of_dense_least_squares(missing: float, by: By, weight: str | None, cluster: str | None) -> None:
    data = panel(1, missing=missing)
    found = sme.EventStudyRegression(year_effects_by=by).fit(make(data, **options(weight=weight, cluster=cluster)))
    times = [e for e in found.effects.keys["event_time"] if e != -1]
    event = np.where(data.g > 0, data.year - data.g, -999)
    estimate, covariance = dense(data, (event[:, None] == times).astype(float), by, weight, cluster)
    kept = np.array(found.effects.keys["event_time"]) != -1
    np.testing.assert_allclose(found.effects.estimate[kept], estimate, rtol=EXACT, atol=EXACT)
    np.testing.assert_allclose(found.effects.covariance[np.ix_(kept, kept)], covariance, rtol=1e-7, atol=1e-11)
    after = (np.array(times) >= 0) / (np.array(times) >= 0).sum()
    assert found.overall.estimate == pytest.approx(after @ estimate, rel=EXACT)
    assert found.overall.std_error == pytest.approx(np.sqrt(after @ covariance @ after), rel=1e-8)


@pytest.mark.parametrize("covariates", [NAMES, ()], ids=["given x", "without"])
@pytest.mark.parametrize(CONDITIONS, CASES)
def test_cohorts_event_times_are_those_of_dense_least_squares(
    missing: float, by: By, weight: str | None, cluster: str | None, covariates: tuple[str, ...]
) -> None:
    """Sun–Abraham: every row and the overall effect from the saturated regression, averaged by weighted firm-years."""
    data = panel(4, missing=missing)
    found = sme.SunAbraham(year_effects_by=by).fit(make(data, covariates, **options(weight=weight, cluster=cluster)))
    event = np.where(data.g > 0, data.year - data.g, -999)
    pairs = sorted({(g, e) for g, e in zip(data.g, event, strict=True) if g > 0 and e != -1})
    columns = np.column_stack([(data.g == g) & (event == e) for g, e in pairs]).astype(float)
    estimate, covariance = dense(data, columns, by, weight, cluster, covariates)
    mass = (columns * (data[[weight]].to_numpy() if weight else 1.0)).sum(axis=0)
    times = np.array([e for _, e in pairs])
    table = found.to_frame().set_index("event_time")
    for wanted, estimated in [(times == e, tuple(table.loc[e, ["estimate", "std_error"]])) for e in np.unique(times)] + [
        (times >= 0, (found.estimate, found.std_error))
    ]:
        share = mass * wanted / mass[wanted].sum()
        assert estimated == pytest.approx((share @ estimate, np.sqrt(share @ covariance @ share)), rel=1e-8, abs=EXACT)
    assert ("x1, x2 × year" in found.overall.convention) == bool(covariates)


@pytest.mark.parametrize(CONDITIONS, [case for case in CASES if case[1] != "d"])
def test_the_triple_difference_is_that_of_dense_least_squares(
    missing: float, by: By, weight: str | None, cluster: str | None
) -> None:
    data = panel(5, missing=missing)
    given = make(data, **options(weight=weight, cluster=cluster))
    found = sme.TripleDifference(eligible="elig", year_effects_by=by).fit(given)
    column = ((data.g > 0) & (data.year >= data.g) & (data.elig == 1)).to_numpy(float)[:, None]
    estimate, covariance = dense(data, column, ("elig", "g", *((by or ()) if not isinstance(by, str) else (by,))), weight, cluster)
    assert (found.estimate, found.std_error) == pytest.approx((estimate[0], np.sqrt(covariance[0, 0])), rel=EXACT)
    assert "x1, x2 × year" in found.convention


def test_observations_alone_in_their_firm_are_left_out() -> None:
    data = panel(2)
    alone = data[(data.id != 7) | (data.year == data[data.id == 7].year.min())]
    with_it, without = (sme.TwoWayFixedEffects().fit(make(d)) for d in (alone, alone[alone.id != 7]))
    assert (with_it.estimate, with_it.std_error) == pytest.approx((without.estimate, without.std_error), rel=1e-11)
    assert "1 observations alone in their firm or year are left out" in with_it.notes


def test_a_covariate_that_decides_treatment_leaves_nothing() -> None:
    data = panel(3)
    data["x1"] = (data.g == 2018) * 1.0
    data["x2"] = (data.g == 2020) * 1.0
    with pytest.raises(sme.IdentificationError, match="Not identified beside the fixed effects: treated"):
        sme.TwoWayFixedEffects().fit(make(data))


def test_chunks_move_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    data = panel(4, missing=0.0)
    whole = sme.TwoWayFixedEffects().fit(make(data))
    monkeypatch.setattr(firm_blocks, "CHUNK", 3)
    parts = sme.TwoWayFixedEffects().fit(make(data))
    assert (parts.estimate, parts.std_error) == pytest.approx((whole.estimate, whole.std_error), rel=1e-11)


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000), st.floats(1e-3, 1e3), st.floats(-1e3, 1e3))
def test_rows_names_units(seed: int, scale: float, level: float) -> None:
    data = panel(seed % 5)
    names = pd.Series(np.random.default_rng(seed).permutation(FIRMS), index=range(FIRMS))
    other = data.assign(id="企业" + data.id.map(names).astype(str), x1=scale * data.x1 + level).sample(frac=1.0, random_state=seed)
    first, second = (sme.TwoWayFixedEffects().fit(make(d)) for d in (data, other))
    assert (second.estimate, second.std_error) == pytest.approx((first.estimate, first.std_error), rel=1e-8)
    moved = sme.TwoWayFixedEffects().fit(make(data.assign(y=scale * data.y + level)))
    assert (moved.estimate, moved.std_error) == pytest.approx((scale * first.estimate, scale * first.std_error), rel=1e-7)
