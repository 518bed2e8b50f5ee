"""The cells of a regression table and its numbered notes, in text that every format prints alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from sme_eval.terms import Language

from .estimate import Estimate
from .table_models import Model
from .table_text import DASH, TEXTS, effect_label, stars_for
from .unavailable import Unavailable

Statistic = Literal["std_error", "interval", "p_value"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its text, stars, the numbers of its notes, and whether the text is a number (its minus signs are then set)."""

    text: str = ""
    stars: str = ""
    marks: tuple[int, ...] = ()
    number: bool = False

    @property
    def plain(self) -> str:
        """The cell as plain text, note marks in brackets."""
        return self.text + self.stars + "".join(f" [{mark}]" for mark in self.marks)


@dataclass(frozen=True, slots=True)
class Row:
    """One row: `term` and `key` identify it ("" for rows about the model), `label` is printed, one cell per model."""

    term: str
    key: str
    label: str
    cells: tuple[Cell, ...]


@dataclass(slots=True)
class Notes:
    """Numbers each distinct text once, in the order in which the table needs them."""

    texts: list[str] = field(default_factory=list)

    def mark(self, text: str) -> int:
        """The number of a note."""
        if text not in self.texts:
            self.texts.append(text)
        return self.texts.index(text) + 1

    def dash(self, reason: str) -> Cell:
        """The cell of a number that cannot be given."""
        return Cell(DASH, marks=(self.mark(reason),))


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How numbers are written."""

    statistic: Statistic
    decimals: int
    stars: bool
    language: Language

    def number(self, value: float) -> str:
        """A number with the table's decimals, without a negative zero."""
        if math.isinf(value):
            return "∞" if value > 0 else "-∞"
        text = f"{value:,.{self.decimals}f}"
        return text.lstrip("-") if not any(digit in text for digit in "123456789") else text

    def p_value(self, value: float) -> str:
        """A p-value; one that would round to zero is bounded instead."""
        least = 10.0**-self.decimals
        return f"p < {least:.{self.decimals}f}" if value < least else f"p = {value:.{self.decimals}f}"


def heads(models: Sequence[Model], notes: Notes) -> tuple[Cell, ...]:
    """The names of the models, marked with their convention and their own notes."""
    return tuple(
        Cell(model.name, marks=tuple(notes.mark(text) for text in (model.main.convention, *model.main.notes) if text))
        for model in models
    )


def coefficient_rows(models: Sequence[Model], labels: Mapping[str, str], form: Form, notes: Notes) -> tuple[Row, ...]:
    """Two rows per term; a model without the term leaves them empty."""
    rows: list[Row] = []
    for term, label in labels.items():
        pairs = [_pair(*model.shown[term], form, notes) if term in model.shown else (Cell(), Cell()) for model in models]
        upper, lower = zip(*pairs, strict=True)
        rows += [Row(term, "estimate", label, upper), Row(term, form.statistic, "", lower)]
    return tuple(rows)


def _pair(estimate: Estimate, row_note: str, form: Form, notes: Notes) -> tuple[Cell, Cell]:
    words, value, error = TEXTS[form.language], float(estimate.estimate), float(estimate.std_error)
    if math.isnan(value):
        dash = notes.dash(estimate.estimate.reason if isinstance(estimate.estimate, Unavailable) else words["not_stated"])
        return dash, dash
    reference = row_note == "reference"
    marks = (notes.mark(row_note),) if row_note and not reference else ()
    stars = stars_for(estimate.p_value) if form.stars else ""
    upper = Cell(form.number(value), stars, marks, number=True)
    if math.isnan(error):
        known = estimate.std_error.reason if isinstance(estimate.std_error, Unavailable) else words["no_error"]
        return upper, notes.dash(words["reference"] if reference else known)
    below = {
        "std_error": lambda: f"({form.number(error)})",
        "interval": lambda: f"[{form.number(estimate.conf_low)}, {form.number(estimate.conf_high)}]",
        "p_value": lambda: form.p_value(estimate.p_value),
    }
    return upper, Cell(below[form.statistic](), number=True)


def specification_rows(models: Sequence[Model], form: Form, notes: Notes) -> tuple[Row, ...]:
    """Outcome, effects, clusters, counts and fit, as each result states them; rows that no model has are left out."""
    words = TEXTS[form.language]
    effects = dict.fromkeys(effect for m in models if isinstance(m.main.effects, tuple) for effect in m.main.effects)
    readers: list[tuple[str, str, Callable[[Model], Cell]]] = [
        ("outcome", words["outcome"], lambda m: Cell(m.main.unit) if m.main.unit else notes.dash(words["not_stated"])),
        *((f"effects: {e}", effect_label(e, form.language), _effect_reader(e, form, notes)) for e in effects),
        ("cluster", words["cluster"], lambda m: _clustered(m.main, m.main.cluster, form, notes)),
        ("n_observations", words["n_observations"], lambda m: Cell(f"{m.main.n_observations:,}", number=True)),
        ("n_firms", words["n_firms"], lambda m: Cell(f"{m.main.n_firms:,}", number=True)),
        ("n_clusters", words["n_clusters"], lambda m: _clustered(m.main, f"{m.main.n_clusters:,}", form, notes)),
    ]
    if any(m.main.n_treated is not None for m in models):
        readers.append(("n_treated", words["n_treated"], lambda m: _treated(m.main, form, notes)))
    if any(m.r_squared is not None for m in models):
        readers.append(("r_squared_within", words["r_squared_within"], lambda m: _r_squared(m, form, notes)))
    if any(m.first_stage is not None for m in models):
        readers.append(("effective_f", words["effective_f"], lambda m: _effective_f(m, form, notes)))
    return tuple(Row("", key, label, tuple(read(model) for model in models)) for key, label, read in readers)


def _effect_reader(effect: str, form: Form, notes: Notes) -> Callable[[Model], Cell]:
    words = TEXTS[form.language]

    def read(model: Model) -> Cell:
        effects = model.main.effects
        if not isinstance(effects, tuple):
            return notes.dash(words[effects or "not_stated"])
        return Cell(words["yes"] if effect in effects else words["no"])

    return read


def _clustered(estimate: Estimate, text: str, form: Form, notes: Notes) -> Cell:
    """What holds for clustered errors only; the name and the number of clusters."""
    words = TEXTS[form.language]
    if estimate.covariance in ("robust", "classical"):
        return notes.dash(words[estimate.covariance])
    return Cell(words["firm"] if text == "firm" else text) if text else notes.dash(words["not_stated"])


def _treated(estimate: Estimate, form: Form, notes: Notes) -> Cell:
    if estimate.n_treated is None:
        return notes.dash(TEXTS[form.language]["no_treated_count"])
    return Cell(f"{estimate.n_treated:,}", number=True)


def _r_squared(model: Model, form: Form, notes: Notes) -> Cell:
    words = TEXTS[form.language]
    if model.r_squared is None:
        return notes.dash(words["no_r_squared"])
    return Cell(form.number(model.r_squared), number=True) if math.isfinite(model.r_squared) else notes.dash(words["no_variation"])


def _effective_f(model: Model, form: Form, notes: Notes) -> Cell:
    if model.first_stage is None:
        return notes.dash(TEXTS[form.language]["no_first_stage"])
    value = model.first_stage.effective_f
    return notes.dash(value.reason) if isinstance(value, Unavailable) else Cell(form.number(value), number=True)
