"""The record of the page on the published reply."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sme_eval.evaluation.provenance import provenance
from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.policies.facts import load_facts
from sme_eval.policies.implied import implied_figures
from sme_eval.policies.instruments import RefusedInstrument
from sme_eval.policies.policy import load_instruments
from sme_eval.terms import Language

from .letter_traps import spring_all
from .page_record import PageRecord
from .records import write_below

if TYPE_CHECKING:
    from sme_eval.results.list_growth import ListGrowth

NAME: Final = "letter"


def write_letter(panel: FirmPanel, growth: ListGrowth, language: Language = "zh", reports: str = "reports") -> str:
    """Write what the page says to `<reports>/internal/letter/page.json` (`letter-en` in English) and name the file.

    `sme-eval run letter` makes the page itself beside it. Nothing of it is released: a notebook has not passed the gate.
    """
    record = PageRecord(name=NAME, language=language, data_kind=panel.data_kind, provenance=provenance(panel), says=_says(growth))
    return write_below(reports, record.write)


def _says(growth: ListGrowth) -> dict[str, Any]:
    facts = load_facts()
    verdicts = {
        name: one.refusal.kind if isinstance(one, RefusedInstrument) else "evaluable" for name, one in load_instruments().items()
    }
    return {
        "facts": {name: [fact.value, fact.unit] for name, fact in facts.items()},
        "implied": {name: [figure.value, figure.unit, figure.standing] for name, figure in implied_figures().items()},
        "traps": {one.trap.id: one.happened for one in spring_all(facts)},
        "instruments": verdicts,
        "growth": {"current_list": growth.current_list, "points": dict(growth.points), "parts": dict(growth.parts)},
    }
