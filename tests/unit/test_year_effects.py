"""Label × year effects: the sums behind them, what is left out as fixest does, one meaning of `year_effects_by` everywhere."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sme_eval as sme
from sme_eval.estimators.year_effects import AbsorbedEffects, YearDummies, within

from .test_two_way_covariates import make, panel

TAKING = {
    "TwoWayFixedEffects": lambda by: sme.TwoWayFixedEffects(year_effects_by=by),
    "EventStudyRegression": lambda by: sme.EventStudyRegression(year_effects_by=by),
    "SunAbraham": lambda by: sme.SunAbraham(year_effects_by=by),
    "StackedDiD": lambda by: sme.StackedDiD(window=(-2, 1), year_effects_by=by),
    "TripleDifference": lambda by: sme.TripleDifference(eligible="elig", year_effects_by=by),
}
GIVEN = sorted(set(TAKING) - {"StackedDiD"})


@pytest.mark.parametrize("by", [(None,), ("d",), ("d", "s")], ids=str)
def test_sums_are_those_of_dummies_written_out(by: tuple[str | None, ...]) -> None:
    """Identity: D, D'X, Dγ, D'WD and the residual of weighted least squares, with D of every cell in full."""
    moments = sme.Moments.from_sample(make(panel(3), (), weight="w"), by=("d", "s"))
    n_cells, n_years = moments.observed.shape
    labels = [np.zeros(n_cells, int) if b is None else np.unique(moments.label(b), return_inverse=True)[1] for b in by]
    eye = np.eye(n_years)
    sets = [np.einsum("kl,ts->ktls", np.eye(own.max() + 1)[own], eye).reshape(n_cells, n_years, -1) for own in labels]
    full = np.concatenate(sets, axis=2)
    dummies, rng = YearDummies.of(moments, by), np.random.default_rng(0)
    block, weighted = rng.standard_normal((n_cells, n_years, 3)), rng.standard_normal((n_cells, n_years, n_years))
    weighted += weighted.transpose(0, 2, 1)
    assert dummies.n_columns == full.shape[2]
    np.testing.assert_allclose(dummies.collect(block), np.einsum("ktp,ktq->pq", full, block), atol=1e-12)
    effects = rng.standard_normal((full.shape[2], 2))
    np.testing.assert_allclose(dummies.spread(effects), full @ effects, atol=1e-12)
    np.testing.assert_allclose(dummies.gram(weighted), np.einsum("ktp,kts,ksq->pq", full, weighted, full), atol=1e-11)
    root = np.sqrt(np.broadcast_to(moments.weight[:, None, None], (n_cells, n_years, 1))).reshape(-1, 1)
    own, flat = within(block, moments.observed).reshape(-1, 3), within(full, moments.observed).reshape(n_cells * n_years, -1)
    rest = own - flat @ np.linalg.lstsq(flat * root, own * root, rcond=1e-11)[0]
    np.testing.assert_allclose(AbsorbedEffects.over(moments, moments.observed, by).residual(block).reshape(-1, 3), rest, atol=1e-10)


@pytest.mark.parametrize("name", sorted(TAKING))
def test_one_validation(name: str) -> None:
    for by in ((), 3, ["d"], "", ("d", "d"), ("d", 2), ("d", None)):
        with pytest.raises(sme.DesignError, match="names no columns"):
            TAKING[name](by)
    for by in ("cohort", ("d", "cohort")):
        with pytest.raises(sme.DesignError, match="cohort × year effects leave nothing"):
            TAKING[name](by)
    sample = make(panel(), ())
    for by in ("district", ("d", "district")):
        with pytest.raises(sme.DesignError, match="'district'"):
            TAKING[name](by).fit(sample)
        with pytest.raises(sme.DesignError, match="not split by 'district'"):
            TAKING[name](by).fit(sme.Moments.from_sample(sample))
    with pytest.raises(sme.DesignError, match="elig × year effects are in every"):
        sme.TripleDifference(eligible="elig", year_effects_by=("d", "elig"))


@pytest.mark.parametrize("name", sorted(TAKING))
def test_one_meaning(name: str) -> None:
    """A tuple of one is its label; a table that is split finer gives the same; the order of labels is none."""
    sample = make(panel(4), ())
    table = sme.Moments.from_sample(sample)
    for first, second in (("d", ("d",)), (("d", "s"), ("s", "d"))):
        one = TAKING[name](first).fit(sample)
        for other in (TAKING[name](second).fit(sample), TAKING[name](first).fit(table)):
            assert (other.estimate, other.std_error) == pytest.approx((one.estimate, one.std_error), rel=1e-10)


@pytest.mark.parametrize("name", sorted(TAKING))
def test_two_tables_merged(name: str) -> None:
    data = panel(4)
    parts = [sme.Moments.from_sample(make(data[data.id % 2 == half], ())) for half in (0, 1)]
    merged, whole = (TAKING[name](("d", "s")).fit(given) for given in (parts[0].merge(parts[1]), make(data, ())))
    assert (merged.estimate, merged.std_error) == pytest.approx((whole.estimate, whole.std_error), rel=1e-10)


@pytest.mark.parametrize("name", GIVEN)
def test_labels_that_coincide_say_nothing_new(name: str) -> None:
    """Identity: districts by another name take nothing more out; only K counts their levels, as fixest does."""
    data = panel(5)
    one, two = (TAKING[name](by).fit(make(data.assign(s=data.d * 10))) for by in ("d", ("d", "s")))
    assert two.estimate == pytest.approx(one.estimate, rel=1e-9)
    assert two.std_error > one.std_error


@pytest.mark.parametrize("name", ["StackedDiD"])
def test_covariates_are_refused_by_name(name: str) -> None:
    with pytest.raises(sme.DesignError, match="Covariates would be ignored") as refusal:
        TAKING[name](None).fit(make(panel()))
    assert "TwoWayFixedEffects" in str(refusal.value)


def theirs(data: pd.DataFrame, columns: pd.DataFrame, effects: list[str], weight: str | None, cluster: str) -> Any:
    """pyfixest's regression on `columns`, singletons left out again and again."""
    import pyfixest
    from pyfixest.demeaners import MapDemeaner

    names = [f"c{j}" for j in range(columns.shape[1])]
    frame = pd.concat([data, columns.set_axis(names, axis=1)], axis=1)
    formula = f"y ~ {' + '.join(names)} | {' + '.join(['id', *effects])}"
    options = {"vcov": {"CRV1": cluster}, "weights": weight, "fixef_rm": "singleton", "demeaner": MapDemeaner(fixef_tol=1e-13)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pyfixest.feols(formula, frame, **options)


def event_columns(data: pd.DataFrame) -> dict[tuple[int, int], pd.Series]:
    """A column of every cohort and event time but −1."""
    event = np.where(data.g > 0, data.year - data.g, -999)
    pairs = sorted({(int(g), int(e)) for g, e in zip(data.g, event, strict=True) if g > 0 and e != -1})
    return {(g, e): ((data.g == g) & (event == e)) * 1.0 for g, e in pairs}


def broken(seed: int) -> pd.DataFrame:
    """A panel with many observations alone in a district and year, whose going leaves firms with one year."""
    data = panel(seed, missing=0.45)
    data["d"] = np.random.default_rng(seed).integers(0, 16, data.id.max() + 1)[data.id]
    data["big"] = data.d // 2
    return data


@pytest.mark.parametrize(("weight", "cluster"), [(None, "id"), ("w", "id"), (None, "big"), ("w", "big")])
def test_observations_alone_are_left_out_as_pyfixest_does(weight: str | None, cluster: str) -> None:
    """Coefficients, N, and errors (so G and K too), where leaving one out leaves the next one alone."""
    data = broken(1)
    sample = make(data, (), **{k: v for k, v in (("weight", weight), ("cluster", None if cluster == "id" else cluster)) if v})
    treated = pd.DataFrame({"t": ((data.g > 0) & (data.year >= data.g)) * 1.0})
    fit = theirs(data, treated, ["d^year", "s^year"], weight, cluster)
    ours = sme.TwoWayFixedEffects(year_effects_by=("d", "s")).fit(sample)
    once = (data.groupby(["d", "year"])["y"].transform("size") > 1) & (data.groupby("id")["y"].transform("size") > 1)
    assert ours.n_observations == fit._N < once.sum() < len(data)
    assert f"{len(data) - fit._N} observations alone" in ours.notes[0]
    assert (ours.estimate, ours.std_error) == pytest.approx((fit.coef().iloc[0], fit.se().iloc[0]), rel=1e-9)
    eligible = treated.mul(data.elig, axis=0)
    fit = theirs(data, eligible, ["elig^year", "g^year", "d^year"], weight, cluster)
    triple = sme.TripleDifference(eligible="elig", year_effects_by="d").fit(sample)
    assert triple.n_observations == fit._N
    assert (triple.estimate, triple.std_error) == pytest.approx((fit.coef().iloc[0], fit.se().iloc[0]), rel=1e-9)


@pytest.mark.parametrize("covariates", [(), ("x1", "x2")], ids=["without", "given x"])
@pytest.mark.parametrize("weight", [None, "w"])
def test_cohorts_event_times_are_pyfixests(weight: str | None, covariates: tuple[str, ...]) -> None:
    """Sun–Abraham beside two sets of effects: i(cohort × event time) and x × year as explicit columns, singletons left out."""
    data = broken(2)
    columns = event_columns(data)
    last = data.year.max()
    given = {(name, year): data[name] * (data.year == year) for name in covariates for year in sorted(set(data.year) - {last})}
    fit = theirs(data, pd.DataFrame(columns | given), ["d^year", "s^year"], weight, "id")
    assert not fit._collin_vars
    used = fit._data.index
    mass = np.array([(column * (data[weight] if weight else 1.0))[used].sum() for column in columns.values()])
    after = np.array([e >= 0 for _, e in columns]) * mass
    share = np.zeros(len(fit._beta_hat))
    share[: len(mass)] = after / after.sum()
    ours = sme.SunAbraham(year_effects_by=("d", "s")).fit(make(data, covariates, **({"weight": weight} if weight else {})))
    error = np.sqrt(share @ fit._vcov @ share)
    assert (ours.estimate, ours.std_error) == pytest.approx((share @ fit._beta_hat, error), rel=1e-8)
    assert ours.overall.n_observations == fit._N


FITS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    name: lambda data, name=name, by=by: TAKING[name](by).fit(make(data, ("x1", "x2") if name in GIVEN else ())).to_frame()
    for name in TAKING
    for by in [("d", "s")]
}


@pytest.mark.parametrize("name", sorted(FITS))
@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_rows_names_units(name: str, seed: int) -> None:
    data = panel(seed % 5)
    rng = np.random.default_rng(seed)
    firms, labels = rng.permutation(data.id.nunique()), rng.permutation(5)
    other = data.assign(id="企业" + data.id.map(dict(enumerate(firms))).astype(str), d=data.d.map(dict(enumerate(labels))))
    first = FITS[name](data)
    for moved in (other.sample(frac=1.0, random_state=seed), data.assign(x1=0.01 * data.x1 + 5.0)):
        again = FITS[name](moved)
        for column in ("estimate", "std_error"):
            np.testing.assert_allclose(again[column], first[column], rtol=1e-10, atol=1e-10)
    scaled = FITS[name](data.assign(y=1000.0 * data.y + 7.0))
    for column in ("estimate", "std_error"):
        np.testing.assert_allclose(scaled[column] / 1000.0, first[column], rtol=1e-10, atol=1e-10)
