"""A rule for one row, applied to a frame: once per distinct row, so that the rule exists only once and long panels stay fast."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import pandas as pd

Result = TypeVar("Result")


def by_distinct_row(keys: pd.DataFrame, rule: Callable[..., Result]) -> list[Result]:
    """`rule` of each row's values, in the order of rows; missing values equal each other."""
    place = keys.groupby(list(keys.columns), dropna=False, sort=False).ngroup()
    answers = [rule(*row) for row in keys[~place.duplicated()].itertuples(index=False, name=None)]
    return [answers[n] for n in place]


def column_or(frame: pd.DataFrame, name: str | None, otherwise: Any) -> pd.Series[Any]:
    """The column `name`, or `otherwise` in every row when there is none."""
    return pd.Series([otherwise] * len(frame), dtype=object) if name is None else frame[name].reset_index(drop=True).astype(object)
