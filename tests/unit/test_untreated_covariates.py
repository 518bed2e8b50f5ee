"""Imputation and two stages with covariates × year and label × year effects: against dummies written out, and on known truths."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import sme_eval as sme
from sme_eval.stats import firm_blocks

from .dense import Dense, average, dummies, influences, same_average, untreated_dense

FIRMS = 60
YEARS = np.arange(2015, 2022)
X = ("x1", "x2")
IMPUTATION, TWO_STAGE = (sme.ImputationDiD, "cohort and year"), (sme.TwoStageDiD, "mean")


def panel(seed: int = 0, missing: float = 0.15) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.standard_normal(FIRMS), rng.integers(0, 2, FIRMS)])
    cohort = rng.choice([0, 0, 2018, 2020], FIRMS)
    treated = (cohort[:, None] > 0) & (cohort[:, None] <= YEARS)
    y = 5 * rng.standard_normal((FIRMS, 1)) + (x @ [0.3, -0.2])[:, None] * (YEARS - 2015) + 0.5 * treated
    y = y + rng.standard_normal((FIRMS, len(YEARS)))
    per_firm = {"id": np.arange(FIRMS), "g": cohort, "w": rng.uniform(0.5, 2.0, FIRMS), "x1": x[:, 0], "x2": x[:, 1]}
    per_firm |= {"d": rng.integers(0, 3, FIRMS), "s": rng.integers(0, 2, FIRMS), "town": np.arange(FIRMS) % 12}
    data = pd.DataFrame({name: np.repeat(values, len(YEARS)) for name, values in per_firm.items()})
    data = data.assign(year=np.tile(YEARS, FIRMS), y=y.ravel())
    return data[rng.random(len(data)) >= missing].reset_index(drop=True)


def make(data: pd.DataFrame, covariates: tuple[str, ...] = X, **names: str | None) -> sme.Sample:
    return sme.Sample.from_frame(
        data, firm="id", year="year", outcome="y", cohort="g", covariates=covariates, columns=("d", "s"), **names
    )


def event_time(rows: pd.DataFrame) -> np.ndarray:
    return np.where(rows.g > 0, rows.year - rows.g, -99).astype(int)


def targets(dense: Dense, table: pd.DataFrame, first: int) -> dict[int, np.ndarray]:
    """Rows of every event time from `first` on that has an effect, but the reference."""
    times = table.index[table["estimate"].notna() & (table.index >= first) & (table.index != -1)]
    return {int(e): event_time(dense.rows) == e for e in times}


CASES = [
    (0.0, (), X, None, None),
    (0.15, (), X, None, None),
    (0.15, (), X, "w", None),
    (0.0, (), X, "w", "town"),
    (0.15, (), X, "w", "town"),
    (0.0, ("d",), (), None, None),
    (0.15, ("d",), (), "w", None),
    (0.15, ("d",), (), "w", "town"),
    (0.15, ("d",), (), None, "d"),
    (0.15, ("d", "s"), (), "w", None),
    (0.15, ("d",), ("x1",), "w", None),
    (0.15, ("d", "s"), ("x1",), None, "town"),
]


@pytest.mark.parametrize("estimator", [IMPUTATION, TWO_STAGE], ids=["imputation", "two-stage"])
@pytest.mark.parametrize(("missing", "by", "covariates", "weight", "cluster"), CASES)
def test_dense_dummies_give_the_same(
    estimator: tuple[type, str],
    missing: float,
    by: tuple[str, ...],
    covariates: tuple[str, ...],
    weight: str | None,
    cluster: str | None,
) -> None:
    """Identity: effects, and the whole covariance from every firm's explicit influences."""
    kind, centre = estimator
    data = panel(1, missing)
    study = kind(year_effects_by=by or None).fit(make(data, covariates, weight=weight, cluster=cluster))
    dense = untreated_dense(data, weight, by, covariates)
    table = study.to_frame().set_index("event_time")
    rows = targets(dense, table, 0 if kind is sme.ImputationDiD else -99)
    assert len(rows) >= 4
    found = {e: influences(dense, target, centre, cluster or "id") for e, target in rows.items()}
    place = [list(table.index).index(e) for e in found]
    np.testing.assert_allclose(study.effects.estimate[place], [value for value, _ in found.values()], rtol=1e-9, atol=1e-12)
    scores = np.column_stack([score for _, score in found.values()])
    np.testing.assert_allclose(study.effects.covariance[np.ix_(place, place)], scores.T @ scores, rtol=1e-8, atol=1e-13)
    everything = average(dense, event_time(dense.rows) >= 0, centre, cluster or "id")
    np.testing.assert_allclose((study.estimate, study.std_error), everything, rtol=1e-9)
    assert study.overall.n_observations == len(dense.rows)


