"""Stacked blocks: against the stacked rows written out, and what is refused or left out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sme_eval as sme

from .test_moments import frame, make

OPTIONS = [{}, {"weight": "w"}, {"cluster": "d"}, {"weight": "w", "cluster": "d"}]


By = str | tuple[str, ...] | None


def fit(data: pd.DataFrame, window: tuple[int, int] = (-2, 1), by: By = None, **options: object) -> sme.EventStudy:
    return sme.StackedDiD(window=window, year_effects_by=by).fit(make(data, **options))


def years_of(rows: pd.DataFrame, by: By) -> list[pd.Series]:
    """A level of each set of (label ×) year effects per row."""
    labels = (by,) if isinstance(by, str) else by or ()
    return [rows.year.astype(str) + "_" + rows[name].astype(str) for name in labels] or [rows.year.astype(str)]


def stack(data: pd.DataFrame, window: tuple[int, int], by: By = None) -> pd.DataFrame:
    """The rows of every block, one under the other, without observations alone in block × firm or block × (label ×) year."""
    blocks = []
    for g in sorted(set(data.g) - {0}):
        clean = (data.g == 0) | (data.g > min(g + window[1], data.year.max()))
        block = data[((data.g == g) | clean) & data.year.between(g + window[0], g + window[1])].assign(block=g)
        block["e"] = np.where(block.g == g, block.year - g, -99)
        while True:
            alone = block.groupby("id")["y"].transform("size") == 1
            for level in years_of(block, by):
                alone |= block.groupby(level)["y"].transform("size") == 1
            if not alone.any():
                break
            block = block[~alone]
        blocks.append(block)
    return pd.concat(blocks, ignore_index=True)


def regression(rows: pd.DataFrame, x: np.ndarray, weight: str | None, cluster: str, by: By = None) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients and clustered errors with every dummy of block × firm and block × (label ×) year, fixest's factor."""
    text = rows.block.astype(str)
    years = [text + "_" + level for level in years_of(rows, by)]
    dummies = np.concatenate(
        [pd.get_dummies(key, dtype=float).to_numpy() for key in (text + "_" + rows.id.astype(str), *years)], axis=1
    )
    w = np.ones(len(rows)) if weight is None else rows[weight].to_numpy()
    root = np.sqrt(w)[:, None]
    own = x - dummies @ np.linalg.lstsq(dummies * root, x * root, rcond=None)[0]
    bread = np.linalg.inv((own * w[:, None]).T @ own)
    z = np.column_stack([x, dummies])
    beta = np.linalg.lstsq(z * root, rows.y.to_numpy() * root[:, 0], rcond=None)[0]
    score = pd.DataFrame(own * (w * (rows.y.to_numpy() - z @ beta))[:, None]).groupby(rows[cluster].to_numpy()).sum().to_numpy()
    levels = [1 if rows[cluster].groupby(key).nunique().max() == 1 else key.nunique() for key in years]
    n, g, k = len(rows), len(score), x.shape[1] + 1 + sum(levels) - len(levels)
    variance = bread @ score.T @ score @ bread * g / (g - 1) * (n - 1) / (n - k)
    return beta[: x.shape[1]], np.sqrt(np.diag(variance))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize(("missing", "window"), [(0.0, (-2, 1)), (0.3, (-2, 1)), (0.2, (-3, 3))])
