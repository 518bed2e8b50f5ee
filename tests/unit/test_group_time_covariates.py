"""Group-time effects given covariates: each cell by dense arithmetic, influence by differentiation, refusals, invariances."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sme_eval as sme
from sme_eval.results.group_time import GroupTimeEffects
from sme_eval.stats import batched_logit, contrasts, firm_blocks

EXACT = 1e-10
"""Two computations of the same number: rounding, and the square of Newton's last step."""
NAMES = ("x1", "x2", "x3")
METHODS = ("dr", "reg", "ipw")
YEARS = np.arange(2015, 2022)
SEEDS = st.integers(0, 10_000)


def panel(seed: int = 0, firms: int = 240, missing: float = 0.0) -> pd.DataFrame:
    """Entry and growth both depend on covariates; cohorts 2017, 2019, 2021 and one after the panel."""
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.standard_normal(firms), rng.integers(0, 2, firms), rng.uniform(10.0, 20.0, firms)])
    chance = 1.0 / (1.0 + np.exp(-(0.4 * x[:, 0] + 0.5 * x[:, 1] - 0.05 * (x[:, 2] - 15.0))))
    cohort = np.where(rng.random(firms) < chance, rng.choice([2017, 2019, 2021, 2023], firms), 0)
    slope = np.array([0.2, -0.1, 0.03])
    y = rng.standard_normal((firms, 1)) + (x @ slope)[:, None] * (YEARS - 2015) + rng.standard_normal((firms, len(YEARS)))
    data = pd.DataFrame({"id": np.repeat(np.arange(firms), len(YEARS)), "year": np.tile(YEARS, firms), "y": y.ravel()})
    data["g"], data["w"] = np.repeat(cohort, len(YEARS)), np.repeat(rng.uniform(0.5, 2.0, firms), len(YEARS))
    data["district"] = data.id % 17
    for j, name in enumerate(NAMES):
        data[name] = np.repeat(x[:, j], len(YEARS))
    return data[rng.random(len(data)) >= missing].reset_index(drop=True)


def make(data: pd.DataFrame, covariates: tuple[str, ...] = NAMES, **names: str) -> sme.Sample:
    return sme.Sample.from_frame(data, firm="id", year="year", outcome="y", cohort="g", covariates=covariates, **names)


def fit(data: pd.DataFrame, method: str = "dr", **choices: object) -> GroupTimeEffects:
    return sme.CallawaySantAnna(method=method, panel="pairs", **choices).fit(make(data))


# --- each cell by dense arithmetic -----------------------------------------------------------------------------------------


def dense_logit(d: np.ndarray, x: np.ndarray, w: np.ndarray) -> np.ndarray:
    beta = np.zeros(x.shape[1])
    for _ in range(40):
        p = 1.0 / (1.0 + np.exp(-x @ beta))
        beta = beta + np.linalg.solve((x * (w * p * (1.0 - p))[:, None]).T @ x, x.T @ (w * (d - p)))
    return np.asarray(1.0 / (1.0 + np.exp(-x @ beta)))


def dense_gap(dy: np.ndarray, d: np.ndarray, x: np.ndarray, w: np.ndarray, method: str) -> tuple[float, np.ndarray]:
    """Effect and influence of each firm, in the steps in which Sant'Anna and Zhao's estimators are defined."""
    n, fitted = len(d), np.zeros(len(d))
    regression = np.zeros_like(x)
    if method != "ipw":
        gram = np.linalg.inv((x * (w * (1 - d))[:, None]).T @ x / n)
        fitted = x @ (gram @ (x.T @ (w * (1 - d) * dy)) / n)
        regression = (x * (w * (1 - d) * (dy - fitted))[:, None]) @ gram
    residual = dy - fitted
    on_treated = w * d
    mean = on_treated @ residual / on_treated.sum()
    inf = (on_treated * (residual - mean) - regression @ (on_treated @ x / n)) / on_treated.mean()
    if method == "reg":
        return mean, inf / n
    p = dense_logit(d, x, w)
    tilt = np.where((p < 0.995) & (d == 0), w * p / (1.0 - p), 0.0)
    other = tilt @ residual / tilt.sum()
    score = (x * (w * (d - p))[:, None]) @ np.linalg.inv((x * (w * p * (1.0 - p))[:, None]).T @ x / n)
    drift = tilt * (residual - other) + score @ ((tilt * (residual - other)) @ x / n) - regression @ (tilt @ x / n)
    return mean - other, (inf - drift / tilt.mean()) / n