@pytest.mark.parametrize(("by", "covariates", "weight"), [((), X, None), ((), X, "w"), (("d",), ("x1",), "w"), (("d",), (), None)])
def test_leads_are_a_regression_over_untreated_rows(by: tuple[str, ...], covariates: tuple[str, ...], weight: str | None) -> None:
    """Dummies written out; fixest's factor, K counting independent covariates × year; one covariance with the effects."""
    data = panel(5)
    study = sme.ImputationDiD(year_effects_by=by or None).fit(make(data, covariates, weight=weight))
    rows = data[~((data.g > 0) & (data.year >= data.g))].reset_index(drop=True)
    table = study.to_frame().set_index("event_time")
    leads = table.index[table.index < -1]
    x = np.column_stack([event_time(rows) == e for e in leads]).astype(float)
    z, w = dummies(rows, by, covariates), np.ones(len(rows)) if weight is None else rows[weight].to_numpy()
    root = np.sqrt(w)[:, None]
    beta = np.linalg.lstsq(np.column_stack([x, z]) * root, rows.y.to_numpy() * root[:, 0], rcond=1e-11)[0]
    residual = rows.y.to_numpy() - np.column_stack([x, z]) @ beta
    own = x - z @ np.linalg.lstsq(z * root, x * root, rcond=1e-11)[0]
    influence = pd.DataFrame(own * (w * residual)[:, None] @ np.linalg.inv((own * w[:, None]).T @ own)).groupby(rows.id).sum()
    years = rows.groupby(["year", *by]).ngroups
    extra = np.linalg.matrix_rank(z, tol=1e-8) - np.linalg.matrix_rank(dummies(rows, by), tol=1e-8)
    n, g, k = len(rows), len(influence), len(leads) + years + extra
    influence *= np.sqrt(g / (g - 1) * (n - 1) / (n - k))
    np.testing.assert_allclose(table.loc[leads, "estimate"], beta[: len(leads)], rtol=1e-9, atol=1e-10)
    dense = untreated_dense(data, weight, by, covariates)
    effects = [influences(dense, event_time(dense.rows) == e, "cohort and year")[1] for e in range(4)]
    every = np.column_stack([influence.reindex(effects[0].index).to_numpy(), *effects])
    place = [list(table.index).index(e) for e in [*leads, *range(4)]]
    np.testing.assert_allclose(study.effects.covariance[np.ix_(place, place)], every.T @ every, rtol=1e-7, atol=1e-12)


def thin(seed: int) -> pd.DataFrame:
    """Few firms, covariates of two or three values, many gaps: years whose untreated firms do not span the covariates."""
    rng = np.random.default_rng(seed)
    firms, years = int(rng.integers(8, 24)), np.arange(2010, 2010 + int(rng.integers(3, 6)))
    per_firm = {
        "id": np.arange(firms),
        "g": rng.choice([0, 2012, 2013], firms, p=rng.dirichlet(np.ones(3))),
        "w": rng.uniform(0.2, 3.0, firms),
        "x1": rng.integers(0, 2, firms).astype(float),
        "x2": rng.integers(0, 3, firms) * rng.choice([0.0, 1.0]),
        "d": rng.integers(0, 2, firms),
    }
    data = pd.DataFrame({name: np.repeat(values, len(years)) for name, values in per_firm.items()})
    data = data.assign(year=np.tile(years, firms), s=0, y=rng.standard_normal(len(data)) + 10 * data.id)
    return data[rng.random(len(data)) > rng.choice([0.0, 0.3, 0.5])].reset_index(drop=True)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 100_000), st.sampled_from([((), X), (("d",), ()), (("d",), ("x1",))]))
