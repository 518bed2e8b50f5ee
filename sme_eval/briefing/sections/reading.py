"""How to read the claim: the strength of the design, the effect for a typical firm, checks that failed without deciding."""

from __future__ import annotations

from sme_eval.briefing.document import Paragraph, Phrase, Say
from sme_eval.briefing.pointers import pointer
from sme_eval.evaluation.record import Evaluation
from sme_eval.results.unavailable import Unavailable

from .common import Blocks

FAILED = "check_"
"""How the caveat of a failed check begins; its name follows."""


def evidence_level(evaluation: Evaluation) -> Blocks:
    """One paragraph: the level on the scale and why it is not higher."""
    found = evaluation.evidence_level
    if found is None:
        return []
    return [Paragraph((Say("evidence_level.lead"), Say(f"evidence_level.{found.reason}")), role="note")]


def natural_keys(evaluation: Evaluation, *, stands: bool) -> tuple[str, ...]:
    """The fact in natural units, where the claim stands behind a size."""
    natural = evaluation.natural
    if natural is None or not stands or isinstance(natural.estimate, Unavailable):
        return ()
    return ("natural" if natural.hull_low is None or isinstance(natural.hull_low, Unavailable) else "natural_hull",)


def caveat(evaluation: Evaluation, key: str) -> Phrase:
    """A caveat in words; that of a failed check names the check."""
    name = key.removeprefix(FAILED)
    places = [n for n, check in enumerate(evaluation.checks) if check.name == name]
    if not key.startswith(FAILED) or not places:
        return (Say(f"caveat.{key}", otherwise=("caveat.other",)),)
    return (
        Say(f"caveat.{key}", otherwise=("caveat.other_check",)),
        Say("caveat.check_open"),
        Say(f"check.{name}", at=pointer("checks", places[0]), otherwise=("check.other",)),
        Say("caveat.check_close"),
    )
