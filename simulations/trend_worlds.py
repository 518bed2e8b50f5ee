"""The worlds in which trends are truly parallel, or parallel given what an estimator is told."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Final, Literal

Effects = Literal["constant", "by_weight", "by_cohort_and_time", "eligible_only", "by_dose"]
Given = Literal["", "both_right", "wrong_outcome_model", "wrong_propensity", "both_wrong"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendWorld:
    """Seeds `first_seed`, `first_seed` + 1, … draw `batch` panels each until there are `panels` of them.

    `fits` names the set of estimators (`designs/estimators.py`). Firm-years are `missing` at random; a share `turnover` of firms
    leaves early and as many come late. Districts' yearly shocks have the sd `district_shock`, which clusters errors;
    `district_trend` ties districts' own growth to who is treated in them, `cohort_shock` hits a whole cohort from its treatment
    on: both break parallel trends between firms of different districts or cohorts. `given` says whether growth and entry depend
    on x, and in which form; `treated` are the log odds of being treated at all for the average firm.
    """

    name: str
    fits: str
    first_seed: int
    panels: int = 2000
    batch: int = 50
    firms: int = 2000
    districts: int = 20
    missing: float = 0.0
    turnover: float = 0.0
    weighted: bool = False
    effects: Effects = "constant"
    given: Given = ""
    district_shock: float = 0.0
    district_trend: float = 0.0
    cohort_shock: float = 0.0
    counts: bool = False
    treated: float = 0.4
    about: str = field(default="", compare=False)

    @property
    def told(self) -> str:
        """Everything that draws the panels, except how many."""
        unsaid = ("name", "panels", "about")
        return "; ".join(f"{one.name}={getattr(self, one.name)!r}" for one in fields(self) if one.name not in unsaid)

    @property
    def path(self) -> str:
        """Worlds of one path run through the same code: here each has its own estimators."""
        return self.name

    def smallest(self) -> TrendWorld:
        """One panel per seed."""
        return replace(self, batch=1)


TREND_WORLDS: Final = (
    TrendWorld(
        name="balanced",
        fits="linear",
        first_seed=800_000,
        about="Every firm is seen in every year; one effect for all; firms with higher levels are treated more often.",
    ),
    TrendWorld(
        name="unbalanced",
        fits="unbalanced",
        first_seed=810_000,
        missing=0.12,
        turnover=0.06,
        about="12 % of firm-years are missing at random, 6 % of firms leave early, 6 % come late.",
    ),
    TrendWorld(
        name="weighted",
        fits="weighted",
        first_seed=820_000,
        weighted=True,
        effects="by_weight",
        about="Firms have weights, and effects grow with them: the truth is the weighted mean, 28.5; the plain mean is 25.0.",
    ),
    TrendWorld(
        name="clustered",
        fits="linear",
        first_seed=830_000,
        districts=240,
        firms=1200,
        district_shock=0.3,
        about="Districts have yearly shocks, treatment bunches in districts; errors are clustered by 240 districts.",
    ),
    TrendWorld(
        name="sixty_clusters",
        fits="linear",
        first_seed=840_000,
        districts=60,
        firms=1200,
        district_shock=0.3,
        about="The same with 60 districts.",
    ),
    TrendWorld(
        name="heterogeneous",
        fits="heterogeneous",
        first_seed=850_000,
        effects="by_cohort_and_time",
        about="Effects differ by cohort, grow with time and vary over firms. The truth is the mean effect of the panel's own "
        "treated firms, except in rows marked “all firms of the world”.",
    ),
    TrendWorld(
        name="given_x",
        fits="given_x",
        first_seed=860_000,
        given="both_right",
        about="Trends are parallel among firms of the same x only; growth and the log odds of treatment are linear in x.",
    ),
    TrendWorld(
        name="wrong_outcome_model",
        fits="doubly_robust",
        first_seed=870_000,
        given="wrong_outcome_model",
        about="Growth is quadratic in x, the estimators take it as linear; the log odds of treatment are linear, as taken.",
    ),
    TrendWorld(
        name="wrong_propensity",
        fits="doubly_robust",
        first_seed=880_000,
        given="wrong_propensity",
        about="The log odds of treatment depend on |x|, the estimators take them as linear; growth is linear, as they take it.",
    ),
    TrendWorld(
        name="both_models_wrong",
        fits="learned",
        first_seed=885_000,
        panels=200,
        batch=10,
        firms=1000,
        given="both_wrong",
        about="Growth is quadratic in x and the log odds depend on |x|: both models linear in x are wrong, cross-fitted learners "
        "need not be. 200 panels: they are slow.",
    ),
    TrendWorld(
        name="district_trends",
        fits="district_trends",
        first_seed=890_000,
        district_trend=0.05,
        about="Trends are parallel within districts only: districts that grow faster have more treated firms.",
    ),
    TrendWorld(
        name="cohort_shocks",
        fits="cohort_shocks",
        first_seed=900_000,
        cohort_shock=0.2,
        effects="eligible_only",
        about="Every cohort is hit as a whole in the year of its treatment, and only eligible firms have an effect.",
    ),
    TrendWorld(
        name="doses",
        fits="doses",
        first_seed=950_000,
        effects="by_dose",
        about="Treated firms get a dose of 0.25, 0.5 or 1 at random; their effects are 10, 20 and 25. Slopes are per unit of dose.",
    ),
    TrendWorld(
        name="regressions",
        fits="regressions",
        first_seed=910_000,
        panels=1000,
        batch=25,
        firms=300,
        missing=0.12,
        turnover=0.06,
        about="Unbalanced as above; regressions with a column that says who is treated. 1,000 panels: they are slow.",
    ),
    TrendWorld(
        name="counts",
        fits="counts",
        first_seed=920_000,
        panels=400,
        batch=20,
        firms=300,
        counts=True,
        about="The outcome is a count, overdispersed; the effect is that on the log of its mean. 400 panels: they are slow.",
    ),
    TrendWorld(
        name="synthetic",
        fits="synthetic",
        first_seed=930_000,
        firms=400,
        about="Four hundred firms, more than half of them treated; errors by jackknife.",
    ),
    TrendWorld(
        name="synthetic_placebo",
        fits="synthetic_placebo",
        first_seed=940_000,
        firms=100,
        treated=-1.7,
        panels=200,
        batch=10,
        about="A hundred firms, about fifteen of them treated; errors from 200 placebos. 200 panels: they are slow.",
    ),
)
