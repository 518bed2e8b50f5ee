"""From a design and a panel to a record."""

from __future__ import annotations

import warnings as python_warnings
from dataclasses import dataclass, replace

import numpy as np

from sme_eval.checks.protocol import CheckResult
from sme_eval.checks.sizes import check_clusters, check_cohort_sizes
from sme_eval.checks.trends import check_drift, check_trends
from sme_eval.errors import DataError, IdentificationError, Problem
from sme_eval.estimators.event_study_regression import EventStudyRegression
from sme_eval.estimators.panel_regression import PanelRegression
from sme_eval.estimators.protocol import Estimator
from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.panel.sample import Sample
from sme_eval.panel.sample_flow import SampleFlow
from sme_eval.policies.policy import Policy, PublishedRule
from sme_eval.results.basis import Basis
from sme_eval.results.effects import Effects
from sme_eval.results.estimate import Estimate
from sme_eval.results.event_study import EventStudy
from sme_eval.results.group_time import GroupTimeEffects
from sme_eval.results.unavailable import Unavailable

from .claim import Evidence, decide
from .cohorts import cohort_map
from .design import Design
from .effects import Scale, effect_record, event_study_record
from .policy_record import outcome_record, policy_record
from .provenance import provenance
from .record import SCHEMA_VERSION, CheckRecord, EffectRecord, Evaluation, FlowRecord, PublishedRecord, PublishedRow


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """What one estimator gave: the average effect, effects by event time, and by cohort where it has them."""

    estimator: Estimator
    estimand: str
    overall: Estimate
    by_event_time: Effects | None
    by_cohort: Effects | None


def evaluate(design: Design, panel: FirmPanel) -> Evaluation:
    """Estimate what `design` asks on `panel`, check it, and say what may be said.

    Raises
    ------
    DataError
        The panel lacks a column, or breaks the sample's contract.
    DesignError, IdentificationError
        The design does not fit the data, or they do not identify the headline.
    """
    with python_warnings.catch_warnings(record=True) as caught:
        python_warnings.simplefilter("always")
        evaluation = _evaluate(design, panel)
    messages = sorted(
        {f"{w.category.__name__}: {w.message}" for w in caught if issubclass(w.category, RuntimeWarning | UserWarning)}
    )
    # Read back at once, so that the record in memory is the record on disk to the last digit.
    return Evaluation.from_json(replace(evaluation, warnings=tuple(messages)).to_json())


def _evaluate(design: Design, panel: FirmPanel) -> Evaluation:
    policy, name = design.policy, design.outcome
    sample = _sample(design, panel, name)
    headline = fit(design.estimator, sample)
    scale = Scale.of(policy.outcome(name).scale, panel, name)
    event_source = headline if headline.by_event_time is not None else fit(EventStudyRegression(level=design.level), sample)
    checks = _checks(design, headline, event_source, sample)
    record = effect_record("headline", name, headline, scale)
    return Evaluation(
        schema_version=SCHEMA_VERSION,
        name=_name(policy, name, panel),
        data_kind=panel.data_kind,
        audience="internal",
        policy=policy_record(policy, panel),
        outcome=outcome_record(policy.outcome(name), panel),
        design=design.record(),
        headline=record,
        alternatives=tuple(
            _effect(f"alternative_{n}", estimator, sample, scale) for n, estimator in enumerate(design.alternatives, start=1)
        ),
        mechanisms=_mechanisms(design, panel),
        mechanism_outcomes={m: outcome_record(policy.outcome(m), panel) for m in design.mechanisms},
        event_study=event_study_record(event_source, scale),
        cohort_map=cohort_map(sample, headline.by_cohort, scale),
        published=_published_results(policy, name, panel),
        checks=tuple(CheckRecord(name=c.name, passed=c.passed, reason=c.reason, numbers=dict(c.numbers)) for c in checks),
        claim=decide(
            Evidence(
                conf_low=headline.overall.conf_low,
                conf_high=headline.overall.conf_high,
                smallest_effect=policy.outcome(name).smallest_effect,
                n_clusters=headline.overall.n_clusters,
                checks={c.name: c for c in checks},
                log_scale=scale.log,
                simulated=panel.data_kind == "simulated",
                certification=policy.instrument == "certification",
            )
        ),
        sample_flow=_flow(panel.flow, sample),
        warnings=(),
        withheld=(),
        companions=(),
        repetitions=(),
        provenance=provenance(panel),
    )


def _name(policy: Policy, outcome: str, panel: FirmPanel) -> str:
    """Policy and outcome; the source too where it is not the policy's own, so that no record takes another's place."""
    return f"{policy.name}-{outcome}" + ("" if panel.source == policy.source else f"-{panel.source}")


def _sample(design: Design, panel: FirmPanel, outcome: str) -> Sample:
    treatment = design.policy.treatment
    missing = [c for c in (outcome, treatment.cohort, design.cluster) if c is not None and c not in panel.columns]
    if missing:
        raise DataError(
            [
                Problem(
                    what=f"The panel {panel.source} has no column {name!r}, which policy {design.policy.name} needs.",
                    remedy="add the column to the data, or choose another outcome",
                )
                for name in missing
            ]
        )
    return Sample.from_frame(
        panel.frame,
        firm="firm",
        year="year",
        outcome=outcome,
        cohort=treatment.cohort,
        never_treated=treatment.never_treated,
        always_treated="drop",
        covariates=design.covariates,
        cluster=design.cluster,
    )


