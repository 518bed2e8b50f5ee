"""What speaks against a result, in plain words: checks that failed, caveats, what was withheld, what was not evaluated."""

from __future__ import annotations

from typing import Final

from sme_eval.briefing.document import Phrase, Piece, Say
from sme_eval.evaluation.record import Evaluation

from .check_cells import check_name
from .checks import reason
from .findings import failed_checks
from .value import valued

MOST_REASONS: Final = 4
"""Checks that failed with their reasons; the names of further ones follow in one sentence."""
OF_A_CHECK: Final = "check_"
"""How the caveat of a failed check begins: such a check is told with its reason."""
FUTURE: Final = "future_shocks"


def failures(evaluation: Evaluation, most: int = MOST_REASONS) -> list[Phrase]:
    """Checks that failed, each with its reason; those beyond `most` by name only."""
    places = failed_checks(evaluation)
    records = {where: evaluation.checks[int(where.rsplit("/", 1)[1])] for where in places}
    said: list[Phrase] = [
        (Say("brief.failed"), *check_name(where, records[where]), Say("brief.failed_end"), *reason(where, records[where]))
        for where in places[:most]
    ]
    rest = places[most:]
    if rest:
        names: list[Piece] = []
        for where in rest:
            names += [Say("frame.enumeration")] if names else []
            names += check_name(where, records[where])
        said.append((Say("brief.failed_more" if most else "brief.failed_names"), *names, Say("brief.end")))
    return said


def caveats(evaluation: Evaluation, most: int | None = None) -> list[Phrase]:
    """The caveats of the claim, or the first so many. Where officials choose always that nothing guards against foreseen growth."""
    keys = [key for key in evaluation.claim.caveats if not key.startswith(OF_A_CHECK)]
    if evaluation.policy.instrument in ("certification", "list") and FUTURE not in keys:
        keys.append(FUTURE)
    # The one that is always told is the last to go.
    keys = sorted(sorted(keys, key=lambda key: key != FUTURE)[:most], key=keys.index)
    return [(Say(f"caveat.{key}", otherwise=("caveat.other",)),) for key in keys]


def not_evaluated(evaluation: Evaluation) -> list[Phrase]:
    """What no briefing of this kind evaluates, and what was withheld."""
    gone: list[Phrase] = [(Say("brief.withheld"),)] if evaluation.withheld else []
    return [*gone, (Say("brief.not_evaluated_but_costs" if valued(evaluation) else "brief.not_evaluated"),)]