def test_the_stacked_rows_give_the_same(missing: float, window: tuple[int, int], options: dict[str, str]) -> None:
    """Identity: one regression on rows that are really stacked, firms repeated in every block that they serve."""
    data = frame(4, firms=30, missing=missing)
    study = fit(data, window, **options)
    rows = stack(data, window)
    table = study.to_frame().set_index("event_time")
    times = table.index[table.index != -1]
    weight, cluster = options.get("weight"), options.get("cluster", "id")
    beta, error = regression(rows, (rows.e >= 0).to_numpy(float)[:, None], weight, cluster)
    np.testing.assert_allclose((study.estimate, study.std_error), (beta[0], error[0]), rtol=1e-9)
    beta, error = regression(rows, np.column_stack([rows.e == e for e in times]).astype(float), weight, cluster)
    np.testing.assert_allclose(table.loc[times, "estimate"], beta, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(table.loc[times, "std_error"], error, rtol=1e-9)
    assert study.overall.n_observations == len(rows)
    assert study.overall.n_firms == rows.id.nunique()
    assert study.overall.degrees_of_freedom == rows[cluster].nunique() - 1


@pytest.mark.parametrize(
    ("by", "options"),
    [("d", {}), ("d", {"weight": "w"}), ("d", {"cluster": "d"}), (("d", "s"), {"weight": "w"}), (("s", "d"), {"cluster": "d"})],
    ids=str,
)
def test_block_by_label_by_year(by: By, options: dict[str, str]) -> None:
    """Identity: the same stacked rows with a dummy of every block × label × year."""
    data = frame(4, firms=90, missing=0.2).assign(s=lambda d: d.id % 4)
    names = {"firm": "id", "year": "year", "outcome": "y", "cohort": "g", **options}
    study = sme.StackedDiD(window=(-2, 1), year_effects_by=by).fit(sme.Sample.from_frame(data, columns=("d", "s"), **names))
    rows = stack(data, (-2, 1), by)
    table = study.to_frame().set_index("event_time")
    times = table.index[table.index != -1]
    weight, cluster = options.get("weight"), options.get("cluster", "id")
    beta, error = regression(rows, (rows.e >= 0).to_numpy(float)[:, None], weight, cluster, by)
    np.testing.assert_allclose((study.estimate, study.std_error), (beta[0], error[0]), rtol=1e-9)
    beta, error = regression(rows, np.column_stack([rows.e == e for e in times]).astype(float), weight, cluster, by)
    np.testing.assert_allclose(table.loc[times, "estimate"], beta, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(table.loc[times, "std_error"], error, rtol=1e-9)
    assert study.overall.n_observations == len(rows)
    assert "block × d × year" in study.overall.convention


def test_observations_alone_in_their_block_are_left_out_and_said() -> None:
    """A firm seen once in the window, and a district of one firm: gone from the counts, block by block."""
    data = frame(2, missing=0.0)
    lone = data.id.isin(data[data.g == 0].id.unique()[:1])
    without = fit(data[~lone])
    once = fit(data[~lone | (data.year == 2018)])
    assert (once.estimate, once.std_error) == pytest.approx((without.estimate, without.std_error), rel=1e-12)
    assert once.overall.n_observations == without.overall.n_observations
    assert "2 observations alone in their firm or year are left out" in once.overall.notes  # both blocks hold 2018
    data["d"] = data.d.where(~lone, 99)
    alone, absent = fit(data, by="d"), fit(data[~lone], by="d")
    assert (alone.estimate, alone.std_error) == pytest.approx((absent.estimate, absent.std_error), rel=1e-12)
    assert alone.overall.n_firms == absent.overall.n_firms


def test_one_cohort_is_an_event_study_regression() -> None:
    """With one cohort, never-treated firms and the whole panel as window nothing is stacked."""
    data = frame(2).query("g != 2020")
    stacked, regression_ = fit(data, (-3, 3)), sme.EventStudyRegression().fit(make(data))
    for name in ("estimate", "std_error"):
        np.testing.assert_allclose(stacked.to_frame()[name], regression_.to_frame()[name], rtol=1e-9, atol=1e-12)
    twfe = sme.TwoWayFixedEffects().fit(make(data))
    assert (stacked.estimate, stacked.std_error) == pytest.approx((twfe.estimate, twfe.std_error), rel=1e-10)


def test_no_treated_firm_serves_as_comparison() -> None:
    """A shock to cohort 2018 after its own window leaves the block of 2020 alone; to cohort 2020 before 2020 it does not."""
    data = frame(2)
    base = fit(data)
    shocked = data.assign(y=data.y + 100.0 * ((data.g == 2018) & (data.year > 2019)))
    assert fit(shocked).estimate == pytest.approx(base.estimate, rel=1e-12)
    before = data.assign(y=data.y + 100.0 * ((data.g == 2020) & (data.year == 2017)))
    assert fit(before).estimate != pytest.approx(base.estimate, rel=1e-3)


def test_what_the_notes_say() -> None:
    data = frame(2)
    assert fit(data, (-3, 3)).overall.notes[0].endswith("runs out of the panel: 2020")
    only = fit(data.query("g > 0"))
    assert only.overall.notes[0] == "cohorts without a clean comparison are left out: 2020"
    assert "1 stacked blocks" in only.overall.convention


def test_refusals() -> None:
    for window in ((0, 3), (-3, -1), (-2.5, 3), (-3,), 3):
        with pytest.raises(sme.DesignError, match="does not hold event times"):
            sme.StackedDiD(window=window)
    with pytest.raises(sme.DesignError, match="not the level"):
        sme.StackedDiD(level=95.0)
    with pytest.raises(sme.IdentificationError, match="No cohort has years on both sides"):
        fit(frame().query("g == 2018"))
    with pytest.raises(sme.IdentificationError, match="No cohort has years on both sides"):
        fit(frame().query("g == 0"))
    sample = sme.Sample.from_frame(frame(), firm="id", year="year", outcome="y", cohort="g", covariates=("w",))
    with pytest.raises(sme.DesignError, match="Covariates would be ignored"):
        sme.StackedDiD().fit(sample)
    with pytest.raises(sme.IdentificationError, match="Too little data"):
        fit(frame().assign(d=1), cluster="d")


def test_without_the_last_year_before_treatment_only_the_static_coefficient_is_given() -> None:
    data = frame(2, missing=0.0)
    study = fit(data[(data.g == 0) | (data.year != data.g - 1)], (-3, 3))
    table = study.to_frame().set_index("event_time")
    assert table.loc[table.index != -1, "estimate"].isna().all()
    assert table.loc[0, "note"].startswith("event times repeat")
    assert np.isfinite(study.estimate)
    assert np.isfinite(study.std_error)
