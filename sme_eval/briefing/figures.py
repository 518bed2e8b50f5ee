"""The figures of a page as PNG bytes: drawn from the record, labelled in its language, the kind of data written into the pixels."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from sme_eval.evaluation.record import Evaluation
from sme_eval.evaluation.record_base import Count
from sme_eval.results.plots import THEME, TRUTH, draw_cohort_map, draw_event_study, draw_flow, draw_forest
from sme_eval.results.unavailable import Unavailable
from sme_eval.terms import Language

from .document import Own, Say, plain
from .figure_data import event_frames, forest_frame, forest_groups, given_years
from .figures_bundle import bundle_axes, height_of_bundle
from .figures_curve import curve_axes, heights_of_curve
from .figures_design import bracket_axes, compared_axes, height_of_compared
from .figures_dose import HEIGHT as HEIGHT_DOSE
from .figures_dose import dose_axes
from .figures_listing import HEIGHT_SET, HEIGHT_STAGES, has_set, set_axes, stage_axes
from .numbers import DASH, format_value
from .pointers import pointer
from .sections.common import effects_of
from .sections.evidence import has_forest
from .speaker import Speaker
from .typeface import FAMILY, font_path, require_glyphs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH: Final = 6.9
DOTS_PER_INCH: Final = 180
WATERMARK_ANGLE: Final = 40.0
"""Of a square figure; a lower one has a flatter diagonal."""
LOW: Final = 2.6
"""A figure of fewer inches has room for one watermark only."""


def draw_figures(evaluation: Evaluation, speaker: Speaker) -> Mapping[str, bytes]:
    """Every figure of the page by its name."""
    with _theme():
        figures = {
            **_design(evaluation, speaker),
            **_parts(evaluation, speaker),
            "event_study": _event_study(evaluation, speaker),
            **({"forest": _forest(evaluation, speaker)} if has_forest(evaluation) else {}),
            **_curve(evaluation, speaker),
            **{f"companion_{n}": _companion(o, speaker, pointer("companions", n)) for n, o in enumerate(evaluation.companions)},
            "cohort_map": _cohort_map(evaluation, speaker),
            "sample_flow": _flow(evaluation, speaker),
        }
    return figures


@contextmanager
def _theme() -> Iterator[None]:
    """The theme of seaborn with our typeface, for the time of drawing only."""
    import matplotlib
    import seaborn
    from matplotlib import font_manager

    with matplotlib.rc_context():
        settings: Any = matplotlib.rcParams
        settings.update({**seaborn.axes_style("whitegrid"), **seaborn.plotting_context("paper"), **THEME})
        # After the theme, which would set the font family again.
        font_manager.fontManager.addfont(font_path())
        settings.update({"font.family": [FAMILY], "font.size": 9.0, "axes.titleweight": "normal", "axes.titlesize": 9.5})
        yield


def _canvas(height: float, columns: int = 1, rows: int = 1, **options: Any) -> tuple[Figure, list[Axes]]:
    """A figure apart from pyplot, so that nothing of it stays behind, and its axes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), layout="constrained", dpi=DOTS_PER_INCH)
    FigureCanvasAgg(figure)
    return figure, list(figure.subplots(rows, columns, squeeze=False, **options).flat)


def _words(speaker: Speaker, key: str, root: str = "", at: str = "") -> str:
    return plain(speaker.runs((Say(key, root=root, at=at),)))


def _finished(figure: Figure, evaluation: Evaluation, speaker: Speaker, root: str = "") -> bytes:
    """PNG bytes with the kind of data on top, and a watermark over everything that is simulated."""
    label = plain(speaker.runs((Say("figure.label", root=root),)))
    simulated = evaluation.data_kind == "simulated"
    figure.suptitle(label, x=0.99, ha="right", fontsize=8.5, color=TRUTH if simulated else "#52606d")
    if simulated:
        _watermark(figure, _words(speaker, "figure.watermark"))
    _require_figure_glyphs(figure)
    buffer = io.BytesIO()
    # Without the software's name, the same record gives the same bytes under every version of matplotlib that draws alike.
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _watermark(figure: Figure, words: str) -> None:
    inches = figure.get_figheight()
    angle = WATERMARK_ANGLE * inches / WIDTH
    for height in (0.5,) if inches < LOW else (0.28, 0.74):
        style: dict[str, Any] = {"fontsize": 26, "color": TRUTH, "alpha": 0.10, "zorder": 10, "in_layout": False}
        figure.text(0.5, height, words, ha="center", va="center", rotation=angle, **style)


