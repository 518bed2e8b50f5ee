"""Reads what a named analyst recommends: `data/recommendations/<policy>.toml`, for observed data only.

An evaluation recommends nothing. A bureau that wants recommendations on its page signs for them in a file::

    date = "2026-03-01"
    analyst = { zh = "…", en = "…" }
    unit = { zh = "…", en = "…" }

    [[items]]
    zh = "…"
    en = "…"

Texts hold no digits of their own: a number of the record is `{path|format}`, as in a policy file.
"""

from __future__ import annotations

import datetime
import re
from typing import Final

from sme_eval.errors import DesignError, Problem, raise_if_any
from sme_eval.panel.declarations import Entry, Label, read_tables
from sme_eval.resources import resource_files
from sme_eval.terms import DataKind

from .policy_record import bilingual
from .record_recommendations import RecommendationsRecord

DIGIT: Final = re.compile(r"[0-9０-９]")
PLACEHOLDER: Final = re.compile(r"\{[^{}|]+\|[a-z_0-9]+\}")
MOST: Final = 5


def recommendations_for(policy: str, data_kind: DataKind) -> RecommendationsRecord | None:
    """The recommendations on a policy; None where there is no file, and always for simulated data.

    Raises
    ------
    DesignError
        The file breaks its form: all problems at once.
    """
    path = resource_files("recommendations", ".toml").get(f"{policy}.toml")
    if path is None or data_kind == "simulated":
        return None
    problems: list[Problem] = []
    top = Entry(read_tables(path), f"recommendations/{path.name}", problems)
    top.only(("date", "analyst", "unit", "items"))
    found = RecommendationsRecord(
        analyst=bilingual(_name(top, "analyst")),
        unit=bilingual(_name(top, "unit")),
        date=_date(top),
        items=tuple(bilingual(label) for label in _items(top)),
    )
    raise_if_any(DesignError, problems)
    return found


def _name(entry: Entry, key: str) -> Label:
    label = entry.label(key)
    _no_digits(entry, key, label)
    return label


def _date(entry: Entry) -> str:
    """A date of the calendar, as TOML's own or as text."""
    value = entry.values.get("date")
    try:
        return (
            value.isoformat() if isinstance(value, datetime.date) else datetime.date.fromisoformat(entry.text("date")).isoformat()
        )
    except ValueError:
        entry.problems.append(Problem(what="date is missing or no date.", where=entry.where, remedy='write date = "2026-03-01"'))
        return ""


def _items(entry: Entry) -> list[Label]:
    value = entry.values.get("items")
    if not isinstance(value, list) or not 0 < len(value) <= MOST or not all(isinstance(item, dict) for item in value):
        entry.problems.append(Problem(what=f"items must be one to {MOST} tables.", where=entry.where, remedy="write [[items]]"))
        return []
    labels = []
    for n, item in enumerate(value, start=1):
        inner = Entry(item, f"{entry.where} [[items]] {n}", entry.problems)
        inner.only(("zh", "en"))
        labels.append(inner.label())
        _no_digits(inner, "text", labels[-1])
        if set(PLACEHOLDER.findall(labels[-1].zh)) != set(PLACEHOLDER.findall(labels[-1].en)):
            entry.problems.append(Problem(what="zh and en refer to different numbers.", where=inner.where))
    return labels


def _no_digits(entry: Entry, key: str, label: Label) -> None:
    if DIGIT.search(PLACEHOLDER.sub("", label.zh + label.en)):
        remedy = "refer to a number of the record as {path|format}, or write it in words"
        entry.problems.append(Problem(what=f"{key} holds a digit.", where=entry.where, remedy=remedy))
