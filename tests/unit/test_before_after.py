"""Before and after: against least squares on a constant, paired t, and a world with a common trend."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sme_eval as sme

FIRST, LAST = 2015, 2022


def frame(seed: int = 0, firms: int = 120, effect: float = 0.3, trend: float = 0.1, missing: float = 0.0) -> pd.DataFrame:
    """Firms with a common trend; a third enters in 2018, a third in 2020, the rest never."""
    rng = np.random.default_rng(seed)
    year = np.arange(FIRST, LAST + 1)
    start = np.array([2018, 2020, 0])[np.arange(firms) % 3]
    level = rng.normal(size=(firms, 1)) + trend * (year - FIRST) + rng.normal(size=(firms, len(year))) * 0.4
    level += effect * ((start[:, None] > 0) & (year >= start[:, None]))
    table = pd.DataFrame(
        {
            "firm": np.repeat(np.arange(firms), len(year)),
            "year": np.tile(year, firms),
            "y": level.ravel(),
            "g": np.repeat(start, len(year)),
            "town": np.repeat(np.arange(firms) % 17, len(year)),
        }
    )
    return table[rng.random(len(table)) >= missing].reset_index(drop=True)


def sample(table: pd.DataFrame, **more: object) -> sme.Sample:
    return sme.Sample.from_frame(table, firm="firm", year="year", outcome="y", cohort="g", **more)  # type: ignore[arg-type]


def changes(table: pd.DataFrame, event_time: int) -> pd.DataFrame:
    treated = table[table.g > 0]
    base = treated[treated.year == treated.g - 1].set_index("firm")
    later = treated[treated.year == treated.g + event_time].set_index("firm")
    both = base.join(later[["y"]].rename(columns={"y": "y_later"}), how="inner")
    return both.assign(change=both.y_later - both.y)


@pytest.mark.parametrize(("cluster", "missing"), [(None, 0.0), (None, 0.3), ("town", 0.0), ("town", 0.3)])
def test_equals_least_squares_on_a_constant(cluster: str | None, missing: float) -> None:
    import statsmodels.api as sm

    table = frame(missing=missing)
    found = sme.BeforeAfter().fit(sample(table, cluster=cluster)).effects
    for j, e in enumerate(found.keys["event_time"]):
        if e < 0:
            continue
        rows = changes(table, e)
        groups = rows.town if cluster else rows.index
        fit = sm.OLS(rows.change.to_numpy(), np.ones(len(rows))).fit(
            cov_type="cluster", cov_kwds={"groups": np.asarray(groups), "use_correction": False}
        )
        assert found.estimate[j] == pytest.approx(fit.params[0], abs=1e-12)
        assert found.std_error[j] == pytest.approx(fit.bse[0], abs=1e-12)
        assert found.n_treated[j] == len(rows)


def test_weights_and_the_average() -> None:
    table = frame().assign(w=lambda t: 1.0 + t.firm % 4)
    result = sme.BeforeAfter(window=(0, 1)).fit(sample(table, weight="w"))
    means = [np.average(rows.change, weights=rows.w) for rows in (changes(table, 0), changes(table, 1))]
    assert list(result.effects.estimate) == pytest.approx([0.0, *means], abs=1e-12)
    assert result.estimate == pytest.approx(np.mean(means), abs=1e-12)


def test_paired_t_has_the_same_mean_and_differs_by_its_degree_of_freedom() -> None:
    from scipy import stats

    table = frame()
    rows = changes(table, 0)
    paired = stats.ttest_rel(rows.y_later, rows.y)
    result = sme.BeforeAfter(window=(0, 0)).fit(sample(table))
    n = len(rows)
    assert result.overall.statistic == pytest.approx(paired.statistic * np.sqrt(n / (n - 1)), rel=1e-12)


def test_cohorts_average_to_the_whole() -> None:
    result = sme.BeforeAfter().fit(sample(frame()))
    assert result.by_cohort is not None
    share = np.array(result.by_cohort.n_treated) / sum(result.by_cohort.n_treated)
    assert share @ result.by_cohort.estimate == pytest.approx(result.estimate, abs=1e-12)


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False), st.floats(0.1, 10.0), st.floats(-5.0, 5.0))
def test_order_labels_units_and_a_shift_change_nothing(random: object, scale: float, shift: float) -> None:
    table = frame(firms=30)
    before = sme.BeforeAfter().fit(sample(table))
    order = list(range(len(table)))
    random.shuffle(order)  # type: ignore[attr-defined]
    other = table.iloc[order].assign(y=lambda t: scale * t.y + shift, firm=lambda t: 1000 - t.firm)
    after = sme.BeforeAfter().fit(sample(other))
    assert after.estimate == pytest.approx(scale * float(before.estimate), rel=1e-9, abs=1e-9)
    assert after.std_error == pytest.approx(scale * float(before.std_error), rel=1e-9, abs=1e-9)


def test_it_measures_the_change_and_not_the_effect() -> None:
    """Effect 0.3 from entry on, common trend 0.1 a year: the mean change over e = 0..2 is 0.3 + 0.1 × 2."""
    panels = 200
    found = [sme.BeforeAfter().fit(sample(frame(seed))) for seed in range(panels)]
    estimates = np.array([float(one.estimate) for one in found])
    error = estimates.std(ddof=1) / np.sqrt(panels)
    assert abs(estimates.mean() - 0.5) < 3 * error
    covered = np.mean([one.conf_low <= 0.5 <= one.conf_high for one in found])
    assert abs(covered - 0.95) < 3 * np.sqrt(0.95 * 0.05 / panels)
    assert np.mean([one.conf_low <= 0.3 <= one.conf_high for one in found]) < 0.1, "the effect itself is missed"


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: sme.BeforeAfter(window=(1, 2)), sme.DesignError, "does not hold event time 0"),
        (lambda: sme.BeforeAfter(level=95), sme.DesignError, "level=95"),  # type: ignore[arg-type]
        (lambda: sme.BeforeAfter().fit(frame()), sme.DesignError, "fits a Sample"),  # type: ignore[arg-type]
        (
            lambda: sme.BeforeAfter().fit(sme.Sample.from_frame(frame(), firm="firm", year="year", outcome="y")),
            sme.DesignError,
            "who was treated when",
        ),
        (lambda: sme.BeforeAfter().fit(sample(frame(), covariates=("town",))), sme.DesignError, "ignore the sample's covariates"),
        (lambda: sme.BeforeAfter().fit(sample(frame().query("year < 2018"))), sme.IdentificationError, "both in the year before"),
        (lambda: sme.BeforeAfter().fit(sample(frame().query("g == 0 or firm == 0"))), sme.IdentificationError, "Too little data"),
    ],
)
def test_refusals(make, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        make()