def _require_figure_glyphs(figure: Figure) -> None:
    from matplotlib.text import Text

    require_glyphs("".join(text.get_text() for text in figure.findobj(Text)), "figure")


def _effect_label(evaluation: Evaluation, speaker: Speaker, root: str) -> str:
    outcome = root + pointer("outcome")
    return plain(speaker.runs((Say("forest.x_label", at=outcome),)))


def _design(evaluation: Evaluation, speaker: Speaker) -> dict[str, bytes]:
    """Who is compared with whom, and the two answers with their hull, where the record has them."""
    drawn: dict[str, bytes] = {}
    if evaluation.compared:
        figure, (axes,) = _canvas(height_of_compared(evaluation))
        compared_axes(axes, evaluation, speaker)
        drawn["compared"] = _finished(figure, evaluation, speaker)
    if evaluation.bracket is not None:
        figure, (axes,) = _canvas(2.6)
        bracket_axes(axes, evaluation, evaluation.bracket, speaker)
        _legend_below(figure, axes)
        drawn["bracket"] = _finished(figure, evaluation, speaker)
    return drawn


def _parts(evaluation: Evaluation, speaker: Speaker) -> dict[str, bytes]:
    """What only some policies have: districts and doses, terms of credit, the parts of a bundle."""
    drawn: dict[str, bytes] = {}
    others = {f"dose_companion_{n}": (o, pointer("companions", n)) for n, o in enumerate(evaluation.companions)}
    for name, (one, root) in {"dose": (evaluation, ""), **others}.items():
        if one.dose is not None:
            figure, (axes,) = _canvas(HEIGHT_DOSE)
            dose_axes(axes, one.dose, speaker, root)
            _legend_below(figure, axes)
            drawn[name] = _finished(figure, one, speaker, root)
    if evaluation.listing is not None:
        figure, panels = _canvas(HEIGHT_STAGES, columns=len(evaluation.listing.stages))
        stage_axes(panels, evaluation, evaluation.listing, speaker)
        _legend_below(figure, *panels)
        drawn["first_stage"] = _finished(figure, evaluation, speaker)
        if has_set(evaluation.listing):
            figure, (axes,) = _canvas(HEIGHT_SET)
            set_axes(axes, evaluation.listing, speaker)
            drawn["identified_set"] = _finished(figure, evaluation, speaker)
    if evaluation.bundle is not None:
        figure, (axes,) = _canvas(height_of_bundle(evaluation.bundle))
        bundle_axes(axes, evaluation, evaluation.bundle, speaker)
        _legend_below(figure, axes)
        drawn["bundle"] = _finished(figure, evaluation, speaker)
    return drawn


def _curve(evaluation: Evaluation, speaker: Speaker) -> dict[str, bytes]:
    """The specification curve, where the record has one."""
    if evaluation.curve is None:
        return {}
    heights = heights_of_curve(evaluation.curve)
    figure, (upper, lower) = _canvas(0.6 + sum(heights), rows=2, height_ratios=heights)
    curve_axes(upper, lower, evaluation.curve, speaker)
    upper.set_title(_effect_label(evaluation, speaker, ""), loc="left")
    _legend_below(figure, upper)
    return {"curve": _finished(figure, evaluation, speaker)}


def _event_study(evaluation: Evaluation, speaker: Speaker) -> bytes:
    figure, (axes,) = _canvas(2.8)
    _draw_event_study(axes, evaluation, speaker, "")
    _legend_below(figure, axes)
    return _finished(figure, evaluation, speaker)


def _draw_event_study(axes: Axes, evaluation: Evaluation, speaker: Speaker, root: str) -> None:
    frame, band, truth = event_frames(evaluation.event_study)
    labels = (
        _words(speaker, "event_study.x_label"),
        _effect_label(evaluation, speaker, root),
        _words(speaker, "event_study.estimate"),
        _words(speaker, "event_study.band"),
        _words(speaker, "event_study.truth"),
    )
    given = given_years(evaluation.event_study)
    draw_event_study(
        frame,
        axes=axes,
        truth=truth,
        band=band,
        labels=labels,
        given=None if given is None else (*given, _words(speaker, "compared.figure_given")),
    )
    # A long unit does not fit beside a low figure, so what the vertical axis shows stands above it.
    axes.set_title(labels[1], loc="left")
    axes.set_ylabel("")


