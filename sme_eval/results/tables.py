"""Several results side by side in one regression table."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from sme_eval.errors import DesignError, Problem, suggestion
from sme_eval.terms import DataKind, Language

from . import table_writers
from .table_cells import Cell, Form, Notes, Row, Statistic, coefficient_rows, heads, specification_rows
from .table_models import Model, Result, Terms, form_problems, read_models
from .table_text import TEXTS, caption_text, star_legend
from .text import Printable

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".html", ".tex", ".typ", ".docx", ".csv")


@dataclass(frozen=True, kw_only=True)
class RegressionTable(Printable):
    """A table of models, made by `regression_table`; every format prints the same cells.

    `coefficients` hold two rows per term, `specification` what each model states of itself. `notes` are numbered from 1 and the
    cells' `marks` point to them; `remarks` stand below them without a number.
    """

    caption: str
    heads: tuple[Cell, ...]
    coefficients: tuple[Row, ...]
    specification: tuple[Row, ...]
    notes: tuple[str, ...]
    remarks: tuple[str, ...]
    language: Language = "en"

    @property
    def blocks(self) -> tuple[tuple[Row, ...], ...]:
        """The parts of the table that a rule separates."""
        return tuple(block for block in (self.coefficients, self.specification) if block)

    def to_frame(self) -> pd.DataFrame:
        """Texts of the cells, one column per model, indexed by term and row; caption, notes and remarks are in `attrs`."""
        import pandas as pd

        rows = [row for block in self.blocks for row in block]
        index = pd.MultiIndex.from_tuples([(row.term, row.key) for row in rows], names=["term", "row"])
        cells = [[cell.plain for cell in row.cells] for row in rows]
        frame = pd.DataFrame(cells, index=index, columns=[head.text for head in self.heads])
        frame.attrs |= {"caption": self.caption, "notes": self.notes, "remarks": self.remarks}
        return frame

    def to_html(self) -> str:
        """A `<div>` with the table and its notes, to put into a page."""
        return table_writers.html_text(self)

    def to_latex(self) -> str:
        r"""A `table` with a booktabs `tabular`; needs `\usepackage{booktabs}`, and XeLaTeX with ctex for Chinese."""
        return table_writers.latex_text(self)

    def to_typst(self) -> str:
        """A Typst figure with the table, and its notes below."""
        return table_writers.typst_text(self)

    def to_docx(self, path: Path | str) -> Path:
        """A Word document with a real table, its caption above and its notes below."""
        from .word_table import write_word

        return write_word(self, Path(path))

    def write(self, path: Path | str) -> Path:
        """Write the format that the suffix of `path` names: .html, .tex, .typ, .docx or .csv; DesignError for another."""
        target = Path(path)
        suffix = target.suffix.lower()
        if suffix not in SUFFIXES:
            what = f"A table cannot be written as {suffix!r}." if suffix else "The file has no suffix to choose a format by."
            raise DesignError(Problem(what=what, where=target.name, remedy=suggestion(suffix, SUFFIXES)))
        if suffix == ".docx":
            return self.to_docx(target)
        if suffix == ".csv":
            return self._write_csv(target)
        texts = {".html": table_writers.html_page, ".tex": table_writers.latex_text, ".typ": table_writers.typst_text}
        target.write_text(texts[suffix](self), encoding="utf-8")
        return target

    def _write_csv(self, target: Path) -> Path:
        """The printed table; its caption is the first cell, so that simulated numbers are named as such here too."""
        lines = [[self.caption, *(head.plain for head in self.heads)]]
        lines += [[row.label, *(cell.plain for cell in row.cells)] for block in self.blocks for row in block]
        lines += [[text, *("" for _ in self.heads)] for text in table_writers.numbered(self)]
        with target.open("w", encoding="utf-8-sig", newline="") as file:  # the mark lets Excel read Chinese
            csv.writer(file).writerows(lines)
        return target

    def summary(self) -> str:
        """The table as aligned text, then its notes."""
        return table_writers.plain_text(self)

    def _repr_html_(self) -> str:
        return self.to_html()


def regression_table(  # noqa: PLR0913  one argument per choice of form
    results: Sequence[Result],
    names: Sequence[str] | None = None,
    *,
    stars: bool = False,
    terms: Terms | None = None,
    decimals: int = 4,
    statistic: Statistic = "std_error",
    notes: Sequence[str] = (),
    data_kind: DataKind | None = None,
    caption: str | None = None,
    language: Language = "en",
) -> RegressionTable:
    """Put results side by side: per term the estimate and what tells its precision, then each model's own specification.

    Nothing is estimated here: numbers, effects, clusters and counts are those of the results, each in the units of its outcome, and
    each with the estimand of its own estimator; columns need not agree where effects differ between firms. A number that a result
    cannot give is a dash with a numbered note; a term that a model does not have is an empty cell.

    Parameters
    ----------
    results
        What `fit` or `aggregate` returns. A regression shows every coefficient, the others their overall effect.
    names
        Heads of the columns; (1), (2), … without.
    stars
        Whether estimates get stars by p-value (*** below 0.01, ** below 0.05, * below 0.1), with the legend.
    terms
        Terms to keep, in this order; a mapping also gives their printed names. Rows such as "event time 0" may be asked for.
    decimals
        Digits after the point.
    statistic
        Below each estimate: "std_error" in parentheses, "interval" in brackets (at the results' own level), or "p_value".
    notes
        Sentences to print below the table.
    data_kind
        "simulated" says so in the caption.
    caption
        Title of the table.
    language
        Of row names and remarks; what the results say themselves is in English.

    Raises
    ------
    DesignError
        No results, names that do not fit, unknown terms or choices: all of them at once.

    Examples
    --------
    >>> import sme_eval as sme
    >>> panel = sme.open_source("jobtraining")
    >>> sample = sme.Sample.from_frame(panel.frame, firm="firm", year="year", outcome="log_scrap", columns=("grant", "grant_1"))
    >>> fits = [sme.PanelRegression(regressors=r).fit(sample) for r in (("grant",), ("grant", "grant_1"))]
    >>> table = sme.regression_table(fits, names=["without lag", "with lag"])
    >>> table.to_frame().loc[("grant", "estimate")].tolist()
    ['-0.0822', '-0.2523']
    """
    models = read_models(results, names, terms, [*form_problems(data_kind, language), *_form_problems(decimals, statistic)])
    form, register = Form(statistic=statistic, decimals=decimals, stars=stars, language=language), Notes()
    return RegressionTable(
        caption=caption_text(caption, data_kind == "simulated", language),
        heads=heads(models, register),
        coefficients=coefficient_rows(models, _labels(models, terms), form, register),
        specification=specification_rows(models, form, register),
        notes=tuple(register.texts),
        remarks=(_below(models, form), *((star_legend(language),) if stars else ()), *notes),
        language=language,
    )


def _form_problems(decimals: object, statistic: object) -> list[Problem]:
    problems = []
    if not isinstance(decimals, int) or isinstance(decimals, bool) or not 0 <= decimals <= 15:
        problems.append(Problem(what=f"decimals={decimals!r} is not a number of digits.", remedy="a whole number, 0 to 15"))
    if statistic not in get_args(Statistic):
        problems.append(
            Problem(what=f"statistic={statistic!r} is not a choice.", remedy=suggestion(statistic, get_args(Statistic)))
        )
    return problems


def _labels(models: Sequence[Model], terms: Terms | None) -> dict[str, str]:
    """Term → printed name, in the order of the table."""
    if isinstance(terms, Mapping):
        return dict(terms)
    order = terms if terms is not None else [term for model in models for term in model.shown]
    return {term: term for term in order}


def _below(models: Sequence[Model], form: Form) -> str:
    """What stands below the estimates."""
    levels = dict.fromkeys(f"{model.main.level:.4g}" for model in models)
    words = TEXTS[form.language][form.statistic]
    return words.format(levels=", ".join(f"{100 * float(level):g}%" for level in levels))
