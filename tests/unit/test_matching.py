"""Matching: partners by brute force, exact duplicates, weights, copies, counts, refusals, invariances, known truth."""

from __future__ import annotations

import math

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import sme_eval as sme
from sme_eval.estimators.matched_sample import FIRM, ORIGINAL, WEIGHT
from sme_eval.results.matching import ALIKE
from sme_eval.stats.nearest_neighbours import nearest_without_replacement

mpl.use("Agg")
NAMES = ("x1", "x2")
YEARS = np.arange(2018, 2023)
COHORTS = (2020, 2022)


def panel(seed: int = 0, firms: int = 160, missing: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.standard_normal(firms), rng.uniform(10.0, 20.0, firms)])
    chance = 1.0 / (1.0 + np.exp(1.0 - 0.8 * x[:, 0] + 0.1 * (x[:, 1] - 15.0)))
    cohort = np.where(rng.random(firms) < chance, rng.choice([*COHORTS, 2030], firms), 0)
    y = rng.standard_normal((firms, 1)) + 0.3 * x[:, :1] * (YEARS - 2018) + rng.standard_normal((firms, len(YEARS)))
    data = pd.DataFrame({"id": np.repeat(np.arange(firms), len(YEARS)), "year": np.tile(YEARS, firms), "y": y.ravel()})
    data["g"], data["w"] = np.repeat(cohort, len(YEARS)), np.repeat(rng.uniform(0.5, 2.0, firms), len(YEARS))
    data["industry"], data["town"] = data.id % 3, data.id % 11
    for j, name in enumerate(NAMES):
        data[name] = np.repeat(x[:, j], len(YEARS))
    return data[rng.random(len(data)) >= missing].reset_index(drop=True)


def make(data: pd.DataFrame, covariates: tuple[str, ...] = NAMES, **names: str) -> sme.Sample:
    return sme.Sample.from_frame(
        data, firm="id", year="year", outcome="y", cohort="g", covariates=covariates, columns=("industry", "town"), **names
    )


def weights(sample: sme.Sample, data: pd.DataFrame) -> pd.Series:
    """Matching weights of all firms of the original data, zero for those left out."""
    found = pd.Series(sample.frame[WEIGHT].to_numpy(), sample.frame["id"].to_numpy()).groupby(level=0).first()
    return found.reindex(data.id.unique(), fill_value=0.0)


# --- partners --------------------------------------------------------------------------------------------------------------


def brute_force(data: pd.DataFrame, neighbours: int, caliper: float | None, exact: bool) -> pd.Series:
    """Weights by definition: a logit by statsmodels, all distances, sorted."""
    firms = data.groupby("id").first()
    total = pd.Series(0.0, firms.index)
    never = firms.index[(firms.g == 0) | (firms.g > YEARS[-1])]
    for cohort in COHORTS:
        treated = firms.index[firms.g == cohort]
        pool = treated.append(never)
        z = sm.add_constant(firms.loc[pool, list(NAMES)])
        score = sm.GLM((firms.g[pool] == cohort).astype(float), z, sm.families.Binomial(), freq_weights=firms.w[pool]).fit(
            tol=1e-14
        )
        score = pd.Series(z.to_numpy() @ score.params.to_numpy(), pool)
        spread = [np.cov(score[group], aweights=firms.w[group], ddof=0) for group in (treated, never)]
        limit = math.inf if caliper is None else caliper * math.sqrt(sum(spread) / 2.0)
        for i in treated:
            others = [j for j in never if not exact or firms.industry[j] == firms.industry[i]]
            near = sorted(others, key=lambda j: abs(score[j] - score[i]))[:neighbours]
            near = [j for j in near if abs(score[j] - score[i]) <= limit]
            if near:
                total[i] = firms.w[i]
            for j in near:
                total[j] += firms.w[i] * firms.w[j] / firms.w[near].sum()
    return total


