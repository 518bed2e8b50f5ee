"""What the notebooks show of a record: tables and drawings. Counts and estimates only, never a firm."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from sme_eval.evaluation.bracket import role_of
from sme_eval.evaluation.design import Design, describe
from sme_eval.evaluation.fitting import fit
from sme_eval.evaluation.record import Evaluation, RepetitionRecord
from sme_eval.evaluation.record_base import EffectRecord, EstimatorRecord
from sme_eval.panel.sample import Sample
from sme_eval.terms import Language

from .drawing import Drawing, drawing

if TYPE_CHECKING:
    import pandas as pd

SMALLEST_P: Final = 0.001
NO_REPETITIONS: Final = "no repetitions: set the parameter to try the method on many panels"
_NAMES: Final = {
    "CallawaySantAnna": "Callaway–Sant'Anna",
    "TwoWayFixedEffects": "two-way fixed effects",
    "EventStudyRegression": "event-study regression",
    "SunAbraham": "Sun–Abraham",
    "ImputationDiD": "imputation",
    "TwoStageDiD": "two-stage",
    "StackedDiD": "stacked",
    "LandmarkDiD": "landmark DiD",
    "DistrictDose": "district effects on dose",
    "Untangle": "separated by arms",
}
_ROLES: Final = {
    "conditional": "given past growth",
    "doubly_robust": "given past growth, doubly robust",
    "unconditional": "no covariates",
}


def fit_all(design: Design, sample: Sample) -> dict[str, Any]:
    """The average effect by each of the design's estimators, the headline's first, under names that a table can carry."""
    estimators = (design.estimator, *design.alternatives)
    return {label(describe(e, design.covariates), role_of(e, design.estimator)): fit(e, sample).overall for e in estimators}


def label(estimator: EstimatorRecord, role: str | None = None) -> str:
    """An estimator in words, with its role or its comparison group where it has one."""
    name = _NAMES.get(estimator.name, estimator.name)
    if role is not None:
        return f"{name}, {_ROLES[role]}"
    comparison = estimator.choices.get("comparison")
    return f"{name}, {str(comparison).replace('_', ' ')}" if comparison else name


def plot_estimates(evaluation: Evaluation, language: Language = "en") -> Drawing:
    """Every estimate with its interval, as the briefing draws it; the truth where the data are simulated."""
    return _drawing(evaluation, "forest", language, "with every estimator, with intervals")


def plot_event_study(evaluation: Evaluation, language: Language = "en") -> Drawing:
    """Effects by event time with intervals and the simultaneous band, as the briefing draws them; the truth if it is known."""
    return _drawing(evaluation, "event_study", language, "by years since first treatment, with intervals")


def plot_design(evaluation: Evaluation, language: Language = "en") -> Drawing:
    """Who is compared with whom and when, as the briefing draws it."""
    return _drawing(evaluation, "compared", language, "in its design: cohorts, comparison firms and years")


def plot_bracket(evaluation: Evaluation, language: Language = "en") -> Drawing:
    """The effect given past growth, doubly robust and without covariates, with the hull of their intervals."""
    return _drawing(evaluation, "bracket", language, "given past growth and without, with the hull of both intervals")


def plot_districts(evaluation: Evaluation, language: Language = "en") -> Drawing:
    """Effects by district against the stated dose."""
    return _drawing(evaluation, "dose", language, "by district against the reward that it states")


def plot_first_stage(evaluation: Evaluation, language: Language = "en") -> Drawing:
    """What entering the list did to each term of credit."""
    return _drawing(evaluation, "first_stage", language, "through credit: what entering the list did to its terms")


def plot_parts(evaluation: Evaluation, language: Language = "en") -> Drawing:
    """The parts of a bundle and the sums that can be told apart."""
    return _drawing(evaluation, "bundle", language, "in its parts, with those that cannot be told apart")


def power_table(evaluation: Evaluation) -> pd.DataFrame:
    """Before any result: what effect a sample of this size could detect, and how many such samples the smallest one would take."""
    import pandas as pd

    rows = [
        {
            "effect on": row.label.en,
            "std_error": float(row.std_error),
            f"detectable with power {row.power:.0%}": float(row.detectable),
            "smallest of interest": math.nan if row.smallest_effect is None else row.smallest_effect,
            "power at it": float(row.power_at_smallest),
            "samples needed": float(row.samples),
        }
        for row in evaluation.power
    ]
    return pd.DataFrame(rows).set_index("effect on").round(4)


def slopes_table(evaluation: Evaluation) -> pd.DataFrame:
    """The slope on dose by every kind of inference, and whether it is valid with so few districts; a note for other designs."""
    import pandas as pd

    if evaluation.dose is None:
        return pd.DataFrame({"note": ["this design has no doses"]})
    rows = [
        {
            "inference": row.method.replace("_", " "),
            "slope": float(row.estimate),
            "conf_low": float(row.conf_low),
            "conf_high": float(row.conf_high),
            "p_value": float(row.p_value),
            "valid": row.valid,
        }
        for row in evaluation.dose.slopes
    ]
    attainable = {"inference": "smallest p-value that chance allows", "p_value": evaluation.dose.attainable_p, "valid": True}
    return pd.DataFrame([*rows, attainable]).set_index("inference").round(4)


def listing_table(evaluation: Evaluation) -> pd.DataFrame:
    """What entering the list did to terms of credit and, by several methods, to the outcome; a note for other designs."""
    import pandas as pd

    if evaluation.listing is None:
        return pd.DataFrame({"note": ["this design has no terms of credit"]})
    found = evaluation.listing
    effects = [stage.effect for stage in found.stages] + [evaluation.headline, found.netted, *found.regressions]
    frame = _effects(evaluation, effects)
    frame.insert(0, "outcome", [effect.outcome for effect in effects])
    return frame.set_index(["outcome", "estimator"])


def parts_table(evaluation: Evaluation) -> pd.DataFrame:
    """Sums and parts of a bundle, and whether each is precise enough to be read; a note for other designs."""
    import pandas as pd

    if evaluation.bundle is None:
        return pd.DataFrame({"note": ["this design separates nothing"]})
    rows = [
        {
            "part": part.label.en,
            "estimate": float(part.estimate),
            "conf_low": float(part.conf_low),
            "conf_high": float(part.conf_high),
            "detectable": float(part.detectable),
            "readable": part.readable,
            **({} if part.truth is None else {"truth": part.truth}),
        }
        for part in (*evaluation.bundle.sums, *evaluation.bundle.parts)
    ]
    return pd.DataFrame(rows).set_index("part").round(4)


def outcomes_table(evaluation: Evaluation) -> pd.DataFrame:
    """The policy's other outcomes, estimated as the headline is, each in its own unit."""
    frame = _effects(evaluation, evaluation.mechanisms).drop(columns="estimator")
    frame.index = [evaluation.mechanism_outcomes[effect.outcome].label.en for effect in evaluation.mechanisms]
    return frame.rename_axis("outcome")


