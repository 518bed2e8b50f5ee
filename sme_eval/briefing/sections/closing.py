"""The end of the page: limits, what was withheld, sources, and how to get the same numbers again."""

from __future__ import annotations

import re

from sme_eval.briefing.document import Heading, Items, Name, Own, Paragraph, Phrase, Piece, Say, Table, Value
from sme_eval.briefing.pointers import pointer
from sme_eval.evaluation.record import Evaluation

from .checks import check_place
from .common import Blocks, caption
from .value import valued

NOT_EVALUATED = ("spillovers", "costs", "horizon", "ranking")
COSTS = "costs"
"""What a page with value for money has evaluated."""


def limits(evaluation: Evaluation) -> Blocks:
    """The policy's own limits, then what no page of this kind evaluates."""
    own: tuple[Phrase, ...] = tuple((Own(pointer("policy", "limits", n)),) for n in range(len(evaluation.policy.limits)))
    names = [name for name in NOT_EVALUATED if name != COSTS or not valued(evaluation)]
    generic: tuple[Phrase, ...] = tuple((Say(f"limits.{name}"),) for name in names)
    return [Heading((Say("limits.title"),), anchor="limits"), Items((*own, *generic))]


def withheld(evaluation: Evaluation) -> Blocks:
    """What the disclosure gate took out, of the companions too: place, rule and how many, never what."""
    roots = [("", evaluation), *((pointer("companions", n), other) for n, other in enumerate(evaluation.companions))]
    rows: list[tuple[Phrase, ...]] = []
    for root, one in roots:
        for n, entry in enumerate(one.withheld):
            where = root + pointer("withheld", n)
            numbers: Phrase = (Value(where + pointer("numbers"), "count"),)
            rows.append((_place(one, entry.path, root, where), (Say("cell.withheld_rule", at=where),), numbers))
    if not rows:
        return []
    table: Table[Phrase] = Table(
        caption=caption("withheld.caption", ""),
        columns=tuple((Say(f"withheld.{name}"),) for name in ("path", "rule", "numbers")),
        rows=tuple(rows),
        layout="words",
    )
    return [Heading((Say("withheld.title"),), anchor="withheld"), Paragraph((Say("withheld.lead"),)), table]


def _place(evaluation: Evaluation, path: str, root: str, where: str) -> Phrase:
    """Where something was withheld, in words; a place that has none is printed as the gate wrote it."""
    before: Phrase = (Say("place.companion"),) if root else ()
    if match := _CHECK.fullmatch(path):
        return (*before, *check_place(evaluation, root, int(match[1]), None if match[2] is None else int(match[2])))
    name = next((name for form, name in _PLACES if re.fullmatch(form, path)), "")
    if not name:
        return (*before, Value(where + pointer("path"), "text"))
    return (*before, Say(f"place.{name}", at=root + path.removesuffix("/observed")))


_CHECK = re.compile(r"/checks/(\d+)(?:/table/rows/(\d+))?")
_PLACES = (
    (r"/headline", "headline"),
    (r"/(alternatives|mechanisms)/\d+", "effect"),
    (r"/event_study/rows/\d+", "event_time"),
    (r"/cohort_map/cohorts/\d+", "cohort_effect"),
    (r"/cohort_map/cohorts/\d+/observed", "cohort_counts"),
    (r"/cohort_map/never_observed", "never_treated"),
    (r"/sample_flow", "sample_flow"),
    (r"/power/\d+", "power"),
    (r"/compared/\d+", "compared"),
    (r"/bracket", "bracket"),
    (r"/codings/\d+/effect", "coding"),
    (r"/bundle/(arms|parts|sums)/\d+", "bundle_part"),
    (r"/dose/districts/\d+", "district"),
    (r"/dose(/slopes/\d+)?", "dose"),
    (r"/listing(/.+)?", "listing"),
    (r"/natural", "natural"),
    (r"/curve", "curve"),
    (r"/value/(assumptions|rows)/\d+", "value"),
)
"""Form of a place → key of its words."""


def sources(evaluation: Evaluation) -> Blocks:
    """The data and the citations."""
    cited: tuple[Phrase, ...] = tuple(
        (Say("sources.item", at=pointer("policy", "sources", n)),) for n in range(len(evaluation.policy.sources))
    )
    return [Heading((Say("sources.title"),), anchor="sources"), Items(((Say("sources.data"),), *cited))]


def reproduce(evaluation: Evaluation) -> Blocks:
    """Fingerprints, versions and parameters; warnings of the estimation as they were given."""
    rows: list[tuple[Phrase, ...]] = [_row(name, pointer("provenance", name), form) for name, form in _PROVENANCE]
    rows.insert(1, _row("design_hash", pointer("design", "hash"), "hash"))
    rows.append(_row("schema_version", pointer("schema_version"), "integer"))
    rows += _named("parameters", pointer("provenance", "data_parameters"), tuple(evaluation.provenance.data_parameters))
    rows += _named("libraries", pointer("provenance", "libraries"), tuple(evaluation.provenance.libraries))
    table: Table[Phrase] = Table(
        caption=caption("reproduce.caption", ""),
        columns=((Say("reproduce.item"),), (Say("reproduce.content"),)),
        rows=tuple(rows),
        layout="words",
    )
    blocks: Blocks = [Heading((Say("reproduce.title"),), anchor="reproducibility"), table]
    if evaluation.warnings:
        listed: tuple[Phrase, ...] = tuple((Value(pointer("warnings", n), "text"),) for n in range(len(evaluation.warnings)))
        blocks += [Heading((Say("reproduce.warnings"),), level=3), Items(listed)]
    return blocks


_PROVENANCE = (
    ("data_hash", "hash"),
    ("modules_hash", "hash"),
    ("lock_hash", "hash"),
    ("commit", "hash"),
    ("dirty", "yes_no"),
    ("package_version", "text"),
    ("python", "text"),
)


def _row(name: str, where: str, form: str) -> tuple[Phrase, ...]:
    content: Phrase = (Say("cell.yes_no", at=where),) if form == "yes_no" else (Value(where, form),)
    return ((Say(f"reproduce.{name}"),), content)


def _named(name: str, where: str, keys: tuple[str, ...]) -> list[tuple[Phrase, ...]]:
    """One row whose content lists key and value, if there are any."""
    if not keys:
        return []
    pieces: list[Piece] = []
    for key in keys:
        pieces += [Say("frame.comma")] if pieces else []
        pieces += [Name(f"{key} "), Value(where + pointer(key), "text")]
    return [((Say(f"reproduce.{name}"),), tuple(pieces))]