@pytest.mark.parametrize(("neighbours", "caliper", "exact"), [(1, 0.2, False), (1, 0.02, False), (3, None, True), (2, 0.05, True)])
def test_partners_and_weights_are_those_of_brute_force(neighbours: int, caliper: float | None, exact: bool) -> None:
    data = panel()
    labels = ("industry",) if exact else ()
    found = sme.match_firms(make(data, weight="w"), neighbours=neighbours, caliper=caliper, exact=labels)
    expected = brute_force(data, neighbours, caliper, exact)
    assert expected.gt(0).sum() < data.id.nunique()
    np.testing.assert_allclose(weights(found.sample, data), expected, rtol=1e-12)
    compared = expected[data.groupby("id").g.first().isin([0, 2030])]
    assert found.effective_sample_size == pytest.approx(compared.sum() ** 2 / (compared**2).sum())
    assert found.n_compared == int((compared > 0).sum())
    assert found.cohorts.matched.sum() == int((expected > 0).sum()) - found.n_compared
    assert found.unmatched.firms.sum() == found.cohorts.treated.sum() - found.cohorts.matched.sum()


def test_exact_duplicates_are_found_and_tied_partners_share() -> None:
    """Every treated firm has two twins among the comparison: they share it, and no difference is left."""
    data = panel(1)
    entered = data[data.g.isin(COHORTS)]
    twins = [entered.assign(id=entered.id + k, g=0, y=entered.y + k) for k in (1000, 2000)]
    both = pd.concat([entered, *twins])
    found = sme.match_firms(make(both), caliper=1e-6)
    assert weights(found.sample, both).to_numpy() == pytest.approx(np.repeat([1.0, 0.5, 0.5], entered.id.nunique()))
    np.testing.assert_allclose(found.balance.difference_after, 0.0, atol=1e-12)
    np.testing.assert_allclose(found.balance.ratio_after, 1.0, rtol=1e-12)
    np.testing.assert_allclose(found.cohort_balance.difference_partners, 0.0, atol=1e-12)
    assert found.unmatched.empty
    one = sme.match_firms(make(both[(both.id % 1000).isin(data[data.g == 2020].id)])).sample
    assert sme.TwoWayFixedEffects().fit(one).estimate == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_allclose(sme.CallawaySantAnna().fit(one).effects.estimate, 0.0, atol=1e-12)


def greedy(treated: list[int], compared: list[int], neighbours: int, radius: int) -> set[tuple[int, int]]:
    free, pairs = set(range(len(compared))), set()
    for _ in range(neighbours):
        for i in sorted(range(len(treated)), key=lambda i: (-treated[i], i)):
            distance = {j: abs(compared[j] - treated[i]) for j in free}
            if distance and min(distance.values()) <= radius:
                j = min(distance, key=distance.__getitem__)
                free.remove(j)
                pairs.add((i, j))
    return pairs


@pytest.mark.parametrize("neighbours", [1, 3])
def test_without_replacement_the_nearest_free_firm_is_taken(neighbours: int) -> None:
    rng = np.random.default_rng(2)
    treated, compared = (rng.choice(10_000, n, replace=False) for n in (60, 90))
    found, spent = nearest_without_replacement(treated, compared, np.ones(len(compared)), neighbours, 900)
    pairs = set(zip(found.treated.tolist(), found.compared.tolist(), strict=True))
    expected = greedy(treated.tolist(), compared.tolist(), neighbours, 900)
    assert len(set(found.compared.tolist())) == len(found.compared)
    assert sum(abs(treated[i] - compared[j]) for i, j in pairs) == sum(abs(treated[i] - compared[j]) for i, j in expected)
    assert len(pairs) == len(expected) and (len(spent) > 0) == (len(compared) < len(treated))
    np.testing.assert_allclose(np.bincount(found.treated, found.share)[np.unique(found.treated)], 1.0)


def test_without_replacement_no_firm_serves_twice_in_any_cohort() -> None:
    data = panel(3, firms=300)
    found = sme.match_firms(make(data), replace=False, caliper=None)
    assert set(weights(found.sample, data).unique()) == {0.0, 1.0}
    assert found.n_compared == found.cohorts.matched.sum() == found.effective_sample_size
    few = data[(data.g != 0) | (data.id % 10 == 0)]
    short = sme.match_firms(make(few), replace=False, caliper=None)
    assert "no comparison firm left" in set(short.unmatched.reason)
    assert short.n_compared == few[few.g.isin([0, 2030])].id.nunique()


