"""Evaluation records made by hand for tests: no estimator runs, so every number is chosen to exercise a form of printing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from sme_eval.evaluation.record import (
    SCHEMA_VERSION,
    Claim,
    CohortMapRecord,
    CohortRecord,
    DesignRecord,
    Evaluation,
    EventStudyRecord,
    EventTimeRecord,
    FlowRecord,
    OutcomeRecord,
    PolicyRecord,
    Provenance,
    PublishedRecord,
    PublishedRow,
    RepetitionRecord,
    SourceRecord,
    TestRecord,
    WithheldRecord,
)
from sme_eval.evaluation.record_base import Bilingual, EffectRecord, EstimatorRecord, IntervalRecord
from sme_eval.evaluation.record_checks import CellValue, CheckRecord, CheckRowRecord, CheckTableRecord
from sme_eval.results.unavailable import Unavailable

CS = EstimatorRecord(
    name="CallawaySantAnna",
    choices={"comparison": "never_treated", "anticipation": 0, "base_period": "varying", "panel": "balanced"},
)
TWFE = EstimatorRecord(name="TwoWayFixedEffects", choices={"year_effects_by": None})
PANEL = EstimatorRecord(
    name="PanelRegression", choices={"regressors": "grant, grant_1", "effects": "firm, year", "covariance": "classical"}
)


def effect(  # noqa: PLR0913  one argument per thing a test wants to vary
    key: str,
    estimate: float,
    std_error: float,
    *,
    estimator: EstimatorRecord = CS,
    estimand: str = "treated_firm_years",
    outcome: str = "log_scrap",
    log: bool = True,
    truth: float | None = None,
    n_firms: int = 54,
) -> EffectRecord:
    low, high = estimate - 1.96 * std_error, estimate + 1.96 * std_error
    percent = IntervalRecord(estimate=_percent(estimate), conf_low=_percent(low), conf_high=_percent(high)) if log else None
    return EffectRecord(
        key=key,
        outcome=outcome,
        estimator=estimator,
        estimand=estimand,
        estimate=estimate,
        std_error=std_error,
        p_value=math.erfc(abs(estimate / std_error) / math.sqrt(2)),
        conf_low=low,
        conf_high=high,
        level=0.95,
        percent=percent,
        n_firms=n_firms,
        n_treated=n_firms // 2,
        n_observations=3 * n_firms,
        n_clusters=n_firms,
        truth=truth,
        truth_percent=None if truth is None or not log else _percent(truth),
        covers_truth=None if truth is None else low <= truth <= high,
    )


def _percent(value: float) -> float:
    return 100 * math.expm1(value)


OUTCOME = OutcomeRecord(
    name="log_scrap",
    label=Bilingual(zh="废品率", en="the scrap rate"),
    unit=Bilingual(zh="对数，件/百件", en="log of items scrapped per 100"),
    scale="log",
    smallest_effect=0.1,
    role="outcome",
)
HOURS = OutcomeRecord(
    name="hours",
    label=Bilingual(zh="人均培训时数", en="hours of training per employee"),
    unit=Bilingual(zh="小时/人", en="hours per employee"),
    scale="level",
    smallest_effect=None,
    role="mechanism",
)


def observed() -> Evaluation:
    """An observed evaluation whose data cannot tell; trends untestable, a published result redone, a mechanism."""
    return Evaluation(
        schema_version=SCHEMA_VERSION,
        name="training_grants-log_scrap",
        data_kind="observed",
        audience="internal",
        policy=_policy(),
        outcome=OUTCOME,
        design=_design(),
        headline=effect("headline", -0.2518, 0.1514),
        alternatives=(effect("TwoWayFixedEffects", -0.2523, 0.1402, estimator=TWFE, estimand="regression_weighted"),),
        mechanisms=(effect("hours", 15.2, 3.1, outcome="hours", log=False, n_firms=135),),
        mechanism_outcomes={"hours": HOURS},
        event_study=_event_study((-1, 0, 1), None, Unavailable("no effect with a standard error to test")),
        cohort_map=_cohort_map((1987, 1988, 1989), {1988: 19, 1989: 10}, 25),
        published=(_published(),),
        checks=(
            CheckRecord(name="trends", threat="trends", passed=None, reason="trends_untestable", numbers={}),
            CheckRecord(name="clusters", threat="inference", passed=True, reason="clusters_enough", numbers={"n_clusters": 54}),
            CheckRecord(
                name="cohort_sizes",
                threat="inference",
                passed=False,
                reason="cohorts_small",
                numbers={"smallest": 10, "small_cohorts": 1},
            ),
        ),
        claim=Claim(
            kind="cannot_tell_power",
            direction="none",
            demonstration=False,
            deciding=("headline",),
            caveats=("trends_untestable", "small_cohorts", "future_shocks"),
        ),
        sample_flow=_flow(((157, 471), (54, 162), (54, 162))),
        warnings=(),
        withheld=(),
        companions=(),
        repetitions=(),
        provenance=_provenance("linearmodels 7.1 (linearmodels.datasets.jobtraining)", {}),
    )


def simulated(scenario: str = "clean") -> Evaluation:
    """A simulated evaluation, method near its truth; `scenario="baseline"` is one where trends differ and the claim cannot tell."""
    shift = 0.05 if scenario == "baseline" else 0.0
    policy = replace(
        _policy(),
        name="certification",
        label=Bilingual(zh="国家级专精特新“小巨人”认定", en="national little-giant certification"),
        treatment=Bilingual(zh="获得认定的企业", en="certified firms"),
        question=Bilingual(
            zh="{policy.numbers.first_year|year}年起的认定是否提高了企业营业收入？",
            en="Did certification since {policy.numbers.first_year|year} raise firms' revenue?",
        ),
        reading=(),
        numbers={"first_year": 2019, "second_year": 2020},
    )
    rejected = scenario == "baseline"
    return replace(
        observed(),
        name="certification-log_revenue",
        data_kind="simulated",
        policy=policy,
        outcome=replace(
            OUTCOME,
            name="log_revenue",
            label=Bilingual(zh="营业收入", en="revenue"),
            unit=Bilingual(zh="对数，万元", en="log of 10,000 yuan"),
        ),
        headline=effect("headline", 0.031 - shift, 0.0141, truth=0.0352, outcome="log_revenue", n_firms=6000),
        alternatives=(
            effect(
                "TwoWayFixedEffects",
                0.029 + shift,
                0.0127,
                estimator=TWFE,
                estimand="regression_weighted",
                truth=0.0352,
                outcome="log_revenue",
                n_firms=6000,
            ),
        ),
        mechanisms=(),
        mechanism_outcomes={},
        event_study=_event_study(
            tuple(range(-5, 6)),
            0.05,
            TestRecord(statistic=31.7 if rejected else 3.42, restrictions=4, p_value=0.0000021 if rejected else 0.49),
        ),
        cohort_map=_cohort_map(tuple(range(2015, 2025)), {2019: 5, 2020: 50, 2021: 127, 2022: 101}, 5717, truth=0.035),
        published=(),
        checks=(_trends(rejected), *checks_with_figures()),
        claim=Claim(
            kind="cannot_tell_trends" if rejected else "consistent",
            direction="none" if rejected else "increase",
            demonstration=True,
            deciding=("headline",),
            caveats=("trend_test_may_lack_power", "future_shocks"),
        ),
        sample_flow=_flow(((6000, 60000), (6000, 60000), (6000, 60000))),
        repetitions=(
            RepetitionRecord(
                key="headline",
                estimator=CS,
                estimand="treated_firm_years",
                panels=200,
                mean_estimate=0.0349,
                mean_truth=0.0352,
                bias=-0.0003,
                bias_error=0.0011,
                coverage=0.945,
                coverage_error=0.0161,
                level=0.95,
                claims={"consistent": 0.11, "suggestive": 0.52, "cannot_tell_power": 0.37},
            ),
        ),
        provenance=_provenance(
            "ningbo_simulated", {"seed": 1, "scenario": scenario, "firms": 6000, "first_year": 2015, "last_year": 2024}
        ),
    )


def simulated_with_companion() -> Evaluation:
    """What the pages of a demonstration show: the design where it works, beside the same design where it does not."""
    return simulated("clean").beside(simulated("baseline"))


def released() -> Evaluation:
    """The observed evaluation after a gate: the small cohort's numbers are withheld."""
    record = observed()
    gone = Unavailable("withheld: fewer than ten firms")
    first, last = record.cohort_map.cohorts
    hidden = replace(last, n_firms=gone, observed=(gone, gone, gone), estimate=gone, std_error=gone, conf_low=gone, conf_high=gone)
    return replace(
        record,
        audience="release",
        cohort_map=replace(record.cohort_map, cohorts=(first, hidden), n_never_treated=gone, never_observed=(gone, gone, gone)),
        withheld=(WithheldRecord(path="/cohort_map/cohorts/1", rule="minimum_count", numbers=8),),
    )


