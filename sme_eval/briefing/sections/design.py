"""The design before its result: who is compared with whom and when, which effect is asked for, and the entry dated otherwise."""

from __future__ import annotations

from sme_eval.briefing.document import Figure, Heading, Paragraph, Phrase, Piece, Say, Table, Value
from sme_eval.briefing.pointers import pointer
from sme_eval.evaluation.record import Evaluation
from sme_eval.evaluation.record_sections import CodingRecord, ComparedRecord, EstimandRecord

from .common import Blocks, caption, interval
from .evidence import covers_cell, percent_cell, percent_interval_cell

COUNTS = ("n_treated", "n_comparison", "n_listed", "n_later")


def compared(evaluation: Evaluation) -> Blocks:
    """One band per cohort, why these firms are the comparison, and the numbers behind the picture."""
    rows = evaluation.compared
    if not rows:
        return []
    growth = any(row.first_growth is not None for row in rows)
    blocks: Blocks = [Heading((Say("compared.title"),), anchor="design"), Paragraph((Say("compared.who"),))]
    blocks += [Paragraph((Say("compared.last_step"),))] if evaluation.bundle is not None else []
    blocks.append(Figure(name="compared", caption=caption("compared.caption", ""), alternative=(Say("compared.alternative"),)))
    return [*blocks, *_reading(rows), _compared_table(rows, growth=growth)]


def _reading(rows: tuple[ComparedRecord, ...]) -> Blocks:
    """What the marks of the figure mean, as far as it has them."""
    said: list[Piece] = [Say("compared.growth")] if any(row.first_growth is not None for row in rows) else []
    if any(row.first_lead is not None for row in rows):
        said += [Say("frame.space"), Say("compared.leads")] if said else [Say("compared.leads")]
    return [Paragraph(tuple(said))] if said else []


def _compared_table(rows: tuple[ComparedRecord, ...], *, growth: bool) -> Table[Phrase]:
    leads = any(row.first_lead is not None for row in rows)
    years = [*(["leads"] if leads else []), *(["growth"] if growth else []), "base", "effects"]
    return Table(
        caption=caption("compared.caption_table", ""),
        columns=tuple((Say(f"compared.column_{name}"),) for name in ("cohort", *years, *COUNTS)),
        rows=tuple(_compared_row(pointer("compared", n), row, years) for n, row in enumerate(rows)),
        notes=((Say("compared.note"),),),
        annex=(Say("compared.details"),),
    )


def _compared_row(where: str, row: ComparedRecord, years: list[str]) -> tuple[Phrase, ...]:
    spans: dict[str, Phrase] = {
        "leads": _years(where, "first_lead", row.first_lead, row.last_lead, "cell_leads"),
        "growth": _years(where, "first_growth", row.first_growth, row.base, "cell_growth"),
        "base": (Value(where + pointer("base"), "year"),),
        "effects": (Say("compared.cell_effects", at=where),),
    }
    counts = ((Value(where + pointer(name), "count"),) for name in COUNTS)
    return ((Value(where + pointer("cohort"), "cohort"),), *(spans[name] for name in years), *counts)


def _years(where: str, name: str, first: int | None, last: int | None, key: str) -> Phrase:
    """A span of years; one year alone, and a dash where there is none."""
    if first is None or first == last:
        return (Value(where + pointer(name), "year"),)
    return (Say(f"compared.{key}", at=where),)


def estimands(evaluation: Evaluation) -> Blocks:
    """The effects that go by one name and differ, which of them the page asks for, and their truth in a simulation."""
    records = evaluation.estimands
    if not records:
        return []
    truth, percent = (any(getattr(row, name) is not None for row in records) for name in ("truth", "truth_percent"))
    keys = ["name", "meaning", "asked", *(["truth"] if truth else []), *(["percent"] if percent else [])]
    table: Table[Phrase] = Table(
        caption=caption("estimands.caption", ""),
        columns=tuple((Say(f"estimands.{key}"),) for key in keys),
        rows=tuple(_estimand_row(pointer("estimands", n), row, keys) for n, row in enumerate(records)),
        layout="words",
    )
    blocks: Blocks = [Heading((Say("estimands.title"),), anchor="estimands"), Paragraph((Say("estimands.lead"),)), table]
    return [*blocks, Paragraph((Say("estimands.reading"),), role="note")] if truth else blocks


def _estimand_row(where: str, row: EstimandRecord, keys: list[str]) -> tuple[Phrase, ...]:
    cells: dict[str, Phrase] = {
        "name": (Say(f"estimands.{row.name}.name", at=where),),
        "meaning": (Say(f"estimands.{row.name}.meaning", at=where),),
        "asked": (Say("estimands.cell_asked", at=where),),
        "truth": (Value(where + pointer("truth"), "coefficient"),),
        "percent": (Value(where + pointer("truth_percent"), "percent"),),
    }
    return tuple(cells[key] for key in keys)


def codings(evaluation: Evaluation) -> Blocks:
    """The same entry dated by other rules, side by side."""
    records = evaluation.codings
    if not records:
        return []
    percent, truth = (any(getattr(c.effect, name) is not None for c in records) for name in ("percent", "truth"))
    keys = ["codings.rule", "estimates.row_estimate", "estimates.row_interval"]
    keys += ["estimates.row_percent", "estimates.row_percent_interval"] if percent else []
    keys += ["estimates.row_truth", "estimates.row_covers"] if truth else []
    blocks: Blocks = [
        Heading((Say("codings.title"),), anchor="codings"),
        Paragraph((Say("codings.lead"),)),
        Table(
            caption=caption("codings.caption", ""),
            columns=tuple((Say(key),) for key in keys),
            rows=tuple(_coding_row(n, row, percent=percent, truth=truth) for n, row in enumerate(records)),
        ),
    ]
    return [*blocks, Paragraph((Say("codings.simulated"),), role="note")] if evaluation.data_kind == "simulated" else blocks


def _coding_row(place: int, row: CodingRecord, *, percent: bool, truth: bool) -> tuple[Phrase, ...]:
    where = pointer("codings", place)
    at, effect = where + pointer("effect"), row.effect
    name: Phrase = (Say("codings.asked"), Say("estimates.main")) if row.asked else (Say("codings.other", at=where),)
    cells: list[Phrase] = [name, (Value(at + pointer("estimate"), "coefficient"),), interval(at, effect.conf_low)]
    cells += [percent_cell(at, effect), percent_interval_cell(at, effect)] if percent else []
    cells += [(Value(at + pointer("truth"), "coefficient"),), covers_cell(at, effect)] if truth else []
    return tuple(cells)
