"""From a design and a panel to a record."""

from __future__ import annotations

import warnings as python_warnings
from dataclasses import replace

from sme_eval.checks.protocol import CheckResult
from sme_eval.errors import IdentificationError
from sme_eval.estimators.landmark import LandmarkDiD
from sme_eval.estimators.panel_regression import PanelRegression
from sme_eval.estimators.protocol import Estimator
from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.panel.sample import Sample
from sme_eval.panel.sample_flow import SampleFlow
from sme_eval.policies.policy import Policy
from sme_eval.policies.rules import PublishedRule

from .asked import Effort, Progress, asked_of, silent
from .bracket import bracket_record, bracketed, finite, role_of
from .bundle import bundle_record, true_sum
from .checking import checks_of, deciding_checks
from .claim import Evidence, decide
from .cohorts import cohort_map
from .compared import coding_records, compared_records, estimand_records
from .design import Design
from .dose import dose_record, true_slope
from .effects import Scale, effect_record, event_study_record
from .evidence_level import NOBODY, EvidenceLevel, evidence_level
from .fitting import GROWTH_DESIGNS, Fitted, fit, not_identified, sample_of
from .listing import listing_record
from .natural_units import natural_record
from .policy_record import outcome_record, policy_record
from .power import power_records
from .provenance import provenance
from .recommendations import recommendations_for
from .record import SCHEMA_VERSION, Evaluation, FlowRecord, PublishedRecord, PublishedRow
from .record_base import EffectRecord
from .record_checks import check_record
from .record_sections import BracketRecord, DoseRecord
from .value import value_record