def _trends(rejected: bool) -> CheckRecord:
    numbers: dict[str, int | float | Unavailable] = {
        "statistic": 31.7 if rejected else 3.42,
        "restrictions": 4,
        "p_value": 0.0000021 if rejected else 0.49,
    }
    return CheckRecord(
        name="trends",
        threat="trends",
        passed=not rejected,
        reason="trends_rejected" if rejected else "trends_not_rejected",
        numbers=numbers,
    )


def _policy() -> PolicyRecord:
    return PolicyRecord(
        name="training_grants",
        instrument="reward",
        label=Bilingual(zh="密歇根州企业培训补助", en="the Michigan job training grant"),
        question=Bilingual(
            zh="{policy.numbers.first_year|year}年起发放的培训补助是否降低了企业的废品率？",
            en="Did the training grants paid from {policy.numbers.first_year|year} on lower firms' scrap rates?",
        ),
        treatment=Bilingual(zh="获得补助的企业", en="firms that received a grant"),
        background=(
            Bilingual(
                zh="补助一次性发放，用于当年的职工培训；{policy.numbers.first_year|year}年和{policy.numbers.second_year|year}年各发放一批。",
                en="Grants were made in {policy.numbers.first_year|year} and {policy.numbers.second_year|year}, each for a year.",
            ),
        ),
        reading=(
            Bilingual(
                zh="教材得到的当年系数为{published.0.rows.0.estimate|coefficient}，本文主要估计为{headline.estimate|coefficient}：前者假定各批效应相同。",
                en="The textbook has {published.0.rows.0.estimate|coefficient}, we have {headline.estimate|coefficient}.",
            ),
        ),
        limits=(
            Bilingual(
                zh="补助只管一年，而估计把企业一直算作受影响。", en="A grant lasts a year, yet firms count as treated ever after."
            ),
        ),
        numbers={"first_year": 1988, "second_year": 1989},
        published_counts=(54,),
        sources=(SourceRecord(key="wooldridge", citation="Wooldridge, J. M. Introductory Econometrics, Example 14.1."),),
    )


