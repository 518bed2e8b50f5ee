"""The decomposition of two-way fixed effects: its sum, each comparison by regression, and what it refuses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sme_eval as sme
from sme_eval.moments.moments import Moments

from .test_moments import frame, make


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_it_sums_to_the_regression(seed: int, weighted: bool) -> None:
    data = make(frame(seed, missing=0.0), weight="w" if weighted else None)
    table = sme.bacon_decomposition(data)
    assert float(table["weight"].sum()) == pytest.approx(1.0, rel=1e-12)
    assert (table["weight"] > 0).all()
    twfe = sme.TwoWayFixedEffects().fit(data).estimate
    assert float(table["weight"] @ table["estimate"]) == pytest.approx(twfe, rel=1e-9, abs=1e-12)


def test_every_comparison_is_a_regression_of_its_own() -> None:
    """Each estimate is the two-way coefficient on the firms of the pair and the years in which the comparison does not change."""
    data = frame(1, missing=0.0)
    for row in sme.bacon_decomposition(make(data)).itertuples():
        other = 0 if pd.isna(row.comparison_cohort) else row.comparison_cohort
        pair = data[data.g.isin([row.cohort, other])]
        if row.kind == "earlier vs later treated":
            pair = pair[pair.year < other]
        elif row.kind == "later vs earlier treated":
            pair = pair[pair.year >= other]
        alone = pair.assign(g=pair.g.where(pair.g == row.cohort, 0))
        assert row.estimate == pytest.approx(sme.TwoWayFixedEffects().fit(make(alone)).estimate, rel=1e-10)


def test_cohorts_after_the_last_year_are_never_treated() -> None:
    data = frame(1, missing=0.0)
    late = sme.bacon_decomposition(make(data.assign(g=data.g.where(data.g > 0, 2030))))
    pd.testing.assert_frame_equal(late, sme.bacon_decomposition(make(data)))


def test_without_never_treated_firms() -> None:
    data = make(frame(1, missing=0.0).query("g > 0"))
    table = sme.bacon_decomposition(data)
    assert set(table["kind"]) == {"earlier vs later treated", "later vs earlier treated"}
    assert float(table["weight"] @ table["estimate"]) == pytest.approx(sme.TwoWayFixedEffects().fit(data).estimate, rel=1e-10)


def test_moments_in_any_split_give_the_same() -> None:
    sample = make(frame(1, missing=0.0))
    fine, coarse = (sme.bacon_decomposition(Moments.from_sample(sample, by=by)) for by in (("d",), ()))
    np.testing.assert_allclose(fine["estimate"], coarse["estimate"], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(fine["weight"], coarse["weight"], rtol=1e-12)


def test_refusals() -> None:
    with pytest.raises(sme.IdentificationError, match="balanced panels only") as refusal:
        sme.bacon_decomposition(make(frame(1)))
    assert "firms are not seen in every year" in str(refusal.value)
    for cohort in (0, 2018):
        with pytest.raises(sme.IdentificationError, match="nothing to compare"):
            sme.bacon_decomposition(make(frame(1, missing=0.0).query(f"g == {cohort}")))
    sample = sme.Sample.from_frame(frame(missing=0.0), firm="id", year="year", outcome="y", cohort="g", covariates=("w",))
    with pytest.raises(sme.DesignError, match="Covariates would be ignored"):
        sme.bacon_decomposition(sample)
    untold = sme.Sample.from_frame(frame(missing=0.0), firm="id", year="year", outcome="y")
    with pytest.raises(sme.DesignError, match="who was treated when"):
        sme.bacon_decomposition(untold)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000), st.floats(1e-3, 1e3))
def test_rows_names_and_units(seed: int, scale: float) -> None:
    data = frame(seed % 7, missing=0.0)
    names = pd.Series(np.random.default_rng(seed).permutation(data.id.nunique()), index=data.id.unique())
    other = data.assign(id="企业" + data.id.map(names).astype(str), y=scale * data.y).sample(frac=1.0, random_state=seed)
    a, b = (sme.bacon_decomposition(make(d)) for d in (data, other))
    np.testing.assert_allclose(scale * a["estimate"], b["estimate"], rtol=1e-9, atol=1e-11 * scale)
    np.testing.assert_allclose(a["weight"], b["weight"], rtol=1e-12)
