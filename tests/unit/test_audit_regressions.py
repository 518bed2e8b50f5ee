"""Small, unbalanced, weighted panels with gaps and singletons: every regression against all its dummies written out.

The oracle knows nothing of moments: it takes singletons out, counts levels, tests which effects nest in the clusters and sums
scores row by row, as R fixest 0.14 does (`fixef.rm = "perfect_fit"`, `ssc()` at its defaults).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import sme_eval as sme

EXACT = 1e-9
"""Least squares on a few hundred rows, by two routes; the largest difference seen is near 1e-11."""

YEARS = {"yearly": tuple(range(2014, 2021)), "gaps": (2012, 2014, 2015, 2016, 2019, 2020)}
OPTIONS: list[dict[str, str]] = [{}, {"weight": "w"}, {"cluster": "d"}, {"weight": "w", "cluster": "d"}]


def panel(seed: int, years: Sequence[int], missing: float, firms: int = 32) -> pd.DataFrame:
    """Cohorts of two to four firms, one in ten firms seen once, districts of about five firms that share shocks."""
    rng = np.random.default_rng(seed)
    firm, place = np.divmod(np.arange(firms * len(years)), len(years))
    year = np.array(years)[place]
    g = rng.permutation([2015] * 2 + [2016] * 3 + [2019] * 4 + [2025] * 2 + [0] * (firms - 11))[firm]
    d = firm % 6
    data = pd.DataFrame(
        {"id": firm, "year": year, "g": g, "d": d, "elig": (firm // 6) % 2, "w": rng.uniform(0.3, 3.0, firms)[firm]}
    )
    data["y"] = 3.0 * rng.normal(size=firms)[firm] + rng.normal(size=(6, len(years)))[d, place] + rng.normal(size=len(firm))
    keep = rng.random(len(data)) >= missing
    once = rng.permutation(firms)[: firms // 10]
    keep &= ~np.isin(firm, once) | (place == 1)
    return data[keep].reset_index(drop=True)


def sample(data: pd.DataFrame, **options: str) -> sme.Sample:
    names: dict[str, str] = {"firm": "id", "year": "year", "outcome": "y", "cohort": "g"}
    return sme.Sample.from_frame(data, **names, columns=("d", "elig"), always_treated="drop", **options)


def written_out(
    data: pd.DataFrame, columns: np.ndarray, effects: Sequence[Sequence[str]], weight: str | None = None, cluster: str = "id"
) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    """Coefficients and covariance of `columns` beside firm effects and `effects`, and the rows without singletons."""
    levels = pd.DataFrame({str(n): data.groupby(list(by)).ngroup() for n, by in enumerate([("id",), *effects])})
    keep = np.ones(len(data), dtype=bool)
    while True:
        alone = np.column_stack([levels[keep].groupby(n)[n].transform("size") == 1 for n in levels]).any(axis=1)
        if not alone.any():
            break
        keep[np.flatnonzero(keep)[alone]] = False
    rows, levels, x = data[keep], levels[keep], columns[keep].astype(float)
    dummies = pd.get_dummies(levels.astype(str), dtype=float).to_numpy()
    w = np.ones(len(rows)) if weight is None else rows[weight].to_numpy()
    root = np.sqrt(w)[:, None]
    both = np.column_stack([x, rows.y])
    within = both - dummies @ np.linalg.lstsq(dummies * root, both * root, rcond=1e-12)[0]
    x, y = within[:, :-1], within[:, -1]
    bread = np.linalg.inv((x * w[:, None]).T @ x)
    beta = bread @ (x * w[:, None]).T @ y
    score = pd.DataFrame(x * (w * (y - x @ beta))[:, None]).groupby(rows[cluster].to_numpy()).sum().to_numpy()
    nested = [bool((rows.groupby(levels[n])[cluster].nunique() < 2).all()) for n in levels]
    counted = [1 if inside else levels[n].nunique() for n, inside in zip(levels, nested, strict=True)]
    n, k, groups = len(rows), len(beta) + sum(counted) - (len(counted) - 1), len(score)
    return beta, bread @ score.T @ score @ bread * groups / (groups - 1) * (n - 1) / (n - k), rows


def treated(data: pd.DataFrame) -> np.ndarray:
    return ((data.g > 0) & (data.year >= data.g)).to_numpy(dtype=float)


def check(estimate: sme.Estimate, beta: float, variance: float, rows: pd.DataFrame, cluster: str) -> None:
    error = np.sqrt(variance)
    assert (estimate.n_observations, estimate.n_firms, estimate.n_clusters) == (
        len(rows),
        rows.id.nunique(),
        rows[cluster].nunique(),
    )
    assert estimate.degrees_of_freedom == rows[cluster].nunique() - 1
    p = 2 * stats.t.sf(abs(beta / error), rows[cluster].nunique() - 1)
    np.testing.assert_allclose([estimate.estimate, estimate.std_error, estimate.p_value], [beta, error, p], rtol=EXACT, atol=1e-12)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize(("years", "missing"), [("yearly", 0.25), ("yearly", 0.5), ("gaps", 0.1), ("gaps", 0.4)])
def test_two_way_and_triple_difference(years: str, missing: float, options: dict[str, str]) -> None:
    data = panel(3, YEARS[years], missing)
    data = data[data.g.isin([0, 2016, 2019, 2025])].reset_index(drop=True)
    weight, cluster = options.get("weight"), options.get("cluster", "id")
    on, compared = treated(data)[:, None], 0
    for estimator, column, effects in (
        (sme.TwoWayFixedEffects(), on, [("year",)]),
        (sme.TwoWayFixedEffects(year_effects_by="elig"), on, [("elig", "year")]),
        (sme.TwoWayFixedEffects(year_effects_by="d"), on, [("d", "year")]),
        (sme.TripleDifference(eligible="elig"), on * data[["elig"]].to_numpy(), [("elig", "year"), ("g", "year")]),
    ):
        try:
            fit = estimator.fit(sample(data, **options))
        except sme.IdentificationError:
            continue
        beta, variance, rows = written_out(data, column, effects, weight, cluster)
        check(fit, beta[0], variance[0, 0], rows, cluster)
        compared += 1
    assert compared >= 3, "few designs may be unidentified"


def test_effects_that_nest_in_clusters_by_another_name() -> None:
    """Every town lies in one district: town × year effects nest in the clusters and count once, as fixest finds from the data."""
    data = panel(3, YEARS["yearly"], 0.1, firms=60).query("g != 2015").reset_index(drop=True)
    data = data.assign(town=data.d + 6 * data.elig)
    kept = sme.Sample.from_frame(
        data, firm="id", year="year", outcome="y", cohort="g", columns=("town",), always_treated="drop", cluster="d"
    )
    beta, variance, rows = written_out(data, treated(data)[:, None], [("town", "year")], None, "d")
    check(sme.TwoWayFixedEffects(year_effects_by="town").fit(kept), beta[0], variance[0, 0], rows, "d")


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize(("years", "missing"), [("yearly", 0.25), ("yearly", 0.4), ("gaps", 0.1)])
def test_event_study(years: str, missing: float, options: dict[str, str]) -> None:
    """Leads of cohorts after the last year count too."""
    data = panel(5, YEARS[years], missing)
    data = data[data.g != 2015].reset_index(drop=True)
    weight, cluster = options.get("weight"), options.get("cluster", "id")
    study = sme.EventStudyRegression().fit(sample(data, **options))
    table = study.to_frame()
    table = table[table.note != "reference"]
    e = np.where(data.g > 0, data.year - data.g, -999)
    beta, variance, rows = written_out(data, np.column_stack([e == t for t in table.event_time]), [("year",)], weight, cluster)
    np.testing.assert_allclose(table.estimate, beta, rtol=EXACT, atol=1e-11)
    np.testing.assert_allclose(table.std_error, np.sqrt(np.diag(variance)), rtol=EXACT, atol=1e-11)
    mean = (table.event_time >= 0) / (table.event_time >= 0).sum()
    check(study.overall, float(mean @ beta), float(mean @ variance @ mean), rows, cluster)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize(("years", "missing"), [("yearly", 0.15), ("yearly", 0.3), ("gaps", 0.15)])
def test_sun_abraham(years: str, missing: float, options: dict[str, str]) -> None:
    """Saturated cohort × event time, averaged by weighted rows: fixest's `sunab`, `agg = "period"` and `"att"`."""
    data = panel(8, YEARS[years], missing)
    g = data.g.where(data.g <= max(YEARS[years]), 0)  # fixest: a cohort that is no year of the panel is never treated
    data = data.assign(late=data.g, g=g)[(g != 2015) & ((g != 2019) | (max(YEARS["gaps"]) != 2020))].reset_index(drop=True)
    if years == "gaps":
        data = data[data.g != 2019].reset_index(drop=True)  # no year stands before 2019: the reference is not seen
    weight, cluster = options.get("weight"), options.get("cluster", "id")
    e = np.where(data.g > 0, data.year - data.g, -999)
    pairs = sorted({(h, t) for h, t in zip(data.g, e, strict=True) if h > 0 and t != -1})
    columns = np.column_stack([(data.g == h) & (e == t) for h, t in pairs])
    beta, variance, rows = written_out(data, columns, [("year",)], weight, cluster)
    w = np.ones(len(data)) if weight is None else data[weight].to_numpy()
    mass = (w[rows.index, None] * columns[rows.index]).sum(axis=0)
    times = np.array([t for _, t in pairs])
    study = sme.SunAbraham().fit(sample(data.assign(g=data.late), **options))
    table = study.to_frame().set_index("event_time")
    for t in np.unique(times):
        share = mass * (times == t) / mass[times == t].sum()
        expected = (share @ beta, np.sqrt(share @ variance @ share))
        np.testing.assert_allclose(table.loc[t, ["estimate", "std_error"]].astype(float), expected, rtol=1e-8, atol=1e-11)
    share = mass * (times >= 0) / mass[times >= 0].sum()
    check(study.overall, float(share @ beta), float(share @ variance @ share), rows, cluster)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_panel_regression(options: dict[str, str]) -> None:
    data = panel(11, YEARS["gaps"], 0.3).assign(treated=treated)
    data = data.assign(z=np.random.default_rng(2).normal(size=len(data)))
    weight, cluster = options.get("weight"), options.get("cluster", "id")
    kept = sme.Sample.from_frame(data, firm="id", year="year", outcome="y", columns=("treated", "z", "elig"), **options)
    for effects, by in (((("firm", "year")), [("year",)]), (("firm", ("elig", "year")), [("elig", "year")])):
        fit = sme.PanelRegression(regressors=("treated", "z"), effects=effects).fit(kept)
        beta, variance, rows = written_out(data, data[["treated", "z"]].to_numpy(), by, weight, cluster)
        for j, name in enumerate(("treated", "z")):
            check(fit[name], beta[j], variance[j, j], rows, cluster)
