"""What every figure of a page is drawn on: the theme with our typeface, the kind of data in the pixels, one legend below."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from sme_eval.evaluation.record import Evaluation
from sme_eval.results.plots import THEME, TRUTH

from .document import Say, plain
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


@contextmanager
def theme() -> Iterator[None]:
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


def canvas(height: float, columns: int = 1, rows: int = 1, **options: Any) -> tuple[Figure, list[Axes]]:
    """A figure apart from pyplot, so that nothing of it stays behind, and its axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), layout="constrained", dpi=DOTS_PER_INCH)
    return figure, list(figure.subplots(rows, columns, squeeze=False, **options).flat)


def words_of(speaker: Speaker, key: str, root: str = "", at: str = "") -> str:
    """A template in the speaker's language."""
    return plain(speaker.runs((Say(key, root=root, at=at),)))


def finished(figure: Figure, evaluation: Evaluation, speaker: Speaker, root: str = "") -> bytes:
    """PNG bytes with the kind of data on top, and a watermark over everything that is simulated."""
    label = plain(speaker.runs((Say("figure.label", root=root),)))
    simulated = evaluation.data_kind == "simulated"
    return labelled(figure, label, words_of(speaker, "figure.watermark") if simulated else "")


def labelled(figure: Figure, label: str, watermark: str = "") -> bytes:
    """PNG bytes with `label` on top, in the colour of simulations where there is a watermark, and that across the figure."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure.suptitle(label, x=0.99, ha="right", fontsize=8.5, color=TRUTH if watermark else "#52606d")
    if watermark:
        _watermark(figure, watermark)
    _require_figure_glyphs(figure)
    buffer = io.BytesIO()
    # Without the software's name, the same record gives the same bytes under every version of matplotlib that draws alike.
    # `savefig` would draw twice, the first time only to arrange; the canvas arranges as it draws, to the same bytes.
    FigureCanvasAgg(figure).print_png(buffer, metadata={"Software": None})  # type: ignore[no-untyped-call]
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


def legend_below(figure: Figure, *panels: Axes) -> None:
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
