"""The parts of a bundle: what can be told apart, what only in sum, and what not at all."""

from __future__ import annotations

from sme_eval.briefing.document import Figure, Heading, Items, Paragraph, Phrase, Piece, Say, Table, Value
from sme_eval.briefing.pointers import pointer
from sme_eval.evaluation.record import Evaluation
from sme_eval.evaluation.record_sections import BundleRecord, PartRecord, is_unit
from sme_eval.results.unavailable import Unavailable

from .common import Blocks, caption, interval

ASSUMPTIONS = ("additive", "same_effect", "unconfounded", "profile", "no_spillover")
PartAt = tuple[str, PartRecord]
"""A part and its pointer."""


def bundle(evaluation: Evaluation) -> Blocks:
    """Parts in a picture and a table, what the arms got, what cannot be told apart, and what all this assumes."""
    found = evaluation.bundle
    if found is None:
        return []
    return [
        Heading((Say("bundle.title"),), anchor="bundle"),
        Paragraph((Say("bundle.lead"),)),
        Figure(name="bundle", caption=caption("bundle.caption", ""), alternative=(Say("bundle.alternative"),)),
        *_readings(evaluation, found),
        _parts_table(evaluation, found),
        *_weights(found),
        Heading((Say("bundle.arms_title"),), level=3),
        Paragraph((Say("bundle.arms_lead"),)),
        _arms_table(found),
        *_rank(found),
        Heading((Say("bundle.assumptions"),), level=3),
        Items(tuple((Say(f"bundle.{name}"),) for name in ASSUMPTIONS)),
    ]


def parts_of(found: BundleRecord) -> list[PartAt]:
    """Sums first, because they are what can be read; then the parts."""
    sums = [(pointer("bundle", "sums", n), part) for n, part in enumerate(found.sums)]
    return [*sums, *((pointer("bundle", "parts", n), part) for n, part in enumerate(found.parts))]


def state(part: PartRecord) -> str:
    """One of: readable, coarse (too imprecise to be told), inseparable, withheld."""
    if isinstance(part.estimate, Unavailable):
        return "withheld" if part.estimate.reason.startswith("withheld") else "inseparable"
    return "readable" if part.readable else "coarse"


def _readings(evaluation: Evaluation, found: BundleRecord) -> Blocks:
    """One sentence per part that may be read, and one naming those that may not."""
    mode = "demonstration" if evaluation.claim.demonstration else "observed"
    blocks: Blocks = []
    said = [(where, part) for where, part in parts_of(found) if state(part) == "readable"]
    if said:
        scale = "level" if said[0][1].percent is None else "log"
        blocks.append(Items(tuple((Say(f"bundle.reading_{mode}_{scale}", at=where),) for where, _ in said)))
    coarse = [where for where, part in parts_of(found) if state(part) == "coarse"]
    if coarse:
        blocks.append(Paragraph((Say("bundle.coarse"), *_names(coarse), Say("bundle.coarse_end"))))
    return blocks


def _names(places: list[str]) -> Phrase:
    pieces: list[Piece] = []
    for where in places:
        pieces += [Say("frame.enumeration")] if pieces else []
        pieces.append(Say("bundle.part", at=where))
    return tuple(pieces)


def _parts_table(evaluation: Evaluation, found: BundleRecord) -> Table[Phrase]:
    rows = parts_of(found)
    with_truth = any(part.truth is not None for _, part in rows)
    percent = any(part.percent is not None for _, part in rows)
    keys = [
        "bundle.part_column",
        "estimates.row_estimate",
        "estimates.row_interval",
        *(["estimates.row_percent"] if percent else []),
    ]
    keys += ["power.detectable", *(["estimates.row_truth", "estimates.row_covers"] if with_truth else [])]
    return Table(
        caption=caption("bundle.caption_parts", ""),
        columns=tuple((Say(key),) for key in keys),
        rows=tuple(_part_row(where, part, percent=percent, with_truth=with_truth) for where, part in rows),
        notes=((Say("bundle.note_parts"),),),
    )


def _weights(found: BundleRecord) -> Blocks:
    """What a weighted sum is made of: sums whose coefficients are not all one."""
    places = {part.name: pointer("bundle", "parts", n) for n, part in enumerate(found.parts)}
    told: list[Phrase] = []
    for n, one in enumerate(found.sums):
        if all(is_unit(weight) for weight in one.weights.values()):
            continue
        where = pointer("bundle", "sums", n)
        pieces: list[Piece] = [Say("bundle.part", at=where), Say("bundle.is")]
        for place, name in enumerate(one.weights):
            pieces += [Say("frame.enumeration")] if place else []
            weight = Value(where + pointer("weights", name), "decimals_2")
            pieces += [weight, Say("bundle.times"), Say("bundle.part", at=places[name])]
        told.append(tuple(pieces))
    return [Items(tuple(told))] if told else []


def _part_row(where: str, part: PartRecord, *, percent: bool, with_truth: bool) -> tuple[Phrase, ...]:
    told = state(part) != "coarse"
    unsaid: Phrase = (Say("bundle.cannot_tell"),)
    dash: Phrase = (Say("frame.dash"),)
    cells: list[Phrase] = [
        (Say("bundle.part", at=where),),
        (Value(where + pointer("estimate"), "coefficient"),) if told else unsaid,
        interval(where, part.conf_low) if told else dash,
    ]
    if percent:
        steps = ("percent", "estimate") if part.percent is not None else ("percent",)
        cells.append((Value(where + pointer(*steps), "percent"),) if told else dash)
    cells.append((Value(where + pointer("detectable"), "coefficient"),))
    if with_truth:
        covered: Phrase = (Value(where + pointer("covers_truth"), "text"),)
        cells.append((Value(where + pointer("truth"), "coefficient"),))
        cells.append(covered if part.covers_truth is None else (Say("cell.covers", at=where),))
    return tuple(cells)


def _arms_table(found: BundleRecord) -> Table[Phrase]:
    """Arms, their effects, and how much of each part they got."""
    heads = [(Say("bundle.part", at=pointer("bundle", "parts", n)),) for n in range(len(found.parts))]
    columns = ("bundle.arm", "estimates.row_treated", "bundle.effect", "estimates.row_interval")
    rows = []
    for n, arm in enumerate(found.arms):
        where = pointer("bundle", "arms", n)
        got = tuple((Value(where + pointer("exposures", part.name), "decimals_2"),) for part in found.parts)
        first: tuple[Phrase, ...] = (
            (Say("bundle.part", at=where),),
            (Value(where + pointer("n_treated"), "count"),),
            (Value(where + pointer("estimate"), "coefficient"),),
            interval(where, arm.conf_low),
        )
        rows.append((*first, *got))
    return Table(
        caption=caption("bundle.caption_arms", ""),
        columns=(*((Say(key),) for key in columns), *heads),
        rows=tuple(rows),
        notes=((Say("bundle.note_arms"),),),
    )


def _rank(found: BundleRecord) -> Blocks:
    """Whether the arms can tell all parts apart, and if not which move together."""
    blocks: Blocks = [Paragraph((Say("bundle.rank_short" if found.null_vectors else "bundle.rank_full"),))]
    places = {part.name: pointer("bundle", "parts", n) for n, part in enumerate(found.parts)}
    for vector in found.null_vectors:
        blocks.append(Paragraph((Say("bundle.null"), *_names([places[name] for name in vector]), Say("bundle.null_end"))))
    return blocks
