"""Size classes after the statistical standard of 2017, and the threshold of industrial statistics ("above scale")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from sme_eval.errors import DataError, Problem, suggestion
from sme_eval.panel.declarations import Label
from sme_eval.results.text import Printable

from .firm_columns import Numbers, each_row, flags_of, numbers_of, row_count
from .size_rules import Industry, find_industry, load_above_scale, load_size_standard

if TYPE_CHECKING:
    import pandas as pd

SIZE_CLASSES: Final = ("micro", "small", "medium", "large")
SIZE_LABELS: Final[Mapping[str, Label]] = {
    "micro": Label("微型", "micro"),
    "small": Label("小型", "small"),
    "medium": Label("中型", "medium"),
    "large": Label("大型", "large"),
}
NOT_NEGATIVE: Final = (0.0, float("inf"))


@dataclass(frozen=True, kw_only=True, eq=False)
class SizeClasses(Printable):
    """Size classes of firms, as far as their figures settle them.

    `lowest` and `highest` are positions in `SIZE_CLASSES`: both equal where the class is known; a missing figure leaves what it
    cannot exclude. `confirmed` is false for firms of industries whose bounds were not checked against a source;
    `unconfirmed` names these industries.
    """

    lowest: npt.NDArray[np.int8]
    highest: npt.NDArray[np.int8]
    confirmed: npt.NDArray[np.bool_]
    unconfirmed: tuple[str, ...]

    @property
    def classes(self) -> tuple[str | None, ...]:
        """Each firm's class, None where it is not known."""
        pairs = zip(self.lowest, self.highest, strict=True)
        return tuple(SIZE_CLASSES[low] if low == high else None for low, high in pairs)

    @property
    def sme(self) -> Numbers:
        """1 for a medium or smaller firm, 0 for a large one, NaN where the figures leave both open. No unit."""
        large = len(SIZE_CLASSES) - 1
        return np.where(self.highest < large, 1.0, np.where(self.lowest == large, 0.0, np.nan))

    def to_frame(self) -> pd.DataFrame:
        """One row per firm: `size_class`, `sme` (missing where not known), `confirmed`."""
        import pandas as pd

        sme = pd.array([None if np.isnan(value) else bool(value) for value in self.sme], dtype="boolean")
        return pd.DataFrame({"size_class": pd.array(self.classes, dtype="str"), "sme": sme, "confirmed": self.confirmed})

    def summary(self) -> str:
        """Counts of firms by class; no firm."""
        classes = self.classes
        counts = [f"{name} {classes.count(name):,}" for name in (*SIZE_CLASSES[::-1],)]
        lines = [f"Size classes of {len(classes):,} firms: {', '.join(counts)}, not known {classes.count(None):,}"]
        return "\n".join([*lines, *(f"  bounds of {name} are not confirmed" for name in self.unconfirmed)])


def size_class(employees: Any, revenue: Any, assets: Any, industry: Any) -> SizeClasses:
    """Large, medium, small or micro by the 统计上大中小微型企业划分办法 (2017).

    A class needs all its lower bounds, which belong to it; a firm that misses one drops to the next class, and below the bounds
    of "small" it is micro. For certification an SME is a medium firm or smaller: an industrial firm with 900 employees is medium
    whatever its revenue.

    Parameters
    ----------
    employees
        Persons; one number or one per firm. NaN or None: not known.
    revenue
        Yearly operating revenue in ten thousand yuan (万元).
    assets
        Total assets in ten thousand yuan (万元); asked in construction, real-estate development, leasing and business services.
    industry
        Name of an industry of the standard ("industry", "工业", "software", …) or a code of industry that begins with B, C or D
        ("C39"); one, or one per firm. None: not known.

    Raises
    ------
    DataError
        Figures of different lengths, negative or infinite ones, industries that the standard does not have.

    Examples
    --------
    >>> size_class([1000, 999, 20, 19], 100_000, None, "industry").classes
    ('large', 'medium', 'small', 'micro')
    >>> size_class(900, 100_000, None, "工业").sme.tolist()
    [1.0]
    """
    rows, problems = row_count((employees, revenue, assets, industry)), list[Problem]()
    named = {"employees": employees, "revenue": revenue, "assets": assets}
    figures = {name: numbers_of(value, rows, name, problems, NOT_NEGATIVE) for name, value in named.items()}
    industries = _industries(industry, rows, problems)
    if problems:
        raise DataError(problems)
    lowest, highest = np.zeros(rows, dtype=np.int8), np.full(rows, len(SIZE_CLASSES) - 1, dtype=np.int8)
    confirmed = np.ones(rows, dtype=bool)
    for found in {one.name: one for one in industries if one is not None}.values():
        here = np.array([one is not None and one.name == found.name for one in industries])
        lowest[here], highest[here] = _span(found, {name: values[here] for name, values in figures.items()})
        confirmed[here] = found.confirmed
    unconfirmed = sorted({one.name for one in industries if one is not None and not one.confirmed})
    return SizeClasses(lowest=lowest, highest=highest, confirmed=confirmed, unconfirmed=tuple(unconfirmed))


