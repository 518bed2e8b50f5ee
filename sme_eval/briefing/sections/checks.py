"""Whether the design is credible: what could mislead, then the checks by threat with verdicts, figures, and tables in the annex."""

from __future__ import annotations

from typing import Final

from sme_eval.briefing.document import Figure, Heading, Own, Paragraph, Phrase, Say, Table
from sme_eval.briefing.pointers import pointer
from sme_eval.evaluation.record import Evaluation
from sme_eval.evaluation.record_checks import CheckRecord, CheckTableRecord

from .check_cells import cell, check_name, column_header, row_name, shown_columns
from .common import Blocks, caption

THREATS: Final = ("trends", "comparison", "design", "measurement", "unobservables", "heterogeneity", "inference")
"""The order of the page; a check of any other threat stands at the end."""
Placed = tuple[int, CheckRecord]
"""A check and its place in the record."""


def checks(evaluation: Evaluation) -> Blocks:
    """One part per threat: verdicts with their reasons, then what the verdicts look at."""
    groups = by_threat(evaluation)
    if not groups:
        return []
    blocks: Blocks = [Heading((Say("checks.title"),), anchor="checks"), Paragraph((Say("checks.note"),), role="note")]
    for threat, placed in groups:
        blocks += [Heading((Say(f"threat.{threat}", otherwise=("threat.other",)),), level=3), _verdicts(threat, placed)]
        for n, check in placed:
            blocks += _shown(pointer("checks", n), check)
    return blocks


def threats(evaluation: Evaluation) -> Blocks:
    """What the policy file names as able to mislead, each with what is done about it."""
    named = evaluation.policy.threats
    if not named:
        return []
    rows: list[tuple[Phrase, ...]] = []
    for n in range(len(named)):
        where = pointer("policy", "threats", n)
        rows.append(((Own(where + pointer("threat")),), (Own(where + pointer("remedy")),)))
    table: Table[Phrase] = Table(
        caption=caption("threats.caption", ""),
        columns=((Say("threats.threat"),), (Say("threats.remedy"),)),
        rows=tuple(rows),
        layout="words",
    )
    return [Heading((Say("threats.title"),), anchor="threats"), Paragraph((Say("threats.lead"),), role="note"), table]


def by_threat(evaluation: Evaluation) -> list[tuple[str, list[Placed]]]:
    """Checks under the threats that have any."""
    groups: dict[str, list[Placed]] = {threat: [] for threat in THREATS}
    for n, check in enumerate(evaluation.checks):
        groups.setdefault(check.threat, []).append((n, check))
    return [(threat, placed) for threat, placed in groups.items() if placed]


def reason(where: str, check: CheckRecord) -> Phrase:
    """Why a check came out as it did, in words."""
    return (Say(f"reason.{check.reason}", at=where, otherwise=("reason.other",)),)


def _verdicts(threat: str, placed: list[Placed]) -> Table[Phrase]:
    rows: list[tuple[Phrase, ...]] = []
    for n, check in placed:
        where = pointer("checks", n)
        rows.append((check_name(where, check), (Say("cell.passed", at=where),), reason(where, check)))
    return Table(
        caption=(Say(f"threat.{threat}", otherwise=("threat.other",)), Say("checks.caption")),
        columns=tuple((Say(f"checks.{name}"),) for name in ("name", "result", "reason")),
        rows=tuple(rows),
        layout="words",
    )


def figure_name(check: CheckRecord) -> str:
    """The name of a check's figure."""
    return f"check_{check.name}"


def _shown(where: str, check: CheckRecord) -> Blocks:
    """The figure and the table of a check, as far as it has them."""
    if check.table is None:
        return []
    blocks: Blocks = []
    if check.figure is not None:
        blocks.append(
            Figure(
                name=figure_name(check),
                caption=(*check_name(where, check), Say(f"checks.figure_{check.figure}")),
                alternative=(Say(f"checks.alternative_{check.figure}"),),
            )
        )
    return [*blocks, _table(where, check, check.table)]


def _table(where: str, check: CheckRecord, table: CheckTableRecord) -> Table[Phrase]:
    """The table behind a check, folded in HTML and at the end of the PDF."""
    at, columns = where + pointer("table"), shown_columns(table.columns)
    rows = []
    for n, row in enumerate(table.rows):
        place = at + pointer("rows", n)
        rows.append((row_name(place, check, row), *(cell(place, row, name) for name in columns)))
    return Table(
        caption=(*check_name(where, check), Say("checks.caption_table")),
        columns=((Say("frame.table_column"),), *(column_header(at, table.columns, name) for name in columns)),
        rows=tuple(rows),
        annex=(Say("checks.details"), *check_name(where, check)),
    )


def check_place(evaluation: Evaluation, root: str, place: int, row: int | None) -> Phrase:
    """Where the gate withheld something of a check: its name, and the row where it was one."""
    check, where = evaluation.checks[place], root + pointer("checks", place)
    if row is None or check.table is None:
        return check_name(where, check)
    at = where + pointer("table", "rows", row)
    return (*check_name(where, check), Say("frame.separator"), *row_name(at, check, check.table.rows[row]))
