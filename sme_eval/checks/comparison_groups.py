"""The same estimator with other comparison groups, in the order in which the policy prefers them.

A group may be defined by what was known when the treated firms entered, or by what happened afterwards: never treated, never on a
list, on another list some day. The latter are chosen by their own later success or failure, so that their estimate differs from the
others' even where the policy does nothing. They are shown, marked, and not to be averaged with the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

from .protocol import CheckResult, Row, Table, Value
from .side_by_side import INTERVAL, Side, farthest

PAST, FUTURE = "on_the_past", "on_the_future"
COLUMNS = ("conditions", "note", *INTERVAL, "n_treated", "n_comparison")


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSide:
    """The effect against one group; `future` says that who belongs to it depends on what happened after entry, `note` how."""

    side: Side
    future: bool
    note: str


def check_comparison_groups(groups: tuple[GroupSide, ...], level: float) -> CheckResult:
    """The headline's own group first; how far the others are from it, and how many of them condition on the future."""
    known = [group for group in groups[1:] if group.side.known]
    apart = farthest(groups[0].side, (group.side for group in known))
    future = sum(group.future for group in known)
    numbers: dict[str, int | float] = {}
    if apart is not None:
        numbers = {"n_groups": len(known), "n_future": future, "apart": apart}
    past = farthest(groups[0].side, (group.side for group in known if not group.future))
    if apart is None:
        reason = "groups_alone"
    elif past is None:
        reason = "groups_all_future"
    else:
        numbers["apart_past"] = past
        reason = "groups_compared"
    return CheckResult(
        name="comparison_groups",
        threat="comparison",
        passed=None,
        reason=reason,
        numbers=numbers,
        statistic=apart,
        table=Table(columns=COLUMNS, rows=tuple(_row(group, level) for group in groups)),
        figure="intervals",
    )


def _row(group: GroupSide, level: float) -> Row:
    side = group.side
    values: dict[str, Value] = {"conditions": FUTURE if group.future else PAST, "note": group.note, **side.interval(level)}
    values |= {"n_treated": side.n_treated, "n_comparison": side.n_comparison}
    return Row(key=side.key, values=values, n_firms=side.n_firms, label=side.label)