# --- the matched sample ----------------------------------------------------------------------------------------------------


def test_every_estimator_fits_the_matched_sample_and_covariates_are_columns() -> None:
    data = panel(4)
    found = sme.match_firms(make(data, cluster="town"))
    sample = found.sample
    assert sample.names.covariates == () and set(NAMES) <= set(sample.names.columns) and sample.names.weight == WEIGHT
    last = sample.flow.steps[-1]
    assert (last.rule, last.firms, last.rows) == ("matched", sample.n_firms, len(sample.position))
    assert last.dropped_firms == data.id.nunique() - sample.n_firms
    direct = pd.DataFrame({"w": weights(sample, data)}).query("w > 0")
    by_hand = data.drop(columns="w").merge(direct, left_on="id", right_index=True)
    again = sme.Sample.from_frame(by_hand, firm="id", year="year", outcome="y", cohort="g", weight="w", cluster="town")
    assert len(np.unique(sample.cluster)) == 11
    for estimator in (sme.CallawaySantAnna(), sme.TwoWayFixedEffects(), sme.StackedDiD(window=(-2, 0))):
        one, other = (estimator.fit(s) for s in (sample, again))
        if isinstance(one, sme.GroupTimeEffects):
            one, other = (r.aggregate("simple").overall for r in (one, other))
        assert (one.estimate, one.std_error) == pytest.approx((other.estimate, other.std_error), rel=1e-10)


def test_later_cohorts_enter_as_copies_that_end_before_their_treatment() -> None:
    data = panel(5)
    found = sme.match_firms(make(data), comparison="not_yet_treated", caliper=None)
    frame, g = found.sample.frame, data.groupby("id").g.first()
    copies = frame[(frame["matching_cohort"] == np.inf) & frame["g"].isin(COHORTS)]
    assert len(copies) > 0 and (copies["year"] < copies["g"]).all() and set(copies["g"]) == {2022}
    assert frame.groupby(FIRM)[WEIGHT].nunique().max() == 1
    assert found.sample.names.cluster == ORIGINAL
    assert len(np.unique(found.sample.cluster)) == frame["id"].nunique() < frame[FIRM].nunique()
    served = frame[frame["matching_cohort"] > YEARS[-1]].groupby(FIRM)[WEIGHT].first().sum()
    assert served == pytest.approx(g.isin(COHORTS).sum())
    result = sme.CallawaySantAnna(panel="pairs").fit(found.sample)
    assert np.isfinite(result.aggregate("simple").overall.std_error)


def test_firms_not_seen_before_treatment_neither_match_nor_serve() -> None:
    data = panel(6)
    absent = (data.id % 5 == 0) & (data.year == 2019)
    found = sme.match_firms(make(data[~absent]), caliper=None)
    late = data[(data.g == 2020) & (data.id % 5 == 0)].id.unique()
    lost = found.unmatched.set_index("cohort")
    assert lost.loc[2020, "firms"] == len(late) > 0 and lost.loc[2020, "reason"] == "not seen in the year before treatment"
    assert (weights(found.sample, data)[late] == 0.0).all()
    by_cohort = found.cohorts.set_index("cohort").candidates
    assert by_cohort[2020] == data[data.g.isin([0, 2030]) & (data.id % 5 > 0)].id.nunique() < by_cohort[2022]


# --- balance and what is shown ---------------------------------------------------------------------------------------------