@example(7407, (("d",), ("x1",)))  # nothing varies, and the dense error is rounding of outcomes a thousand times the estimate
def test_what_dummies_determine_is_given_and_nothing_else(seed: int, model: tuple[tuple[str, ...], tuple[str, ...]]) -> None:
    by, covariates = model
    data = thin(seed)
    try:
        sample = make(data, covariates, weight="w", always_treated="drop")
    except (sme.DataError, sme.DesignError):
        return
    data = data[(data.g == 0) | (data.g > data.year.min())].reset_index(drop=True)
    dense = untreated_dense(data, "w", by, covariates)
    e = event_time(dense.rows)
    for kind, centre in (IMPUTATION, TWO_STAGE):
        if not (e >= 0).any() or len(set(dense.rows.id)) == 1:
            with pytest.raises(sme.IdentificationError):
                kind(year_effects_by=by or None).fit(sample)
            continue
        study = kind(year_effects_by=by or None).fit(sample)
        assert same_average(study, dense, e >= 0, centre)
        assert study.overall.n_observations == len(dense.rows)
        table = study.to_frame().set_index("event_time")["estimate"]
        seen = event_time(data)
        assert set(table.index[table.index >= 0]) == set(seen[seen >= 0])
        for time in table.index[table.index >= 0]:
            assert np.isfinite(table[time]) == bool((e == time).any())


def test_a_firm_is_imputed_if_untreated_firms_of_the_year_span_its_covariates() -> None:
    """In the last year only firms with x2 = 1 are seen untreated: the others have no counterfactual, and that is said."""
    data = panel(2, missing=0.0)
    untreated = (data.g == 0) | (data.year < data.g)
    data = data[~((data.year == 2021) & untreated & (data.x2 == 0))].reset_index(drop=True)
    for kind, centre in (IMPUTATION, TWO_STAGE):
        study = kind().fit(make(data, ("x2",)))
        lost = int(((data.year == 2021) & (data.g > 0) & (data.x2 == 0)).sum())
        assert study.overall.notes[0].startswith(f"{lost} treated firm-years have no counterfactual and are left out")
        assert "do not span its covariates" in study.overall.notes[0]
        dense = untreated_dense(data, None, (), ("x2",))
        e = event_time(dense.rows)
        np.testing.assert_allclose((study.estimate, study.std_error), average(dense, e >= 0, centre), rtol=1e-9)
        table = study.to_frame().set_index("event_time")
        np.testing.assert_allclose(table.loc[3, ["estimate", "std_error"]].astype(float), average(dense, e == 3, centre), rtol=1e-9)


def test_an_event_time_without_counterfactuals_is_unavailable() -> None:
    """The only untreated firm of the last year spans nothing but itself."""
    data = panel(2, missing=0.0)
    only = data.id[data.g == 0].iloc[0]
    data = data[(data.year < 2021) | (data.g > 0) | (data.id == only)]
    table = sme.ImputationDiD().fit(make(data)).to_frame().set_index("event_time")
    assert np.isnan(table.loc[3, "estimate"])
    assert table.loc[3, "note"].startswith("no firm seen at this event time has a counterfactual")
    assert np.isfinite(table.loc[2, "estimate"])


@pytest.mark.parametrize("kind", [sme.ImputationDiD, sme.TwoStageDiD])
def test_covariates_that_add_nothing_change_nothing(kind: type) -> None:
    data = panel(3)
    data = data.assign(double=2 * data.x1 - 7, constant=4.0)
    same(kind().fit(make(data)), kind().fit(make(data, (*X, "double", "constant"))), 1e-10)
    same(kind().fit(make(data, ())), kind().fit(make(data, ("constant",))), 1e-10)


def same(first: sme.EventStudy, second: sme.EventStudy, relative: float, scale: float = 1.0) -> None:
    for column in ("estimate", "std_error"):
        a, b = (study.to_frame()[column].to_numpy(float) for study in (first, second))
        np.testing.assert_allclose(scale * a, b, rtol=relative, atol=relative * scale)
    np.testing.assert_allclose(
        (scale * first.estimate, scale * first.std_error), (second.estimate, second.std_error), rtol=relative
    )


@pytest.mark.parametrize("kind", [sme.ImputationDiD, sme.TwoStageDiD])
def test_label_by_year_effects_are_one_model_per_label(kind: type) -> None:
    """Effects are those of each label's firms alone, averaged by treated firm-years; from moments as from the sample."""
    data = panel(4)
    study = kind(year_effects_by="d").fit(make(data, ()))
    parts = [kind().fit(make(part, ())) for _, part in data.groupby("d")]
    treated = data[(data.g > 0) & (data.year >= data.g) & data.id.isin(data.id[(data.g == 0) | (data.year < data.g)])]
    share = treated.groupby("d").size() / len(treated)
    assert study.estimate == pytest.approx(share @ [part.estimate for part in parts], rel=1e-10)
    halves = [sme.Moments.from_sample(make(data[data.id % 2 == k], ()), by=("d",)) for k in (0, 1)]
    same(kind(year_effects_by="d").fit(halves[0].merge(halves[1])), study, 1e-10)
    same(kind(year_effects_by="d").fit(make(data.assign(d=1), ())), kind().fit(make(data, ())), 1e-10)
    assert "firm and d × year effects from untreated firm-years" in study.overall.convention


