"""Pieces that several sections share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sme_eval.briefing.document import Block, Phrase, Piece, Say, Value
from sme_eval.briefing.pointers import pointer
from sme_eval.evaluation.record import Evaluation, RepetitionRecord
from sme_eval.evaluation.record_base import EffectRecord, EstimatorRecord, Number
from sme_eval.results.unavailable import Unavailable

Blocks = list[Block[Phrase]]
Pointed = tuple[str, EffectRecord]
"""An effect and its pointer."""


def effects_of(evaluation: Evaluation, root: str) -> list[Pointed]:
    """The headline and the alternatives."""
    listed = [(root + pointer("alternatives", n), effect) for n, effect in enumerate(evaluation.alternatives)]
    return [(root + pointer("headline"), evaluation.headline), *listed]


def mechanisms_of(evaluation: Evaluation, root: str) -> list[Pointed]:
    """Estimates for other outcomes."""
    return [(root + pointer("mechanisms", n), effect) for n, effect in enumerate(evaluation.mechanisms)]


def outcome_pointer(evaluation: Evaluation, effect: EffectRecord, root: str) -> str:
    """Where the outcome of an effect is described."""
    if effect.outcome == evaluation.outcome.name:
        return root + pointer("outcome")
    return root + pointer("mechanism_outcomes", effect.outcome)


def estimator_name(where: str, record: EstimatorRecord) -> Phrase:
    """The estimator in words; `where` points to its record."""
    return (Say(f"estimator.{record.name}", at=where, otherwise=("estimator.other",)),)


def estimator_choices(where: str, record: EstimatorRecord) -> Phrase:
    """The choices in words. The level stands beside each interval, and a choice that changes nothing needs no words."""
    made: list[Piece] = []
    for name in (key for key, value in record.choices.items() if key != "level" and value not in (None, 0, "", ())):
        made += [Say("frame.separator")] if made else []
        made.append(Say(f"choice.{name}", at=where + pointer("choices", name), otherwise=("choice.other",)))
    return tuple(made) or (Say("cell.default_choices"),)


def distinct_names(effects: Sequence[tuple[str, EffectRecord | RepetitionRecord]]) -> list[Phrase]:
    """The estimators in words; where one is used twice, with the comparison that tells the two apart."""
    used = Counter(effect.estimator.name for _, effect in effects)
    names: list[Phrase] = []
    for where, effect in effects:
        at, record = where + pointer("estimator"), effect.estimator
        twice = used[record.name] > 1 and "comparison" in record.choices
        apart: Phrase = (Say("estimates.compared", at=at + pointer("choices", "comparison")),) if twice else ()
        if getattr(effect, "role", None) is not None:
            apart = (Say("estimates.role", at=where + pointer("role")),)
        names.append((*estimator_name(at, record), *apart))
    return names


def interval(
    where: str, low: Number, key: str = "cell.interval", *, low_name: str = "conf_low", form: str = "coefficient"
) -> Phrase:
    """An interval in brackets, or one dash if it cannot be given; `where` points to the object that holds both ends."""
    if isinstance(low, Unavailable):
        return (Value(where + pointer(low_name), form),)
    return (Say(key, at=where),)


def std_error(where: str, value: Number) -> Phrase:
    """A standard error in parentheses, or a dash."""
    if isinstance(value, Unavailable):
        return (Value(where + pointer("std_error"), "coefficient"),)
    return (Say("cell.std_error", at=where),)


def caption(key: str, root: str) -> Phrase:
    """A caption, which always ends with the kind of data."""
    return (Say(key, root=root),)
