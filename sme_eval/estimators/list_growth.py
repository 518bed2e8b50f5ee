"""Growth of an amount over a list that changes, with the list as it is at each end and with the list held fixed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from sme_eval.errors import DataError, DesignError, Problem, raise_if_any, suggestion
from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.panel.frozen_mapping import FrozenMapping
from sme_eval.results.list_growth import AmountColumn, ListGrowth
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray
from sme_eval.stats.list_change import list_change
from sme_eval.terms import LANGUAGES

if TYPE_CHECKING:
    import pandas as pd

_NOT_AMOUNTS: Final = ("percent", "percentage_point", "percent_of_revenue", "share", "year")
"""Units whose numbers say nothing when they are added up over firms."""


def list_growth(
    panel: FirmPanel,
    *,
    listed: str = "listed_year",
    left: str | None = None,
    amount: str = "loan_balance",
    year: int = 2022,
    since: int | None = None,
) -> ListGrowth:
    """Growth of `amount` from `since` to `year` over the firms of a list, and how much of it is the list's own change.

    With S the firms on the list at the start, E those at the end, y their amounts and Δ = y₁ − y₀:

    current list Σ_E y₁ / Σ_S y₀ − 1; frozen at the start Σ_S y₁ / Σ_S y₀ − 1 (Laspeyres); frozen at the end
    Σ_E y₁ / Σ_E y₀ − 1 (Paasche); and Σ_E y₁ − Σ_S y₀ = Σ_S Δ + Σ_{E∖S} y₀ + Σ_{E∖S} Δ − Σ_{S∖E} y₁.

    It is an accounting identity: no standard error, no interval, no counterfactual. A frozen list is no effect of being on it
    either: its firms were chosen, often for their growth.

    Parameters
    ----------
    panel
        Rows of both years. A firm of the list without an amount in either (or without a row) is left out and counted: what a firm
        that did not exist yet owed is not known to be zero.
    listed
        Column of the first year on the list, constant within firms; 0 for never. A firm is on it at the end of that year.
    left
        Column of the first year no longer on it, 0 for never; None where nobody is taken off, as in a list of first entries.
    amount
        Column of amounts in money or persons, not negative, not in logarithms.
    year, since
        End and start; `since` is the year before `year` unless told.

    Raises
    ------
    DesignError
        An unknown column, a column whose sum over firms means nothing, years in the wrong order.
    DataError
        A year or a column is not in the panel, years of entry are missing or vary within a firm, firms leave before they
        enter, amounts are negative: all of them at once. Or the list has no amount at the start.

    Examples
    --------
    >>> import sme_eval as sme
    >>> panel, _ = sme.simulate_ningbo(seed=1, firms=2500)
    >>> growth = sme.list_growth(panel)
    >>> [round(value, 2) for value in (growth.current_list, growth.frozen_start, growth.frozen_end)]
    [171.25, 18.35, 19.84]
    >>> sme.list_growth(panel, amount="log_credit_balance")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    sme_eval.errors.DesignError: log_credit_balance is a logarithm...
    """
    since = year - 1 if since is None else since
    column = _amount_column(panel, amount, (since, year))
    frame = panel.frame
    names = [listed, *([left] if left else [])]
    raise_if_any(DataError, [*_absent(panel, (*names, amount), (since, year))])
    raise_if_any(DataError, [*_list_problems(frame, names), *_negative(frame, amount, (since, year))])
    first = frame.groupby("firm", sort=False)[names].first()
    entry = first[listed].to_numpy(dtype=np.int64)
    exit_ = first[left].to_numpy(dtype=np.int64) if left else np.zeros(entry.size, dtype=np.int64)
    raise_if_any(DataError, _order_problems(entry, exit_, listed, left))
    start, end = (_amounts(frame, first.index, amount, date) for date in (since, year))
    groups = list_change(start, end, *(_on_list(entry, exit_, date) for date in (since, year)))
    growth = ListGrowth(
        amount=column, listed=listed, since=since, year=year, data_kind=panel.data_kind, groups=FrozenMapping(groups)
    )
    if not growth.start > 0.0:
        what = f"No firm of the list {listed} has an amount above zero in {since}: nothing can grow from there."
        raise DataError(Problem(what=what, where=amount, remedy="choose a later start with since=…"))
    return growth


def _amount_column(panel: FirmPanel, amount: str, years: tuple[int, int]) -> AmountColumn:
    """The column with its unit; refused where its sum over firms means nothing."""
    if years[0] >= years[1]:
        raise DesignError(Problem(what=f"Growth from {years[0]} to {years[1]} runs backwards.", remedy="since before year"))
    declared = panel.dictionary[amount]
    unit = declared.unit
    where = "data/dictionary.toml"
    if unit is not None and unit.logarithm_of:
        remedy = f"give the amount itself, in {unit.logarithm_of}"
        raise DesignError(Problem(what=f"{amount} is a logarithm: it does not add up over firms.", where=where, remedy=remedy))
    if unit is None or unit.key in _NOT_AMOUNTS:
        told = "has no unit" if unit is None else f"is in {unit.label.en}"
        raise DesignError(Problem(what=f"{amount} {told}: it does not add up over firms.", where=where, remedy="give an amount"))
    return AmountColumn(
        name=amount,
        unit=unit.key,
        label=FrozenMapping({language: declared.label.text(language) for language in LANGUAGES}),
        unit_label=FrozenMapping({language: unit.label.text(language) for language in LANGUAGES}),
    )


def _absent(panel: FirmPanel, columns: tuple[str, ...], years: tuple[int, int]) -> list[Problem]:
    problems = [
        Problem(what=f"The panel has no column {name!r}.", where=panel.source, remedy=suggestion(name, panel.columns))
        for name in columns
        if name not in panel.columns
    ]
    shown = ", ".join(str(year) for year in panel.years)
    return problems + [
        Problem(what=f"The panel has no year {year}.", where=panel.source, remedy=f"it has {shown}")
        for year in years
        if year not in panel.years
    ]


def _list_problems(frame: pd.DataFrame, names: list[str]) -> list[Problem]:
    """Years of entry or exit that are missing or differ between the rows of a firm."""
    problems = []
    for name in names:
        firms = frame.groupby("firm", sort=False)[name]
        if missing := int((firms.count() < firms.size()).sum()):
            remedy = "0 for a firm that never was on it"
            problems.append(Problem(what=f"{name} is missing in rows of {missing} firms.", where=name, remedy=remedy))
        if varying := int((firms.max() > firms.min()).sum()):
            remedy = "one year per firm; a list that is entered twice has two columns"
            problems.append(Problem(what=f"{name} varies within {varying} firms.", where=name, remedy=remedy))
    return problems


def _negative(frame: pd.DataFrame, amount: str, years: tuple[int, int]) -> list[Problem]:
    rows = np.flatnonzero(frame["year"].isin(years).to_numpy() & (frame[amount].to_numpy(dtype=float) < 0.0))
    if not rows.size:
        return []
    first = ", ".join(f"row {row + 1}" for row in rows[:3])
    what = f"{amount} is negative in {rows.size} rows."
    return [Problem(what=what, where=amount, first=first, remedy="an amount owed is not negative; leave unknown ones empty")]


def _order_problems(entry: IntArray, exit_: IntArray, listed: str, left: str | None) -> list[Problem]:
    wrong = int(((exit_ > 0) & (exit_ <= entry)).sum() + ((exit_ > 0) & (entry == 0)).sum())
    what = f"{wrong} firms leave the list before they are on it."
    return [Problem(what=what, where=f"{left} against {listed}", remedy="0 for a firm that has not left")] if wrong else []


def _on_list(entry: IntArray, exit_: IntArray, year: int) -> BoolArray:
    on: BoolArray = (entry > 0) & (entry <= year) & ((exit_ == 0) | (year < exit_))
    return on


def _amounts(frame: pd.DataFrame, firms: pd.Index, amount: str, year: int) -> FloatArray:
    """The amount of every firm in a year, NaN where it has none or no row."""
    rows = frame.loc[frame["year"] == year].set_index("firm")[amount]
    amounts: FloatArray = rows.reindex(firms).to_numpy(dtype=np.float64)
    return amounts