def test_balance_is_that_of_the_weighted_groups() -> None:
    data = panel(7)
    found = sme.match_firms(make(data))
    firms, w = data.groupby("id").first(), weights(found.sample, data)
    treated = firms.g.isin(COHORTS)
    for row in found.balance.itertuples():
        x = firms[row.covariate]
        deviation = math.sqrt((x[treated].var(ddof=0) + x[~treated].var(ddof=0)) / 2.0)
        after = [np.average(x[group], weights=w[group]) for group in (treated, ~treated)]
        spread = [np.cov(x[group], aweights=w[group], ddof=0) for group in (treated, ~treated)]
        assert row.difference_before == pytest.approx((x[treated].mean() - x[~treated].mean()) / deviation)
        assert row.difference_after == pytest.approx((after[0] - after[1]) / deviation)
        assert row.ratio_before == pytest.approx(x[treated].var(ddof=0) / x[~treated].var(ddof=0))
        assert row.ratio_after == pytest.approx(spread[0] / spread[1])
        for cohort in COHORTS:
            part = found.cohort_balance.query("cohort == @cohort and covariate == @row.covariate").iloc[0]
            own = (firms.g == cohort) & (w > 0)
            scale = math.sqrt((x[firms.g == cohort].var(ddof=0) + x[~treated].var(ddof=0)) / 2.0)
            assert part.difference_all == pytest.approx((x[own].mean() - after[1]) / scale)
    assert found.balance.difference_after.abs().max() < ALIKE < found.balance.difference_before.abs().max()


def test_nothing_shown_names_a_firm_and_the_drawing_says_simulated() -> None:
    data = panel(8).assign(id=lambda frame: "firm-" + frame.id.astype(str))
    found = sme.match_firms(make(data), caliper=0.01)
    shown = (found.to_frame(), found.cohorts, found.cohort_balance, found.unmatched, found.summary(), found._repr_html_())
    assert not any("firm-" in str(part) for part in shown)
    assert "no comparison firm within the caliper" in found.summary()
    for language, words in (("en", "simulated data"), ("zh", "模拟数据")):
        axes = found.plot(data_kind="simulated", language=language)
        assert words in axes.get_title(loc="left")
        drawn = {text.get_text() for text in axes.get_yticklabels()}
        assert drawn == set(NAMES)
        mpl.pyplot.close(axes.figure)
    assert found.plot().get_title(loc="left") == ""


# --- refusals --------------------------------------------------------------------------------------------------------------


def test_choices_that_cannot_work_are_refused_together() -> None:
    sample = make(panel(), ())
    with pytest.raises(sme.DesignError) as error:
        sme.match_firms(sample, neighbours=0, caliper=-1.0, comparison="all")
    text = str(error.value)
    assert all(part in text for part in ("nothing to match on", "neighbours=0", "caliper=-1.0", "comparison='all'"))
    with pytest.raises(sme.DesignError, match="matches a Sample, not DataFrame"):
        sme.match_firms(panel())
    with pytest.raises(sme.DesignError, match="does not hold the column 'sector'"):
        sme.match_firms(make(panel()), exact=("sector",))
    untold = sme.Sample.from_frame(panel(), firm="id", year="year", outcome="y", covariates=NAMES)
    with pytest.raises(sme.DesignError, match="who was treated when"):
        sme.match_firms(untold)
    with pytest.raises(sme.IdentificationError, match="No firm is treated within the panel"):
        sme.match_firms(make(panel().assign(g=0)))


def test_perfect_prediction_and_an_empty_caliper_leave_nothing() -> None:
    data = panel(9)
    entered = data.g.isin(COHORTS)
    with pytest.raises(sme.IdentificationError, match=r"No treated firm finds a partner: \d+: no overlap"):
        sme.match_firms(make(data.assign(x1=data.x1 + 20.0 * entered)))
    with pytest.raises(sme.IdentificationError, match="within the caliper"):
        sme.match_firms(make(data), caliper=1e-9)
    with pytest.raises(sme.IdentificationError, match="with the same labels"):
        sme.match_firms(make(data.assign(industry=entered.astype(int))), exact="industry")
    everybody = data[entered]
    with pytest.raises(sme.IdentificationError, match="no comparison firm is seen"):
        sme.match_firms(make(everybody))


