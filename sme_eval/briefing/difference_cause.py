"""Which components of two evaluations are not the same: data, parameters, code, dependencies, declarations of the policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, get_args

from sme_eval.evaluation.plain import to_plain
from sme_eval.evaluation.record import Evaluation
from sme_eval.evaluation.record_base import Scalar

Kind = Literal["data", "parameters", "code", "dependency", "policy", "audience"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
STAMPED: Final[Mapping[str, Kind]] = {
    "verb": "code",
    "code": "code",
    "helpers": "code",
    "lock": "dependency",
    "python": "dependency",
    "policy": "policy",
    "recommendations": "policy",
    "declarations": "policy",
}
"""Component of a stamp's estimation key → what it is part of."""
SAID_ALREADY: Final = {"lock": "lock_hash"}
"""Components of a stamp that the record holds too."""
DATA_PARAMETERS: Final = ("seed", "scenario", "firms", "panel", "data_kind")
"""Parameters of a run that choose the data."""
NO_MATTER: Final = ("reports",)
"""Parameters of a run that change no number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """One part of a component that is not the same.

    A "digest" is printed by its first characters, a "value" as it stands, "said" only that it changed.
    """

    name: str
    form: Literal["digest", "value", "said"]
    old: Scalar
    new: Scalar


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A component that changed between two evaluations, and in which of its parts."""

    kind: Kind
    details: tuple[Detail, ...]


def causes(
    old: Evaluation, new: Evaluation, old_key: Mapping[str, Any] | None = None, new_key: Mapping[str, Any] | None = None
) -> tuple[Cause, ...]:
    """Every component that changed, from the records and, where both are at hand, the estimation keys of their stamps."""
    found: dict[Kind, list[Detail]] = {kind: [] for kind in KINDS}
    found["data"] += _data(old, new)
    found["parameters"] += _design(old, new)
    if _modules(old_key) is None or _modules(old_key) != _modules(new_key):
        found["code"] += _digests(old, new, "modules_hash")
    found["dependency"] += _dependencies(old, new)
    if old_key is not None and new_key is not None:
        for kind, detail in _keys(old, new, old_key, new_key):
            if all(detail.name != known.name for known in found[kind]):
                found[kind].append(detail)
    found["policy"] += _policy(old, new) if not found["policy"] else []
    found["policy"] += [] if found["parameters"] else _seal(old, new)
    if old.audience != new.audience:
        found["audience"].append(Detail(name="audience", form="value", old=old.audience, new=new.audience))
    return tuple(Cause(kind=kind, details=tuple(details)) for kind, details in found.items() if details)


def _modules(key: Mapping[str, Any] | None) -> Mapping[str, str] | None:
    """The modules that a run used, where its stamp tells: code that it did not use is no cause."""
    used = None if key is None else key.get("modules")
    return used if isinstance(used, Mapping) else None


def _data(old: Evaluation, new: Evaluation) -> Iterator[Detail]:
    a, b = old.provenance, new.provenance
    yield from _digests(old, new, "data_hash")
    if a.source != b.source:
        yield Detail(name="source", form="value", old=a.source, new=b.source)
    yield from _values(a.data_parameters, b.data_parameters)


def _design(old: Evaluation, new: Evaluation) -> Iterator[Detail]:
    before, after = (_flat(to_plain(one.design)) for one in (old, new))
    for plain in (before, after):
        plain.pop("hash")
    for detail in _values(before, after):
        # What follows the comparison chosen is named, not spelled out.
        yield replace(detail, form="said", old=None, new=None) if detail.name == "alternatives" else detail


def _seal(old: Evaluation, new: Evaluation) -> list[Detail]:
    """The design's hash where its own words are the same: it also seals declarations of the policy and the rule's thresholds."""
    a, b = old.design.hash, new.design.hash
    return [] if a == b else [Detail(name="design_hash", form="digest", old=a, new=b)]


def _flat(plain: Mapping[str, Any]) -> dict[str, Scalar]:
    """The design as names and words; the estimator's choices stand beside the rest, alternatives by name."""
    flat: dict[str, Scalar] = {}
    for name, value in plain.items():
        if name == "estimator":
            flat["estimator"] = value["name"]
            flat |= {f"estimator.{choice}": _word(said) for choice, said in value["choices"].items() if choice != "comparison"}
        elif name == "alternatives":
            flat["alternatives"] = ", ".join(_estimator(one) for one in value)
        else:
            flat[name] = _word(value)
    return flat


def _estimator(plain: Mapping[str, Any]) -> str:
    comparison = plain["choices"].get("comparison")
    return f"{plain['name']} ({comparison})" if comparison else str(plain["name"])


def _word(value: Any) -> Scalar:
    return ", ".join(map(str, value)) if isinstance(value, list) else value


def _dependencies(old: Evaluation, new: Evaluation) -> Iterator[Detail]:
    a, b = old.provenance, new.provenance
    yield from _digests(old, new, "lock_hash")
    if a.python != b.python:
        yield Detail(name="python", form="value", old=a.python, new=b.python)
    yield from _values(a.libraries, b.libraries)


def _digests(old: Evaluation, new: Evaluation, name: str) -> Iterator[Detail]:
    a, b = (getattr(one.provenance, name) for one in (old, new))
    if a != b:
        yield Detail(name=name, form="digest", old=a, new=b)


def _values(old: Mapping[str, Scalar], new: Mapping[str, Scalar]) -> Iterator[Detail]:
    for name in {**old, **new}:
        a, b = old.get(name), new.get(name)
        if a != b:
            yield Detail(name=name, form="value", old=a, new=b)


def _keys(
    old: Evaluation, new: Evaluation, old_key: Mapping[str, Any], new_key: Mapping[str, Any]
) -> Iterator[tuple[Kind, Detail]]:
    of_data = {*DATA_PARAMETERS, *old.provenance.data_parameters, *new.provenance.data_parameters}
    for name in {**old_key, **new_key}:
        a, b = old_key.get(name), new_key.get(name)
        if a == b:
            continue
        if name == "parameters" and isinstance(a, Mapping) and isinstance(b, Mapping):
            for detail in _values(a, b):
                if detail.name not in NO_MATTER:
                    yield ("data" if detail.name in of_data else "parameters"), detail
        elif name == "python":
            # The record tells the whole version; the key only the part that matters to a lock.
            if old.provenance.python == new.provenance.python:
                yield "dependency", Detail(name=name, form="value", old=a, new=b)
        elif name in STAMPED:
            form: Literal["digest", "value"] = "value" if name == "verb" else "digest"
            yield STAMPED[name], Detail(name=SAID_ALREADY.get(name, name), form=form, old=a, new=b)


def _policy(old: Evaluation, new: Evaluation) -> Iterator[Detail]:
    """What the records themselves hold of the declarations, where no stamp tells."""
    if old.policy != new.policy:
        yield Detail(name="policy_record", form="said", old=None, new=None)
    if old.outcome != new.outcome:
        yield Detail(name="outcome_record", form="said", old=None, new=None)
