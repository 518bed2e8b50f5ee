"""District doses: effects by district, the slope by every inference, and what such doses can show at best."""

from __future__ import annotations

from sme_eval.briefing.document import Figure, Heading, Paragraph, Phrase, Say, Table, Value
from sme_eval.briefing.pointers import pointer
from sme_eval.evaluation.record import Evaluation
from sme_eval.evaluation.record_sections import DistrictRecord, DoseRecord, SlopeRecord
from sme_eval.results.unavailable import Unavailable

from .common import Blocks, caption, interval, std_error


def dose(evaluation: Evaluation) -> Blocks:
    """Districts, slope, chance at best, unnamed doses."""
    if evaluation.dose is None:
        return []
    return [Heading((Say("dose.title"),), anchor="dose"), *_blocks(evaluation.dose, "", "dose")]


def dose_companions(evaluation: Evaluation) -> Blocks:
    """The same estimator in other worlds, each beside its own doses."""
    blocks: Blocks = []
    for n, other in enumerate(evaluation.companions):
        if other.dose is not None:
            root = pointer("companions", n)
            blocks.append(Heading((Say("dose.companion_title", root=root),), level=3))
            blocks += _blocks(other.dose, root, f"dose_companion_{n}")
    return blocks


def _blocks(found: DoseRecord, root: str, figure: str) -> Blocks:
    blocks: Blocks = [
        Paragraph((Say("dose.lead", root=root),)),
        Figure(name=figure, caption=caption("dose.caption", root), alternative=(Say("dose.alternative"),)),
        _slope_table(found, root),
        Paragraph((Say(f"dose.chance_{'none' if found.attainable_p > found.alpha else 'some'}", root=root),)),
    ]
    if found.attainable_p > found.alpha:
        unknown = isinstance(found.needed_new, Unavailable) or isinstance(found.needed_repeated, Unavailable)
        blocks.append(Paragraph((Say(f"dose.needed{'_open' if unknown else ''}", root=root),)))
    nothing_paid = any(row.dose == 0.0 for row in found.districts)
    blocks.append(Paragraph((Say(f"dose.at_zero{'_known' if nothing_paid else ''}", root=root),), role="note"))
    if found.n_unnamed:
        blocks.append(Paragraph((Say("dose.unnamed", root=root),)))
        if not isinstance(found.slope_lowest, Unavailable):
            one_sign = float(found.hull_lowest) > 0.0 or float(found.hull_highest) < 0.0
            blocks.append(Paragraph((Say(f"dose.sensitivity{'_same' if one_sign else ''}", root=root),)))
    return [*blocks, _district_table(found, root)]


def _slope_table(found: DoseRecord, root: str) -> Table[Phrase]:
    keys = ("dose.method", "dose.slope", "estimates.row_std_error", "estimates.row_interval", "estimates.row_p", "dose.valid")
    rows = [_slope_row(root + pointer("dose", "slopes", n), row) for n, row in enumerate(found.slopes)]
    dash: Phrase = (Say("frame.dash"),)
    known = {"permutation": found.permutation_p, "bootstrap": found.bootstrap_p}
    tests: list[tuple[Phrase, ...]] = [
        (
            (Say(f"dose.method_{name}"),),
            dash,
            dash,
            dash,
            (Value(root + pointer("dose", f"{name}_p"), "p_value"),),
            dash if isinstance(p, Unavailable) else (Say("dose.yes"),),
        )
        for name, p in known.items()
    ]
    return Table(
        caption=caption("dose.caption_slopes", root),
        columns=tuple((Say(key, root=root),) for key in keys),
        rows=(*(row for row, slope in zip(rows, found.slopes, strict=True) if slope.valid), *tests,
              *(row for row, slope in zip(rows, found.slopes, strict=True) if not slope.valid)),
        notes=((Say("dose.note_slopes", root=root),),),
    )  # fmt: skip


def _slope_row(where: str, slope: SlopeRecord) -> tuple[Phrase, ...]:
    return (
        (Say(f"dose.method_{slope.method}"),),
        (Value(where + pointer("estimate"), "coefficient"),),
        std_error(where, slope.std_error),
        interval(where, slope.conf_low),
        (Value(where + pointer("p_value"), "p_value"),),
        (Say("dose.yes" if slope.valid else "dose.no"),),
    )


def _district_table(found: DoseRecord, root: str) -> Table[Phrase]:
    keys = ("dose.district", "dose.stated", "estimates.row_treated", "dose.effect", "estimates.row_interval")
    return Table(
        caption=caption("dose.caption_districts", root),
        columns=tuple((Say(key, root=root),) for key in keys),
        rows=tuple(_district_row(root + pointer("dose", "districts", n), row) for n, row in enumerate(found.districts)),
        annex=(Say("dose.details"),),
    )


def _district_row(where: str, row: DistrictRecord) -> tuple[Phrase, ...]:
    unstated = isinstance(row.dose, Unavailable) and not row.dose.reason.startswith("withheld")
    stated: Phrase = (Say("dose.not_stated"),) if unstated else (Value(where + pointer("dose"), "integer"),)
    return (
        (Say("dose.name", at=where),),
        stated,
        (Value(where + pointer("n_treated"), "count"),),
        (Value(where + pointer("estimate"), "coefficient"),),
        interval(where, row.conf_low),
    )