def test_one_cohort_apart_is_counted_and_the_other_stays() -> None:
    data = panel(10)
    apart = data.assign(x1=np.where(data.g == 2022, 30.0 + data.x1, data.x1))
    found, alone = (sme.match_firms(make(d)) for d in (apart, data[data.g != 2022]))
    lost = found.unmatched.set_index("cohort")
    assert lost.loc[2022, "firms"] == data[data.g == 2022].id.nunique() and lost.loc[2022, "reason"].startswith("no overlap")
    pd.testing.assert_series_equal(weights(found.sample, data), weights(alone.sample, data))


def test_a_category_without_comparison_firms_is_apart_and_moves_no_other_partner() -> None:
    """The logit has no maximum: its limit leaves these firms out and is that of the others."""
    data = panel(11, firms=300)
    data["x3"] = ((data.g == 2020) & (data.id % 4 == 0)).astype(float)
    few = data[data.g != 2022]
    found = sme.match_firms(make(few, (*NAMES, "x3")))
    away = sme.match_firms(make(few[few.x3 == 0.0]))
    alone = few[few.x3 == 1.0].id.nunique()
    assert found.unmatched.set_index("reason").firms["no overlap: covariates all but decide who is treated"] == alone > 0
    np.testing.assert_allclose(weights(found.sample, few), weights(away.sample, few), rtol=1e-12)


# --- invariances -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("choices", [{}, {"neighbours": 3, "exact": "industry"}, {"replace": False}])
def test_order_of_rows_units_and_with_replacement_names(choices: dict[str, object]) -> None:
    data = panel(12, missing=0.02)
    data["x1"] = data.x1.round(1)  # ties
    data["x2"] = (data.x2 > 15).astype(float)
    first = sme.match_firms(make(data), **choices)
    base = weights(first.sample, data).sort_index()
    others = {"rows": data.sample(frac=1.0, random_state=1), "units": data.assign(x1=1e4 * data.x1 - 3.0, x2=0.01 * data.x2)}
    for other in others.values():
        found = sme.match_firms(make(other), **choices)
        np.testing.assert_allclose(weights(found.sample, other).sort_index(), base, rtol=1e-10)
        np.testing.assert_allclose(found.balance.difference_after, first.balance.difference_after, rtol=1e-9, atol=1e-10)
    if choices.get("replace", True):
        renamed = data.assign(id=(data.id * 7919) % 1009)
        found = weights(sme.match_firms(make(renamed), **choices).sample, renamed)
        np.testing.assert_allclose(found.to_numpy(), weights(first.sample, data).to_numpy(), rtol=1e-10)


# --- known truth -----------------------------------------------------------------------------------------------------------


def test_matching_removes_the_bias_of_firms_that_grow_differently() -> None:
    """One cohort; entry and growth rise with x. The mean's Monte Carlo error is sd / √S."""
    panels, firms, effect = 60, 500, 0.3
    plain, matched = [], []
    for seed in range(panels):
        rng = np.random.default_rng(seed)
        x = rng.standard_normal(firms)
        entered = rng.random(firms) < 1.0 / (1.0 + np.exp(1.5 - 0.8 * x))
        before = rng.standard_normal(firms)
        after = before + 0.4 * x + 0.2 * x**2 + effect * entered + 0.3 * rng.standard_normal(firms)
        frame = pd.DataFrame({"id": np.repeat(np.arange(firms), 2), "year": np.tile([2020, 2021], firms), "x": np.repeat(x, 2)})
        frame["y"], frame["g"] = np.column_stack([before, after]).ravel(), np.repeat(np.where(entered, 2021, 0), 2)
        names = {"firm": "id", "year": "year", "outcome": "y", "cohort": "g"}
        plain.append(sme.TwoWayFixedEffects().fit(sme.Sample.from_frame(frame, **names)).estimate)
        sample = sme.match_firms(sme.Sample.from_frame(frame, covariates=("x",), **names), caliper=0.1).sample
        matched.append(sme.TwoWayFixedEffects().fit(sample).estimate)
    error = np.std(matched, ddof=1) / math.sqrt(panels)
    assert np.mean(plain) - effect > 30.0 * np.std(plain, ddof=1) / math.sqrt(panels)
    assert abs(np.mean(matched) - effect) < 3.0 * error
