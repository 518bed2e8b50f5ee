"""Untangling a bundle: exact recovery, identities, worlds in which parts cannot be told apart, refusals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import sme_eval as sme
from sme_eval.stats.inference import JointTest

YEARS = np.arange(2015, 2025)
TRUTH = {"credit": 0.02, "srdi": 0.01, "certificate": 0.03, "cash": 0.005, "unnamed_cash": 0.008}
PACKAGE = {"certificate_with_cash": {"certificate": 1.0, "cash": 1.0}}
LG_PARTS = ("certificate", "cash", "unnamed_cash")

ARMS = {
    "library": sme.EntryArm("library_year"),
    "srdi": sme.EntryArm("srdi_year", where={"certified_year": 0}),
    "lg_50": sme.EntryArm("certified_year", where={"reward_dose": 50}),
    "lg_100": sme.EntryArm("certified_year", where={"reward_dose": 100}),
    "lg_unnamed": sme.EntryArm("certified_year", where={"reward_dose": None}),
}
EXPOSURES = {
    "credit": sme.Exposure("listed_year"),
    "srdi": sme.Exposure("srdi_year"),
    "certificate": sme.Exposure("certified_year"),
    "cash": sme.Exposure("certified_year", times="reward_dose", per=50),
    "unnamed_cash": sme.Exposure("certified_year", where={"reward_dose": None}),
}


@dataclass(frozen=True, kw_only=True)
class World:
    """Firms in six districts; tiers entered in 2019 to 2022; revenue is additive in the exposures."""

    firms: int = 900
    noise: float = 0.1
    slope: float = 0.0
    """Standard deviation of the firms' own growth: past growth then foretells later growth exactly."""
    doses: Mapping[str, float] = field(
        default_factory=lambda: {"a": 50.0, "b": 50.0, "c": 100.0, "d": np.nan, "e": np.nan, "f": 100.0}
    )
    shares: tuple[float, float, float] = (0.15, 0.15, 0.15)
    """Little giants, other SRDI, library only."""
    lags: tuple[int, ...] = (0, 1, 2)
    entries: tuple[int, ...] = (2019, 2020, 2021, 2022)

    def draw(self, seed: int = 0) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        n = self.firms
        district = rng.choice(list(self.doses), n)
        tier = rng.choice(4, n, p=[*self.shares, 1.0 - sum(self.shares)])
        entry = rng.choice(self.entries, n)
        certified = np.where(tier == 0, entry, 0)
        srdi = np.where(tier == 0, entry - rng.choice(self.lags, n), np.where(tier == 1, entry, 0))
        library = np.where(tier == 2, entry, 0)
        dose = np.array([self.doses[d] for d in district])
        on = {
            name: (start > 0)[:, None] & (start[:, None] <= YEARS)
            for name, start in (("credit", srdi + library), ("srdi", srdi), ("certificate", certified))
        }
        gain = sum(TRUTH[name] * seen for name, seen in on.items())
        gain = gain + on["certificate"] * np.where(np.isnan(dose), TRUTH["unnamed_cash"], TRUTH["cash"] * dose / 50)[:, None]
        level = rng.standard_normal((n, 1)) + rng.standard_normal(len(YEARS))
        # Firms that enter grow faster, so that growth has to be conditioned on.
        level = level + self.slope * (rng.standard_normal((n, 1)) + (tier < 3)[:, None]) * (YEARS - YEARS[0])
        revenue = level + gain + self.noise * rng.standard_normal((n, len(YEARS)))
        per_firm = {
            "certified_year": certified,
            "srdi_year": srdi,
            "library_year": library,
            "listed_year": srdi + library,
            "reward_dose": dose,
            "district": district,
            "rd_intensity": rng.standard_normal(n),
            "w": rng.uniform(0.5, 1.5, n),
        }
        repeated = {name: np.repeat(values, len(YEARS)) for name, values in per_firm.items()}
        size = rng.standard_normal((n, len(YEARS))).ravel()
        keys = {"firm": np.repeat(np.arange(n), len(YEARS)), "year": np.tile(YEARS, n)}
        return pd.DataFrame({**keys, "log_revenue": revenue.ravel(), "size": size, **repeated})


