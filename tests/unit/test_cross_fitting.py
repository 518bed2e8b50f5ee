"""Cross-fitted learners: the score by brute force, predictions never from the firm itself, weights, refusals, invariances."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sme_eval as sme
from sme_eval.estimators.cross_fitting import LearnedFirms, deal_folds, learner_name, weight_keyword
from sme_eval.results.group_time import GroupTimeEffects
from sme_eval.stats.orthogonal_score import doubly_robust_score

EXACT = 1e-10
NAMES = ("x1", "x2")
YEARS = np.arange(2018, 2023)
COHORTS = (2020, 2022)


def panel(seed: int = 0, firms: int = 240, missing: float = 0.0) -> pd.DataFrame:
    """Entry in 2020 or 2022 and growth depend on x1; x2 is 0 or 1."""
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.standard_normal(firms), rng.integers(0, 2, firms)])
    cohort = np.where(rng.random(firms) < propensity_of(x), rng.choice([*COHORTS, 2030], firms), 0)
    y = rng.standard_normal((firms, 1)) + growth_of(x)[:, None] * (YEARS - 2018) + rng.standard_normal((firms, len(YEARS)))
    data = pd.DataFrame({"id": np.repeat(np.arange(firms), len(YEARS)), "year": np.tile(YEARS, firms), "y": y.ravel()})
    data["g"], data["w"] = np.repeat(cohort, len(YEARS)), np.repeat(rng.uniform(0.5, 2.0, firms), len(YEARS))
    data["town"] = data.id % 40
    for j, name in enumerate(NAMES):
        data[name] = np.repeat(x[:, j], len(YEARS))
    return data[rng.random(len(data)) >= missing].reset_index(drop=True)


def propensity_of(x: np.ndarray) -> np.ndarray:
    return np.asarray(1.0 / (1.0 + np.exp(0.3 - 0.5 * x[:, 0] - 0.4 * x[:, 1])))


def growth_of(x: np.ndarray) -> np.ndarray:
    return np.asarray(0.2 * np.sin(2.0 * x[:, 0]) + 0.1 * x[:, 1])


def make(data: pd.DataFrame, covariates: tuple[str, ...] = NAMES, **names: str) -> sme.Sample:
    return sme.Sample.from_frame(data, firm="id", year="year", outcome="y", cohort="g", covariates=covariates, **names)


def fit(data: pd.DataFrame, learner: sme.CrossFit, **names: str) -> GroupTimeEffects:
    return sme.CallawaySantAnna(learner=learner).fit(make(data, **names))


class KnownGrowth(BaseEstimator):
    """Predicts a function of the covariates that needs no data."""

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> KnownGrowth:
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        return growth_of(X)


class KnownPropensity(BaseEstimator):
    """Likewise a probability."""

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> KnownPropensity:
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return np.column_stack([1.0 - propensity_of(X), propensity_of(X)])


KNOWN = sme.CrossFit(outcome=KnownGrowth(), propensity=KnownPropensity(), folds=3)


# --- the score -------------------------------------------------------------------------------------------------------------


def plug_in(data: pd.DataFrame, comparison: str) -> tuple[list[float], np.ndarray]:
    """Every cell with the known functions, and all firms' influence on cells and shares, term by term."""
    firms = data.groupby("id").first()
    paths = data.pivot(index="id", columns="year", values="y").loc[firms.index]
    g, w, x = firms.g.to_numpy(), firms.w.to_numpy(), firms[list(NAMES)].to_numpy()
    odds = propensity_of(x) / (1.0 - propensity_of(x))
    effects, influence = [], []
    for cohort in COHORTS:
        for t in YEARS[1:]:
            base = cohort - 1 if t >= cohort else t - 1
            seen = (paths[t].notna() & paths[base].notna()).to_numpy()
            compared = (g == 0) | (g > YEARS[-1])
            if comparison == "not_yet_treated":
                compared |= (g > max(t, base)) & (g != cohort)
            treated, compared = seen & (g == cohort), seen & compared
            residual = (paths[t] - paths[base]).to_numpy() - growth_of(x)
            first = sum(w[i] * residual[i] for i in np.flatnonzero(treated)) / w[treated].sum()
            mass = sum(w[i] * odds[i] for i in np.flatnonzero(compared))
            second = sum(w[i] * odds[i] * residual[i] for i in np.flatnonzero(compared)) / mass
            psi = np.zeros(len(g))
            for i in np.flatnonzero(treated):
                psi[i] = w[i] * (residual[i] - first) / w[treated].sum()
            for i in np.flatnonzero(compared):
                psi[i] = -w[i] * odds[i] * (residual[i] - second) / mass
            effects.append(first - second)
            influence.append(psi)
    influence += [w * ((g == cohort) - w[g == cohort].sum() / w.sum()) / w.sum() for cohort in COHORTS]
    return effects, np.array(influence)