def fit(estimator: Estimator, sample: Sample) -> Fitted:
    """Fit one estimator and sort what it returns."""
    result = estimator.fit(sample)
    if isinstance(result, GroupTimeEffects):
        return Fitted(
            estimator=estimator,
            estimand="treated_firm_years",
            overall=result.aggregate("simple").overall,
            by_event_time=result.aggregate("dynamic").effects,
            by_cohort=result.aggregate("group").effects,
        )
    if isinstance(result, EventStudy):
        return Fitted(
            estimator=estimator,
            estimand="event_average",
            overall=result.overall,
            by_event_time=result.effects,
            by_cohort=None,
        )
    return Fitted(estimator=estimator, estimand="regression_weighted", overall=result, by_event_time=None, by_cohort=None)


def _effect(key: str, estimator: Estimator, sample: Sample, scale: Scale) -> EffectRecord:
    """An effect beside the headline; where it is not identified, the reason stands in its place."""
    try:
        return effect_record(key, sample.names.outcome, fit(estimator, sample), scale)
    except IdentificationError as error:
        reason = Unavailable(f"not identified: {error.problems[0].what}")
    counts = (sample.n_firms, len(sample.position))
    basis = Basis(n_firms=counts[0], n_observations=counts[1], n_clusters=counts[0], convention="")
    overall = Estimate.from_basis("", reason, reason, basis)
    missing = Fitted(estimator=estimator, estimand="treated_firm_years", overall=overall, by_event_time=None, by_cohort=None)
    return effect_record(key, sample.names.outcome, missing, scale)


def _mechanisms(design: Design, panel: FirmPanel) -> tuple[EffectRecord, ...]:
    records = []
    for name in design.mechanisms:
        scale = Scale.of(design.policy.outcome(name).scale, panel, name)
        records.append(_effect(f"outcome_{name}", design.estimator, _sample(design, panel, name), scale))
    return tuple(records)


def _checks(design: Design, headline: Fitted, event_source: Fitted, sample: Sample) -> list[CheckResult]:
    effects = event_source.by_event_time
    if effects is None or sample.cohort is None:
        raise AssertionError("a design's estimators have cohorts and event times")
    anticipation = int(getattr(design.estimator, "anticipation", 0))
    base = str(getattr(event_source.estimator, "base_period", "universal"))
    leads = np.asarray(effects.keys["event_time"]) < -anticipation
    cohorts, firms = np.unique(sample.cohort[sample.cohort <= sample.years[-1]], return_counts=True)
    return [
        check_trends(effects.joint_test(leads)),
        check_drift(effects, base, design.policy.outcome(design.outcome).smallest_effect),
        check_clusters(headline.overall.n_clusters),
        check_cohort_sizes({int(g): int(n) for g, n in zip(cohorts, firms, strict=True)}),
    ]


def _flow(before: SampleFlow, sample: Sample) -> tuple[FlowRecord, ...]:
    """The panel's flow, then the sample's; a first step that repeats the last count is not said twice."""
    steps = list(before.steps)
    steps += [s for n, s in enumerate(sample.flow.steps) if not (n == 0 and steps and s.rows == steps[-1].rows)]
    return tuple(
        FlowRecord(rule=s.rule, firms=s.firms, rows=s.rows, dropped_firms=s.dropped_firms, dropped_rows=s.dropped_rows)
        for s in steps
    )


def _published_results(policy: Policy, outcome: str, panel: FirmPanel) -> tuple[PublishedRecord, ...]:
    """Published regressions of this outcome, redone; only on the data that they were published of."""
    if panel.source != policy.source:
        return ()
    return tuple(_published(rule, panel) for rule in policy.published if rule.outcome == outcome)


def _published(rule: PublishedRule, panel: FirmPanel) -> PublishedRecord:
    """A published regression run again on the same data, compared to the last printed digit."""
    regression = PanelRegression.from_formula(rule.formula, covariance=rule.covariance)
    sample = Sample.from_frame(panel.frame, firm="firm", year="year", outcome=rule.outcome, columns=regression.regressors)
    result = regression.fit(sample)
    rows = []
    for term, (estimate, error) in rule.coefficients.items():
        ours = result[term]
        value, spread = float(ours.estimate), float(ours.std_error)
        same = round(value, rule.decimals) == estimate and round(spread, rule.decimals) == error
        rows.append(
            PublishedRow(
                term=term,
                estimate=estimate,
                std_error=error,
                replicated_estimate=value,
                replicated_std_error=spread,
                matches=same,
            )
        )
    basis = result.effects.basis
    return PublishedRecord(
        source=rule.source,
        formula=rule.formula,
        decimals=rule.decimals,
        n_firms=basis.n_firms,
        n_observations=basis.n_observations,
        rows=tuple(rows),
    )