def _design() -> DesignRecord:
    return DesignRecord(
        outcome="log_scrap",
        estimator=CS,
        alternatives=(TWFE,),
        mechanisms=("hours",),
        comparison="never_treated",
        cluster=None,
        level=0.95,
        smallest_effect=0.1,
        hash="sha256:" + "1f" * 32,
    )


def _event_study(times: tuple[int, ...], truth: float | None, pretrend: TestRecord | Unavailable) -> EventStudyRecord:
    rows = []
    for time in times:
        reference = time == -1
        estimate = 0.0 if reference else (0.004 * time if time < 0 else 0.012 * (time + 1))
        error = 0.0 if reference else 0.012 + 0.002 * abs(time)
        nothing = Unavailable("not estimated")
        rows.append(
            EventTimeRecord(
                event_time=time,
                estimate=estimate,
                std_error=nothing if reference else error,
                conf_low=nothing if reference else estimate - 1.96 * error,
                conf_high=nothing if reference else estimate + 1.96 * error,
                band_low=nothing if reference else estimate - 2.7 * error,
                band_high=nothing if reference else estimate + 2.7 * error,
                n_treated=283 - 12 * abs(time),
                is_reference=reference,
                truth=None if truth is None else (0.0 if time < 0 else min(truth, 0.0125 * (time + 1))),
            )
        )
    return EventStudyRecord(estimator=CS, rows=tuple(rows), pretrend=pretrend, level=0.95, band_draws=999, band_critical_value=2.7)


def _cohort_map(years: tuple[int, ...], sizes: Mapping[int, int], never: int, truth: float | None = None) -> CohortMapRecord:
    cohorts = tuple(
        CohortRecord(
            cohort=year,
            n_firms=size,
            observed=(size,) * len(years),
            estimate=0.02 + 0.001 * n,
            std_error=0.02,
            conf_low=-0.02,
            conf_high=0.06,
            truth=truth,
        )
        for n, (year, size) in enumerate(sizes.items())
    )
    return CohortMapRecord(years=years, cohorts=cohorts, n_never_treated=never, never_observed=(never,) * len(years))


def _published() -> PublishedRecord:
    return PublishedRecord(
        source="wooldridge",
        formula="lscrap ~ grant + grant_1 | fcode + year",
        decimals=3,
        n_firms=54,
        n_observations=162,
        rows=(
            PublishedRow(
                term="grant",
                estimate=-0.252,
                std_error=0.151,
                replicated_estimate=-0.25231,
                replicated_std_error=0.15063,
                matches=True,
            ),
            PublishedRow(
                term="grant_1",
                estimate=-0.422,
                std_error=0.21,
                replicated_estimate=-0.42159,
                replicated_std_error=0.2102,
                matches=True,
            ),
        ),
    )


