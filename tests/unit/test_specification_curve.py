"""Specifications in shared passes equal the estimators one by one, and their joint covariance is exact."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import sme_eval as sme
from sme_eval.errors import DesignError
from sme_eval.estimators.firm_influence import firm_influence
from sme_eval.estimators.landmark import LandmarkDiD
from sme_eval.estimators.landmark_joint import joint_effects
from sme_eval.estimators.specification_curve import CurveData, LandmarkSpecification, SpecificationEffect, fit_landmarks
from sme_eval.panel.sample import Sample
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.curve_inference import joint_covariance

EXACT = 1e-12
"""Identities of sums in another order."""
GIVEN = LandmarkDiD(covariates=("rd_intensity", "industry"), growth_of="log_revenue", listed="listed_year")


@pytest.fixture(scope="module")
def sample() -> Sample:
    panel, _ = sme.simulate_ningbo(seed=3, firms=2500)
    columns = ("rd_intensity", "industry", "listed_year", "log_employment")
    return Sample.from_frame(panel.frame, firm="firm", year="year", outcome="log_revenue", cohort="certified_year", columns=columns)


@pytest.fixture(scope="module")
def data(sample: Sample) -> CurveData:
    assert sample.cohort is not None
    everyone = np.ones(sample.n_firms, dtype=np.bool_)
    employment = sample.column("log_employment").to_numpy().reshape(sample.outcome.shape)
    odd = everyone.copy()
    odd[::7] = False
    return CurveData(
        sample=sample,
        cohorts={"own": sample.cohort},
        outcomes={"revenue": sample.outcome, "employment": employment},
        firms={"all": everyone, "six_sevenths": odd},
    )


def one(landmark: LandmarkDiD, outcome: str = "revenue", firms: str = "all", year: int | None = None) -> LandmarkSpecification:
    return LandmarkSpecification(landmark=landmark, cohort="own", outcome=outcome, firms=firms, without_year=year)


def effect(answer: SpecificationEffect | Unavailable) -> SpecificationEffect:
    assert isinstance(answer, SpecificationEffect)
    return answer


@pytest.mark.parametrize("landmark", [GIVEN, GIVEN.doubly_robust(), GIVEN.unconditional(), replace(GIVEN, window=(-2, 3))])
def test_a_specification_is_the_estimator_itself(data: CurveData, landmark: LandmarkDiD) -> None:
    found, alone = effect(fit_landmarks(data, [one(landmark)])[0]), landmark.fit(data.sample).overall
    assert found.estimate == pytest.approx(alone.estimate, abs=EXACT)
    assert np.sqrt((found.influence**2).sum()) == pytest.approx(alone.std_error, abs=EXACT)
    assert found.treated.sum() == alone.n_treated


def test_a_subset_of_firms_is_the_estimator_on_that_subset(data: CurveData) -> None:
    keep = data.firms["six_sevenths"]
    frame = data.sample.frame[keep[data.sample.firm_codes]]
    names = data.sample.names
    part = Sample.from_frame(
        frame, firm=names.firm, year=names.year, outcome=names.outcome, cohort=names.cohort, columns=names.columns
    )
    found, alone = effect(fit_landmarks(data, [one(GIVEN, firms="six_sevenths")])[0]), GIVEN.fit(part).overall
    assert found.estimate == pytest.approx(alone.estimate, abs=1e-10)
    assert np.sqrt((found.influence**2).sum()) == pytest.approx(alone.std_error, abs=1e-10)
    assert (found.influence[~keep] == 0.0).all()


def test_passes_are_shared_without_changing_a_number(data: CurveData) -> None:
    """Outcomes and windows of one pass, in any order, are what each gives alone."""
    asked = [one(replace(GIVEN, window=(-7, last)), outcome) for last in (2, 0, 1) for outcome in ("employment", "revenue")]
    heard: list[tuple[int, int]] = []
    together = fit_landmarks(data, [*asked, one(GIVEN.unconditional())], lambda done, of: heard.append((done, of)))
    assert heard == [(1, 2), (2, 2)]
    for answer, specification in zip(together, asked, strict=False):
        alone = effect(fit_landmarks(data, [specification])[0])
        assert effect(answer).estimate == pytest.approx(alone.estimate, abs=EXACT)
        assert np.abs(effect(answer).influence - alone.influence).max() < EXACT


def test_joint_covariance_is_that_of_the_joint_estimator(data: CurveData) -> None:
    """Two outcomes by one design: `joint_effects` knows their covariance already."""
    answers = [effect(a) for a in fit_landmarks(data, [one(GIVEN), one(GIVEN, "employment")])]
    known = joint_effects(GIVEN, data.sample, ("log_employment",))
    assert np.allclose([a.estimate for a in answers], known.value, atol=EXACT)
    covariance = joint_covariance(np.column_stack([a.influence for a in answers]))
    assert np.allclose(covariance, known.covariance, atol=EXACT)


def test_a_masked_year_leaves_its_cells_out(data: CurveData) -> None:
    """By brute force over cohorts: at each event time the cohorts whose year is not masked, by their firms."""
    year = 2020
    found = effect(fit_landmarks(data, [one(GIVEN, year=year)])[0])
    assert data.sample.cohort is not None
    means = []
    for e in range(3):
        rows = []
        for g in np.unique(data.sample.cohort[data.sample.cohort <= data.sample.years[-1]]):
            if g + e != year and g + e <= data.sample.years[-1]:
                rows.append((float((data.sample.cohort == g).sum()), cell(data, int(g), e)))
        means.append(sum(n * value for n, value in rows) / sum(n for n, _ in rows))
    assert found.estimate == pytest.approx(np.mean(means), abs=1e-10)


def cell(data: CurveData, g: int, e: int) -> float:
    """Effect of one cohort at one event time by least squares on the comparison's changes."""
    from sme_eval.estimators.landmark import read_landmark

    sample = data.sample
    assert sample.cohort is not None
    covariates, arm = read_landmark(GIVEN, sample, sample.cohort)
    x, place = covariates(g), {int(year): j for j, year in enumerate(sample.years)}
    change = sample.outcome[:, place[g + e]] - sample.outcome[:, place[g - 1]]
    treated, comparison = arm.groups(g, x)
    beta = np.linalg.lstsq(x[comparison], change[comparison], rcond=None)[0]
    return float((change[treated] - x[treated] @ beta).mean())


