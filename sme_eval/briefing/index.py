"""`reports/index.html`: every report and every notebook page, in both languages, to be searched, filtered and sorted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sme_eval.evaluation.record import Audience
from sme_eval.evaluation.record_base import Bilingual
from sme_eval.terms import LANGUAGES, Language

from .document import FORMS
from .html_writer import HTML_LANGUAGES, OTHER, environment, stylesheet, template_text, with_web_font
from .index_entry import STRENGTH, IndexEntry, address
from .numbers import DASH, format_value
from .wording import Placeholder, Wording, load_wording, parse

AUDIENCES: Final[tuple[Audience, ...]] = ("release", "internal")


@dataclass(frozen=True, slots=True, kw_only=True)
class AppendixEntry:
    """One notebook page: its title and its address seen from the folder of reports."""

    title: Bilingual
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What failed in the last run: the report, the cell, the cause in plain words, and the command that runs it again."""

    name: str
    command: str
    cell: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    """One filter: its name in the page's address, the key of an entry's value, that value's label, and the order of its options."""

    name: str
    value: Callable[[IndexEntry], str]
    label: Callable[[IndexEntry, Wording], str]
    order: tuple[str, ...] = ()


FACETS: Final = (
    Facet(name="policy", value=lambda e: e.policy_name, label=lambda e, w: _in(e.policy, w)),
    Facet(name="outcome", value=lambda e: e.outcome_name, label=lambda e, w: _in(e.outcome, w)),
    Facet(name="kind", value=lambda e: e.claim_kind, label=lambda e, w: _in(e.kind, w), order=STRENGTH),
    Facet(
        name="data",
        value=lambda e: e.data_kind,
        label=lambda e, w: w.plain(f"index.kind_{e.data_kind}"),
        order=("observed", "simulated"),
    ),
    Facet(name="audience", value=lambda e: e.audience, label=lambda e, w: w.plain(f"index.{e.audience}"), order=AUDIENCES),
)


def render_index(entries: Sequence[IndexEntry], appendices: Sequence[AppendixEntry] = (), failures: Sequence[Failure] = ()) -> str:
    """The page: first Chinese, then English, of which a script shows one; what was released first, then what is internal."""
    from markupsafe import Markup

    shown = sorted(entries, key=lambda entry: AUDIENCES.index(entry.audience))
    page = environment().get_template("index.html")
    html = page.render(
        parts=[_part(language, shown) for language in LANGUAGES],
        entries=shown,
        appendices=appendices,
        failures=failures,
        style=stylesheet() + Markup(template_text("index.css")),
        script=Markup(template_text("index.js")),
        languages=HTML_LANGUAGES,
        address=address,
        dash=DASH,
    )
    return with_web_font(html.strip() + "\n")


def _part(language: Language, entries: Sequence[IndexEntry]) -> Mapping[str, object]:
    wording = load_wording(language)
    words = {key.removeprefix("index."): text for key, text in wording.templates.items() if key.startswith("index.")}
    total = len(entries)
    return {
        "language": language,
        "lang": HTML_LANGUAGES[language],
        "other": OTHER[language],
        "words": words,
        "forms": {form: wording.plain(f"frame.form_{form}") for form in FORMS},
        "facets": [(facet.name, _options(facet, entries, wording)) for facet in FACETS],
        "values": {facet.name: facet.value for facet in FACETS},
        "count": _filled(words["count"], {"shown": total, "total": total}, language),
        "number": lambda value: format_value(value, "count", language),
    }


def _options(facet: Facet, entries: Sequence[IndexEntry], wording: Wording) -> list[tuple[str, str, int]]:
    """(value, label, how many) of each option; in the facet's own order, or by label."""
    counts = Counter(facet.value(entry) for entry in entries)
    labels: dict[str, str] = {}
    for entry in entries:
        labels.setdefault(facet.value(entry), facet.label(entry, wording))
    return sorted(
        ((value, labels[value], counts[value]) for value in labels),
        key=lambda option: (facet.order.index(option[0]) if facet.order else 0, option[1]),
    )


def _filled(template: str, values: Mapping[str, Any], language: Language) -> str:
    parts = parse(template)
    return "".join(
        format_value(values[part.path], part.format, language) if isinstance(part, Placeholder) else part for part in parts
    )


def _in(text: Bilingual, wording: Wording) -> str:
    return text.zh if wording.language == "zh" else text.en