def dense(data: pd.DataFrame, method: str, comparison: str, base_period: str, anticipation: int) -> tuple[list[float], np.ndarray]:
    """Effects in the order of cohorts and years, and influence of all firms on them and on the shares."""
    firms = data.groupby("id").first()
    paths = data.pivot(index="id", columns="year", values="y").loc[firms.index]
    g, w, x = firms.g.to_numpy(), firms.w.to_numpy(), np.column_stack([np.ones(len(firms)), firms[list(NAMES)]])
    effects, influence = [], []
    for cohort in (2017, 2019, 2021):
        for t in YEARS[0 if base_period == "universal" else 1 :]:
            fixed = base_period == "universal" or t >= cohort - anticipation
            base = cohort - anticipation - 1 if fixed else t - 1
            if base == t:
                effects.append(0.0)
                influence.append(np.zeros(len(firms)))
                continue
            compared = (g == 0) | (g > YEARS[-1])
            if comparison == "not_yet_treated":
                compared |= (g > max(t, base) + anticipation) & (g != cohort)
            here = ((g == cohort) | compared) & (paths[t].notna() & paths[base].notna()).to_numpy()
            dy = (paths[t] - paths[base]).to_numpy()[here]
            effect, inf = dense_gap(dy, (g[here] == cohort).astype(float), x[here], w[here], method)
            effects.append(effect)
            influence.append(np.zeros(len(firms)))
            influence[-1][here] = inf
    for cohort in (2017, 2019, 2021):
        influence.append(w * ((g == cohort) - w[g == cohort].sum() / w.sum()) / w.sum())
    return effects, np.array(influence)


