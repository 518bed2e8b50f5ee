"""`reports/index.html`: every briefing and every notebook page, in both languages on one page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sme_eval.evaluation.record import Audience, Evaluation
from sme_eval.evaluation.record_base import Bilingual
from sme_eval.terms import LANGUAGES, DataKind, Language

from .document import FORMS, Form, file_stem
from .html_writer import HTML_LANGUAGES, environment, stylesheet, with_web_font
from .wording import load_wording

AUDIENCES: Final[tuple[Audience, ...]] = ("release", "internal")


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexEntry:
    """One briefing: where it lies and what it says, in a few words per language."""

    slug: str
    audience: Audience
    data_kind: DataKind
    policy: Bilingual
    outcome: Bilingual
    claim: Bilingual
    forms: tuple[Form, ...] = FORMS

    @classmethod
    def of(cls, evaluation: Evaluation) -> IndexEntry:
        """The entry of an evaluation."""
        claim = evaluation.claim
        words = {}
        for language in LANGUAGES:
            wording = load_wording(language)
            keys = (f"claim_short.{claim.kind}_{claim.direction}", f"claim_short.{claim.kind}")
            prefix = wording.plain("claim_short.demonstration") if claim.demonstration else ""
            words[language] = prefix + wording.plain(next(key for key in keys if wording.has(key)))
        return cls(
            slug=evaluation.slug,
            audience=evaluation.audience,
            data_kind=evaluation.data_kind,
            policy=evaluation.policy.label,
            outcome=evaluation.outcome.label,
            claim=Bilingual(zh=words["zh"], en=words["en"]),
        )

    def link(self, language: Language, ending: str, form: Form = "full") -> str:
        """Address of one of its files, seen from the folder of reports."""
        return f"{self.audience}/{self.slug}/{file_stem(self.slug, language, form)}.{ending}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppendixEntry:
    """One notebook page: its title and its address seen from the folder of reports."""

    title: Bilingual
    link: str


def render_index(entries: Sequence[IndexEntry], appendices: Sequence[AppendixEntry] = ()) -> str:
    """The page: first Chinese, then English; what was released first, then what is internal."""
    parts = [_part(language, entries) for language in LANGUAGES]
    page = environment().get_template("index.html")
    html = page.render(parts=parts, appendices=appendices, style=stylesheet(), languages=HTML_LANGUAGES)
    return with_web_font(html.strip() + "\n")


def _part(language: Language, entries: Sequence[IndexEntry]) -> Mapping[str, object]:
    wording = load_wording(language)
    words = {key.removeprefix("index."): text for key, text in wording.templates.items() if key.startswith("index.")}
    return {
        "language": language,
        "lang": HTML_LANGUAGES[language],
        "words": words,
        "forms": {form: wording.plain(f"frame.form_{form}") for form in FORMS},
        "kinds": {kind: wording.plain(f"word.data_kind.{kind}") for kind in ("observed", "simulated")},
        "groups": [(audience, [entry for entry in entries if entry.audience == audience]) for audience in AUDIENCES],
    }