def _legend_below(figure: Figure, *panels: Axes) -> None:
    """One legend for all panels, where it hides nothing."""
    shown: dict[str, Any] = {}
    for axes in panels:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            shown.setdefault(label, handle)
        if (legend := axes.get_legend()) is not None:
            legend.remove()
    if shown:
        figure.legend(
            list(shown.values()), list(shown), loc="outside lower center", ncols=len(shown), frameon=False, fontsize="small"
        )


def _forest(evaluation: Evaluation, speaker: Speaker) -> bytes:
    groups = forest_groups(evaluation)
    heights = [0.72 + (0.24 if len(effects) == 1 else 0.44) * len(effects) for _, effects in groups]
    figure, panels = _canvas(0.35 + sum(heights), rows=len(groups), height_ratios=heights)
    for axes, (outcome, effects) in zip(panels, groups, strict=True):
        frame = forest_frame(effects, speaker)
        draw_forest(
            frame,
            axes=axes,
            x_label=_words(speaker, "forest.x_label", at=outcome),
            truth_label=_words(speaker, "event_study.truth"),
        )
        axes.set_title(plain(speaker.runs((Own(outcome + pointer("label")),))), loc="left")
    _legend_below(figure, *panels)
    return _finished(figure, evaluation, speaker)


def _companion(other: Evaluation, speaker: Speaker, root: str) -> bytes:
    figure, (left, right) = _canvas(3.3, columns=2, width_ratios=[1.0, 1.25])
    frame = forest_frame(effects_of(other, root), speaker, sizes=False)
    draw_forest(frame, axes=left, x_label=_effect_label(other, speaker, root), truth_label=_words(speaker, "event_study.truth"))
    _draw_event_study(right, other, speaker, root)
    right.set_title("", loc="left")
    right.set_ylabel(_words(speaker, "event_study.effect"))
    _legend_below(figure, left, right)
    return _finished(figure, other, speaker, root)


def _cohort_map(evaluation: Evaluation, speaker: Speaker) -> bytes:
    record, language = evaluation.cohort_map, speaker.wording.language
    figure, (axes,) = _canvas(0.9 + 0.36 * (len(record.cohorts) + 1))
    texts = [[_count(n, language) for n in row] for row in (*(c.observed for c in record.cohorts), record.never_observed)]
    treated = [[year >= c.cohort for year in record.years] for c in record.cohorts] + [[False] * len(record.years)]
    names = [format_value(c.cohort, "cohort", language) for c in record.cohorts] + [_words(speaker, "cohorts.never")]
    years = [format_value(year, "year", language) for year in record.years]
    draw_cohort_map(treated, texts, axes=axes, rows=names, columns=years)
    axes.set(xlabel=_words(speaker, "cohorts.year"), ylabel=_words(speaker, "cohorts.cohort"))
    _cohort_legend(axes, speaker)
    return _finished(figure, evaluation, speaker)


def _count(count: Count, language: Language) -> str:
    return DASH if isinstance(count, Unavailable) else format_value(count, "count", language)


def _cohort_legend(axes: Axes, speaker: Speaker) -> None:
    from matplotlib.patches import Patch

    from sme_eval.results.plots import AFTER, BEFORE

    handles = [
        Patch(facecolor=BEFORE, label=_words(speaker, "cohorts.before")),
        Patch(facecolor=AFTER, label=_words(speaker, "cohorts.after")),
    ]
    axes.legend(
        handles=handles, ncols=2, loc="lower left", bbox_to_anchor=(0.0, 1.0), frameon=False, fontsize="small", borderpad=0.2
    )


def _flow(evaluation: Evaluation, speaker: Speaker) -> bytes:
    steps = evaluation.sample_flow
    figure, (axes,) = _canvas(0.3 + 0.72 * len(steps))
    kept, dropped = [], []
    for n, step in enumerate(steps):
        where = pointer("sample_flow", n)
        rule = plain(speaker.runs((Say(f"word.rule.{step.rule}", at=where, otherwise=("flow.other",)),)))
        kept.append(f"{rule}\n{_words(speaker, 'flow.box', at=where)}")
        dropped.append(_words(speaker, "flow.dropped", at=where) if _some(step.dropped_rows) or _some(step.dropped_firms) else "")
    draw_flow(kept, dropped, axes=axes)
    return _finished(figure, evaluation, speaker)


def _some(count: Count) -> bool:
    return isinstance(count, Unavailable) or count > 0