def _span(industry: Industry, figures: Mapping[str, Numbers]) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]:
    """The lowest and the highest class that the known figures leave."""
    rows = len(next(iter(figures.values())))
    lowest, highest = np.zeros(rows, dtype=np.int8), np.zeros(rows, dtype=np.int8)
    for position, name in enumerate(SIZE_CLASSES[1:], start=1):
        bounds = industry.bounds[name]
        surely = np.all([figures[key] >= bound for key, bound in bounds.items()], axis=0)
        possibly = np.all([~(figures[key] < bound) for key, bound in bounds.items()], axis=0)
        lowest[surely], highest[possibly] = position, position
    return lowest, highest


def _industries(value: Any, rows: int, problems: list[Problem]) -> list[Industry | None]:
    standard = load_size_standard()
    given = each_row(value, rows, "industry", problems)
    known = {name: find_industry(standard, name) for name in {one for one in given if isinstance(one, str)}}
    found = [known[one] if isinstance(one, str) else None for one in given]
    wrong = [n for n, one in enumerate(given) if one is not None and found[n] is None]
    if wrong:
        what = f"industry: {len(wrong)} values are not in the standard."
        remedy = f"{suggestion(given[wrong[0]], tuple(standard))}; or leave it missing"
        problems.append(Problem(what=what, first=f"row {wrong[0] + 1}", remedy=remedy))
    return found


def above_scale_threshold(year: int) -> float:
    """The yearly main-business revenue from which industrial statistics cover a firm, in ten thousand yuan (万元).

    2,000 since 2011, 500 before; in 1998–2006 every state firm was covered as well, whatever its revenue. The threshold itself is
    inside. A panel of firms above scale therefore has a break between 2010 and 2011 that no policy made.

    Raises
    ------
    ParameterError
        The year lies before 1998.

    Examples
    --------
    >>> above_scale_threshold(2011), above_scale_threshold(2010)
    (2000.0, 500.0)
    """
    return load_above_scale().period(year).threshold


def is_above_scale(revenue: Any, year: int, state_firm: Any = None) -> Numbers:
    """Whether industrial statistics of `year` cover a firm: 1, 0, or NaN where it is not known.

    Parameters
    ----------
    revenue
        Main-business revenue of the year in ten thousand yuan (万元); one number or one per firm.
    year
        The year of the statistics, from 1998 on.
    state_firm
        Whether each firm is state-owned; matters in 1998–2006 only, when all state firms were covered.

    Raises
    ------
    DataError
        Figures that are no numbers, negative, infinite or of different lengths.
    ParameterError
        The year lies before 1998.

    Examples
    --------
    >>> is_above_scale([1999, 2000], 2011).tolist(), is_above_scale(499, 2000, state_firm=True).tolist()
    ([0.0, 1.0], [1.0])
    """
    period, problems = load_above_scale().period(year), list[Problem]()
    rows = row_count((revenue, state_firm))
    money = numbers_of(revenue, rows, "revenue", problems, NOT_NEGATIVE)
    state = flags_of(state_firm, rows, "state_firm", problems)
    if problems:
        raise DataError(problems)
    by_revenue = np.where(np.isnan(money), np.nan, (money >= period.threshold).astype(float))
    if not period.all_state_firms:
        return by_revenue
    covered = (by_revenue == 1) | (state == 1)
    excluded = (by_revenue == 0) & (state == 0)
    return np.where(covered, 1.0, np.where(excluded, 0.0, np.nan))