def test_what_is_not_identified_says_so(data: CurveData) -> None:
    nobody = replace(data, firms={"none": np.zeros(data.sample.n_firms, dtype=np.bool_)})
    assert fit_landmarks(nobody, [one(GIVEN, firms="none")]) == [Unavailable("not estimated")]


# --- estimators on moments -------------------------------------------------------------------------------------------


ESTIMATORS = [
    sme.CallawaySantAnna(panel="pairs"),
    sme.CallawaySantAnna(comparison="not_yet_treated"),
    sme.CallawaySantAnna(base_period="universal", anticipation=1),
    sme.ImputationDiD(),
]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: f"{type(e).__name__}")
def test_influence_of_firms_is_that_of_the_estimator(estimator: sme.CallawaySantAnna | sme.ImputationDiD) -> None:
    """Estimate and Σψ² equal what the estimator reports, on an unbalanced panel of observed firms."""
    panel = sme.open_source("jobtraining")
    sample = Sample.from_frame(panel.frame, firm="firm", year="year", outcome="log_sales", cohort="first_grant")
    if isinstance(estimator, sme.CallawaySantAnna) and estimator.anticipation:
        sample = _simulated()
    found, result = firm_influence(estimator, sample), estimator.fit(sample)
    overall = result.aggregate("simple").overall if isinstance(result, sme.GroupTimeEffects) else result.overall
    assert found.estimate == pytest.approx(overall.estimate, abs=EXACT)
    assert np.sqrt((found.influence**2).sum()) == pytest.approx(overall.std_error, abs=EXACT)
    assert abs(found.influence.sum()) < 1e-9


def _simulated() -> Sample:
    panel, _ = sme.simulate_ningbo(seed=4, firms=2500)
    return Sample.from_frame(panel.frame, firm="firm", year="year", outcome="log_revenue", cohort="certified_year")


def test_other_estimators_are_refused() -> None:
    panel = sme.open_source("jobtraining")
    sample = Sample.from_frame(panel.frame, firm="firm", year="year", outcome="log_sales", cohort="first_grant")
    with pytest.raises(DesignError, match="Influences of firms on TwoWayFixedEffects are not known"):
        firm_influence(sme.TwoWayFixedEffects(), sample)