CASES = [
    ("never_treated", "varying", 0, 0.0),
    ("not_yet_treated", "varying", 0, 0.0),
    ("not_yet_treated", "universal", 1, 0.0),
    ("never_treated", "universal", 0, 0.08),
    ("not_yet_treated", "varying", 1, 0.08),
]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("comparison", "base_period", "anticipation", "missing"), CASES)
def test_every_cell_is_that_of_dense_arithmetic(
    method: str, comparison: str, base_period: str, anticipation: int, missing: float
) -> None:
    data = panel(missing=missing)
    effects, influence = dense(data, method, comparison, base_period, anticipation)
    choices = {"comparison": comparison, "base_period": base_period, "anticipation": anticipation, "panel": "pairs"}
    for cluster in (None, "district"):
        names = {"weight": "w"} | ({"cluster": cluster} if cluster else {})
        result = sme.CallawaySantAnna(method=method, **choices).fit(make(data, **names))
        np.testing.assert_allclose(result.effects.estimate, effects, rtol=EXACT, atol=EXACT)
        scores = influence
        if cluster:
            scores = pd.DataFrame(influence.T).groupby(data.groupby("id").district.first().to_numpy()).sum().to_numpy().T
        np.testing.assert_allclose(result.joint_covariance, scores @ scores.T, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("method", METHODS)
def test_influence_is_the_derivative_in_each_firms_weight(method: str) -> None:
    """A firm's influence is its weight times the derivative of the estimates in it; their products are the covariance."""
    data, step = panel(3, firms=100), 1e-5

    def values(frame: pd.DataFrame) -> np.ndarray:
        result = sme.CallawaySantAnna(method=method, comparison="not_yet_treated").fit(make(frame, weight="w"))
        return np.concatenate([result.effects.estimate, result.share])

    result = sme.CallawaySantAnna(method=method, comparison="not_yet_treated").fit(make(data, weight="w"))
    columns = []
    for firm in range(100):
        up, down = (data.assign(w=data.w * np.where(data.id == firm, 1.0 + s, 1.0)) for s in (step, -step))
        columns.append((values(up) - values(down)) / (2.0 * step))
    influence = np.array(columns)
    np.testing.assert_allclose(result.joint_covariance, influence.T @ influence, rtol=1e-6, atol=1e-9)


# --- large blocks and hard logits ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_chunks_and_previews_move_nothing(monkeypatch: pytest.MonkeyPatch, missing: float) -> None:
    data = panel(1, firms=900, missing=missing)
    whole = fit(data, comparison="not_yet_treated")
    monkeypatch.setattr(firm_blocks, "CHUNK", 7)
    monkeypatch.setattr(batched_logit, "PREVIEW", 40)
    parts = fit(data, comparison="not_yet_treated")
    np.testing.assert_allclose(parts.effects.estimate, whole.effects.estimate, rtol=EXACT, atol=EXACT)
    np.testing.assert_allclose(parts.joint_covariance, whole.joint_covariance, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("start", [(0.0, 0.0), (0.0, 4.0), (3.0, -5.0), (-6.0, 6.0)])
def test_newton_returns_from_a_start_from_which_whole_steps_run_away(start: tuple[float, float]) -> None:
    rng = np.random.default_rng(0)
    x = np.sort(rng.standard_normal(500))
    d = rng.random(500) < 1.0 / (1.0 + np.exp(1.0 - 0.7 * x))
    order = np.argsort(d, kind="stable")
    design = np.vstack([np.ones(500), x])[:, order]
    blocks = firm_blocks.FirmBlocks(
        outcome=np.zeros((500, 2)),
        order=np.arange(500),
        start=np.array([0, int((~d).sum()), 500]),
        design=design,
        weight=None,
        cluster=None,
    )
    one = np.zeros(1, dtype=np.int64)
    changes = contrasts.Contrasts(
        year=one + 1, base=one, setting=one, treated=one + 1, comparison=np.array([[True, False]]), pairs=False
    )
    found = batched_logit.batched_logits(blocks, changes, np.array([True]), np.array([start]))
    p = 1.0 / (1.0 + np.exp(-found.coefficients[0] @ design))
    assert found.settled.all()
    np.testing.assert_allclose(design @ (d[order] - p), 0.0, atol=1e-8)


def test_a_category_without_treated_is_as_if_its_firms_were_away() -> None:
    """The logit has no maximum; in its limit these firms have no weight, and nothing else is refused."""
    data = panel(2, firms=400).drop(columns="x3")
    alone = (data.g == 0) & (data.id % 5 == 0)
    data["x3"] = alone.astype(float)
    found = fit(data, "ipw").effects
    away = sme.CallawaySantAnna(method="ipw").fit(make(data[~alone], ("x1", "x2"))).effects
    np.testing.assert_allclose(found.estimate, away.estimate, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(found.std_error, away.std_error, rtol=1e-9)


def test_trimmed_comparison_firms_have_no_weight() -> None:
    """One comparison firm looks like the most treated: above 0.995 it is left out of the weighting, as R does."""
    rng = np.random.default_rng(0)
    firms = 4000
    x = rng.standard_normal(firms) * 3.0
    entered = rng.random(firms) < 1.0 / (1.0 + np.exp(-1.6 * x))
    data = pd.DataFrame({"id": np.repeat(np.arange(firms), 2), "year": np.tile([2020, 2021], firms), "x1": np.repeat(x, 2)})
    data["g"], data["y"] = np.repeat(np.where(entered, 2021, 0), 2), rng.standard_normal(2 * firms)
    keep = np.repeat(np.abs(x) < 3.6, 2)
    data, d = data[keep], entered[keep[::2]].astype(float)
    z = np.column_stack([np.ones(len(d)), x[keep[::2]]])
    p = dense_logit(d, z, np.ones(len(d)))
    assert p[d == 0].max() > 0.995 and p.max() < 0.999
    dy = np.diff(data.y.to_numpy().reshape(-1, 2), axis=1)[:, 0]
    effect, influence = dense_gap(dy, d, z, np.ones(len(d)), "ipw")
    found = sme.CallawaySantAnna(method="ipw").fit(make(data, ("x1",))).effects
    assert found.estimate[0] == pytest.approx(effect, rel=EXACT)
    assert found.std_error[0] == pytest.approx(np.sqrt(influence @ influence), rel=EXACT)


# --- refusals --------------------------------------------------------------------------------------------------------------


def test_without_overlap_a_cohort_is_unavailable_and_the_others_stay() -> None:
    data = panel(4)
    data["x1"] = np.where(data.g == 2019, 50.0 + data.x1, data.x1)
    result, plain = fit(data, "dr"), fit(data[data.g != 2019], "dr")
    lost = np.array(result.effects.keys["cohort"]) == 2019
    assert np.isnan(result.effects.estimate[lost]).all() and np.isfinite(result.effects.estimate[~lost]).all()
    np.testing.assert_allclose(result.effects.estimate[~lost], plain.effects.estimate, rtol=EXACT)
    note = result.effects.notes[int(np.flatnonzero(lost)[0])]
    treated, compared = (int(data[data.g.isin(gs)].id.nunique()) for gs in ([2019], [0, 2023]))
    assert (
        "no overlap: given x1, x2, x3" in note
        and f"of {treated} treated firms" in note
        and f"against {compared} comparison" in note
    )
    assert "6 of 18 effects (cohorts 2019) are unavailable" in result.summary()
    assert np.isfinite(result.aggregate("simple").overall.estimate)
    assert np.isfinite(fit(data, "reg").effects.estimate).all()


def test_without_overlap_anywhere_nothing_is_identified() -> None:
    data = panel(4)
    data["x1"] = np.where((data.g > 0) & (data.g < 2022), 50.0 + data.x1, data.x1)
    with pytest.raises(sme.IdentificationError, match="no overlap: given x1, x2, x3"):
        fit(data, "dr")


@pytest.mark.parametrize("method", ["dr", "reg"])
def test_too_few_comparison_firms(method: str) -> None:
    data = panel(5)
    never = data[data.g.isin([0, 2023])].id.unique()
    few = data[~data.id.isin(never[3:])]
    with pytest.raises(sme.IdentificationError, match=r"too few comparison firms: 3 for 4 coefficients \(intercept, x1, x2, x3\)"):
        fit(few, method)
    alike = data.assign(x2=np.where(data.g.isin([0, 2023]), 1.0, data.x2))
    with pytest.raises(sme.IdentificationError, match=f"comparison firms do not vary independently: {len(never)} for 4"):
        fit(alike, "reg")


def test_covariates_that_repeat_others_are_left_out_and_named() -> None:
    data = panel(6)
    data["x4"], data["x5"] = 2.0 * data.x1 - data.x3 + 1.0, 7.0
    plain = sme.CallawaySantAnna().fit(make(data))
    more = sme.CallawaySantAnna().fit(make(data, (*NAMES, "x4", "x5")))
    np.testing.assert_allclose(more.effects.estimate, plain.effects.estimate, rtol=EXACT)
    assert any("left out: x4, x5" in note for note in more.effects.basis.notes)


def test_firms_without_a_covariate_are_counted() -> None:
    data = panel(7)
    data.loc[data.id.isin([3, 5]), "x1"] = np.nan
    sample = make(data)
    assert any(step.rule == "without_covariates" for step in sample.flow.steps)
    assert sme.CallawaySantAnna().fit(sample).effects.basis.n_firms == 238


def test_choices_are_checked_and_treatment_is_needed() -> None:
    with pytest.raises(sme.DesignError, match="method='aipw' is not a choice"):
        sme.CallawaySantAnna(method="aipw")
    sample = sme.Sample.from_frame(panel(), firm="id", year="year", outcome="y", covariates=NAMES)
    with pytest.raises(sme.DesignError, match="who was treated when"):
        sme.CallawaySantAnna().fit(sample)


def test_firms_not_seen_in_every_year() -> None:
    data = panel(8, missing=0.02)
    complete = data.groupby("id").y.transform("size") == len(YEARS)
    balanced, alone = (sme.CallawaySantAnna().fit(make(d)) for d in (data, data[complete]))
    np.testing.assert_allclose(balanced.effects.estimate, alone.effects.estimate, rtol=EXACT)
    np.testing.assert_allclose(balanced.joint_covariance, alone.joint_covariance, rtol=1e-9, atol=1e-15)
    assert f"{data[~complete].id.nunique()} firms not seen in every year are left out" in balanced.effects.basis.notes
    with pytest.raises(sme.IdentificationError, match="No firm is seen in every year"):
        sme.CallawaySantAnna().fit(make(data[data.year != 2015 + data.id % 7]))


# --- invariances -----------------------------------------------------------------------------------------------------------


def table(result: GroupTimeEffects) -> np.ndarray:
    return np.column_stack([result.effects.estimate, result.effects.std_error])


@settings(max_examples=6, deadline=None)
@given(SEEDS, st.sampled_from(METHODS))
def test_order_of_rows_and_names_of_firms(seed: int, method: str) -> None:
    data = panel(seed % 5, firms=160, missing=0.05)
    names = pd.Series(np.random.default_rng(seed).permutation(data.id.nunique()), index=data.id.unique())
    first = table(fit(data, method))
    for other in (data.sample(frac=1.0, random_state=seed), data.assign(id="企业" + data.id.map(names).astype(str))):
        np.testing.assert_allclose(table(fit(other, method)), first, rtol=EXACT, atol=EXACT)


@settings(max_examples=6, deadline=None)
@given(st.floats(1e-4, 1e4), st.floats(-1e4, 1e4), st.sampled_from(METHODS))
def test_units_of_covariates_and_outcome(scale: float, level: float, method: str) -> None:
    """Covariates in other units or order change nothing; the outcome's unit is the effects' unit."""
    data = panel(9, firms=160)
    first = table(fit(data, method))
    other = data.assign(x1=scale * data.x1 + level, x3=data.x3 / scale)
    np.testing.assert_allclose(table(fit(other, method)), first, rtol=1e-7, atol=1e-9)
    turned = sme.CallawaySantAnna(method=method, panel="pairs").fit(make(data, NAMES[::-1]))
    np.testing.assert_allclose(table(turned), first, rtol=EXACT, atol=EXACT)
    moved = data.assign(y=scale * data.y + level)
    np.testing.assert_allclose(table(fit(moved, method)), scale * first, rtol=1e-8, atol=1e-8 * scale + 1e-11 * abs(level))


def test_a_covariate_that_is_balanced_by_design_changes_nothing_but_its_own_part() -> None:
    """With every firm's twin at −x, regression on x leaves each cohort's mean change as it was."""
    data = panel(10, firms=150)
    twins = data.assign(id=data.id + 1000, x1=-data.x1)
    both = pd.concat([data, twins])
    given_x = sme.CallawaySantAnna(method="reg").fit(make(both, ("x1",))).effects.estimate
    plain = sme.CallawaySantAnna().fit(make(both, ())).effects.estimate
    np.testing.assert_allclose(given_x, plain, rtol=EXACT, atol=EXACT)
