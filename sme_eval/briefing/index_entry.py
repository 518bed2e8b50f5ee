"""One report as the index tells it: what it is about, what it found, on which data, and where its files lie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import quote

from sme_eval.evaluation.plain import to_plain
from sme_eval.evaluation.record import Audience, ClaimKind, Evaluation
from sme_eval.evaluation.record_base import Bilingual
from sme_eval.results.unavailable import Unavailable
from sme_eval.terms import LANGUAGES, DataKind, Language

from .document import FORMS, Form, Say, file_stem, plain
from .speaker import Speaker
from .wording import Wording, load_wording

Ending = Literal["html", "pdf", "docx"]
ENDINGS: Final[tuple[Ending, ...]] = ("html", "pdf", "docx")
ReportFile = tuple[Language, Form, Ending]
EVERY_FILE: Final[tuple[ReportFile, ...]] = tuple(
    (language, form, ending) for language in LANGUAGES for form in FORMS for ending in ENDINGS
)
STRENGTH: Final[tuple[ClaimKind, ...]] = (
    "consistent",
    "suggestive",
    "no_effect_above",
    "cannot_tell_trends",
    "cannot_tell_power",
    "cannot_tell_clusters",
    "descriptive_only",
    "not_estimated",
)
"""Claims from the one that says most to the one that says least: the order of the column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexEntry:
    """One report. Printed texts are in both languages; what is sorted by its size is kept as a number beside its text."""

    slug: str
    audience: Audience
    data_kind: DataKind
    policy_name: str
    policy: Bilingual
    outcome_name: str
    outcome: Bilingual
    claim_kind: ClaimKind
    claim: Bilingual
    kind: Bilingual
    level: int | None
    level_text: Bilingual
    estimate: float | None
    estimate_unit: str
    estimate_text: Bilingual
    interval: Bilingual
    n_firms: int
    firms: Bilingual
    observations: Bilingual
    source: Bilingual
    scenario: Bilingual
    parameters: str
    files: tuple[ReportFile, ...] = EVERY_FILE
    notebook: str = ""

    @classmethod
    def of(cls, evaluation: Evaluation) -> IndexEntry:
        """The entry of an evaluation, with every file that it could have."""
        headline, claim, level = evaluation.headline, evaluation.claim, evaluation.evidence_level
        percent = headline.percent
        shown = headline.estimate if percent is None else percent.estimate
        missing = isinstance(shown, Unavailable)
        scale = "log" if percent is not None else "level"
        said = _told(evaluation)
        given = evaluation.provenance.data_parameters
        return cls(
            slug=evaluation.slug,
            audience=evaluation.audience,
            data_kind=evaluation.data_kind,
            policy_name=evaluation.policy.name,
            policy=evaluation.policy.label,
            outcome_name=evaluation.outcome.name,
            outcome=evaluation.outcome.label,
            claim_kind=claim.kind,
            claim=_both(lambda wording: _claim(evaluation, wording)),
            kind=_both(lambda wording: wording.plain(f"word.claim_kind.{claim.kind}")),
            level=None if level is None else level.level,
            level_text=Bilingual(zh="", en="") if level is None else said("level_text"),
            estimate=None if isinstance(shown, Unavailable) else float(shown),
            estimate_unit="percent" if percent is not None else evaluation.outcome.unit.en,
            estimate_text=said(f"estimate_{scale}"),
            interval=Bilingual(zh="", en="") if missing else said(f"interval_{scale}"),
            n_firms=headline.n_firms,
            firms=said("firms_text"),
            observations=said("observations"),
            source=_both(lambda wording: _source(evaluation, wording)),
            scenario=_both(lambda wording: _first(wording, f"word.scenario_heading.{given.get('scenario')}")),
            parameters=", ".join(f"{name} = {value}" for name, value in given.items()),
        )

    @property
    def rank(self) -> int:
        """Place of the claim among the kinds of claims, from the one that says most."""
        return STRENGTH.index(self.claim_kind)

    def link(self, language: Language, ending: str, form: Form = "full") -> str:
        """Where one of its files lies below the folder of reports."""
        return f"{self.audience}/{self.slug}/{file_stem(self.slug, language, form)}.{ending}"

    def shelf(self, language: Language) -> list[tuple[Form, list[tuple[Ending, str]]]]:
        """The forms that are there in this language: each with the endings of its files and their addresses."""
        there = set(self.files)
        return [
            (form, found)
            for form in FORMS
            if (found := [(end, address(self.link(language, end, form))) for end in ENDINGS if (language, form, end) in there])
        ]


def address(path: str) -> str:
    """A path as an address: a name may hold characters that mean something there."""
    return quote(path)


def _both(speak: Callable[[Wording], str]) -> Bilingual:
    return Bilingual(zh=speak(load_wording("zh")), en=speak(load_wording("en")))


def _first(wording: Wording, *keys: str) -> str:
    """The first of these texts that there is; empty if there is none."""
    return next((wording.plain(key) for key in keys if wording.has(key)), "")


def _claim(evaluation: Evaluation, wording: Wording) -> str:
    claim = evaluation.claim
    prefix = wording.plain("claim_short.demonstration") if claim.demonstration else ""
    return prefix + _first(wording, f"claim_short.{claim.kind}_{claim.direction}", f"claim_short.{claim.kind}")


def _source(evaluation: Evaluation, wording: Wording) -> str:
    source = evaluation.provenance.source
    return _first(wording, f"index.source.{source}", f"word.data_source.{source}") or source


def _told(evaluation: Evaluation) -> Callable[[str], Bilingual]:
    """Speaks the index's own templates about the few parts of a record that they refer to."""
    parts = ("headline", "outcome", "evidence_level")
    record = {name: to_plain(getattr(evaluation, name)) for name in parts}

    def told(name: str) -> Bilingual:
        return _both(lambda wording: plain(Speaker(record, wording).runs((Say(f"index.{name}"),))))

    return told