def evaluate(
    design: Design,
    panel: FirmPanel,
    *,
    lean: bool = False,
    curve: bool = True,
    effort: Effort | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Estimate what `design` asks on `panel`, check it, and say what may be said.

    `lean` leaves out what the claim does not rest on: other outcomes, other datings, the terms of credit, and the checks that do
    not decide. `curve=False` leaves out the specification curve only. `effort` says how much the checks may draw. `progress` hears
    the name of each step.

    Raises
    ------
    DataError
        The panel lacks a column, or breaks the sample's contract.
    DesignError, IdentificationError
        The design does not fit the data, or they do not identify the headline.
    """
    with python_warnings.catch_warnings(record=True) as caught:
        python_warnings.simplefilter("always")
        evaluation = _evaluate(design, panel, lean, effort or Effort(), progress or silent)
        if curve and not lean and design.policy.curve is not None:
            from .curve import curve_record  # loaded when asked, so that claims over many panels do not depend on it

            found = curve_record(design, panel, evaluation.headline, effort or Effort(), progress or silent)
            evaluation = replace(evaluation, curve=found)
    messages = sorted(
        {f"{w.category.__name__}: {w.message}" for w in caught if issubclass(w.category, RuntimeWarning | UserWarning)}
    )
    # Read back at once, so that the record in memory is the record on disk to the last digit.
    return Evaluation.from_json(replace(evaluation, warnings=tuple(messages)).to_json())


def _evaluate(design: Design, panel: FirmPanel, lean: bool, effort: Effort, progress: Progress) -> Evaluation:
    policy, name = design.policy, design.outcome
    rule = policy.outcome(name)
    asked = asked_of(design, panel, effort)
    sample, headline, shown = asked.sample, asked.headline, asked.shown
    scale = Scale.of(policy, panel, name)
    role, truth = role_of(design.estimator, design.estimator), _own_truth(design, headline, panel)
    record = effect_record("headline", name, headline, scale, truth=truth, role=role)
    alternatives = tuple(_effect(f"alternative_{n}", e, design, sample, scale) for n, e in enumerate(design.alternatives, start=1))
    bracket = bracket_record(headline, record, alternatives, scale, rule.smallest_effect)
    mechanisms = () if lean else _mechanisms(design, panel)
    dose = dose_record(design, headline, panel)
    checks = list(deciding_checks(asked) if lean else checks_of(asked, progress))
    evidence = _evidence(design, headline, panel, checks, (alternatives, bracket, dose))
    outcome = outcome_record(rule, panel)
    bundle = bundle_record(design, headline, panel)
    evaluation = Evaluation(
        schema_version=SCHEMA_VERSION,
        name=_name(policy, name, panel),
        data_kind=panel.data_kind,
        audience="internal",
        policy=policy_record(policy, panel),
        outcome=outcome,
        design=design.record(),
        headline=record,
        alternatives=alternatives,
        mechanisms=mechanisms,
        mechanism_outcomes={} if lean else {m: outcome_record(policy.outcome(m), panel) for m in design.mechanisms},
        event_study=event_study_record(shown, scale),
        cohort_map=cohort_map(sample, shown.by_cohort, scale, _window(shown)),
        published=_published_results(policy, name, panel),
        checks=tuple(check_record(check) for check in checks),
        claim=decide(evidence),
        sample_flow=_flow(panel.flow, sample),
        warnings=(),
        withheld=(),
        companions=(),
        repetitions=(),
        provenance=provenance(panel),
        compared=compared_records(design, sample),
        estimands=estimand_records(headline, scale),
        bracket=bracket,
        codings=() if lean else coding_records(design, panel, record),
        dose=dose,
        listing=None if lean else listing_record(design, panel, sample, record, mechanisms),
        bundle=bundle,
        evidence_level=_level(design, evidence).record(),
        natural=natural_record(record, sample, panel, bracket),
        recommendations=None if lean else recommendations_for(policy.name, panel.data_kind),
    )
    evaluation = replace(evaluation, value=value_record(policy, evaluation, panel))
    # The power to find an effect means nothing where nobody is compared.
    return replace(evaluation, power=power_records(evaluation, headline) if evidence.compares else ())


def _own_truth(design: Design, headline: Fitted, panel: FirmPanel) -> float | None:
    """The truth of headlines that are no average of effects: a slope of district effects, a sum of parts."""
    if headline.estimand == "dose_slope":
        return true_slope(design, headline, panel)
    return true_sum(design, panel) if headline.estimand == "separated" else None


def _window(shown: Fitted) -> tuple[int, int] | None:
    """Event times that an average by cohort runs over; None for all from treatment on."""
    return (0, int(shown.estimator.window[1])) if isinstance(shown.estimator, LandmarkDiD) else None


def _evidence(
    design: Design,
    headline: Fitted,
    panel: FirmPanel,
    checks: list[CheckResult],
    records: tuple[tuple[EffectRecord, ...], BracketRecord | None, DoseRecord | None],
) -> Evidence:
    alternatives, bracket, dose = records
    rule = design.policy.outcome(design.outcome)
    permutation = None if dose is None else dose.permutation_p
    return Evidence(
        conf_low=headline.overall.conf_low,
        conf_high=headline.overall.conf_high,
        smallest_effect=rule.smallest_effect,
        n_clusters=headline.overall.n_clusters,
        checks={c.name: c for c in checks},
        log_scale=rule.scale == "log",
        simulated=panel.data_kind == "simulated",
        selected=isinstance(design.estimator, GROWTH_DESIGNS) or design.policy.instrument in ("certification", "list"),
        given_growth=isinstance(design.estimator, GROWTH_DESIGNS),
        bracket=None if bracket is None else bracketed(bracket, alternatives),
        attainable_p=None if dose is None else dose.attainable_p,
        permutation_p=None if permutation is None else finite(permutation),
        compares=_kind(design) not in NOBODY,
    )


def _kind(design: Design) -> str:
    """Name of the headline's estimator."""
    return type(design.estimator).__name__


def _level(design: Design, evidence: Evidence) -> EvidenceLevel:
    """How strong the design is, given what its test of trends found."""
    policy = design.policy
    grouped = policy.cluster is not None
    trends = evidence.passed("trends")
    return evidence_level(_kind(design), trends, instrument=policy.instrument, selected=evidence.selected, grouped=grouped)


def _name(policy: Policy, outcome: str, panel: FirmPanel) -> str:
    """Policy and outcome; the source too where it is not the policy's own, so that no record takes another's place."""
    return f"{policy.name}-{outcome}" + ("" if panel.source == policy.source else f"-{panel.source}")


def _effect(key: str, estimator: Estimator, design: Design, sample: Sample, scale: Scale) -> EffectRecord:
    """An effect beside the headline; where it is not identified, the reason stands in its place."""
    try:
        fitted = fit(estimator, sample)
    except IdentificationError as error:
        fitted = not_identified(estimator, sample, error)
    return effect_record(key, sample.names.outcome, fitted, scale, role=role_of(estimator, design.estimator))


def _mechanisms(design: Design, panel: FirmPanel) -> tuple[EffectRecord, ...]:
    records = []
    for name in design.mechanisms:
        scale = Scale.of(design.policy, panel, name)
        records.append(_effect(f"outcome_{name}", design.estimator, design, sample_of(design, panel, name), scale))
    return tuple(records)


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