def published_table(evaluation: Evaluation) -> pd.DataFrame:
    """Published coefficients beside ours; a note where the policy declares none for this outcome."""
    import pandas as pd

    rows = [
        {
            "term": row.term,
            "published": f"{row.estimate:.{record.decimals}f} ({row.std_error:.{record.decimals}f})",
            "here": f"{row.replicated_estimate:.{record.decimals}f} ({row.replicated_std_error:.{record.decimals}f})",
            "same digits": row.matches,
            "firms": record.n_firms,
            "observations": record.n_observations,
        }
        for record in evaluation.published
        for row in record.rows
    ]
    if not rows:
        return pd.DataFrame({"note": [f"no published result is declared for {evaluation.outcome.name}"]})
    return pd.DataFrame(rows).set_index("term")


def companions_table(evaluation: Evaluation) -> pd.DataFrame:
    """The same estimators in this world and in those beside it, each against its own truth, and what may be said in each."""
    import pandas as pd

    return pd.concat([_world(world) for world in (evaluation, *evaluation.companions)])


def repetitions_table(evaluation: Evaluation) -> pd.DataFrame:
    """Bias and coverage of each estimator over many panels, with Monte Carlo errors; a note where there were none."""
    import pandas as pd

    if not evaluation.repetitions:
        return pd.DataFrame({"note": [NO_REPETITIONS]})
    worlds = (evaluation, *evaluation.companions)
    rows = [{"scenario": _scenario(world), **_repetition(record)} for world in worlds for record in world.repetitions]
    return pd.DataFrame(rows).set_index(["scenario", "estimator"])


def claims_table(evaluation: Evaluation) -> pd.DataFrame:
    """In what share of the panels the claim rule said what; a note where there were no repetitions."""
    import pandas as pd

    rows = [
        {"scenario": _scenario(world), "claim": kind.replace("_", " "), "share of panels": f"{share:.0%}"}
        for world in (evaluation, *evaluation.companions)
        for record in world.repetitions
        for kind, share in record.claims.items()
    ]
    return pd.DataFrame(rows).set_index(["scenario", "claim"]) if rows else pd.DataFrame({"note": [NO_REPETITIONS]})


def _scenario(evaluation: Evaluation) -> str:
    return str(evaluation.provenance.data_parameters.get("scenario"))


def _repetition(record: RepetitionRecord) -> dict[str, Any]:
    return {
        "estimator": label(record.estimator, record.role),
        "panels": record.panels,
        "mean truth": round(record.mean_truth, 4),
        "mean estimate": round(record.mean_estimate, 4),
        "bias": f"{record.bias:+.4f} ± {record.bias_error:.4f}",
        f"coverage of {record.level:.0%} intervals": f"{record.coverage:.0%} ± {record.coverage_error:.0%}",
    }


def _world(evaluation: Evaluation) -> pd.DataFrame:
    frame = _effects(evaluation, (evaluation.headline, *evaluation.alternatives))
    scenario = _scenario(evaluation)
    frame.insert(0, "scenario and claim", f"{scenario}: {evaluation.claim.kind.replace('_', ' ')}")
    frame = frame.set_index(["scenario and claim", "estimator"])
    return frame[["estimate", "conf_low", "conf_high", "truth", "covers truth"]]


def _effects(evaluation: Evaluation, effects: Sequence[EffectRecord]) -> pd.DataFrame:
    """One row per effect; what is unavailable is NaN."""
    import pandas as pd

    rows = [
        {
            "estimator": label(effect.estimator, effect.role),
            "estimate": float(effect.estimate),
            "std_error": float(effect.std_error),
            "conf_low": float(effect.conf_low),
            "conf_high": float(effect.conf_high),
            "p_value": _p_value(float(effect.p_value)),
            "firms": effect.n_firms,
            **({} if effect.truth is None else {"truth": effect.truth, "covers truth": effect.covers_truth}),
        }
        for effect in effects
    ]
    return pd.DataFrame(rows).round(4)


def _p_value(value: float) -> str:
    if math.isnan(value):
        return ""
    return f"{value:.3f}" if value >= SMALLEST_P else f"<{SMALLEST_P}"


def _drawing(evaluation: Evaluation, name: str, language: Language, how: str) -> Drawing:
    found = drawing(evaluation, name, language, how)
    if found is None:
        raise KeyError(name)
    return found
