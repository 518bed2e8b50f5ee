"""Whether two released records together say what neither may: counts and estimates of the same cell, side by side.

What counts firms and what is small is decided as by the disclosure gate (`sme_eval.evaluation.disclosure_checks`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from sme_eval.briefing.difference_pairs import identity
from sme_eval.briefing.difference_record import DisclosureFlag
from sme_eval.evaluation.disclosure import THRESHOLD
from sme_eval.evaluation.disclosure_checks import COUNT_NUMBERS, NOT_FIRMS
from sme_eval.evaluation.plain import UNAVAILABLE_KEY
from sme_eval.evaluation.record import Evaluation

COUNTS: Final = ("firms", "dropped_firms", "observed", "never_observed", "base_n_firms", "unnamed_firms")
"""Fields that count firms although their name does not begin with `n_`."""
NOT_COUNTS: Final = ("n_observations", "n_defended", "n_contrasts", "n_missing", "n_repeated", "n_unnamed")
"""Fields of a record, beside the names that the gate knows, that begin with `n_` and count no firms."""
OUTSIDE: Final = ("provenance", "design", "policy", "withheld", "repetitions", "published", "outcome", "mechanism_outcomes")
"""Parts without a cell of the sample; what was published elsewhere is public."""
SAMPLE: Final = ("n_firms", "n_treated", "n_comparison")
"""Counts that say how many firms an estimate beside them is of."""
PLACES: Final = (
    (r"/headline", "headline"),
    (r"/alternatives", "effect"),
    (r"/mechanisms", "mechanism"),
    (r"/event_study", "event_time"),
    (r"/cohort_map/cohorts", "cohort"),
    (r"/cohort_map", "never_treated"),
    (r"/sample_flow", "sample_flow"),
    (r"/compared", "compared"),
    (r"/codings", "coding"),
    (r"/bundle", "bundle_part"),
    (r"/dose/districts", "district"),
    (r"/dose", "dose"),
    (r"/listing", "listing"),
    (r"/natural", "natural"),
    (r"/curve", "curve"),
    (r"/value", "value"),
    (r"/checks", "check"),
)
"""Beginning of a place → key of its words, the longer first."""
NAMES: Final = ("cohort", "event_time", "label", "key", "name", "rule", "role")
"""What a flag keeps of its row: how the row is called."""

Value = int | float | Literal["withheld"] | None
Rule = Literal["withheld", "few_apart", "alike"]


@dataclass(frozen=True, slots=True)
class Cells:
    """One row of a record: how it is called, and its counts of firms and its estimate by name."""

    place: str
    row: Mapping[str, Any]
    counts: Mapping[str, Value]
    estimate: Value


def disclosure_flags(old: Evaluation, new: Evaluation) -> tuple[DisclosureFlag, ...]:
    """What the two released records disclose together; nothing where one of them has not passed the gate."""
    if old.audience != "release" or new.audience != "release":
        return ()
    same_data = old.provenance.data_hash == new.provenance.data_hash
    public = frozenset(old.policy.published_counts) & frozenset(new.policy.published_counts)
    before, after = (_cells(json.loads(one.to_json())) for one in (old, new))
    found: dict[str, DisclosureFlag] = {}
    for key in [key for key in before if key in after]:
        a, b = before[key], after[key]
        for rule in _rules(a, b, same_data=same_data, public=public):
            flag = DisclosureFlag(rule=rule, place=a.place, row=a.row, old_slug=old.slug, new_slug=new.slug)
            found.setdefault(json.dumps([rule, a.place, a.row], ensure_ascii=False, sort_keys=True), flag)
    if same_data and _steps_told_together(before, after, old, new):
        row = {"rule": "rows_kept"}
        found["flow"] = DisclosureFlag(rule="withheld", place="sample_flow", row=row, old_slug=old.slug, new_slug=new.slug)
    return tuple(found.values())


def _rules(a: Cells, b: Cells, *, same_data: bool, public: frozenset[int]) -> Iterator[Rule]:
    shared = [(name, a.counts[name], b.counts[name]) for name in a.counts if name in b.counts]
    if same_data and any(_told_once(x, y) for x, y in (*((x, y) for _, x, y in shared), (a.estimate, b.estimate))):
        yield "withheld"
    apart = [name for name, x, y in shared if _few_apart(x, y, public)]
    if apart:
        yield "few_apart"
    both = isinstance(a.estimate, int | float) and isinstance(b.estimate, int | float)
    if both and any(name in SAMPLE for name in apart):
        yield "alike"


def _told_once(a: Value, b: Value) -> bool:
    return (a == "withheld" and isinstance(b, int | float)) or (b == "withheld" and isinstance(a, int | float))


def _few_apart(a: Value, b: Value, public: frozenset[int]) -> bool:
    if not isinstance(a, int) or not isinstance(b, int) or (a in public and b in public):
        return False
    return 0 < abs(a - b) < THRESHOLD


def _steps_told_together(before: Mapping[Any, Cells], after: Mapping[Any, Cells], old: Evaluation, new: Evaluation) -> bool:
    """A step that one record told together with its neighbour, because it dropped few firms, and the other tells alone."""
    gone = {key for key in {**before, **after} if (key in before) != (key in after)}
    flow = [key for key in gone if (before.get(key) or after[key]).place == "sample_flow"]
    together = [any(entry.path == "/sample_flow" for entry in one.withheld) for one in (old, new)]
    return bool(flow) and together[0] != together[1]


# --- cells -----------------------------------------------------------------------------------------------------------


def is_count(name: str) -> bool:
    """Whether a field of a record counts firms; of a name that begins with `n_` and is not known, firms are assumed."""
    return name in COUNTS or name in COUNT_NUMBERS or (name.startswith("n_") and name not in (*NOT_FIRMS, *NOT_COUNTS))


def _cells(plain: Mapping[str, Any]) -> dict[Any, Cells]:
    """Every row that counts firms or holds an estimate, by where it stands and how it is called."""
    return dict(_walk({**plain, "mechanisms": [_with_label(one, plain) for one in plain["mechanisms"]]}, "", (), {}))


def _with_label(effect: Mapping[str, Any], plain: Mapping[str, Any]) -> Mapping[str, Any]:
    """A mechanism's effect, called by the label of its outcome."""
    outcome = plain["mechanism_outcomes"].get(effect["outcome"])
    return effect if outcome is None else {**effect, "label": outcome["label"]}


