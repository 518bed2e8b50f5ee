"""What the notebooks show of a record: tables and drawings. Counts and estimates only, never a firm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from sme_eval.evaluation.design import Design, describe
from sme_eval.evaluation.evaluate import fit
from sme_eval.evaluation.record import EffectRecord, EstimatorRecord, Evaluation, RepetitionRecord
from sme_eval.panel.sample import Sample
from sme_eval.results.estimate import Estimate

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DOTS_PER_INCH: Final = 110
SIMULATED: Final = "SIMULATED DATA"
_NAMES: Final = {
    "CallawaySantAnna": "group-time ATT",
    "TwoWayFixedEffects": "two-way fixed effects",
    "EventStudyRegression": "event-study regression",
}


@dataclass(frozen=True, eq=False, repr=False)
class Drawing:
    """A figure that a notebook shows once, with its description for those who do not see it."""

    figure: Figure
    description: str

    def _repr_png_(self) -> tuple[bytes, dict[str, str]]:
        buffer = BytesIO()
        self.figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
        return buffer.getvalue(), {"alt": self.description}

    def __repr__(self) -> str:
        """The description."""
        return self.description


def fit_all(design: Design, sample: Sample) -> dict[str, Estimate]:
    """The average effect by each of the design's estimators, the headline's first, under names that a table can carry."""
    estimators = (design.estimator, *design.alternatives)
    return {label(describe(estimator)): fit(estimator, sample).overall for estimator in estimators}


def label(estimator: EstimatorRecord) -> str:
    """An estimator in words, with its comparison group where it has the choice."""
    name = _NAMES.get(estimator.name, estimator.name)
    comparison = estimator.choices.get("comparison")
    return f"{name}, {str(comparison).replace('_', ' ')}" if comparison else name


def plot_estimates(evaluation: Evaluation) -> Drawing:
    """The headline and its alternatives with their intervals; the truth where the data are simulated."""
    from sme_eval.results.plots import draw_forest

    frame = _effects(evaluation, (evaluation.headline, *evaluation.alternatives))
    axes = _axes(0.9 + 0.42 * len(frame))
    draw_forest(frame.rename(columns={"estimator": "term"}), axes=axes, truth=evaluation.headline.truth, x_label=_unit(evaluation))
    return _drawing(axes, evaluation, f"{len(frame)} estimates of the effect on {evaluation.outcome.label.en}, with intervals")


def plot_event_study(evaluation: Evaluation) -> Drawing:
    """Effects by event time with pointwise intervals and the simultaneous band; the truth where the data are simulated."""
    import pandas as pd

    from sme_eval.results.plots import draw_event_study

    study = evaluation.event_study
    names = ("event_time", "estimate", "conf_low", "conf_high", "band_low", "band_high")
    rows = pd.DataFrame({name: [float(getattr(row, name)) for row in study.rows] for name in names})
    rows["event_time"] = rows["event_time"].astype(int)
    band = rows[["event_time", "band_low", "band_high"]].set_axis(["event_time", "conf_low", "conf_high"], axis=1)
    known = [row for row in study.rows if row.truth is not None]
    truth = pd.Series([row.truth for row in known], index=[row.event_time for row in known]) if known else None
    axes = _axes(3.5)
    words = ("years since first treatment", _unit(evaluation), "estimate", f"simultaneous {study.level:.0%} band", "truth")
    draw_event_study(rows, axes=axes, truth=truth, band=band, labels=words)
    return _drawing(axes, evaluation, f"Effect on {evaluation.outcome.label.en} by years since first treatment, with intervals")


def outcomes_table(evaluation: Evaluation) -> pd.DataFrame:
    """The policy's other outcomes, estimated as the headline is, each in its own unit."""
    frame = _effects(evaluation, evaluation.mechanisms)
    labels = [evaluation.mechanism_outcomes[effect.outcome].label.en for effect in evaluation.mechanisms]
    frame.insert(0, "outcome", labels)
    return frame.drop(columns="estimator")


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
    return pd.DataFrame(rows)


def companions_table(evaluation: Evaluation) -> pd.DataFrame:
    """The same estimators in this world and in those beside it, each against its own truth."""
    import pandas as pd

    return pd.concat([_world(world) for world in (evaluation, *evaluation.companions)], ignore_index=True)


def repetitions_table(evaluation: Evaluation) -> pd.DataFrame:
    """Bias and coverage of each estimator over many panels, with Monte Carlo errors; a note where there were none."""
    import pandas as pd

    if not evaluation.repetitions:
        return pd.DataFrame({"note": ["no repetitions: set the parameter to try the method on many panels"]})
    return pd.DataFrame([_repetition(record) for record in evaluation.repetitions])


def _repetition(record: RepetitionRecord) -> dict[str, Any]:
    return {
        "estimator": label(record.estimator),
        "panels": record.panels,
        "mean truth": round(record.mean_truth, 4),
        "mean estimate": round(record.mean_estimate, 4),
        "bias": f"{record.bias:+.4f} ± {record.bias_error:.4f}",
        f"coverage of {record.level:.0%} intervals": f"{record.coverage:.0%} ± {record.coverage_error:.0%}",
        "claims": ", ".join(f"{kind} {share:.0%}" for kind, share in record.claims.items()),
    }


def _world(evaluation: Evaluation) -> pd.DataFrame:
    frame = _effects(evaluation, (evaluation.headline, *evaluation.alternatives))
    frame.insert(0, "scenario", evaluation.provenance.data_parameters.get("scenario"))
    return frame[["scenario", "estimator", "estimate", "conf_low", "conf_high", "truth", "covers truth"]]


def _effects(evaluation: Evaluation, effects: Sequence[EffectRecord]) -> pd.DataFrame:
    """One row per effect; what is unavailable is NaN."""
    import pandas as pd

    rows = [
        {
            "estimator": label(effect.estimator),
            "estimate": float(effect.estimate),
            "std_error": float(effect.std_error),
            "conf_low": float(effect.conf_low),
            "conf_high": float(effect.conf_high),
            "p_value": float(effect.p_value),
            "firms": effect.n_firms,
            **({} if effect.truth is None else {"truth": effect.truth, "covers truth": effect.covers_truth}),
        }
        for effect in effects
    ]
    return pd.DataFrame(rows).round(4)


def _unit(evaluation: Evaluation) -> str:
    return "effect in log points" if evaluation.outcome.scale == "log" else f"effect, {evaluation.outcome.unit.en}"


def _axes(height: float) -> Axes:
    """Axes of a figure of its own, outside pyplot's memory: shown once, where the cell ends."""
    from matplotlib.figure import Figure

    from sme_eval.results.plots import GRID

    axes: Axes = Figure(figsize=(7.2, height), layout="constrained").subplots()
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def _drawing(axes: Axes, evaluation: Evaluation, description: str) -> Drawing:
    """The finished drawing; simulated data say so in the pixels."""
    from matplotlib.figure import Figure

    figure = axes.get_figure()
    if not isinstance(figure, Figure):
        raise AssertionError("these axes stand in a figure")
    if evaluation.data_kind == "simulated":
        axes.set_title(SIMULATED, loc="right", fontsize="small", color="#c2410c", fontweight="bold")
        description = f"Simulated data. {description}"
    return Drawing(figure, description)