@pytest.mark.parametrize(("comparison", "missing"), [("never_treated", 0.0), ("not_yet_treated", 0.0), ("not_yet_treated", 0.1)])
def test_known_functions_give_the_plug_in_formula(comparison: str, missing: float) -> None:
    data = panel(missing=missing)
    effects, influence = plug_in(data, comparison)
    for names in ({"weight": "w"}, {"weight": "w", "cluster": "town"}):
        result = sme.CallawaySantAnna(comparison=comparison, panel="pairs", learner=KNOWN).fit(make(data, **names))
        np.testing.assert_allclose(result.effects.estimate, effects, rtol=EXACT)
        scores = influence
        if "cluster" in names:
            scores = pd.DataFrame(influence.T).groupby(data.groupby("id").town.first().to_numpy()).sum().to_numpy().T
        np.testing.assert_allclose(result.joint_covariance, scores @ scores.T, rtol=1e-9, atol=1e-16)


def test_in_sample_linear_and_logit_predictions_give_the_parametric_estimate() -> None:
    """The score is the parametric one's: only where predictions come from differs."""
    data = panel(1)
    parametric = sme.CallawaySantAnna().fit(make(data, weight="w")).effects
    firms = data.groupby("id").first()
    paths = data.pivot(index="id", columns="year", values="y").loc[firms.index]
    x, w, compared = firms[list(NAMES)].to_numpy(), firms.w.to_numpy(), ~firms.g.isin(COHORTS).to_numpy()
    cells = list(zip(parametric.keys["cohort"], parametric.keys["year"], parametric.estimate, strict=True))
    assert len(cells) == 8
    for cohort, t, estimate in cells:
        treated = (firms.g == cohort).to_numpy()
        here = treated | compared
        change = (paths[t] - paths[cohort - 1 if t >= cohort else t - 1]).to_numpy()
        m = LinearRegression().fit(x[compared], change[compared], sample_weight=w[compared]).predict(x)
        logit = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-12).fit(x[here], treated[here], sample_weight=w[here])
        p = logit.predict_proba(x)[:, 1]
        effect, influence = doubly_robust_score((change - m)[here], p[here], treated[here], w[here])
        assert effect == pytest.approx(estimate, rel=1e-8)
        assert influence.sum() == pytest.approx(0.0, abs=1e-12)


def test_aggregates_bands_and_pretrends_follow_from_the_joint_covariance() -> None:
    result = fit(panel(2), KNOWN)
    overall = result.aggregate("simple").overall
    after = np.array(result.effects.keys["event_time"]) >= 0
    share = result.share[np.searchsorted(result.cohorts, np.array(result.effects.keys["cohort"])[after])]
    assert overall.estimate == pytest.approx(share @ result.effects.estimate[after] / share.sum(), rel=EXACT)
    wide, narrow = (result.intervals(simultaneous=s) for s in (True, False))
    assert (wide.conf_high > narrow.conf_high).all()
    assert result.pretrend_test().restrictions == int((~after).sum())
    parametric = sme.CallawaySantAnna().fit(make(panel(2)))
    np.testing.assert_allclose(result.joint_covariance[8:, 8:], parametric.joint_covariance[8:, 8:], rtol=EXACT)


# --- out of fold -----------------------------------------------------------------------------------------------------------


