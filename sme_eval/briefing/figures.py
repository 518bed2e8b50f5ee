"""The figures of a page as PNG bytes: drawn from the record, labelled in its language, the kind of data written into the pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from sme_eval.evaluation.record import Evaluation
from sme_eval.evaluation.record_base import Count
from sme_eval.evaluation.record_checks import CheckTableRecord
from sme_eval.evaluation.record_curve import CurveRecord
from sme_eval.evaluation.record_sections import BracketRecord, BundleRecord, DoseRecord, ListingRecord
from sme_eval.results.plots import draw_cohort_map, draw_event_study, draw_flow, draw_forest
from sme_eval.results.unavailable import Unavailable
from sme_eval.terms import Language

from .document import Own, Say, plain
from .figure_canvas import canvas, finished, legend_below, theme, words_of
from .figure_data import event_frames, forest_frame, forest_groups, given_years
from .figure_reuse import DrawnFigures, Shown
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


Draw = Callable[[], bytes]


def draw_figures(evaluation: Evaluation, speaker: Speaker, drawn: DrawnFigures | None = None) -> Mapping[str, bytes]:
    """Every figure of the page by its name; those that `drawn` holds already are not drawn again."""
    kept, shown, language = drawn or DrawnFigures(), Shown(evaluation), speaker.wording.language
    with theme():
        return {name: kept.get(name, language, shown.by(name), draw) for name, draw in _drawings(evaluation, speaker).items()}


def draw_figure(evaluation: Evaluation, speaker: Speaker, name: str) -> bytes | None:
    """One figure of the page; None where this record has none of that name."""
    draw = _drawings(evaluation, speaker).get(name)
    if draw is None:
        return None
    with theme():
        return draw()


def _drawings(evaluation: Evaluation, speaker: Speaker) -> dict[str, Draw]:
    """What draws each figure of the page, in its order."""
    return {
        **_design(evaluation, speaker),
        **_parts(evaluation, speaker),
        "event_study": partial(_event_study, evaluation, speaker),
        **({"forest": partial(_forest, evaluation, speaker)} if has_forest(evaluation) else {}),
        **({} if evaluation.curve is None else {"curve": partial(_curve, evaluation, evaluation.curve, speaker)}),
        **{
            f"companion_{n}": partial(_companion, other, speaker, pointer("companions", n))
            for n, other in enumerate(evaluation.companions)
        },
        "cohort_map": partial(_cohort_map, evaluation, speaker),
        "sample_flow": partial(_flow, evaluation, speaker),
        **{
            figure_name(check): partial(_check, evaluation, speaker, place, table)
            for place, check, table in drawn_checks(evaluation)
        },
    }


def draw_summary(evaluation: Evaluation, speaker: Speaker, drawn: DrawnFigures | None = None) -> Mapping[str, bytes]:
    """The one chart of the short forms; none where there is no interval."""
    if not has_summary(evaluation):
        return {}
    shown = Shown(evaluation).by("summary")
    with theme():
        return {
            "summary": (drawn or DrawnFigures()).get(
                "summary", speaker.wording.language, shown, lambda: _summary(evaluation, speaker)
            )
        }


def _summary(evaluation: Evaluation, speaker: Speaker) -> bytes:
    figure, (axes,) = canvas(HEIGHT_SUMMARY)
    summary_axes(axes, evaluation, speaker)
    return finished(figure, evaluation, speaker)


def _effect_label(evaluation: Evaluation, speaker: Speaker, root: str) -> str:
    outcome = root + pointer("outcome")
    return plain(speaker.runs((Say("forest.x_label", at=outcome),)))


def _design(evaluation: Evaluation, speaker: Speaker) -> dict[str, Draw]:
    """Who is compared with whom, and the two answers with their hull, where the record has them."""
    return {
        **({"compared": partial(_compared, evaluation, speaker)} if evaluation.compared else {}),
        **({} if evaluation.bracket is None else {"bracket": partial(_bracket, evaluation, evaluation.bracket, speaker)}),
    }


def _compared(evaluation: Evaluation, speaker: Speaker) -> bytes:
    figure, (axes,) = canvas(height_of_compared(evaluation))
    compared_axes(axes, evaluation, speaker)
    return finished(figure, evaluation, speaker)


def _bracket(evaluation: Evaluation, found: BracketRecord, speaker: Speaker) -> bytes:
    figure, (axes,) = canvas(2.6)
    bracket_axes(axes, evaluation, found, speaker)
    legend_below(figure, axes)
    return finished(figure, evaluation, speaker)


def _parts(evaluation: Evaluation, speaker: Speaker) -> dict[str, Draw]:
    """What only some policies have: districts and doses, terms of credit, the parts of a bundle."""
    draws: dict[str, Draw] = {}
    others = {f"dose_companion_{n}": (o, pointer("companions", n)) for n, o in enumerate(evaluation.companions)}
    for name, (one, root) in {"dose": (evaluation, ""), **others}.items():
        if one.dose is not None:
            draws[name] = partial(_dose, one, one.dose, speaker, root)
    if evaluation.listing is not None:
        draws["first_stage"] = partial(_first_stage, evaluation, evaluation.listing, speaker)
        if has_set(evaluation.listing):
            draws["identified_set"] = partial(_identified_set, evaluation, evaluation.listing, speaker)
    if evaluation.bundle is not None:
        draws["bundle"] = partial(_bundle, evaluation, evaluation.bundle, speaker)
    return draws


def _dose(evaluation: Evaluation, found: DoseRecord, speaker: Speaker, root: str) -> bytes:
    figure, (axes,) = canvas(HEIGHT_DOSE)
    dose_axes(axes, found, speaker, root)
    legend_below(figure, axes)
    return finished(figure, evaluation, speaker, root)


def _first_stage(evaluation: Evaluation, found: ListingRecord, speaker: Speaker) -> bytes:
    figure, panels = canvas(HEIGHT_STAGES, columns=len(found.stages))
    stage_axes(panels, evaluation, found, speaker)
    legend_below(figure, *panels)
    return finished(figure, evaluation, speaker)


def _identified_set(evaluation: Evaluation, found: ListingRecord, speaker: Speaker) -> bytes:
    figure, (axes,) = canvas(HEIGHT_SET)
    set_axes(axes, found, speaker)
    return finished(figure, evaluation, speaker)


def _bundle(evaluation: Evaluation, found: BundleRecord, speaker: Speaker) -> bytes:
    figure, (axes,) = canvas(height_of_bundle(found))
    bundle_axes(axes, evaluation, found, speaker)
    legend_below(figure, axes)
    return finished(figure, evaluation, speaker)


def _check(evaluation: Evaluation, speaker: Speaker, place: int, table: CheckTableRecord) -> bytes:
    figure, (axes,) = canvas(height_of_check(evaluation.checks[place], table))
    check_axes(axes, evaluation, place, speaker)
    legend_below(figure, axes)
    return finished(figure, evaluation, speaker)


def _curve(evaluation: Evaluation, found: CurveRecord, speaker: Speaker) -> bytes:
    heights = heights_of_curve(found)
    figure, (upper, lower) = canvas(0.6 + sum(heights), rows=2, height_ratios=heights)
    curve_axes(upper, lower, found, speaker)
    upper.set_title(_effect_label(evaluation, speaker, ""), loc="left")
    legend_below(figure, upper)
    return finished(figure, evaluation, speaker)


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
