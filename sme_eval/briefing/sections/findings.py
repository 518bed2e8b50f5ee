"""What the short forms say: title, abstract and findings in fixed wording, chosen by the claim and by what the record holds.

A size is named as a finding only where the claim stands behind one, or as a demonstration. Per cent are those of a level.
"""

from __future__ import annotations

from typing import Final

from sme_eval.briefing.document import Phrase, Piece, Say
from sme_eval.briefing.pointers import pointer
from sme_eval.evaluation.record import Evaluation
from sme_eval.results.unavailable import Unavailable

from .bundle import parts_of, state
from .opening import FINDINGS, claim_sentence

MOST_FINDINGS: Final = 5
WITHHELD: Final = "withheld"
TRENDS: Final = {True: "passed", False: "failed", None: "untested"}
DESCRIBING: Final = frozenset({"descriptive_only"})
"""Claims that compare nobody: the sentence says what changed, and nothing is put down to the policy."""


def mode_of(evaluation: Evaluation) -> str:
    """Whether the page shows a method or a result."""
    return "demonstration" if evaluation.claim.demonstration else "observed"


def title(evaluation: Evaluation) -> Phrase:
    """What may be said, in a line."""
    decided = evaluation.claim
    stem = f"title.{mode_of(evaluation)}"
    keys = (f"{stem}.{decided.kind}_{decided.direction}", f"{stem}.{decided.kind}", f"{stem}.any")
    return (Say(keys[0], otherwise=keys[1:]),)


def abstract(evaluation: Evaluation) -> Phrase:
    """The claim, and what it rests on, in at most two hundred characters of Chinese."""
    mode = mode_of(evaluation)
    said = _claim_alone(evaluation) if mode == "demonstration" else claim_sentence(evaluation, "")
    return (*said, Say("frame.space"), Say(f"brief.scope_{mode}"))


def _claim_alone(evaluation: Evaluation) -> Phrase:
    """The verdict of a demonstration without the comparison with the truth, which is a finding of its own."""
    return claim_sentence(evaluation, "")[:1]


def findings(evaluation: Evaluation) -> tuple[Phrase, ...]:
    """Three to five findings, the most important first."""
    found = [effect(evaluation), *_parts(evaluation), trends(evaluation), compared(evaluation), *_power(evaluation)]
    return tuple(found[:MOST_FINDINGS])


def effect(evaluation: Evaluation) -> Phrase:
    """How large the effect is at least and at most, for whom, and beside the truth where that is known."""
    if evaluation.claim.kind in DESCRIBING:
        return claim_sentence(evaluation, "")
    pieces: list[Piece] = [Say(f"brief.{effect_key(evaluation)}")]
    for key in (*_natural(evaluation), *_truth(evaluation)):
        pieces += [Say("frame.space"), Say(f"brief.{key}")]
    return tuple(pieces)


def effect_key(evaluation: Evaluation) -> str:
    """Which sentence gives the size: why there is none, a range, or an interval that is no finding."""
    headline, bracket = evaluation.headline, evaluation.bracket
    if isinstance(headline.estimate, Unavailable):
        return "withheld" if headline.estimate.reason.startswith(WITHHELD) else "unavailable"
    scale = "level" if headline.percent is None else "log"
    if not stands(evaluation):
        return "no_size" if evaluation.claim.kind == "suggestive" else f"open_{scale}"
    if bracket is not None and not isinstance(bracket.hull_low, Unavailable):
        return f"hull_{scale}"
    if evaluation.dose is not None:
        return f"slope_{scale}"
    return f"sum_{scale}" if evaluation.bundle is not None and evaluation.bundle.sums else f"range_{scale}"


def stands(evaluation: Evaluation) -> bool:
    """Whether the claim stands behind a size, or shows one as a demonstration."""
    return evaluation.claim.kind in FINDINGS or evaluation.claim.demonstration


def _natural(evaluation: Evaluation) -> tuple[str, ...]:
    """The effect for a typical firm in its own unit, where the record has it. Never a total."""
    found = evaluation.natural
    if found is None or not stands(evaluation) or isinstance(found.estimate, Unavailable):
        return ()
    hull = found.hull_low is not None and not isinstance(found.hull_low, Unavailable)
    return ("natural_hull" if hull else "natural",)


def _truth(evaluation: Evaluation) -> tuple[str, ...]:
    headline = evaluation.headline
    if not evaluation.claim.demonstration or headline.truth is None or isinstance(headline.estimate, Unavailable):
        return ()
    return ("truth_level" if headline.truth_percent is None else "truth_log",)


def _parts(evaluation: Evaluation) -> list[Phrase]:
    """What only some policies have: parts of a bundle, terms of credit, doses."""
    mode = mode_of(evaluation)
    if evaluation.bundle is not None:
        return [_separated(evaluation)]
    if evaluation.listing is not None:
        credit = evaluation.listing.stages
        told = len(credit) > 1 and not any(isinstance(stage.effect.estimate, Unavailable) for stage in credit[:2])
        return (
            [(Say("brief.credit"), Say("frame.space"), Say("brief.credit_unknown"))] if told else [(Say("brief.credit_unknown"),)]
        )
    if evaluation.dose is not None:
        none = evaluation.dose.attainable_p > evaluation.dose.alpha
        return [(Say("dose.chance_none" if none else f"brief.dose_{mode}"),)]
    return []


def _separated(evaluation: Evaluation) -> Phrase:
    """Which parts of a bundle can be told, by name; the sizes are in the annex."""
    found = evaluation.bundle
    if found is None:
        raise AssertionError("asked only of bundles")
    told = [where for where, part in parts_of(found) if state(part) == "readable"]
    untold = [where for where, part in parts_of(found) if state(part) != "readable"]
    pieces: list[Piece] = []
    for key, places in (("brief.parts_told", told), ("brief.parts_untold", untold)):
        if places:
            pieces += [Say("frame.space")] if pieces else []
            pieces += [Say(key), *_listed(places), Say("brief.end")]
    return tuple(pieces)


def _listed(places: list[str]) -> list[Piece]:
    pieces: list[Piece] = []
    for where in places:
        pieces += [Say("frame.enumeration")] if pieces else []
        pieces.append(Say("bundle.part", at=where))
    return pieces


def trends(evaluation: Evaluation) -> Phrase:
    """Whether both groups moved alike before the policy, in plain words."""
    verdict = next((check.passed for check in evaluation.checks if check.name == "trends"), None)
    return (Say(f"brief.trends_{TRENDS[verdict]}"),)


def compared(evaluation: Evaluation) -> Phrase:
    """Who was compared with whom, and how many."""
    counted = isinstance(evaluation.headline.n_treated, int)
    return (Say("brief.compared" if counted else "brief.compared_uncounted"),)


def _power(evaluation: Evaluation) -> list[Phrase]:
    """Whether the sample could have found what matters."""
    row = evaluation.power[0] if evaluation.power else None
    if row is None or row.smallest_effect is None or isinstance(row.power_at_smallest, Unavailable):
        return []
    return [(Say("brief.power_level" if row.smallest_percent is None else "brief.power_log"),)]


def failed_checks(evaluation: Evaluation) -> list[str]:
    """Pointers of the checks that failed."""
    return [pointer("checks", n) for n, check in enumerate(evaluation.checks) if check.passed is False]
