"""What a page is made of. The same blocks hold either phrases (no language yet) or runs (one language, ready to print)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Generic, Literal, TypeAlias, TypeVar, get_args

from sme_eval.terms import DataKind, Language

Form: TypeAlias = Literal["full", "bureau", "international"]
"""The whole technical page, the briefing of a bureau, the two pages for readers elsewhere."""
FORMS: Final[tuple[Form, ...]] = get_args(Form)
Format: TypeAlias = Literal["html", "pdf", "docx"]
"""Kinds of files of a briefing."""
EVERY_FORMAT: Final[tuple[Format, ...]] = get_args(Format)
FORMATS: Final[tuple[Format, ...]] = ("html", "pdf")
"""The files made unless others are asked for."""

# --- phrases: what is to be said, in no language ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Say:
    """A template of the wording by its key, or by the first key of `otherwise` that exists.

    Its paths lead from `root` (the record or a companion), those with a leading dot from `at`; both are JSON pointers.
    """

    key: str
    at: str = ""
    root: str = ""
    otherwise: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Value:
    """One value of the record, by JSON pointer, and the format that prints it."""

    pointer: str
    format: str


@dataclass(frozen=True, slots=True)
class Own:
    """A template that the record itself holds in both languages (the policy's texts)."""

    pointer: str
    root: str = ""


@dataclass(frozen=True, slots=True)
class Name:
    """A name that the record uses as a key (a library, a parameter), printed as it stands."""

    text: str


Piece: TypeAlias = Say | Value | Own | Name
Phrase: TypeAlias = tuple[Piece, ...]

# --- runs: what is printed, in one language --------------------------------------------------------------------------

Missing = Literal["", "withheld", "unavailable", "not_applicable"]


@dataclass(frozen=True, slots=True)
class Text:
    """Words of a template."""

    text: str


@dataclass(frozen=True, slots=True)
class Reference:
    """A printed value: its text, and where in the record it comes from. `missing` says why it is a dash."""

    text: str
    pointer: str
    format: str
    value: str
    missing: Missing = ""
    title: str = ""


Run: TypeAlias = Text | Reference
Runs: TypeAlias = tuple[Run, ...]

# --- blocks ----------------------------------------------------------------------------------------------------------

C = TypeVar("C")
"""The content of a block: `Phrase` or `Runs`."""


@dataclass(frozen=True, slots=True)
class Heading(Generic[C]):
    """A heading of a section; `anchor` is its id in HTML. Chinese pages number those of level 2 that are `numbered`."""

    content: C
    level: int = 2
    anchor: str = ""
    numbered: bool = True


@dataclass(frozen=True, slots=True)
class Paragraph(Generic[C]):
    """A paragraph; `role` decides how it looks."""

    content: C
    role: Literal["body", "note", "claim", "label", "question"] = "body"


@dataclass(frozen=True, slots=True)
class Items(Generic[C]):
    """A list, with numbers where it is ordered."""

    items: tuple[C, ...]
    ordered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table(Generic[C]):
    """A table whose first column names its rows. An annexed table is folded in HTML and stands at the end of the PDF."""

    caption: C
    columns: tuple[C, ...]
    rows: tuple[tuple[C, ...], ...]
    notes: tuple[C, ...] = ()
    layout: Literal["numbers", "words"] = "numbers"
    annex: C | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure(Generic[C]):
    """A drawing by its name; `alternative` describes it to those who do not see it."""

    name: str
    caption: C
    alternative: C


@dataclass(frozen=True, slots=True, kw_only=True)
class Callout(Generic[C]):
    """A box: the warning that data are simulated, the claim, or the method in a few lines."""

    role: Literal["simulated", "claim", "method"]
    title: C
    blocks: tuple[Block[C], ...]


Block: TypeAlias = Heading[C] | Paragraph[C] | Items[C] | Table[C] | Figure[C] | Callout[C]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One page in one language. `labels` are the words of the frame around the blocks (skip link, footer, …)."""

    language: Language
    slug: str
    data_kind: DataKind
    title: Runs
    blocks: tuple[Block[Runs], ...]
    labels: Mapping[str, str]
    form: Form = "full"


def file_stem(slug: str, language: Language, form: Form) -> str:
    """Name of a form's files without their ending; that of the full page names no form."""
    return f"{slug}.{language}" if form == "full" else f"{slug}.{language}.{form}"


def plain(runs: Runs) -> str:
    """Runs as a plain string."""
    return "".join(run.text for run in runs)
