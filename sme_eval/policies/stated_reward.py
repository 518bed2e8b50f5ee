"""What the letter says a district pays per little giant; where it does not say, the reason stands in its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sme_eval.results.unavailable import Unavailable

from .facts import Fact, load_facts
from .quantities import Quantity
from .traps import load_traps, spring, warn
from .vocabulary import load_vocabulary


def stated_reward(
    place: str,
    *,
    upper_award: float | None = None,
    already_received: float | None = None,
    facts: Mapping[str, Fact] | None = None,
) -> Quantity | Unavailable:
    """The reward of a place (key, name or alias) per little giant, in 万元; Unavailable, as T15 says, if none is stated.

    Parameters
    ----------
    place : str
        Such as "haishu", "海曙区" or, for Hangzhou Bay New Area, its later name "前湾新区" (T25).
    upper_award : float, optional
        What the firm was actually awarded from above, 万元; a matching reward depends on it.
    already_received : float, optional
        What the firm drew for a lower tier, 万元; taken off where the reward may be a top-up.

    Raises
    ------
    TrapError
        T14: the place matches an award that is not given.

    Warns
    -----
    TrapWarning
        T16: the reward may be a ceiling, and what was already received is not given.

    Examples
    --------
    >>> stated_reward("前湾新区").value
    100.0
    >>> stated_reward("haishu", already_received=10).value
    40.0
    >>> float(stated_reward("cixi"))
    nan
    """
    facts = load_facts() if facts is None else facts
    key = load_vocabulary().place(place)
    fact = next((one for one in facts.values() if one.system == "rewards" and key in one.places), None)
    if fact is None:
        return Unavailable(load_traps()["T15"].text())
    stated = replace(fact.quantity(), places=(key,))
    if fact.unit == "ratio":
        return _matched(stated, upper_award)
    if "ceiling" not in fact.marks:
        return stated
    if already_received is None:
        warn("T16", fact.id)
        return replace(stated, traps=(*stated.traps, "T16"))
    return replace(stated, value=max(0.0, stated.value - already_received))


def _matched(stated: Quantity, upper_award: float | None) -> Quantity:
    """The district's own part of a matching reward; the award it matches is not counted in."""
    if upper_award is None:
        spring("T14", stated.name)
    marks = tuple(mark for mark in stated.marks if mark != "base_unstated")
    return replace(stated, value=stated.value * upper_award, unit="wan_yuan_per_firm", marks=marks)
