"""What is known about firms, as the certification rules ask for it: checked against the declared inputs, ratios worked out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from sme_eval.errors import DataError, Problem
from sme_eval.panel.frozen_mapping import FrozenMapping

from .firm_columns import Numbers, classes_of, each_row, flags_of, numbers_of, row_count
from .size_standard import size_class
from .tier_rules import FirmInput, FirmInputs

if TYPE_CHECKING:
    import pandas as pd

DIGITS: Final = 10
"""Ratios are rounded here, so that a firm that meets a bound exactly does not miss it by the rounding of a division."""
FRACTION: Final = 1.0
"""A share that no firm has above this is taken for a fraction: per cents are wanted."""
SIZE_INPUTS: Final = ("employees", "revenue", "assets", "industry")


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmFacts:
    """Known facts by input, one number per firm (flags 1 and 0, choices by position), NaN where not known.

    `index` are the labels of the firms' rows. `size_unconfirmed` marks firms whose size class rests on bounds that were not
    checked, `unconfirmed_industries` names them.
    """

    rows: int
    index: pd.Index
    values: Mapping[str, Numbers]
    inputs: FirmInputs
    size_unconfirmed: npt.NDArray[np.bool_]
    unconfirmed_industries: tuple[str, ...]

    def value(self, name: str) -> Numbers:
        """One input; NaN for every firm where it was neither supplied nor worked out."""
        return self.values[name] if name in self.values else np.full(self.rows, np.nan)


def firm_facts(firms: pd.DataFrame | Mapping[str, Any], asked: tuple[str, ...], inputs: FirmInputs) -> FirmFacts:
    """The facts of `firms` that the rules ask for (`asked`) and those that they are worked out from.

    Raises
    ------
    DataError
        Nothing of what is asked is supplied, or values are of the wrong kind, out of range, of different lengths, or fractions
        where per cents are wanted: all problems at once.
    """
    import pandas as pd

    index = firms.index if isinstance(firms, pd.DataFrame) else None
    wanted = {*asked, *(part for name in asked for part in PARTS.get(name, ()))}
    given = {name: firms[name] for name in inputs if name in firms and name in wanted}
    if not given:
        listed = ", ".join(sorted(asked))
        raise DataError(Problem(what="No column that the rules ask for is supplied.", remedy=f"name columns as: {listed}"))
    rows = len(index) if index is not None else row_count(list(given.values()))
    problems: list[Problem] = []
    values = {name: _column(inputs[name], value, rows, problems) for name, value in given.items() if name != "industry"}
    if problems:
        raise DataError(problems)
    _work_out(values, asked)
    size_unconfirmed, industries = _size(values, given.get("industry"), rows) if "sme" in asked else (np.zeros(rows, bool), ())
    return FirmFacts(
        rows=rows,
        index=index if index is not None else pd.RangeIndex(rows),
        values=FrozenMapping(values),
        inputs=inputs,
        size_unconfirmed=size_unconfirmed,
        unconfirmed_industries=industries,
    )


PARTS: Final[Mapping[str, tuple[str, ...]]] = FrozenMapping(
    {
        "rd_intensity": ("rd_spending", "revenue"),
        "rd_intensity_previous": ("rd_spending_previous", "revenue_previous"),
        "rd_spending_two_years": ("rd_spending", "rd_spending_previous"),
        "rd_spending_two_year_mean": ("rd_spending_two_years", "rd_spending", "rd_spending_previous"),
        "sme": SIZE_INPUTS,
    }
)
"""What an input is worked out from where it is not supplied."""


def _column(asked: FirmInput, value: Any, rows: int, problems: list[Problem]) -> Numbers:
    if asked.kind == "flag":
        return flags_of(value, rows, asked.name, problems)
    if asked.kind == "choice":
        return classes_of(value, rows, asked.name, problems, asked.choices)
    low = -np.inf if asked.minimum is None else asked.minimum
    numbers = numbers_of(value, rows, asked.name, problems, (low, np.inf if asked.maximum is None else asked.maximum))
    known = numbers[~np.isnan(numbers)]
    if asked.share and np.any(known > 0) and np.all(known <= FRACTION):
        what = f"{asked.name}: no firm is above {FRACTION:g}; these look like fractions, not per cents."
        problems.append(Problem(what=what, remedy="multiply by 100"))
    return numbers


def _work_out(values: dict[str, Numbers], asked: tuple[str, ...]) -> None:
    """Adds ratios, sums and means of what is known; a supplied value stays, its gaps are filled."""
    unknown = np.array(np.nan)
    money = {name: values.get(name, unknown) for name in ("rd_spending", "rd_spending_previous", "revenue", "revenue_previous")}
    total = _filled(values.get("rd_spending_two_years"), money["rd_spending"] + money["rd_spending_previous"])
    found = {
        "rd_intensity": _percent(money["rd_spending"], money["revenue"]),
        "rd_intensity_previous": _percent(money["rd_spending_previous"], money["revenue_previous"]),
        "rd_spending_two_years": total,
        "rd_spending_two_year_mean": total / 2,
    }
    for name, worked_out in found.items():
        if name in asked:
            value = _filled(values.get(name), worked_out)
            if value.ndim:
                values[name] = value


def _percent(part: Numbers, whole: Numbers) -> Numbers:
    """100 part / whole; not known where nothing was earned."""
    return np.round(100 * part / np.where(whole > 0, whole, np.nan), DIGITS)


def _filled(supplied: Numbers | None, worked_out: Numbers) -> Numbers:
    return worked_out if supplied is None else np.where(np.isnan(supplied), worked_out, supplied)


def _size(values: dict[str, Numbers], industry: Any, rows: int) -> tuple[npt.NDArray[np.bool_], tuple[str, ...]]:
    """Fills in who is an SME from the size standard; returns who rests on bounds that were not checked, and their industries."""
    supplied = values.get("sme", np.full(rows, np.nan))
    open_rows = np.isnan(supplied)
    if industry is None or not open_rows.any():
        return np.zeros(rows, bool), ()
    problems: list[Problem] = []
    # A firm whose size is supplied keeps it: its industry need not be one of the standard.
    known = [
        one if still_open else None
        for one, still_open in zip(each_row(industry, rows, "industry", problems), open_rows, strict=True)
    ]
    if problems:
        raise DataError(problems)
    employees, revenue, assets = (values.get(name, np.full(rows, np.nan)) for name in ("employees", "revenue", "assets"))
    sizes = size_class(employees, revenue, assets, known)
    values["sme"] = _filled(supplied, sizes.sme)
    return open_rows & ~sizes.confirmed, sizes.unconfirmed