def run(frame: pd.DataFrame, *, without: tuple[str, ...] = (), **options: Any) -> sme.Decomposition:
    arms = {name: arm for name, arm in ARMS.items() if name not in without}
    return sme.untangle(frame, **{"arms": arms, "exposures": EXPOSURES, **options})


def note(found: sme.Decomposition, name: str) -> str:
    estimate = found[name].estimate
    assert isinstance(estimate, sme.Unavailable)
    return estimate.reason


# --- what is estimated ------------------------------------------------------------------------------------------------


def test_without_noise_the_parts_come_out_exactly() -> None:
    """Known truth: the operator is linear, so additive effects return whatever tiers came before and controls got later."""
    found = run(World(noise=0.0).draw(), growth_of="size", sums=PACKAGE)
    for name, truth in TRUTH.items():
        assert found[name].estimate == pytest.approx(truth, rel=1e-8)
    assert found["certificate_with_cash"].estimate == pytest.approx(TRUTH["certificate"] + TRUTH["cash"], rel=1e-8)
    assert found.rank == 5 and found.null_vectors == ()
    assert isinstance(found.fit, sme.Unavailable)


def test_past_growth_counts_net_of_what_earlier_tiers_added_to_it() -> None:
    """Known truth: every firm on its own line, little giants SRDI up to two years before. Growth as seen would be too high."""
    for entries, precision in (((2020,), 1e-7), ((2019, 2020, 2021, 2022), 0.05)):  # the rest is a product of two effects
        frame = World(noise=0.0, slope=0.02, entries=entries).draw()
        found = run(frame)
        for name, truth in TRUTH.items():
            assert found[name].estimate == pytest.approx(truth, rel=precision)
        as_seen = run(frame.assign(seen=frame["log_revenue"]), growth_of="seen")
        assert abs(float(as_seen["certificate"].estimate) - TRUTH["certificate"]) > 0.005


def by_hand(frame: pd.DataFrame, arm: pd.Series, values: pd.DataFrame, exposure: pd.DataFrame | None = None) -> float:
    """Effect of one arm (first year per firm, 0 never) on a firm × year table, by least squares on each year's comparison.

    With an exposure: by how much the effect on the table would rise if past growth were taken net of that exposure.
    """
    firm = frame.groupby("firm").first()
    revenue = frame.pivot(index="firm", columns="year", values="log_revenue")
    any_list = firm[["listed_year", "certified_year"]].replace(0, 9999).min(axis=1)
    total, mass = 0.0, 0
    for g in (2019, 2020, 2021, 2022):
        change = values[[g, g + 1, g + 2]].mean(axis=1) - values[g - 1]
        x = pd.get_dummies(firm.district, dtype=float).iloc[:, 1:].assign(one=1.0, rd=firm.rd_intensity)
        x["growth"] = revenue[g - 1] - revenue[g - 3]
        fit = sm.OLS(change[any_list > g], x[any_list > g]).fit()
        treated = arm == g
        gap = change - fit.predict(x) if exposure is None else fit.params["growth"] * (exposure[g - 1] - exposure[g - 3])
        total += float(gap[treated].sum())
        mass += int(treated.sum())
    return total / mass


