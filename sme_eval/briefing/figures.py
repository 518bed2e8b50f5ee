"""The figures of a page as PNG bytes: drawn from the record, labelled in its language, the kind of data written into the pixels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sme_eval.evaluation.record import Evaluation
from sme_eval.evaluation.record_base import Count
from sme_eval.results.plots import draw_cohort_map, draw_event_study, draw_flow, draw_forest
from sme_eval.results.unavailable import Unavailable
from sme_eval.terms import Language

from .document import Own, Say, plain
from .figure_canvas import canvas, finished, legend_below, theme, words_of
from .figure_data import event_frames, forest_frame, forest_groups, given_years
from .figures_bundle import bundle_axes, height_of_bundle
from .figures_checks import check_axes, drawn_checks, height_of_check
from .figures_curve import curve_axes, heights_of_curve
from .figures_design import bracket_axes, compared_axes, height_of_compared
from .figures_dose import HEIGHT as HEIGHT_DOSE
from .figures_dose import dose_axes
from .figures_listing import HEIGHT_SET, HEIGHT_STAGES, has_set, set_axes, stage_axes
from .figures_summary import HEIGHT as HEIGHT_SUMMARY
from .figures_summary import summary_axes
from .numbers import DASH, format_value
from .pointers import pointer
from .sections.bureau import has_summary
from .sections.checks import figure_name
from .sections.common import effects_of
from .sections.evidence import has_forest
from .speaker import Speaker

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_figures(evaluation: Evaluation, speaker: Speaker) -> Mapping[str, bytes]:
    """Every figure of the page by its name."""
    with theme():
        figures = {
            **_design(evaluation, speaker),
            **_parts(evaluation, speaker),
            "event_study": _event_study(evaluation, speaker),
            **({"forest": _forest(evaluation, speaker)} if has_forest(evaluation) else {}),
            **_curve(evaluation, speaker),
            **{f"companion_{n}": _companion(o, speaker, pointer("companions", n)) for n, o in enumerate(evaluation.companions)},
            "cohort_map": _cohort_map(evaluation, speaker),
            "sample_flow": _flow(evaluation, speaker),
            **_checks(evaluation, speaker),
        }
    return figures


def draw_summary(evaluation: Evaluation, speaker: Speaker) -> Mapping[str, bytes]:
    """The one chart of the short forms; none where there is no interval."""
    if not has_summary(evaluation):
        return {}
    with theme():
        figure, (axes,) = canvas(HEIGHT_SUMMARY)
        summary_axes(axes, evaluation, speaker)
        return {"summary": finished(figure, evaluation, speaker)}


def _effect_label(evaluation: Evaluation, speaker: Speaker, root: str) -> str:
    outcome = root + pointer("outcome")
    return plain(speaker.runs((Say("forest.x_label", at=outcome),)))


def _design(evaluation: Evaluation, speaker: Speaker) -> dict[str, bytes]:
    """Who is compared with whom, and the two answers with their hull, where the record has them."""
    drawn: dict[str, bytes] = {}
    if evaluation.compared:
        figure, (axes,) = canvas(height_of_compared(evaluation))
        compared_axes(axes, evaluation, speaker)
        drawn["compared"] = finished(figure, evaluation, speaker)
    if evaluation.bracket is not None:
        figure, (axes,) = canvas(2.6)
        bracket_axes(axes, evaluation, evaluation.bracket, speaker)
        legend_below(figure, axes)
        drawn["bracket"] = finished(figure, evaluation, speaker)
    return drawn


def _parts(evaluation: Evaluation, speaker: Speaker) -> dict[str, bytes]:
    """What only some policies have: districts and doses, terms of credit, the parts of a bundle."""
    drawn: dict[str, bytes] = {}
    others = {f"dose_companion_{n}": (o, pointer("companions", n)) for n, o in enumerate(evaluation.companions)}
    for name, (one, root) in {"dose": (evaluation, ""), **others}.items():
        if one.dose is not None:
            figure, (axes,) = canvas(HEIGHT_DOSE)
            dose_axes(axes, one.dose, speaker, root)
            legend_below(figure, axes)
            drawn[name] = finished(figure, one, speaker, root)
    if evaluation.listing is not None:
        figure, panels = canvas(HEIGHT_STAGES, columns=len(evaluation.listing.stages))
        stage_axes(panels, evaluation, evaluation.listing, speaker)
        legend_below(figure, *panels)
        drawn["first_stage"] = finished(figure, evaluation, speaker)
        if has_set(evaluation.listing):
            figure, (axes,) = canvas(HEIGHT_SET)
            set_axes(axes, evaluation.listing, speaker)
            drawn["identified_set"] = finished(figure, evaluation, speaker)
    if evaluation.bundle is not None:
        figure, (axes,) = canvas(height_of_bundle(evaluation.bundle))
        bundle_axes(axes, evaluation, evaluation.bundle, speaker)
        legend_below(figure, axes)
        drawn["bundle"] = finished(figure, evaluation, speaker)
    return drawn


def _checks(evaluation: Evaluation, speaker: Speaker) -> dict[str, bytes]:
    """One figure per check that has one."""
    drawn: dict[str, bytes] = {}
    for place, check, table in drawn_checks(evaluation):
        figure, (axes,) = canvas(height_of_check(check, table))
        check_axes(axes, evaluation, place, speaker)
        legend_below(figure, axes)
        drawn[figure_name(check)] = finished(figure, evaluation, speaker)
    return drawn


def _curve(evaluation: Evaluation, speaker: Speaker) -> dict[str, bytes]:
    """The specification curve, where the record has one."""
    if evaluation.curve is None:
        return {}
    heights = heights_of_curve(evaluation.curve)
    figure, (upper, lower) = canvas(0.6 + sum(heights), rows=2, height_ratios=heights)
    curve_axes(upper, lower, evaluation.curve, speaker)
    upper.set_title(_effect_label(evaluation, speaker, ""), loc="left")
    legend_below(figure, upper)
    return {"curve": finished(figure, evaluation, speaker)}


def _event_study(evaluation: Evaluation, speaker: Speaker) -> bytes:
    figure, (axes,) = canvas(2.8)
    _draw_event_study(axes, evaluation, speaker, "")
    legend_below(figure, axes)
    return finished(figure, evaluation, speaker)


def _draw_event_study(axes: Axes, evaluation: Evaluation, speaker: Speaker, root: str) -> None:
    frame, band, truth = event_frames(evaluation.event_study)
    labels = (
        words_of(speaker, "event_study.x_label"),
        _effect_label(evaluation, speaker, root),
        words_of(speaker, "event_study.estimate"),
        words_of(speaker, "event_study.band"),
        words_of(speaker, "event_study.truth"),
    )
    given = given_years(evaluation.event_study)
    draw_event_study(
        frame,
        axes=axes,
        truth=truth,
        band=band,
        labels=labels,
        given=None if given is None else (*given, words_of(speaker, "compared.figure_given")),
    )
    # A long unit does not fit beside a low figure, so what the vertical axis shows stands above it.
    axes.set_title(labels[1], loc="left")
    axes.set_ylabel("")


def _forest(evaluation: Evaluation, speaker: Speaker) -> bytes:
    groups = forest_groups(evaluation)
    heights = [0.72 + (0.24 if len(effects) == 1 else 0.44) * len(effects) for _, effects in groups]
    figure, panels = canvas(0.35 + sum(heights), rows=len(groups), height_ratios=heights)
    for axes, (outcome, effects) in zip(panels, groups, strict=True):
        frame = forest_frame(effects, speaker)
        draw_forest(
            frame,
            axes=axes,
            x_label=words_of(speaker, "forest.x_label", at=outcome),
            truth_label=words_of(speaker, "event_study.truth"),
        )
        axes.set_title(plain(speaker.runs((Own(outcome + pointer("label")),))), loc="left")
    legend_below(figure, *panels)
    return finished(figure, evaluation, speaker)


def _companion(other: Evaluation, speaker: Speaker, root: str) -> bytes:
    figure, (left, right) = canvas(3.3, columns=2, width_ratios=[1.0, 1.25])
    frame = forest_frame(effects_of(other, root), speaker, sizes=False)
    draw_forest(frame, axes=left, x_label=_effect_label(other, speaker, root), truth_label=words_of(speaker, "event_study.truth"))
    _draw_event_study(right, other, speaker, root)
    right.set_title("", loc="left")
    right.set_ylabel(words_of(speaker, "event_study.effect"))
    legend_below(figure, left, right)
    return finished(figure, other, speaker, root)


def _cohort_map(evaluation: Evaluation, speaker: Speaker) -> bytes:
    record, language = evaluation.cohort_map, speaker.wording.language
    figure, (axes,) = canvas(0.9 + 0.36 * (len(record.cohorts) + 1))
    texts = [[_count(n, language) for n in row] for row in (*(c.observed for c in record.cohorts), record.never_observed)]
    treated = [[year >= c.cohort for year in record.years] for c in record.cohorts] + [[False] * len(record.years)]
    names = [format_value(c.cohort, "cohort", language) for c in record.cohorts] + [words_of(speaker, "cohorts.never")]
    years = [format_value(year, "year", language) for year in record.years]
    draw_cohort_map(treated, texts, axes=axes, rows=names, columns=years)
    axes.set(xlabel=words_of(speaker, "cohorts.year"), ylabel=words_of(speaker, "cohorts.cohort"))
    _cohort_legend(axes, speaker)
    return finished(figure, evaluation, speaker)


def _count(count: Count, language: Language) -> str:
    return DASH if isinstance(count, Unavailable) else format_value(count, "count", language)


def _cohort_legend(axes: Axes, speaker: Speaker) -> None:
    from matplotlib.patches import Patch

    from sme_eval.results.plots import AFTER, BEFORE

    handles = [
        Patch(facecolor=BEFORE, label=words_of(speaker, "cohorts.before")),
        Patch(facecolor=AFTER, label=words_of(speaker, "cohorts.after")),
    ]
    axes.legend(
        handles=handles, ncols=2, loc="lower left", bbox_to_anchor=(0.0, 1.0), frameon=False, fontsize="small", borderpad=0.2
    )


def _flow(evaluation: Evaluation, speaker: Speaker) -> bytes:
    steps = evaluation.sample_flow
    figure, (axes,) = canvas(0.3 + 0.72 * len(steps))
    kept, dropped = [], []
    for n, step in enumerate(steps):
        where = pointer("sample_flow", n)
        rule = plain(speaker.runs((Say(f"word.rule.{step.rule}", at=where, otherwise=("flow.other",)),)))
        kept.append(f"{rule}\n{words_of(speaker, 'flow.box', at=where)}")
        dropped.append(words_of(speaker, "flow.dropped", at=where) if _some(step.dropped_rows) or _some(step.dropped_firms) else "")
    draw_flow(kept, dropped, axes=axes)
    return finished(figure, evaluation, speaker)


def _some(count: Count) -> bool:
    return isinstance(count, Unavailable) or count > 0