def _walk(value: Any, path: str, key: tuple[Any, ...], above: Mapping[str, Any]) -> Iterator[tuple[Any, Cells]]:
    if isinstance(value, list):
        seen: dict[Any, int] = {}
        for item in value:
            name = identity(item)
            seen[name] = seen.get(name, 0) + 1
            yield from _walk(item, path, (*key, name, seen[name]), above)
    elif isinstance(value, Mapping) and UNAVAILABLE_KEY not in value:
        row = _named(value, above, path)
        # The counts and the estimate of a check's row stand among its values.
        value = {**value, **value["values"]} if isinstance(value.get("values"), Mapping) else value
        counts = {name: told for name, inner in _numbers(value) for told in [_value(inner)] if told is not None}
        estimate = _value(value.get("estimate"))
        if counts or estimate is not None:
            yield (path, key), Cells(_place(path), row, counts, estimate)
        for name, inner in value.items():
            if name not in (*OUTSIDE, "values") and isinstance(inner, Mapping | list):
                yield from _walk(inner, f"{path}/{name}", (*key, name), row)


def _numbers(value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Named counts of a row, and each place of a list of counts."""
    for name, inner in value.items():
        if is_count(name) and isinstance(inner, list):
            yield from ((f"{name} {n}", item) for n, item in enumerate(inner))
        elif is_count(name):
            yield name, inner


def _value(value: Any) -> Value:
    if isinstance(value, Mapping):
        return "withheld" if str(value.get(UNAVAILABLE_KEY, "")).startswith("withheld") else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _named(value: Mapping[str, Any], above: Mapping[str, Any], path: str) -> dict[str, Any]:
    """How a row is called; a row of a check keeps its check's name."""
    row = {**above, **{name: value[name] for name in NAMES if value.get(name) is not None}}
    if isinstance(value.get("estimator"), Mapping):
        row["estimator"] = {"name": value["estimator"]["name"]}
    return row | ({"companion": True} if path.startswith("/companions") else {})


def _place(path: str) -> str:
    """The key of a place's words; a companion's places are those of its own record."""
    inside = path.removeprefix("/companions")
    return next((name for form, name in PLACES if re.match(form + r"(/|$)", inside)), "record")