def test_equals_least_squares_by_hand() -> None:
    frame = World(firms=600).draw(1)
    found = run(frame)
    firm = frame.groupby("firm").first()
    dose = firm.reward_dose
    starts = {
        "library": firm.library_year,
        "srdi": firm.srdi_year.where(firm.certified_year == 0, 0),
        "lg_50": firm.certified_year.where(dose == 50, 0),
        "lg_100": firm.certified_year.where(dose == 100, 0),
        "lg_unnamed": firm.certified_year.where(dose.isna(), 0),
    }

    def on(start: pd.Series, size: Any = 1.0) -> pd.DataFrame:
        return pd.DataFrame({year: ((start > 0) & (start <= year)) * size for year in YEARS}, index=firm.index, dtype=float)

    paid = on(firm.certified_year, dose.fillna(0) / 50)
    exposures = [on(firm.listed_year), on(firm.srdi_year), on(firm.certified_year), paid, on(firm.certified_year, dose.isna())]
    revenue = frame.pivot(index="firm", columns="year", values="log_revenue")
    tau = np.array([by_hand(frame, start, revenue) for start in starts.values()])
    matrix = np.array(
        [[by_hand(frame, start, one) - by_hand(frame, start, revenue, one) for one in exposures] for start in starts.values()]
    )
    np.testing.assert_allclose(found.arms.estimate, tau, rtol=1e-9)
    np.testing.assert_allclose(found.matrix, matrix, rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(found.parts.estimate, np.linalg.solve(matrix, tau), rtol=1e-8)


def test_influence_is_the_derivative() -> None:
    """Identity: a part's standard error is the norm of its derivative with respect to the weight of each cluster of firms."""
    frame = World(firms=400, shares=(0.3, 0.2, 0.2)).draw(2).assign(block=lambda d: d["firm"] % 30)
    options: dict[str, Any] = {"covariates": ("rd_intensity",), "sums": PACKAGE, "weight": "w", "cluster": "block"}
    step, derivative = 1e-5, []
    for block in range(30):
        ends = []
        for sign in (1.0, -1.0):
            found = run(frame.assign(w=frame["w"] * (1.0 + sign * step * (frame["block"] == block))), **options)
            ends.append([*found.parts.estimate, *found.sums.estimate])
        derivative.append((np.array(ends[0]) - np.array(ends[1])) / (2 * step))
    found = run(frame, **options)
    np.testing.assert_allclose([*found.parts.std_error, *found.sums.std_error], np.linalg.norm(derivative, axis=0), rtol=1e-6)


def test_one_arm_nets_out_what_its_comparison_gets_later() -> None:
    """One arm, one exposure: the part is the arm's effect over how much of the exposure it brought, less than one."""
    found = sme.untangle(
        World().draw(), arms={"library": ARMS["library"]}, exposures={"credit": EXPOSURES["credit"]}, covariates=("rd_intensity",)
    )
    brought = float(found.matrix[0, 0])
    assert 0.5 < brought < 0.99
    assert found["credit"].estimate == pytest.approx(float(found.arms.estimate[0]) / brought, rel=1e-12)


def test_same_year_entrants_of_other_arms_are_no_comparison() -> None:
    """Their revenue in the year of entry and after can change nothing of the arm's effect."""
    frame = World().draw(3)
    arms, exposures = {"library": sme.EntryArm("library_year", where={"library_year": 2022})}, {"credit": EXPOSURES["credit"]}
    others = (frame["listed_year"] == 2022) & (frame["library_year"] == 0) & (frame["year"] >= 2022)
    assert others.any()
    moved = frame.assign(log_revenue=frame["log_revenue"] + 5.0 * others)
    one, other = (sme.untangle(data, arms=arms, exposures=exposures) for data in (frame, moved))
    np.testing.assert_array_equal(one.parts.estimate, other.parts.estimate)


def test_more_arms_than_parts_test_the_bundle() -> None:
    """Two arms of library firms that gain alike agree; once one half gains more they do not."""
    frame = World(firms=3000).draw(4).assign(half=lambda d: d.firm % 2)
    arms = {f"library_{h}": sme.EntryArm("library_year", where={"half": h}) for h in (0, 1)}
    options: dict[str, Any] = {"arms": arms, "exposures": {"credit": EXPOSURES["credit"]}}
    agree = sme.untangle(frame, **options).fit
    extra = 0.2 * ((frame.library_year > 0) & (frame.year >= frame.library_year) & (frame.half == 1))
    differ = sme.untangle(frame.assign(log_revenue=frame.log_revenue + extra), **options)
    assert isinstance(agree, JointTest) and agree.restrictions == 1 and agree.p_value > 0.01
    assert isinstance(differ.fit, JointTest) and differ.fit.p_value < 1e-6
    assert "two-step generalised method of moments" in differ.summary() and "J = " in differ.summary()


# --- worlds in which parts cannot be told apart ----------------------------------------------------------------------


def test_every_stated_dose_is_fifty() -> None:
    """Null: certificate - cash - unnamed. Credit and SRDI keep the estimates they would have without cash in the bundle."""
    frame = World(doses={"a": 50.0, "b": 50.0, "d": np.nan, "e": np.nan}).draw()
    found = run(frame, without=("lg_100",), sums=PACKAGE)
    assert found.rank == 4
    [null] = found.null_vectors
    assert null == pytest.approx({"certificate": 1.0, "cash": -1.0, "unnamed_cash": -1.0}, rel=1e-9)
    assert note(found, "certificate") == "not separable from cash, unnamed_cash"
    assert note(found, "cash") == "not separable from certificate, unnamed_cash"
    assert found.sums.term == ("certificate_with_cash", "certificate + unnamed_cash")
    fewer = {name: part for name, part in EXPOSURES.items() if name != "certificate"}
    other = run(frame, without=("lg_100",), exposures=fewer)
    for name, same in (("credit", "credit"), ("srdi", "srdi"), ("certificate_with_cash", "cash")):
        assert found[name].estimate == pytest.approx(other[same].estimate, rel=1e-9)
        assert found[name].std_error == pytest.approx(other[same].std_error, rel=1e-9)
    assert found["certificate + unnamed_cash"].estimate == pytest.approx(other["unnamed_cash"].estimate, rel=1e-9)


def test_undeclared_sums_come_out_with_coefficient_one() -> None:
    frame = World(doses={"a": 50.0, "d": np.nan}).draw()
    assert run(frame, without=("lg_100",)).sums.term == ("certificate + cash", "certificate + unnamed_cash")


def test_no_library() -> None:
    """Null: credit - SRDI; everything about little giants is still told."""
    found = run(World(shares=(0.2, 0.2, 0.0), noise=0.0).draw(), without=("library",), growth_of="size")
    assert found.rank == 4
    assert found.null_vectors[0] == pytest.approx({"credit": 1.0, "srdi": -1.0}, rel=1e-9)
    assert note(found, "credit") == "not separable from srdi" and note(found, "srdi") == "not separable from credit"
    assert found["credit + srdi"].estimate == pytest.approx(TRUTH["credit"] + TRUTH["srdi"], rel=1e-8)
    for name in LG_PARTS:
        assert found[name].estimate == pytest.approx(TRUTH[name], rel=1e-7)


def test_srdi_always_in_the_year_of_the_certificate() -> None:
    """Null: SRDI - certificate; the sum of both is still told, and credit and cash."""
    found = run(World(shares=(0.3, 0.0, 0.2), lags=(0,), noise=0.0).draw(), without=("srdi",), growth_of="size")
    assert found.rank == 4
    assert found.null_vectors[0] == pytest.approx({"srdi": 1.0, "certificate": -1.0}, rel=1e-9)
    assert note(found, "certificate") == "not separable from srdi"
    assert found["srdi + certificate"].estimate == pytest.approx(TRUTH["srdi"] + TRUTH["certificate"], rel=1e-8)
    for name in ("credit", "cash", "unnamed_cash"):
        assert found[name].estimate == pytest.approx(TRUTH[name], rel=1e-7)


def test_no_other_srdi_although_srdi_came_earlier() -> None:
    """Lags alone leave one direction open: SRDI against the little giants' parts, and rank four of five."""
    found = run(World(shares=(0.3, 0.0, 0.2)).draw(), without=("srdi",))
    assert found.rank == 4 and len(found.null_vectors) == 1
    null = found.null_vectors[0]
    assert abs(null["srdi"]) > 0.1 and "certificate" in null
    assert "certificate" in note(found, "srdi") and "srdi" in note(found, "certificate")
    values = np.array([null.get(name, 0.0) for name in EXPOSURES])
    np.testing.assert_allclose(found.matrix @ values, 0.0, atol=1e-12 * np.abs(values).max())


def test_an_exposure_that_no_arm_moves() -> None:
    """Unnamed cash without its arm: comparison firms still get some of it later, so only sums with a trace of it are given."""
    found = run(World().draw(), without=("lg_unnamed",))
    assert note(found, "unnamed_cash") == "no arm moves it"
    [null] = found.null_vectors
    assert null["unnamed_cash"] == 1.0
    assert max(abs(null[name]) for name in ("credit", "srdi", "certificate", "cash")) < 0.5
    assert note(found, "credit").startswith("not separable from") and "unnamed_cash" in note(found, "credit")
    assert len(found.sums) == 4 and np.isfinite(found.sums.estimate).all()


def test_an_exposure_that_nobody_has_leaves_the_others_alone() -> None:
    frame = World(doses={"a": 50.0, "c": 100.0}).draw()
    found = run(frame, without=("lg_unnamed",))
    assert note(found, "unnamed_cash") == "no arm moves it"
    fewer = run(frame, without=("lg_unnamed",), exposures={k: v for k, v in EXPOSURES.items() if k != "unnamed_cash"})
    np.testing.assert_allclose(found.parts.estimate[:4], fewer.parts.estimate, rtol=1e-9)
    np.testing.assert_allclose(found.parts.std_error[:4], fewer.parts.std_error, rtol=1e-9)
    assert np.isnan(found.covariance[4]).all() and len(found.sums) == 0


def test_a_declared_sum_that_is_not_identified_says_why() -> None:
    frame = World(doses={"a": 50.0, "d": np.nan}).draw()
    found = run(frame, without=("lg_100",), sums={"gap": {"certificate": 1.0, "cash": -1.0}})
    assert note(found, "gap") == "not identified: no arm tells it from a change of certificate - cash - unnamed_cash"


# --- properties --------------------------------------------------------------------------------------------------------


def test_order_labels_and_units_do_not_matter() -> None:
    frame = World().draw(5)
    columns = ["estimate", "std_error"]
    first = run(frame, sums=PACKAGE).to_frame()[columns].to_numpy()
    names = np.random.default_rng(5).permutation(900)
    changed = frame.assign(firm=names[frame["firm"]], log_revenue=10.0 * frame["log_revenue"])
    second = run(changed.sample(frac=1.0, random_state=1), sums=PACKAGE).to_frame()[columns].to_numpy()
    np.testing.assert_allclose(second, 10.0 * first, rtol=1e-8, atol=1e-12)


def test_missing_and_zero_are_both_never() -> None:
    frame = World().draw(6)
    years = ["certified_year", "srdi_year", "library_year", "listed_year"]
    found = run(frame.assign(**{name: frame[name].where(frame[name] > 0) for name in years}))
    np.testing.assert_allclose(found.parts.estimate, run(frame).parts.estimate, rtol=1e-12)


def test_units_of_an_exposure_are_those_of_its_part() -> None:
    frame = World().draw(6)
    per_yuan = {**EXPOSURES, "cash": sme.Exposure("certified_year", times="reward_dose", per=1)}
    one, other = run(frame), run(frame, exposures=per_yuan)
    assert other["cash"].estimate == pytest.approx(float(one["cash"].estimate) / 50, rel=1e-9)
    assert other["credit"].std_error == pytest.approx(float(one["credit"].std_error), rel=1e-9)
    assert other.condition == pytest.approx(one.condition, rel=1e-9)


def test_an_unseen_year_is_left_out_of_effect_and_matrix_alike() -> None:
    """Without noise the parts stay exact on an unbalanced panel: revenue and exposures are averaged over the same firms."""
    frame = World(noise=0.0).draw(7)
    seen = np.random.default_rng(0).random(len(frame)) > 0.1
    found = run(frame[seen], past_growth=None)
    for name, truth in TRUTH.items():
        assert found[name].estimate == pytest.approx(truth, rel=1e-7)


def test_clusters_and_weights() -> None:
    frame = World().draw(8).assign(block=lambda d: d.firm % 40)
    found = run(frame, cluster="block", weight="w")
    assert found.parts.basis.n_clusters == 40 and "clustered by block" in found.summary()
    assert not np.allclose(found.parts.std_error, run(frame, weight="w").parts.std_error)
    one = run(frame.assign(own=frame.firm), cluster="own")
    np.testing.assert_allclose(one.parts.std_error, run(frame).parts.std_error, rtol=1e-12)


# --- the result ----------------------------------------------------------------------------------------------------------


def test_what_the_result_shows() -> None:
    found = run(World().draw(), sums=PACKAGE, smallest_effect=0.01)
    table = found.to_frame().set_index("term")
    factor = 1.959963984540054 + 0.8416212335729143
    np.testing.assert_allclose(table["detectable"], factor * table["std_error"], rtol=1e-12)
    coarse = tuple(name for name in EXPOSURES if table.loc[name, "detectable"] > 0.05)
    assert found.cannot_tell == coarse and 0 < len(coarse) < 5
    assert run(World().draw()).cannot_tell == ()
    text = found.summary()
    assert f"cannot tell {coarse[0]}" in text and "rank 5 of 5" in text and "lg_unnamed" in text
    assert "<pre" in found._repr_html_()
    assert found.matrix_frame().loc["lg_100", "cash"] == pytest.approx(2.0, abs=0.1)
    assert len(found.intervals(0.9, simultaneous=True)) == 5
    with pytest.raises(sme.DesignError, match="did you mean 'credit'"):
        found["credits"]


def test_counts_of_treated_firms() -> None:
    frame = World().draw()
    found = run(frame, sums=PACKAGE)
    firm = frame.groupby("firm").first()
    certified = firm[firm.certified_year > 0]
    dose = certified["reward_dose"]
    assert found.arms.n_treated[2:] == (int((dose == 50).sum()), int((dose == 100).sum()), int(dose.isna().sum()))
    assert found["cash"].n_treated == found["certificate_with_cash"].n_treated == int(certified.reward_dose.notna().sum())
    assert found["certificate"].n_treated == len(certified)


def test_few_treated_firms_are_warned_about() -> None:
    found = run(World(firms=300).draw())
    assert any("treated firms in the arm lg_50" in line for line in found.parts.basis.warnings())


def test_plot_leaves_out_what_is_not_given() -> None:
    import matplotlib.pyplot as plt

    axes = run(World(doses={"a": 50.0, "d": np.nan}).draw(), without=("lg_100",)).plot()
    shown = [label.get_text() for label in axes.get_yticklabels()]
    assert shown == ["credit", "srdi", "certificate + cash", "certificate + unnamed_cash"]
    plt.close("all")


# --- refusals ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"arms": {}}, "No arm is named"),
        ({"exposures": {}}, "No exposure is named"),
        ({"arms": {"a": "certified_year"}}, "is a str"),
        ({"exposures": {"credit": sme.Exposure("")}}, "'credit' names no column"),
        ({"exposures": {"cash": sme.Exposure("certified_year", times="reward_dose", per=0.0)}}, "is per 0.0"),
        ({"window": (1, 2)}, "does not begin with event time 0"),
        ({"window": (-3, 2)}, "does not begin with event time 0"),
        ({"past_growth": (-1, -3)}, "not a span before treatment"),
        ({"past_growth": None, "growth_of": "size"}, "needs past_growth"),
        ({"smallest_effect": 0.0}, "not above 0"),
        ({"level": 95.0}, "not the level"),
        ({"sums": {"credit": {"credit": 1.0}}}, "has the name of an exposure"),
        ({"sums": {"both": {"credits": 1.0}}}, "names 'credits'"),
        ({"sums": {"both": {"credit": 0.0}}}, "no finite coefficient"),
    ],
)
def test_contradictory_choices(options: dict[str, Any], message: str) -> None:
    with pytest.raises(sme.DesignError, match=message):
        run(World(firms=200).draw(), **options)


