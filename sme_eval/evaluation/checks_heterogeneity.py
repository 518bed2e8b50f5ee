"""For whom: the headline's effect by the traits that the policy names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sme_eval.checks.heterogeneity import Grouped, check_heterogeneity, not_asked
from sme_eval.checks.protocol import CheckResult
from sme_eval.errors import SmeEvalError
from sme_eval.estimators.before_after import BeforeAfter
from sme_eval.estimators.by_group import effects_by_group
from sme_eval.panel.declarations import Label
from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.panel.sample import Sample
from sme_eval.stats.arrays import BoolArray

from .asked import Asked

MOST_VALUES = 5
"""A number with more distinct values than this is split at the median of the treated firms."""
YES_NO = {0: Label("否", "no"), 1: Label("是", "yes")}
HALVES = (Label("不高于中位数", "up to the median"), Label("高于中位数", "above the median"))


@dataclass(frozen=True, kw_only=True, eq=False)
class Trait:
    """One column as groups of firms: their `keys`, `labels` and `members` (N, groups)."""

    name: str
    keys: tuple[str, ...]
    labels: tuple[tuple[str, str], ...]
    members: BoolArray


def heterogeneity_checks(asked: Asked) -> Iterator[CheckResult]:
    """The effect by every column of `[checks] groups` that the panel has; nothing where there is none, or nobody is compared."""
    if isinstance(asked.headline.estimator, BeforeAfter):
        return
    traits = [trait for name in asked.design.policy.checks.groups if (trait := trait_of(asked.panel, asked.sample, name))]
    if not traits:
        return
    members = np.concatenate([trait.members for trait in traits], axis=1)
    overall = asked.headline.overall
    try:
        found = effects_by_group(asked.headline.estimator, asked.sample, members)  # type: ignore[arg-type]
    except SmeEvalError:
        yield not_asked()
        return
    grouped = Grouped(
        trait=tuple(trait.name for trait in traits for _ in trait.keys),
        key=tuple(key for trait in traits for key in trait.keys),
        label=tuple(label for trait in traits for label in trait.labels),
        value=found.value,
        covariance=found.covariance,
        n_treated=found.n_treated,
        notes=found.notes,
        degrees_of_freedom=overall.degrees_of_freedom,
        level=overall.level,
    )
    yield check_heterogeneity(grouped, asked.effort.draws, asked.effort.seed)


def trait_of(panel: FirmPanel, sample: Sample, name: str) -> Trait | None:
    """The groups of a column that hold treated firms, by each firm's value in its first year; None with fewer than two of them.

    Categories and flags are groups as they are; numbers of many values two halves. A firm without a value is in no group.
    """
    if name not in panel.columns or sample.cohort is None:
        return None
    value = baseline_value(panel, sample, name)
    treated = np.asarray(sample.cohort <= sample.years[-1])
    column = panel.dictionary[name]
    if column.type in ("integer", "float", "identifier") and value[treated].nunique() > MOST_VALUES:
        middle = float(value[treated].median())
        parts = [("low", HALVES[0], value <= middle), ("high", HALVES[1], value > middle)]
    else:
        known: dict[Any, Label] = {**column.categories} or ({**YES_NO} if column.type == "flag" else {})
        keys = list(known) or sorted(value.dropna().unique())
        parts = [(f"{key}", known.get(key, Label(f"{key}", f"{key}")), value == key) for key in keys]
    held = [(key, label, mask) for key, label, rows in parts if (mask := rows.to_numpy(dtype=bool))[treated].any()]
    if len(held) < 2:
        return None
    return Trait(
        name=name,
        keys=tuple(key for key, _, _ in held),
        labels=tuple((f"{column.label.zh}：{label.zh}", f"{column.label.en}: {label.en}") for _, label, _ in held),
        members=np.column_stack([mask for _, _, mask in held]),
    )


def baseline_value(panel: FirmPanel, sample: Sample, name: str) -> pd.Series[Any]:
    """One value per firm of the sample (N,), that of the firm's first year in the panel; missing where that year has none."""
    rows = panel.frame[["firm", "year", name]].sort_values("year", kind="stable").drop_duplicates("firm").set_index("firm")[name]
    if isinstance(rows.dtype, pd.CategoricalDtype):
        rows = rows.astype(object)
    firms = pd.Series(sample.column(sample.names.firm).to_numpy()).groupby(sample.firm_codes).first()
    return rows.reindex(firms.to_numpy()).reset_index(drop=True)