@pytest.mark.parametrize("kind", [sme.ImputationDiD, sme.TwoStageDiD])
def test_dummies_of_a_label_as_covariates_are_label_by_year_effects(kind: type) -> None:
    """Two ways through the code, moments and passes over firms, to one answer."""
    data = panel(6)
    data = data.assign(first=(data.d == 0) * 1.0, second=(data.d == 1) * 1.0)
    by_label = kind(year_effects_by="d").fit(make(data, (), weight="w", cluster="town"))
    by_dummies = kind().fit(make(data, ("first", "second"), weight="w", cluster="town"))
    after = by_label.to_frame()["event_time"] >= 0
    for column in ("estimate", "std_error"):
        a, b = (study.to_frame().loc[after, column].astype(float) for study in (by_label, by_dummies))
        np.testing.assert_allclose(a, b, rtol=1e-10)
    assert (by_label.estimate, by_label.std_error) == pytest.approx((by_dummies.estimate, by_dummies.std_error), rel=1e-10)


@pytest.mark.parametrize("kind", [sme.ImputationDiD, sme.TwoStageDiD])
def test_growth_that_covariates_explain_drops_out(kind: type) -> None:
    """However steep: paths linear in x, different in every year, move nothing."""
    data = panel(7)
    steep = data.assign(y=data.y + 1e3 * data.x1 * (data.year - 2015) ** 2)
    same(kind().fit(make(data, weight="w")), kind().fit(make(steep, weight="w")), 1e-9)


@pytest.mark.parametrize("kind", [sme.ImputationDiD, sme.TwoStageDiD])
def test_refusals(kind: type) -> None:
    data = panel(4)
    with pytest.raises(sme.DesignError, match="not split by 'd'"):
        kind(year_effects_by="d").fit(sme.Moments.from_sample(make(data, ()), by=()))
    with pytest.raises(sme.DesignError, match="does not hold the column 'industry'"):
        kind(year_effects_by="industry").fit(make(data))
    with pytest.raises(sme.DesignError, match="names no columns"):
        kind(year_effects_by=3)
    with pytest.raises(sme.IdentificationError, match="No treated firm-year has a counterfactual"):
        kind(year_effects_by="d").fit(make(data.assign(d=(data.g > 0) * data.g), ()))
    with pytest.raises(sme.IdentificationError, match="No treated firm-year has a counterfactual"):
        kind().fit(make(data[(data.g != 2020)].assign(x1=lambda f: (f.g > 0) * 1.0), ("x1",)))
    with pytest.raises(sme.IdentificationError, match="Too little data"):
        kind().fit(make(data.assign(one=1), cluster="one"))


def test_chunks_move_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = make(panel(4), weight="w")
    whole = sme.ImputationDiD().fit(sample)
    monkeypatch.setattr(firm_blocks, "CHUNK", 3)
    same(whole, sme.ImputationDiD().fit(sample), 1e-11)


@pytest.mark.parametrize("kind", [sme.ImputationDiD, sme.TwoStageDiD])
@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 10.0), st.floats(-10.0, 10.0))
def test_rows_names_and_units_do_not_matter(kind: type, seed: int, scale: float, level: float) -> None:
    """Also what the covariates are measured in and from, and which combinations of them are named."""
    data = panel(seed % 5)
    names = pd.Series(np.random.default_rng(seed).permutation(FIRMS), index=range(FIRMS))
    first = kind().fit(make(data, weight="w"))
    other = data.assign(id="企业" + data.id.map(names).astype(str), y=scale * data.y + level).sample(frac=1.0, random_state=seed)
    same(first, kind().fit(make(other, weight="w")), 1e-10, scale)
    other = data.assign(x1=scale * data.x1 + level, x2=data.x2 - 0.3 * data.x1)
    same(first, kind().fit(make(other, weight="w")), 1e-10)