def test_all_contradictions_at_once() -> None:
    with pytest.raises(sme.DesignError) as refused:
        run(World(firms=200).draw(), arms={}, window=(1, 2), level=95.0)
    assert len(refused.value.problems) == 3


def test_unknown_columns_are_listed_together() -> None:
    frame = World(firms=200).draw()
    with pytest.raises(sme.DataError, match="no column 'srdi_start'") as refused:
        run(frame, arms={"srdi": sme.EntryArm("srdi_start")}, covariates=("rd",))
    assert len(refused.value.problems) == 2
    sample = sme.Sample.from_frame(frame, firm="firm", year="year", outcome="log_revenue", columns=("listed_year",))
    with pytest.raises(sme.DesignError, match="does not hold the column") as refused_design:
        sme.Untangle(arms={"library": ARMS["library"]}, exposures={"credit": EXPOSURES["credit"]}).fit(sample)
    assert len(refused_design.value.problems) == 3


def test_bad_data_are_listed_together() -> None:
    frame = World(firms=200).draw()
    bad = frame.assign(
        srdi_year=frame.srdi_year.where(frame.index != 3, 2021),
        library_year=frame.library_year + 0.5 * (frame.library_year > 0),
        rd_intensity=frame.rd_intensity.where(frame.firm > 1),
    )
    with pytest.raises(sme.DataError) as refused:
        run(bad)
    text = str(refused.value)
    assert "srdi_year changes within" in text and "no whole year" in text and "2 firms have no rd_intensity" in text