class Witness(BaseEstimator):
    """Fails if it is asked about a town from which it learned; x2 is the town."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> Witness:
        self.towns_, self.mean_ = set(X[:, 1]), float(np.mean(y))
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        assert not self.towns_ & set(X[:, 1])
        return np.full(len(X), self.mean_)

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return np.column_stack([1.0 - self.predict(X), self.predict(X)])


@pytest.mark.parametrize(("column", "names"), [("id", {}), ("town", {"cluster": "town"})])
def test_no_firm_and_no_cluster_is_predicted_from_itself(column: str, names: dict[str, str]) -> None:
    data = panel(3).assign(x2=lambda frame: frame[column].astype(float))
    result = fit(data, sme.CrossFit(outcome=Witness(), propensity=Witness()), **names)
    assert np.isfinite(result.effects.estimate).all()


def test_predictions_are_those_of_a_loop_over_folds() -> None:
    rng = np.random.default_rng(4)
    x, change, w, fold = rng.standard_normal((90, 2)), rng.standard_normal(90), rng.uniform(0.5, 2.0, 90), rng.integers(0, 3, 90)
    compared = rng.random(90) < 0.6
    firms = LearnedFirms(x=x, weight=w, fold=fold, step=lambda: None)
    found = firms.predicted_change(sme.CrossFit(outcome=LinearRegression(), folds=3), change, compared)
    z = np.column_stack([np.ones(90), x])
    for i in range(90):
        rows = compared & (fold != fold[i])
        root = np.sqrt(w[rows])
        slope = np.linalg.lstsq(z[rows] * root[:, None], change[rows] * root, rcond=None)[0]
        assert found[i] == pytest.approx(z[i] @ slope, rel=1e-9)


def test_folds_hold_their_share_of_every_cohort_and_of_whole_clusters() -> None:
    stratum = np.repeat([0, 1, 2], [203, 41, 6])
    choice = sme.CrossFit(folds=5, seed=3)
    fold = deal_folds(stratum, None, choice)
    counts = np.array([np.bincount(fold[stratum == s], minlength=5) for s in range(3)])
    assert (np.ptp(counts, axis=1) <= 1).all() and np.ptp(counts.sum(axis=0)) == 0
    assert (fold != deal_folds(stratum, None, sme.CrossFit(folds=5, seed=4))).any()
    town = np.random.default_rng(0).integers(0, 50, 250)
    whole = deal_folds(stratum, town, choice)
    assert all(len(np.unique(whole[town == c])) == 1 for c in np.unique(town))
    assert np.bincount(whole, minlength=5).min() > 30
    with pytest.raises(sme.DesignError, match="5 folds cannot be dealt from 4 clusters"):
        deal_folds(stratum, town % 4, choice)


# --- learners --------------------------------------------------------------------------------------------------------------


def test_weights_reach_the_learner_and_their_unit_does_not_matter() -> None:
    data = panel(5)
    plain, weighted, doubled = (
        fit(frame, sme.CrossFit(), weight="w").effects.estimate for frame in (data.assign(w=1.0), data, data.assign(w=2.0 * data.w))
    )
    np.testing.assert_allclose(doubled, weighted, rtol=EXACT)
    assert np.abs(plain - weighted).max() > 1e-3
    np.testing.assert_allclose(plain, fit(data, sme.CrossFit()).effects.estimate, rtol=1e-8)
    assert weight_keyword(make_pipeline(StandardScaler(), LinearRegression())) == "linearregression__sample_weight"
    with pytest.raises(sme.DesignError, match=r"which Pipeline\(StandardScaler, KNeighborsRegressor\) cannot take"):
        fit(data, sme.CrossFit(outcome=make_pipeline(StandardScaler(), KNeighborsRegressor())), weight="w")


def test_learners_that_draw_are_repeated_by_the_seed() -> None:
    data = panel(6, firms=120)
    forest = RandomForestRegressor(n_estimators=5), RandomForestClassifier(n_estimators=5, min_samples_leaf=15)
    runs = [fit(data, sme.CrossFit(outcome=forest[0], propensity=forest[1], folds=2, seed=s)).effects.estimate for s in (1, 1, 2)]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert (runs[0] != runs[2]).all()


def test_the_record_names_learners_folds_and_seed() -> None:
    search = GridSearchCV(KNeighborsRegressor(), {"n_neighbors": [3, 5]})
    assert learner_name(make_pipeline(StandardScaler(), search)) == "Pipeline(StandardScaler, GridSearchCV(KNeighborsRegressor))"
    result = fit(panel(7), sme.CrossFit(outcome=LinearRegression(), folds=4, seed=9), cluster="town")
    assert "outcome LinearRegression, propensity penalised logit with squares and products, 4 folds, seed 9; folds by town" in str(
        result
    )
    assert sme.CrossFit() == sme.CrossFit() and hash(sme.CrossFit()) == hash(sme.CrossFit())


# --- refusals --------------------------------------------------------------------------------------------------------------


class NoClone:
    def fit(self, X: np.ndarray, y: np.ndarray) -> NoClone:
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        return np.zeros(len(X))


class Broken(KnownGrowth):
    def predict(self, X: np.ndarray) -> np.ndarray:
        return np.full(len(X), np.nan)


class Rejecting(KnownGrowth):
    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> Rejecting:
        raise ValueError("too small\nfor me")


def test_choices_that_cannot_work_are_refused_together() -> None:
    with pytest.raises(sme.DesignError) as error:
        sme.CrossFit(outcome=NoClone(), propensity=LinearRegression(), folds=1, seed=-1)
    text = str(error.value)
    assert "NoClone, the learner of the outcome, cannot be cloned" in text and "folds=1" in text and "seed=-1" in text
    assert "LinearRegression cannot learn the propensity" in text and "fit and predict_proba" in text
    with pytest.raises(sme.DesignError, match="LinearRegression cannot learn the outcome"):
        sme.CrossFit(outcome=LinearRegression)
    for method in ("reg", "ipw"):
        with pytest.raises(sme.DesignError, match=f"not '{method}': only the doubly robust score is orthogonal"):
            sme.CallawaySantAnna(method=method, learner=KNOWN)
    with pytest.raises(sme.DesignError, match="learner=LinearRegression does not say"):
        sme.CallawaySantAnna(learner=LinearRegression())


def test_without_covariates_there_is_nothing_to_learn_from() -> None:
    data = panel()
    for what in (make(data, ()), sme.Moments.from_sample(make(data, ()))):
        with pytest.raises(sme.DesignError, match="nothing to learn from"):
            sme.CallawaySantAnna(learner=KNOWN).fit(what)


def test_learners_that_fail_are_named() -> None:
    with pytest.raises(sme.DesignError, match="Rejecting could not be fitted on"):
        fit(panel(), sme.CrossFit(outcome=Rejecting()))
    with pytest.raises(sme.DesignError, match="Broken did not predict one finite number"):
        fit(panel(), sme.CrossFit(outcome=Broken()))


def test_a_cohort_without_overlap_or_of_one_firm_is_unavailable_and_the_others_stay() -> None:
    data = panel(8)
    apart = data.assign(x1=np.where(data.g == 2022, 9.0 + data.x1, data.x1))
    late = data[data.g == 2022].id.unique()
    alone = data[~data.id.isin(late[1:])]
    logit = sme.CrossFit(propensity=LogisticRegression(C=1e6))
    for frame, learner, reason in (
        (apart, logit, "no overlap: given x1, x2, the propensity reaches"),
        (alone, KNOWN, "too few treated firms to cross-fit: 1"),
    ):
        result = fit(frame, learner)
        lost = np.array(result.effects.keys["cohort"]) == 2022
        assert np.isnan(result.effects.estimate[lost]).all() and np.isfinite(result.effects.estimate[~lost]).all()
        assert all(result.effects.notes[j].startswith(reason) for j in np.flatnonzero(lost))
        assert np.isfinite(result.aggregate("simple").overall.estimate)
    with pytest.raises(sme.IdentificationError, match="No effect is identified: no overlap"):
        fit(apart[apart.g != 2020], logit)
    never = data[~data.g.isin(COHORTS)].id.unique()
    with pytest.raises(sme.IdentificationError, match="too few comparison firms to cross-fit: 2 outside a fold, 3 needed"):
        fit(data[~data.id.isin(never[3:])], KNOWN)


# --- invariances -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [{}, {"cluster": "town", "weight": "w"}])
def test_order_of_rows_and_names_of_firms_and_clusters(names: dict[str, str]) -> None:
    """To the last bit: folds and what learners see follow the data, not rows or names."""
    data = panel(9, missing=0.03)
    first = fit(data, sme.CrossFit(), **names).joint_covariance
    shuffled = data.sample(frac=1.0, random_state=1)
    renamed = data.assign(id="企业" + (data.id * 7919 % 1009).astype(str), town=(data.town * 17) % 101)
    for other in (shuffled, renamed, renamed.sample(frac=1.0, random_state=2)):
        np.testing.assert_allclose(fit(other, sme.CrossFit(), **names).joint_covariance, first, rtol=1e-12)


def test_units_of_outcome_and_covariates() -> None:
    data = panel(10)
    first = fit(data, sme.CrossFit()).effects
    turned = fit(data.assign(x1=1e3 * data.x1 - 5.0, x2=0.01 * data.x2), sme.CrossFit()).effects
    np.testing.assert_allclose(turned.estimate, first.estimate, rtol=1e-9, atol=EXACT)
    scaled = fit(data.assign(y=100.0 * data.y + 7.0), sme.CrossFit()).effects
    np.testing.assert_allclose(scaled.estimate, 100.0 * first.estimate, rtol=1e-9, atol=1e-8)
    np.testing.assert_allclose(scaled.std_error, 100.0 * first.std_error, rtol=1e-9)
