"""Columns about firms as the rules need them: one number per firm, NaN where not known; what is wrong is collected."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sme_eval.errors import Problem

Numbers = npt.NDArray[np.float64]
ONE_EACH = "one value per firm, or one for all"


def is_single(value: Any) -> bool:
    """Whether a value stands for every firm."""
    return value is None or isinstance(value, str) or np.ndim(value) == 0


def row_count(values: Sequence[Any]) -> int:
    """How many firms several columns are about: the longest; one if each is a single value."""
    return max((1 if is_single(value) else len(value) for value in values), default=0)


def each_row(value: Any, rows: int, name: str, problems: list[Problem]) -> list[Any]:
    """One entry per firm, None for every sort of missing value."""
    import pandas as pd

    given = [value] * rows if is_single(value) else list(value)
    if len(given) != rows:
        problems.append(Problem(what=f"{name}: {len(given)} firms instead of {rows}.", remedy=ONE_EACH))
        given = [None] * rows
    missing = np.atleast_1d(pd.isna(np.array([*given, None], dtype=object)))
    return [None if empty else one for one, empty in zip(given, missing, strict=False)]


def numbers_of(value: Any, rows: int, name: str, problems: list[Problem], limits: tuple[float, float]) -> Numbers:
    """Finite numbers within `limits` (both closed)."""
    plain = None if is_single(value) else np.asarray(value)
    if plain is not None and plain.dtype.kind in "iuf" and len(plain) == rows:
        numbers = plain.astype(float)
    else:
        numbers = _coded(each_row(value, rows, name, problems), name, "numbers", _number, problems)
    low, high = limits
    wrong = np.isinf(numbers) | (numbers < low) | (numbers > high)
    if wrong.any():
        what = f"{name}: {int(wrong.sum())} values are infinite or outside {low:g} to {high:g}."
        problems.append(Problem(what=what, first=_first(wrong), remedy="check the unit; leave missing what is not known"))
    return numbers


def flags_of(value: Any, rows: int, name: str, problems: list[Problem]) -> Numbers:
    """1 for true, 0 for false."""
    return _coded(each_row(value, rows, name, problems), name, "true or false", _flag, problems)


def classes_of(value: Any, rows: int, name: str, problems: list[Problem], choices: Sequence[str]) -> Numbers:
    """The position of each firm's class in `choices`."""
    codes = {choice: float(n) for n, choice in enumerate(choices)}
    return _coded(each_row(value, rows, name, problems), name, f"one of {', '.join(choices)}", codes.get, problems)


def _coded(given: list[Any], name: str, form: str, code: Callable[[Any], float | None], problems: list[Problem]) -> Numbers:
    coded = [np.nan if one is None else code(one) for one in given]
    wrong = np.array([one is None for one in coded], dtype=bool)
    if wrong.any():
        what = f"{name}: {int(wrong.sum())} values are not {form}."
        problems.append(Problem(what=what, first=_first(wrong), remedy="leave missing what is not known"))
    return np.array([np.nan if one is None else one for one in coded], dtype=float)


def _number(value: Any) -> float | None:
    try:
        return None if isinstance(value, str) else float(value)
    except (TypeError, ValueError):
        return None


def _flag(value: Any) -> float | None:
    return float(value) if isinstance(value, bool | int | float | np.bool_ | np.number) and value in (0, 1) else None


def _first(wrong: npt.NDArray[np.bool_]) -> str:
    return f"row {int(np.flatnonzero(wrong)[0]) + 1}"