def test_a_condition_of_the_wrong_kind() -> None:
    arms = {"lg": sme.EntryArm("certified_year", where={"reward_dose": "fifty"})}
    with pytest.raises(sme.DataError, match="holds numbers, the condition 'fifty' is text"):
        run(World(firms=200).draw(), arms=arms)


def test_conditions_on_words() -> None:
    frame = World().draw()
    arms = {"a": sme.EntryArm("certified_year", where={"district": "a"})}
    firm = frame.groupby("firm").first()
    entrants = int(((firm.district == "a") & (firm.certified_year > 0)).sum())
    for kind in ("str", "category"):
        found = run(frame.assign(district=frame["district"].astype(kind)), arms=arms, exposures={"c": EXPOSURES["certificate"]})
        assert found.arms.n_treated == (entrants,)


def test_arms_without_firms_are_listed_together() -> None:
    frame = World(firms=200, shares=(0.3, 0.0, 0.2), doses={"a": 50.0, "d": np.nan}).draw()
    with pytest.raises(sme.IdentificationError, match="'srdi'") as refused:
        run(frame)
    assert len(refused.value.problems) == 2
    assert "certified_year where reward_dose is 100" in str(refused.value)


def test_entries_without_growth_years_do_not_count() -> None:
    """On a panel that begins in 2017, firms that enter in 2019 have no growth from g - 3 to g - 1."""
    frame = World().draw()
    short = run(frame[frame.year >= 2017], arms={"library": ARMS["library"]}, exposures={"credit": EXPOSURES["credit"]})
    firm = frame.groupby("firm").first()
    assert short.arms.n_treated == (int((firm.library_year >= 2020).sum()),)


def test_only_a_sample_is_fitted() -> None:
    with pytest.raises(sme.DesignError, match="fits a Sample, not DataFrame"):
        sme.Untangle(arms=ARMS, exposures=EXPOSURES).fit(World(firms=200).draw())  # type: ignore[arg-type]


def test_choices_cannot_be_changed_afterwards() -> None:
    where: dict[str, Any] = {"certified_year": 0}
    arm = sme.EntryArm("srdi_year", where=where)
    where["certified_year"] = 2019
    assert dict(arm.where) == {"certified_year": 0}


def test_on_the_simulated_city() -> None:
    """The bundle as declared for Ningbo: five arms of the published sizes, separable, cash the least well told."""
    panel, _ = sme.simulate_ningbo(seed=3, scenario="baseline")
    found = run(panel, sums=PACKAGE, smallest_effect=0.01)
    assert found.rank == 5 and sum(found.arms.n_treated[2:]) == 283 and found.arms.n_treated[:2] == (1020, 432)
    error = dict(zip(found.parts.term, found.parts.std_error, strict=True))
    assert error["credit"] < error["srdi"] < float(found["certificate_with_cash"].std_error) < error["cash"]
    assert {"certificate", "cash"} <= set(found.cannot_tell)
