"""The whole page: the sections in their order, first without a language, then spoken in one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from sme_eval.evaluation.record import Evaluation
from sme_eval.terms import Language

from .document import (
    FORMS,
    Block,
    Callout,
    Document,
    Figure,
    Form,
    Heading,
    Items,
    Paragraph,
    Phrase,
    Reference,
    Runs,
    Say,
    Table,
    Text,
)
from .sections import (
    bracket,
    bundle,
    bureau,
    checks,
    closing,
    comparisons,
    curve,
    design,
    dose,
    evidence,
    findings,
    international,
    listing,
    opening,
    power,
    reading,
    sample,
    value,
)
from .sections.common import Blocks
from .speaker import Speaker
from .wording import load_wording

SECTIONS: Final = (
    opening.header,
    power.power,
    opening.claim,
    reading.evidence_level,
    opening.background,
    design.compared,
    design.estimands,
    dose.dose,
    bundle.bundle,
    evidence.event_study,
    bracket.bracket,
    listing.listing,
    evidence.estimates,
    evidence.forest,
    curve.curve,
    design.codings,
    comparisons.published,
    comparisons.companions,
    dose.dose_companions,
    comparisons.repetitions,
    value.value,
    sample.cohorts,
    sample.flow,
    checks.threats,
    checks.checks,
    closing.limits,
    closing.withheld,
    closing.sources,
    closing.reproduce,
)
"""The order of the full page."""
SHORT: Final[Mapping[Form, Callable[[Evaluation], Blocks]]] = {
    "bureau": bureau.bureau,
    "international": international.international,
}
"""The short forms, each a page of its own."""

FRAME_LABELS: Final = (
    "skip",
    "table",
    "other_language",
    "other_language_code",
    "navigation",
    "running",
    "footer",
    "index",
    "pdf",
    "docx",
    "annex",
    "annex_lead",
    *(f"form_{form}" for form in FORMS),
)


def page_blocks(evaluation: Evaluation, form: Form = "full") -> Blocks:
    """The page in no language."""
    if form in SHORT:
        return SHORT[form](evaluation)
    return [block for section in SECTIONS for block in section(evaluation)]


def compose(evaluation: Evaluation, language: Language, form: Form = "full") -> Document:
    """The page of an evaluation that was read back from its text, in one language."""
    return Composer(speaker_of(evaluation, language)).document(evaluation, form)


def speaker_of(evaluation: Evaluation, language: Language) -> Speaker:
    """A speaker about the record's plain form, so that pointers resolve into exactly what is stored."""
    plain: dict[str, Any] = json.loads(evaluation.to_json())
    return Speaker(plain, load_wording(language))


class Composer:
    """Speaks blocks of phrases as blocks of runs."""

    def __init__(self, speaker: Speaker) -> None:
        self.speaker = speaker
        self._ordinals = iter(speaker.wording.plain("frame.ordinals").split())

    def document(self, evaluation: Evaluation, form: Form = "full") -> Document:
        """The document of the whole page."""
        wording = self.speaker.wording
        labels = {name: wording.plain(f"frame.{name}") for name in FRAME_LABELS}
        if form != "full":
            labels |= {name: wording.plain(f"{form}.{name}") for name in ("running", "footer")}
        labels |= {f"caption_{name}": wording.plain(f"docx.{name}") for name in ("table", "figure", "end")}
        subject = self.speaker.runs((Say("header.subject"),))
        return Document(
            language=wording.language,
            slug=evaluation.slug,
            data_kind=evaluation.data_kind,
            title=self.speaker.runs((opening.title if form == "full" else findings.title)(evaluation)),
            blocks=tuple(self.block(block) for block in page_blocks(evaluation, form)),
            labels={**labels, "subject": "".join(run.text for run in subject)},
            form=form,
        )

    def block(self, block: Block[Phrase]) -> Block[Runs]:
        """One block in this language."""
        speak = self.speaker.runs
        match block:
            case Heading():
                content = self._numbered(speak(block.content), block.level) if block.numbered else speak(block.content)
                return Heading(content, block.level, block.anchor, block.numbered)
            case Paragraph():
                return Paragraph(speak(block.content), block.role)
            case Items():
                return Items(tuple(speak(item) for item in block.items), block.ordered)
            case Figure():
                return Figure(name=block.name, caption=speak(block.caption), alternative=speak(block.alternative))
            case Callout():
                inner = tuple(self.block(one) for one in block.blocks)
                return Callout(role=block.role, title=speak(block.title), blocks=inner)
            case Table():
                return self._table(block)

    def _numbered(self, content: Runs, level: int) -> Runs:
        """Chinese reports number their sections in words; English ones here are not numbered."""
        ordinal = next(self._ordinals, "") if level == 2 else ""
        return (Text(ordinal), *content) if ordinal else content

    def _table(self, table: Table[Phrase]) -> Table[Runs]:
        speak = self.speaker.runs
        rows = tuple(tuple(speak(cell) for cell in row) for row in table.rows)
        spoken = Table(
            caption=speak(table.caption),
            columns=tuple(speak(column) for column in table.columns),
            rows=rows,
            notes=tuple(speak(note) for note in table.notes),
            layout=table.layout,
            annex=None if table.annex is None else speak(table.annex),
        )
        return replace(spoken, notes=(*spoken.notes, *self._missing_notes(run for row in rows for cell in row for run in cell)))

    def _missing_notes(self, runs: Iterable[Any]) -> tuple[Runs, ...]:
        """One note for each different reason why a cell holds a dash."""
        notes: dict[str, Runs] = {}
        for run in runs:
            if isinstance(run, Reference) and run.missing:
                note = self.speaker.runs((Say(f"missing.note.{run.missing}", at=run.pointer),))
                notes.setdefault("".join(part.text for part in note), note)
        return tuple(notes.values())
