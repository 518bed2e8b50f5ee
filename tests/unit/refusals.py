"""What the rows of refusals are made of: a panel with foreseeable counts, every estimator, and what `Sample.from_frame` refuses."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

import sme_eval as sme

UNAVAILABLE, NOTE, FLOW = "Unavailable", "note", "flow"


@dataclass(frozen=True)
class Refusal:
    """A row: the case and who refuses it, in words; an error class, or where it is said; the message, "…" for what varies."""

    case: str
    estimators: str
    happens: str
    message: str
    provoke: tuple[Callable[[], Any], ...]

    def __str__(self) -> str:
        return re.sub(r"\W+", "-", f"{self.case} {self.estimators} {self.message}"[:110]).strip("-")

    def says(self, text: str) -> bool:
        return re.match(".*".join(re.escape(part) for part in self.message.split("…")), text) is not None


def panel(firms: int = 30, cohorts: tuple[int, ...] = (0, 2018, 2020)) -> pd.DataFrame:
    """Firms × 2015–2021, cohorts in turn, so that counts in messages can be foreseen."""
    rng = np.random.default_rng(1)
    firm, year = np.divmod(np.arange(7 * firms), 7)
    g = np.array(cohorts)[firm % len(cohorts)]
    data = pd.DataFrame({"id": firm, "year": 2015 + year, "g": g, "y": rng.normal(size=len(firm)), "z": rng.normal(size=len(firm))})
    treated = ((data.g > 0) & (data.year >= data.g)).astype(float)
    own = rng.normal(size=(2, firms))[:, firm]
    return data.assign(treated=treated, x=own[0], elig=(firm // 3) % 2, town=firm % 7, w=np.exp(own[1]), dose=2.0 * (g > 0))


DATA = panel()


def make(data: pd.DataFrame = DATA, **options: Any) -> sme.Sample:
    choices: dict[str, Any] = {"cohort": "g", "columns": ("elig", "z", "treated", "town", "dose")}
    return sme.Sample.from_frame(data, firm="id", year="year", outcome="y", **choices | options)


def sample(data: pd.DataFrame | None = None, **options: Any) -> Callable[[], Any]:
    return lambda: make(DATA if data is None else data, **options)


def fit(*estimators: Any, data: pd.DataFrame = DATA, **options: Any) -> tuple[Callable[[], Any], ...]:
    def one(estimator: Any) -> Any:
        run = estimator if callable(estimator) else estimator.fit
        return run(make(data, **options))

    return tuple(lambda e=e: one(e) for e in estimators)


TWFE, STUDY, GROUP_TIME = sme.TwoWayFixedEffects(), sme.EventStudyRegression(), sme.CallawaySantAnna()
LATER = sme.CallawaySantAnna(comparison="not_yet_treated")
SUN, IMPUTE, TWO, STACK = sme.SunAbraham(), sme.ImputationDiD(), sme.TwoStageDiD(), sme.StackedDiD(window=(-2, 1))
TRIPLE, BACON, SYNTHETIC = sme.TripleDifference(eligible="elig"), sme.bacon_decomposition, sme.SyntheticDiD()
BARE: dict[str, Any] = {"covariates": (), "past_growth": None}
LANDMARK, DOSE = sme.LandmarkDiD(**BARE), sme.DoseResponse(dose="dose")
DISTRICT = sme.DistrictDose(dose="dose", district="town", **BARE)
PANEL, CHANGES = sme.PanelRegression(regressors=("treated",)), sme.FirstDifferences(regressors=("treated",))
MUNDLAK, POISSON = sme.MundlakRegression(regressors=("z",)), sme.PoissonRegression(regressors=("treated",))
INSTRUMENTS = sme.InstrumentalVariables(endogenous=("treated",), instruments=("z",))
ON_MOMENTS = (TWFE, STUDY, GROUP_TIME, SUN, IMPUTE, TWO, STACK, TRIPLE, BACON, DOSE)
REGRESSIONS = (PANEL, CHANGES, MUNDLAK, POISSON, INSTRUMENTS)
EVERY_COHORT = "those that ask who was treated when"
REGRESSION_NAMES = "PanelRegression, FirstDifferences, MundlakRegression, PoissonRegression, InstrumentalVariables"


def changed(**columns: Any) -> pd.DataFrame:
    return DATA.assign(**columns)


def moments(**options: Any) -> sme.Moments:
    return sme.Moments.from_sample(make(**options), by=())


GAPS = DATA.drop(index=DATA.index[(DATA.id == 0) & (DATA.year == 2017)])
SEPARATED = changed(x=DATA.x + 50.0 * (DATA.g == 2018))
SAMPLES = (
    # --- cohort codes -----------------------------------------------------------------------------------------------
    Refusal("cohort missing", "Sample.from_frame", "DataError",
        "7 rows have no cohort.", (sample(changed(g=DATA.g.where(DATA.id != 3))),)),
    Refusal("cohort that is no whole year", "Sample.from_frame", "DataError",
        "70 cohorts are no whole years.", (sample(changed(g=DATA.g.replace({2018: 2018.5}))),)),
    Refusal("cohort that is a code", "Sample.from_frame", "DataError",
        "10 firms have cohorts more than 62 years away from the panel: a code, not a year.",
        (sample(changed(g=DATA.g.replace({2018: 9999}))), sample(changed(g=DATA.g.replace({2018: 1}))))),
    Refusal("cohort as text", "Sample.from_frame", "DataError",
        "210 values are text where numbers belong.", (sample(changed(g=DATA.g.astype(str))),)),
    Refusal("cohort that varies within a firm", "Sample.from_frame", "DataError",
        "g changes within 1 firm.", (sample(changed(g=DATA.g.where(DATA.index != 3, 2019))),)),
    Refusal("treatment that is not 0 or 1", "Sample.from_frame", "DataError",
        "60 values are neither 0 nor 1.", (sample(changed(treated=2 * DATA.treated), cohort=None, treatment="treated"),)),
    Refusal("treatment switching off", "Sample.from_frame", "DataError",
        "Treatment ends in 10 firms.", (sample(changed(treated=DATA.treated * (DATA.year < 2021) * (DATA.g == 2018)), cohort=None,
        treatment="treated"),)),
    Refusal("treated in the first year or before", "Sample.from_frame", "DataError",
        "10 firms are treated in the first year of the panel or before", (sample(changed(g=DATA.g.replace({2018: 2015}))),
        sample(changed(g=DATA.g.replace({2018: 2010}))))),
    Refusal('the same with always_treated="drop"', "Sample.from_frame", FLOW,
        "always_treated: 10 firms, 70 rows", (sample(changed(g=DATA.g.replace({2018: 2015})), always_treated="drop"),)),
    Refusal("cohort after the last year", "CallawaySantAnna", NOTE,
        "cohorts after the last year (2025) count as never treated within the panel", (fit(GROUP_TIME,
        data=changed(g=DATA.g.replace({2020: 2025})))[0],)),
    Refusal("cohort after the last year", "SunAbraham, ImputationDiD, TwoStageDiD, StackedDiD", NOTE,
        "cohorts after the last year (2025) count as untreated within the panel", fit(SUN, IMPUTE, TWO, STACK,
        data=changed(g=DATA.g.replace({2020: 2025})))),
    Refusal("no treatment named", EVERY_COHORT, "DesignError",
        "… needs to know who …", fit(*ON_MOMENTS, SYNTHETIC, LANDMARK, DISTRICT, cohort=None)),
    # --- the frame --------------------------------------------------------------------------------------------------
    Refusal("no rows", "Sample.from_frame", "DataError", "The frame has no rows.", (sample(DATA.iloc[:0]),)),
    Refusal("column missing", "Sample.from_frame", "DataError", "There is no column 'nobody'.", (sample(cluster="nobody"),)),
    Refusal("firm and year twice", "Sample.from_frame", "DataError",
        "2 rows repeat a firm and year that stands above.", (sample(pd.concat([DATA, DATA.iloc[:2]])),)),
    Refusal("firm missing", "Sample.from_frame", "DataError",
        "7 rows have no firm.", (sample(changed(id=DATA.id.where(DATA.id != 3))),)),
    Refusal("outcome infinite", "Sample.from_frame", "DataError",
        "1 value is infinite.", (sample(changed(y=DATA.y.where(DATA.index != 3, np.inf))),)),
    Refusal("outcome missing", "Sample.from_frame", FLOW,
        "without_outcome: 1 firms, 7 rows", (sample(changed(y=DATA.y.where(DATA.id != 3))),)),
    Refusal("outcome missing everywhere", "Sample.from_frame", "DataError", "No row is left.", (sample(changed(y=np.nan)),)),
    Refusal("year that is not whole", "Sample.from_frame", "DataError",
        "210 values are no whole years.", (sample(changed(year=DATA.year + 0.5)),)),
    Refusal("weight zero or negative", "Sample.from_frame", "DataError",
        "7 weights are not positive.", (sample(changed(w=DATA.w.where(DATA.id != 3, 0.0)), weight="w"),
        sample(changed(w=DATA.w.where(DATA.id != 3, -1.0)), weight="w"))),
    Refusal("weight without a square", "Sample.from_frame", "DataError",
        "7 weights have no square in double precision.", (sample(changed(w=DATA.w.where(DATA.id != 3, 1e-300)), weight="w"),
        sample(changed(w=DATA.w.where(DATA.id != 3, 1e200)), weight="w"))),
    Refusal("weight missing", "Sample.from_frame", "DataError",
        "7 values are missing.", (sample(changed(w=DATA.w.where(DATA.id != 3)), weight="w"),)),
    Refusal("weight, covariate or cluster that varies within a firm", "Sample.from_frame", "DataError",
        "z changes within 30 firms.", (sample(changed(z=np.exp(DATA.z)), weight="z"), sample(covariates=("z",)),
        sample(changed(z=DATA.z.round()), cluster="z"))),
    Refusal("cluster missing", "Sample.from_frame", "DataError",
        "7 clusters are missing.", (sample(changed(town=DATA.town.where(DATA.id != 3)), cluster="town"),)),
    Refusal("covariate missing", "Sample.from_frame", FLOW,
        "without_covariates: 1 firms, 7 rows", (sample(changed(x=DATA.x.where(DATA.id != 3)), covariates=("x",)),)),
    Refusal("label that varies within a firm", "TwoWayFixedEffects", "DataError",
        "town changes within 30 firms.", fit(sme.TwoWayFixedEffects(year_effects_by="town"), data=changed(town=DATA.year % 3))),
    Refusal("column that was not kept", "all that name columns", "DesignError",
        "The sample does not hold the column 'nobody'.", fit(sme.TwoWayFixedEffects(year_effects_by="nobody"),
        sme.TripleDifference(eligible="nobody"), sme.PanelRegression(regressors=("nobody",)))),
    Refusal("label that the moments are not split by", "those that fit moments", "DesignError",
        "The moments are not split by 'town'.", (lambda: sme.TwoWayFixedEffects(year_effects_by="town").fit(moments()),)),
    Refusal("moments of another form", "Moments.merge", "DesignError",
        "The two tables differ in …", tuple(lambda options=o: moments().merge(moments(**options)) for o in ({"weight": "w"},
        {"cluster": "town"}, {"cohort": None}))),
    Refusal("moments where firms are needed", f"{REGRESSION_NAMES}, SyntheticDiD, LandmarkDiD, DistrictDose", "DesignError",
        "… fits a Sample, not Moments.", tuple(lambda e=e: e.fit(moments()) for e in (*REGRESSIONS, SYNTHETIC, LANDMARK,
        DISTRICT))),
)  # fmt: skip
