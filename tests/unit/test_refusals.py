"""Every refusal, case by case: who refuses, with which error, note or `Unavailable`, in which words. METHODS.md holds the table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sme_eval as sme
from sme_eval.results.estimate import Estimate

from .refusals import (
    BACON,
    CHANGES,
    DATA,
    DISTRICT,
    DOSE,
    EVERY_COHORT,
    FLOW,
    GAPS,
    GROUP_TIME,
    IMPUTE,
    INSTRUMENTS,
    LANDMARK,
    LATER,
    MUNDLAK,
    NOTE,
    PANEL,
    POISSON,
    REGRESSION_NAMES,
    REGRESSIONS,
    SAMPLES,
    SEPARATED,
    STACK,
    STUDY,
    SUN,
    SYNTHETIC,
    TRIPLE,
    TWFE,
    TWO,
    UNAVAILABLE,
    Refusal,
    changed,
    fit,
    moments,
    panel,
)

METHODS = Path(__file__).parents[2] / "METHODS.md"
ERRORS = {kind.__name__: kind for kind in (sme.DataError, sme.DesignError, sme.IdentificationError)}
REFUSALS = (
    *SAMPLES,
    # --- covariates -------------------------------------------------------------------------------------------------
    Refusal("covariates that would be ignored", "StackedDiD, bacon_decomposition, Moments.from_sample", "DesignError",
        "Covariates would be ignored", (*fit(STACK, BACON, covariates=("x",)), lambda: moments(covariates=("x",)))),
    Refusal("covariates that would be ignored", f"{REGRESSION_NAMES}, SyntheticDiD", "DesignError",
        "… would ignore the covariates x.", fit(*REGRESSIONS, SYNTHETIC, covariates=("x",))),
    Refusal("covariates that would be ignored", "LandmarkDiD", "DesignError",
        "LandmarkDiD would ignore the sample's covariates x.", fit(LANDMARK, covariates=("x",))),
    Refusal("covariates that would be ignored", "DoseResponse", "DesignError",
        "DoseResponse does not condition on covariates.", fit(DOSE, covariates=("x",))),
    Refusal("covariate that is constant or repeats others", "CallawaySantAnna", NOTE,
        "covariates that are constant or combine earlier ones are left out: twice", (fit(GROUP_TIME, data=changed(twice=2 * DATA.x),
        covariates=("x", "twice"))[0], fit(GROUP_TIME, data=changed(twice=1), covariates=("x", "twice"))[0])),
    Refusal("no overlap for any cohort", "CallawaySantAnna", "IdentificationError",
        "No effect is identified: no overlap: given x, the propensity reaches …", fit(GROUP_TIME,
        data=changed(x=DATA.x + 50.0 * (DATA.g > 0)), covariates=("x",))),
    Refusal("no overlap for one cohort", "CallawaySantAnna", UNAVAILABLE,
        "no overlap: given x, the propensity reaches …", fit(GROUP_TIME, data=SEPARATED, covariates=("x",))),
    Refusal("comparison smaller than the covariates need", "CallawaySantAnna", "IdentificationError",
        "No effect is identified: too few comparison firms: 1 for 2 coefficients", fit(GROUP_TIME,
        data=changed(g=np.where(DATA.id == 0, 0, 2018)), covariates=("x",))),
    Refusal("covariate that tells entrants apart", "LandmarkDiD (dr)", "IdentificationError",
        "The covariates tell … firms apart as certain to enter", fit(sme.LandmarkDiD(covariates=("x",), past_growth=None,
        method="dr"), data=SEPARATED[SEPARATED.g < 2020], columns=("x",))),
    # --- who is compared with whom ----------------------------------------------------------------------------------
    Refusal("nobody treated within the panel", "CallawaySantAnna", "IdentificationError",
        "No cohort has a year before treatment.", fit(GROUP_TIME, LATER, data=changed(g=0))),
    Refusal("nobody treated within the panel", "TwoWayFixedEffects, TripleDifference", "IdentificationError",
        "Not identified beside the fixed effects: treated", fit(TWFE, TRIPLE, data=changed(g=0))),
    Refusal("nobody treated within the panel", "EventStudyRegression", "IdentificationError",
        "No treated firm is seen at event time -1.", fit(STUDY, data=changed(g=0))),
    Refusal("nobody treated within the panel", "SunAbraham", "IdentificationError",
        "No cohort is treated within the panel and seen in its last year before treatment.", fit(SUN, data=changed(g=0))),
    Refusal("nobody treated within the panel", "ImputationDiD, TwoStageDiD", "IdentificationError",
        "No treated firm-year has a counterfactual.", fit(IMPUTE, TWO, data=changed(g=0))),
    Refusal("nobody treated within the panel", "bacon_decomposition", "IdentificationError",
        "There is nothing to compare.", fit(BACON, data=changed(g=0))),
    Refusal("nobody treated within the panel", "DoseResponse", "IdentificationError",
        "No cohort is treated within the panel.", fit(DOSE, data=changed(g=0, dose=0.0))),
    Refusal("nobody treated within the panel", "LandmarkDiD", "IdentificationError",
        "No cohort has its base year, its growth years and comparison firms", fit(LANDMARK, data=changed(g=0))),
    Refusal("nobody treated within the panel", "DistrictDose", "IdentificationError",
        "No firm enters in any district.", fit(DISTRICT, data=changed(g=0))),
    Refusal("all treated at the same time", "TwoWayFixedEffects, EventStudyRegression", "IdentificationError",
        "Not identified beside the fixed effects", fit(TWFE, STUDY, data=changed(g=2018))),
    Refusal("all treated at the same time", "SunAbraham", "IdentificationError",
        "There are no never-treated firms.", fit(SUN, data=changed(g=2018))),
    Refusal("all treated at the same time", "StackedDiD", "IdentificationError",
        "No cohort has years on both sides of treatment and clean comparison firms.", fit(STACK, data=changed(g=2018))),
    Refusal("all treated at the same time", "SyntheticDiD", "IdentificationError",
        "0 firms are never treated and seen in every year.", fit(SYNTHETIC, data=changed(g=2018))),
    Refusal("no never-treated firms", "CallawaySantAnna (never_treated)", UNAVAILABLE,
        "no comparison firm is seen in both years", fit(GROUP_TIME, data=DATA[DATA.g > 0])),
    Refusal("no never-treated firms", "EventStudyRegression", "IdentificationError",
        "Not identified beside the fixed effects: event time …", fit(STUDY, data=DATA[DATA.g > 0])),
    Refusal("event time that only late years could tell", "ImputationDiD, TwoStageDiD", UNAVAILABLE,
        "no firm seen at this event time has a counterfactual", fit(IMPUTE, TWO, data=DATA[DATA.g > 0])),
    Refusal("firm without an untreated year", "ImputationDiD, TwoStageDiD", NOTE,
        "4 treated firm-years have no counterfactual and are left out", fit(IMPUTE, TWO,
        data=DATA[(DATA.id != 1) | (DATA.year >= 2018)])),
    Refusal("cohort not seen in its last year before", "SunAbraham", NOTE,
        "cohorts not seen in their last year before treatment are left out: 2018", fit(SUN,
        data=DATA[(DATA.g != 2018) | (DATA.year != 2017)])),
    Refusal("cohort without a clean comparison", "StackedDiD", NOTE,
        "cohorts without a clean comparison are left out: 2020", fit(STACK, data=DATA[DATA.g > 0])),
    Refusal("cohort with one year before it", "SyntheticDiD", NOTE,
        "cohorts with fewer than two years before them are left out: 2016", fit(SYNTHETIC,
        data=changed(g=DATA.g.replace({2018: 2016})))),
    Refusal("cohort of one firm", "CallawaySantAnna", NOTE,
        "one treated firm: the error holds the comparison's variation only", fit(GROUP_TIME, data=changed(g=np.where(DATA.id == 1,
        2018, 0)))),
    Refusal("cohort of one firm", "SyntheticDiD", "IdentificationError",
        "One treated firm (or cluster) cannot be left out of its cohort: 2018.", fit(SYNTHETIC,
        data=changed(g=np.where(DATA.id == 1, 2018, 0)))),
    Refusal("eligibility that does not vary in treated cohorts", "TripleDifference", "IdentificationError",
        "Not identified beside the fixed effects: treated × elig.", fit(TRIPLE, data=changed(elig=(DATA.g > 0).astype(int)))),
    Refusal("eligibility that is not 0 or 1", "TripleDifference", "DesignError",
        "elig is not 0/1.", fit(TRIPLE, data=changed(elig=DATA.elig + 1))),
    Refusal("one dose in all districts", "DistrictDose", "IdentificationError",
        "The dose is the same in all districts that state it", fit(DISTRICT)),
    # --- gaps, singletons, clusters ---------------------------------------------------------------------------------
    Refusal("firms with gaps", "CallawaySantAnna (balanced), SyntheticDiD", NOTE,
        "1 firms not seen in every year are left out", fit(GROUP_TIME, SYNTHETIC, data=GAPS)),
    Refusal("firms with gaps", "bacon_decomposition", "IdentificationError",
        "The decomposition holds for balanced panels only.", fit(BACON, data=GAPS)),
    Refusal("no firm seen in every year", "CallawaySantAnna (balanced)", "IdentificationError",
        "No firm is seen in every year.", fit(GROUP_TIME, data=DATA[DATA.id % 7 != DATA.year - 2015])),
    Refusal("singletons", "TwoWayFixedEffects, EventStudyRegression, SunAbraham, TripleDifference", NOTE,
        "1 observations alone in their firm or year are left out", fit(TWFE, STUDY, SUN, TRIPLE,
        data=DATA[(DATA.id != 0) | (DATA.year == 2015)])),
    Refusal("singletons", "PanelRegression, InstrumentalVariables", NOTE,
        "1 observations alone in their fixed effect are left out", fit(PANEL, INSTRUMENTS,
        data=DATA[(DATA.id != 0) | (DATA.year == 2015)])),
    Refusal("nothing but singletons", "PanelRegression, InstrumentalVariables", "IdentificationError",
        "No row is left.", fit(PANEL, INSTRUMENTS, data=DATA[DATA.id == 1], cohort=None)),
    Refusal("one cluster", f"{EVERY_COHORT}, LandmarkDiD, DoseResponse, {REGRESSION_NAMES}", "IdentificationError",
        "Too little data for a standard error.", (*fit(TWFE, STUDY, SUN, IMPUTE, TWO, STACK, TRIPLE, GROUP_TIME, DOSE, LANDMARK,
        PANEL, CHANGES, MUNDLAK, INSTRUMENTS, data=changed(town=1), cluster="town"),
        *fit(GROUP_TIME, data=changed(town=1), cluster="town", covariates=("x",)))),
    # --- regressions ------------------------------------------------------------------------------------------------
    Refusal("regressor that the effects absorb or that repeats others", "PanelRegression", "IdentificationError",
        "A regressor is absorbed by the fixed effects or repeats other regressors.", fit(sme.PanelRegression(regressors=("elig",)),
        sme.PanelRegression(regressors=("z", "twice")), data=changed(twice=2 * DATA.z), columns=("elig", "z", "twice"))),
    Refusal("regressor that does not change", "FirstDifferences", "IdentificationError",
        "A regressor does not change within firms", fit(sme.FirstDifferences(regressors=("elig",)))),
    Refusal("regressor that does not vary within firms", "MundlakRegression", "IdentificationError",
        "Regressors do not vary within firms: elig.", fit(sme.MundlakRegression(regressors=("elig",)))),
    Refusal("outcome below zero", "PoissonRegression", "DesignError", "The outcome y is below zero in …", fit(POISSON)),
    Refusal("outcome that the effects explain wholly", REGRESSION_NAMES.replace("PoissonRegression, ", ""), "IdentificationError",
        "The outcome y does not vary beside the fixed effects.", fit(PANEL, CHANGES, MUNDLAK, INSTRUMENTS, data=changed(y=1.0))),
    Refusal("comparison paths that all change alike", "SyntheticDiD", "IdentificationError",
        "Comparison firms' outcomes all change alike before treatment.", fit(SYNTHETIC, data=changed(y=1.0 * DATA.year))),
    Refusal("fewer instruments than endogenous regressors", "InstrumentalVariables", "DesignError",
        "There are fewer instruments than endogenous regressors.", (lambda: sme.InstrumentalVariables(endogenous=("treated", "z"),
        instruments=("elig",)),)),
    Refusal("instrument that the effects absorb", "InstrumentalVariables", "IdentificationError",
        "… elig", fit(sme.InstrumentalVariables(endogenous=("treated",), instruments=("elig",)))),
    # --- doses, learners, year effects ------------------------------------------------------------------------------
    Refusal("dose missing", "DoseResponse", "DataError",
        "dose is missing for 10 never-treated firms.", fit(DOSE, data=changed(dose=DATA.dose.where(DATA.g > 0)))),
    Refusal("dose negative or infinite", "DoseResponse", "DataError",
        "20 firms have a dose below 0 or not finite.", fit(DOSE, data=changed(dose=-DATA.dose))),
    Refusal("dose that contradicts the cohort", "DoseResponse", "DesignError",
        "20 treated firms have dose 0.", fit(DOSE, data=changed(dose=0.0))),
    Refusal("dose that contradicts the cohort", "DoseResponse", "DesignError",
        "10 never-treated firms have a positive dose.", fit(DOSE, data=changed(dose=1.0))),
    Refusal("continuous dose", "DoseResponse", "DesignError",
        "40 distinct doses are a continuous dose, not a discrete one", fit(DOSE,
        data=panel(60).assign(dose=lambda d: (d.g > 0) * (1.0 + d.id)))),
    Refusal("learner without covariates", "CallawaySantAnna (CrossFit)", "DesignError",
        "A learner has nothing to learn from: there are no covariates.", fit(sme.CallawaySantAnna(learner=sme.CrossFit()))),
    Refusal('learner with method="reg" or "ipw"', "CallawaySantAnna (CrossFit)", "DesignError",
        'A learner needs method="dr", not …', (lambda: sme.CallawaySantAnna(method="reg", learner=sme.CrossFit()),
        lambda: sme.CallawaySantAnna(method="ipw", learner=sme.CrossFit()))),
    Refusal("learner that does not fit and predict", "CrossFit", "DesignError",
        "str cannot learn the outcome.", (lambda: sme.CrossFit(outcome="trees"),)),
    Refusal("one fold", "CrossFit", "DesignError", "folds=1 leaves no other fold to fit on.", (lambda: sme.CrossFit(folds=1),)),
    Refusal("cohort × year effects", "all that take year_effects_by", "DesignError",
        "cohort × year effects leave nothing of treatment.", (lambda: sme.TwoWayFixedEffects(year_effects_by="cohort"),
        lambda: sme.SunAbraham(year_effects_by="cohort"), lambda: sme.ImputationDiD(year_effects_by="cohort"))),
    Refusal("nothing to match on", "match_firms", "DesignError", "There is nothing to match on.", fit(sme.match_firms)),
    Refusal("nobody treated within the panel", "match_firms", "IdentificationError", "No firm is treated within the panel.",
        fit(sme.match_firms, data=changed(g=0), covariates=("x",))),
    Refusal("no partner within the caliper", "match_firms", "IdentificationError", "No treated firm finds a partner: …",
        fit(sme.match_firms, data=SEPARATED[SEPARATED.g < 2020], covariates=("x",))),
    Refusal("choice that does not exist", "all", "DesignError",
        "… is not a choice.", (lambda: sme.CallawaySantAnna(comparison="never"), lambda: sme.SyntheticDiD(errors="none"),
        lambda: sme.PanelRegression(regressors=("z",), covariance="hc3"))),
)  # fmt: skip


def sayings(result: Any) -> Iterator[tuple[str, str]]:
    """(where, text) of everything a result says about what it left out or cannot give."""
    if isinstance(result, sme.Sample):
        yield from ((FLOW, f"{s.rule}: {s.dropped_firms} firms, {s.dropped_rows} rows") for s in result.flow.steps)
        return
    if isinstance(result, Estimate):
        yield from ((NOTE, note) for note in result.notes)
    else:
        yield from ((NOTE, note) for note in result.effects.basis.notes)
        table = result.effects.to_frame()
        yield from ((UNAVAILABLE if np.isnan(row.estimate) else NOTE, row.note) for row in table.itertuples())


@pytest.mark.parametrize("row", REFUSALS, ids=str)
def test_refusal(row: Refusal) -> None:
    for provoke in row.provoke:
        if row.happens in ERRORS:
            with pytest.raises(sme.SmeEvalError) as caught:
                provoke()
            assert type(caught.value) is ERRORS[row.happens]
            assert any(row.says(problem.what) for problem in caught.value.problems), str(caught.value)
        else:
            assert [text for where, text in sayings(provoke()) if where == row.happens and row.says(text)], row.message


def test_no_row_stands_twice() -> None:
    assert len({str(row) for row in REFUSALS}) == len(REFUSALS)


def test_methods_prints_these_rows() -> None:
    section = METHODS.read_text(encoding="utf-8").split("\n## Refusals\n")[1].split("\n## ")[0]
    printed = [line for line in section.splitlines() if line.startswith("| ")][1:]
    assert printed == [f"| {row.case} | {row.estimators} | {row.happens} | {row.message} |" for row in REFUSALS]