def _flow(states: tuple[tuple[int, int], ...]) -> tuple[FlowRecord, ...]:
    rules = ("rows_read", "without_outcome", "rows_kept")
    steps = []
    before = states[0]
    for rule, (firms, rows) in zip(rules, states, strict=True):
        steps.append(FlowRecord(rule=rule, firms=firms, rows=rows, dropped_firms=before[0] - firms, dropped_rows=before[1] - rows))
        before = (firms, rows)
    return tuple(steps)


def _provenance(source: str, parameters: Mapping[str, str | int]) -> Provenance:
    return Provenance(
        package_version="0.1.0",
        commit="9f3c1a2b" * 5,
        dirty=False,
        python="3.11.2",
        libraries={"numpy": "2.4.6", "pandas": "3.1.1", "scipy": "1.17.1"},
        source=source,
        data_hash="sha256:" + "7c" * 32,
        data_parameters=parameters,
        modules_hash="sha256:" + "ab" * 32,
        lock_hash="sha256:" + "cd" * 32,
    )


def checks_with_figures() -> tuple[CheckRecord, ...]:
    """One check for each kind of figure; each row of the forest rests on so many treated firms, which add up to the headline's."""
    return (_forest_check(), _sensitivity_check(), _pairs_check(), _histogram_check())


def row(key: str, n_firms: int | None = None, label: tuple[str, str] | None = None, /, **values: CellValue) -> CheckRowRecord:
    """One row of a check's table."""
    name = None if label is None else Bilingual(zh=label[0], en=label[1])
    return CheckRowRecord(key=key, label=name, n_firms=n_firms, values=values)


def _interval(estimate: float, error: float) -> dict[str, CellValue]:
    return {"estimate": estimate, "conf_low": estimate - 1.96 * error, "conf_high": estimate + 1.96 * error}


def _forest_check() -> CheckRecord:
    sizes = {("海曙区", "Haishu"): 1700, ("鄞州区", "Yinzhou"): 1282, ("象山县", "Xiangshan"): 18}
    names = tuple(zip(sizes, (0.024, 0.041, 0.118), strict=True))
    rows = [row("headline", 3000, **_interval(0.031, 0.014), p_value=0.028, n_treated=3000, kind="all")]
    rows += [
        row(
            label[1],
            sizes[label],
            label,
            **_interval(b, 0.9 / sizes[label] ** 0.5),
            p_value=0.4,
            n_treated=sizes[label],
            kind="own",
        )
        for label, b in names
    ]
    return CheckRecord(
        name="districts",
        threat="heterogeneity",
        passed=None,
        reason="districts_differ",
        numbers={"lowest": 0.024, "highest": 0.118, "n_districts": 3},
        statistic=0.118,
        table=CheckTableRecord(columns=("estimate", "conf_low", "conf_high", "p_value", "n_treated", "kind"), rows=tuple(rows)),
        figure="intervals",
    )


def _sensitivity_check() -> CheckRecord:
    rows = [row("original", 3000, bound=0.0, conf_low=0.003, conf_high=0.059)]
    rows += [
        row(f"{bound:g}", 3000, bound=bound, conf_low=0.003 - 0.02 * bound, conf_high=0.059 + 0.02 * bound) for bound in (0.5, 1.0)
    ]
    rows.append(row("2", 3000, bound=2.0, conf_low=Unavailable("not estimated"), conf_high=Unavailable("not estimated")))
    return CheckRecord(
        name="honest",
        threat="trends",
        passed=False,
        reason="breaks_early",
        numbers={"breakdown": 0.15},
        statistic=0.15,
        table=CheckTableRecord(columns=("bound", "conf_low", "conf_high"), rows=tuple(rows)),
        figure="sensitivity",
    )


def _pairs_check() -> CheckRecord:
    names = {
        ("研发强度", "R&D intensity"): (0.42, 0.03),
        ("职工人数", "employees"): (-0.18, -0.02),
        ("成立年限", "age"): (0.02, 0.01),
    }
    rows = [row(label[1], 3000, label, before=before, after=after) for label, (before, after) in names.items()]
    return CheckRecord(
        name="balance",
        threat="comparison",
        passed=True,
        reason="balanced",
        numbers={"largest_difference": 0.03},
        table=CheckTableRecord(columns=("before", "after"), rows=tuple(rows)),
        figure="balance",
    )


def _histogram_check() -> CheckRecord:
    rows = [row(str(n), low=-0.03 + 0.01 * n, high=-0.02 + 0.01 * n, count=c) for n, c in enumerate((4, 31, 88, 190, 121, 53, 13))]
    return CheckRecord(
        name="placebo",
        threat="inference",
        passed=True,
        reason="placebo_rare",
        numbers={"estimate": 0.031, "p_value": 0.026, "placebos": 500},
        statistic=0.026,
        table=CheckTableRecord(columns=("low", "high", "count"), rows=tuple(rows)),
        figure="histogram",
    )
