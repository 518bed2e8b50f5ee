"""The table of moments: against brute force, merged, stored, and its refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sme_eval as sme
from sme_eval.moments import build

RELATIVE = 1e-11
"""Sums in another order differ in the last digits only."""


def frame(seed: int = 0, firms: int = 60, missing: float = 0.15) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    years = np.arange(2015, 2022)
    cohort = rng.choice([0, 2018, 2020], firms)
    y = 10 * rng.standard_normal((firms, 1)) + rng.standard_normal((firms, len(years)))
    y = y + 0.5 * ((years >= cohort[:, None]) & (cohort[:, None] > 0))
    data = pd.DataFrame(
        {
            "id": np.repeat(np.arange(firms), len(years)),
            "year": np.tile(years, firms),
            "y": y.ravel(),
            "g": np.repeat(cohort, len(years)),
            "w": np.repeat(rng.uniform(0.5, 2.0, firms), len(years)),
            "d": np.repeat(rng.integers(0, 6, firms), len(years)),
        }
    )
    return data[rng.random(len(data)) >= missing].reset_index(drop=True)


def make(data: pd.DataFrame, **options: object) -> sme.Sample:
    return sme.Sample.from_frame(data, firm="id", year="year", outcome="y", cohort="g", columns=("d",), **options)


ESTIMATORS = {
    "twfe": lambda data: sme.TwoWayFixedEffects().fit(data).to_frame(),
    "district": lambda data: sme.TwoWayFixedEffects(year_effects_by="d").fit(data).to_frame(),
    "event": lambda data: sme.EventStudyRegression().fit(data).to_frame(),
    "group-time": lambda data: sme.CallawaySantAnna(panel="pairs").fit(data).to_frame(),
    "average": lambda data: sme.CallawaySantAnna(panel="pairs").fit(data).aggregate("group").overall.to_frame(),
}


def assert_same(a: pd.DataFrame, b: pd.DataFrame, relative: float = RELATIVE) -> None:
    for name in ("estimate", "std_error"):
        np.testing.assert_allclose(a[name], b[name], rtol=relative, atol=relative)


@pytest.mark.parametrize("name", ["twfe", "event"])
@pytest.mark.parametrize("options", [{}, {"weight": "w"}, {"cluster": "d"}, {"weight": "w", "cluster": "d"}], ids=str)
def test_dense_dummies_give_the_same(name: str, options: dict[str, str]) -> None:
    """Identity: least squares with every dummy written out, scores summed firm by firm, without moments."""
    data = frame()
    counts = data.groupby("id")["y"].transform("size")
    data = data[counts > 1]
    fit = (sme.TwoWayFixedEffects() if name == "twfe" else sme.EventStudyRegression()).fit(make(data, **options))
    table = fit.to_frame()
    table = table[table["note"] != "reference"]
    e = np.where(data.g > 0, data.year - data.g, -999)
    x = np.column_stack([(e >= 0)] if name == "twfe" else [e == t for t in table["event_time"]]).astype(float)
    dummies = pd.get_dummies(data[["id", "year"]].astype(str), dtype=float).to_numpy()
    w = data.w.to_numpy() if "weight" in options else np.ones(len(data))
    z = np.column_stack([x, dummies])
    beta = np.linalg.lstsq(z * np.sqrt(w)[:, None], data.y * np.sqrt(w), rcond=None)[0]
    residual = data.y.to_numpy() - z @ beta
    d = np.linalg.lstsq(dummies * np.sqrt(w)[:, None], x * np.sqrt(w)[:, None], rcond=None)[0]
    x_tilde = x - dummies @ d
    bread = np.linalg.inv((x_tilde * w[:, None]).T @ x_tilde)
    group = data["d" if "cluster" in options else "id"]
    score = pd.DataFrame(x_tilde * (w * residual)[:, None]).groupby(group.to_numpy()).sum().to_numpy()
    n, g = len(data), len(score)
    k = x.shape[1] + data.year.nunique()
    variance = bread @ score.T @ score @ bread * g / (g - 1) * (n - 1) / (n - k)
    np.testing.assert_allclose(table["estimate"], beta[: x.shape[1]], rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(table["std_error"], np.sqrt(np.diag(variance)), rtol=1e-9)


@pytest.mark.parametrize("weight", [None, "w"])
def test_group_time_against_brute_force(weight: str | None) -> None:
    """Identity: ATT(g, t) and its error from firm-level influences, pairs rule, not-yet-treated comparison."""
    data = frame()
    result = sme.CallawaySantAnna(comparison="not_yet_treated", panel="pairs").fit(make(data, weight=weight))
    wide = data.pivot(index="id", columns="year", values="y")
    firm = data.groupby("id")[["g", "w"]].first()
    w = firm.w if weight else firm.w * 0 + 1
    for row in result.to_frame().itertuples():
        base = row.cohort - 1 if row.year >= row.cohort else row.year - 1
        change = wide[row.year] - wide[base]
        treated = (firm.g == row.cohort) & change.notna()
        later = (firm.g == 0) | (firm.g > max(row.year, base))
        control = later & (firm.g != row.cohort) & change.notna()
        means = [np.average(change[m], weights=w[m]) for m in (treated, control)]
        influence = [w[m] * (change[m] - mean) / w[m].sum() for m, mean in zip((treated, control), means, strict=True)]
        assert row.estimate == pytest.approx(means[0] - means[1], rel=1e-10, abs=1e-12)
        error = np.sqrt(sum((i**2).sum() for i in influence))
        assert row.std_error == pytest.approx(error, rel=1e-10)


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("options", [{}, {"weight": "w"}, {"cluster": "d"}], ids=str)
def test_merged_tables_equal_the_whole(name: str, options: dict[str, str]) -> None:
    data = frame()
    left, right = data[data.id < 25], data[data.id >= 25]
    if "cluster" in options:
        left, right = data[data.d < 3], data[data.d >= 3]
    parts = [sme.Moments.from_sample(make(part, **options)) for part in (left, right)]
    whole = sme.Moments.from_sample(make(data, **options))
    merged = parts[0].merge(parts[1])
    assert len(merged.n_firms) == len(whole.n_firms)
    assert_same(ESTIMATORS[name](merged), ESTIMATORS[name](whole), 1e-10)


@pytest.mark.parametrize("options", [{}, {"weight": "w"}, {"cluster": "d"}], ids=str)
@pytest.mark.parametrize("missing", [0.0, 0.15])
def test_cells_cut_into_pieces_are_the_same_cells(monkeypatch: pytest.MonkeyPatch, missing: float, options: dict[str, str]) -> None:
    """Identity: moments pooled from blocks of seven firms are those of whole cells, also far from zero."""
    data = frame(missing=missing).assign(y=lambda d: d.y + 1e4 * d.id)
    whole = sme.Moments.from_sample(make(data, **options), by=())
    monkeypatch.setattr(build, "FIRMS_AT_A_TIME", 7)
    cut = sme.Moments.from_sample(make(data, **options), by=())
    for name in ("weight", "squared_weight", "mean", "squared_weight_mean", "covariance", "shift"):
        a, b = getattr(whole, name), getattr(cut, name)
        np.testing.assert_allclose(b, a, rtol=1e-12, atol=1e-12 * np.abs(a).max())


def test_merging_needs_tables_of_one_form() -> None:
    data = frame()
    with pytest.raises(sme.DesignError, match="differ in weighting"):
        sme.Moments.from_sample(make(data)).merge(sme.Moments.from_sample(make(data, weight="w")))


def test_stored_and_read_back(tmp_path: Path) -> None:
    moments = sme.Moments.from_sample(make(frame(), cluster="d"))
    again = sme.Moments.read(moments.write(tmp_path / "deep" / "cells.npz"))
    for name, estimate in ESTIMATORS.items():
        assert_same(estimate(again), estimate(moments), 1e-15), name
    assert again.flow == moments.flow
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["cells.npz"]
    (tmp_path / "other.npz").write_bytes(b"nothing")
    with pytest.raises(sme.DataError, match="not a file of moments"):
        sme.Moments.read(tmp_path / "other.npz")
    with pytest.raises(sme.DataError, match="no such file"):
        sme.Moments.read(tmp_path / "none.npz")


def test_labels_are_split_by_declaration() -> None:
    sample = make(frame())
    assert set(sme.Moments.from_sample(sample).labels) == {"d"}
    bare = sme.Moments.from_sample(sample, by=())
    with pytest.raises(sme.DesignError, match="not split by 'd'"):
        sme.TwoWayFixedEffects(year_effects_by="d").fit(bare)


def test_covariates_are_never_ignored() -> None:
    data = frame().assign(x=lambda d: d.id / 10)
    sample = sme.Sample.from_frame(data, firm="id", year="year", outcome="y", cohort="g", covariates=("x",))
    with pytest.raises(sme.DesignError, match="would be ignored"):
        sme.StackedDiD().fit(sample)
    with pytest.raises(sme.DesignError, match="would be ignored"):
        sme.bacon_decomposition(sample)


def test_estimators_need_a_treatment() -> None:
    sample = sme.Sample.from_frame(frame(), firm="id", year="year", outcome="y")
    with pytest.raises(sme.DesignError, match="who was treated when"):
        sme.TwoWayFixedEffects().fit(sample)
    with pytest.raises(sme.DesignError, match="fits a Sample or Moments"):
        sme.TwoWayFixedEffects().fit(frame())


def test_large_firm_levels_do_not_cost_digits() -> None:
    """Firm effects a million times the noise: a covariance of levels would lose the fourth digit."""
    data = frame(missing=0.0)
    shifted = data.assign(y=data.y + 1e6 * data.id)
    a, b = (sme.TwoWayFixedEffects().fit(make(d)) for d in (data, shifted))
    assert b.estimate == pytest.approx(a.estimate, rel=1e-8)
    assert b.std_error == pytest.approx(a.std_error, rel=1e-8)
