"""What a landmark design conditions on: baseline covariates, and growth before each cohort's own start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from sme_eval.errors import DataError, Problem, raise_if_any
from sme_eval.panel.codes import factorise
from sme_eval.panel.sample import Sample
from sme_eval.panel.validation import per_firm, read_number
from sme_eval.stats.arrays import FloatArray, IntArray
from sme_eval.terms import NEVER

Squares = tuple[str, ...] | Literal["numeric"]
"""Names of numeric covariates that enter squared too; "numeric" for all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastGrowth:
    """The change of `of` (None: the outcome) between the event times `span`; `split` gives each yearly change its own slope."""

    span: tuple[int, int]
    of: str | None = None
    split: bool = False

    @property
    def steps(self) -> tuple[tuple[int, int], ...]:
        """First and last event time of each change."""
        first, last = self.span
        return tuple((t, t + 1) for t in range(first, last)) if self.split else (self.span,)

    def settled(self, base: int, outcome: str) -> tuple[int, ...]:
        """Event times whose change to `base` is itself conditioned on if `outcome` is what grows: no effect can be seen there."""
        grown = self.of is None or self.of == outcome
        return tuple(first for first, _ in self.steps) if grown and self.span[1] == base else ()

    @property
    def names(self) -> tuple[str, ...]:
        """What each change is called."""
        whose = "growth" if self.of is None else f"growth of {self.of}"
        return tuple(f"{whose} from g{first:+d} to g{last:+d}" for first, last in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LandmarkCovariates:
    """Cohort → (N, 1 + p): an intercept, baseline covariates and growth up to that cohort's start; NaN where it is not known.

    `names` (p,) are those of the columns after the intercept: a dummy has its covariate's.
    """

    names: tuple[str, ...]
    fixed: FloatArray
    years: IntArray
    path: FloatArray
    growth: PastGrowth | None

    def __call__(self, cohort: int) -> FloatArray:
        """Covariates of all firms as of `cohort`."""
        if self.growth is None:
            return self.fixed
        place = {int(year) - cohort: j for j, year in enumerate(self.years)}
        unknown = np.full(len(self.fixed), np.nan)
        changes = [
            self.path[:, place[last]] - self.path[:, place[first]] if {first, last} <= place.keys() else unknown
            for first, last in self.growth.steps
        ]
        return np.column_stack([self.fixed, *changes])


def landmark_covariates(
    sample: Sample, covariates: tuple[str, ...], squares: Squares = (), growth: PastGrowth | None = None
) -> LandmarkCovariates:
    """Read the covariates of a landmark design from a sample.

    Numbers enter about their mean, which changes nothing beside an intercept and keeps squares apart from levels; texts and
    categories as one dummy per value, of which a generalised inverse takes what it needs.

    Raises
    ------
    DataError
        All violations at once: covariates that vary within firms or are missing, squares of what is no number.
    """
    problems: list[Problem] = []
    blocks, names = [np.ones((sample.n_firms, 1))], []
    for name in covariates:
        squared = squares == "numeric" or name in squares
        if _is_category(sample, name):
            blocks.append(_dummies(sample, name, problems))
            names += [name] * blocks[-1].shape[1]
            if squared and squares != "numeric":
                problems.append(Problem(what=f"{name} is no number and has no square.", remedy="leave it out of `squares`"))
            continue
        values = _number(sample, name, problems)
        blocks += [values, values**2] if squared else [values]
        names += [name, f"{name} squared"] if squared else [name]
    path = firm_paths(sample, None if growth is None else growth.of, problems)
    raise_if_any(DataError, problems)
    return LandmarkCovariates(
        names=(*names, *(() if growth is None else growth.names)),
        fixed=np.concatenate(blocks, axis=1),
        years=sample.years,
        path=path,
        growth=growth,
    )


def _is_category(sample: Sample, name: str) -> bool:
    kind = sample.column(name).dtype
    return isinstance(kind, pd.CategoricalDtype) or bool(pd.api.types.is_string_dtype(kind))


def _dummies(sample: Sample, name: str, problems: list[Problem]) -> FloatArray:
    """(N, values) 0/1, a column per value that firms have."""
    try:
        label = sample.label(name)
    except DataError as refused:
        problems.extend(refused.problems)
        return np.zeros((sample.n_firms, 0))
    codes, labels = factorise(label)
    dummies = np.zeros((sample.n_firms, len(labels)))
    dummies[np.arange(sample.n_firms), codes] = 1.0
    return dummies


def _number(sample: Sample, name: str, problems: list[Problem]) -> FloatArray:
    """(N, 1), the covariate about its mean."""
    values = firm_numbers(sample, name, problems, "covariates are baseline values: one per firm")
    missing = int(np.isnan(values).sum())
    if missing:
        problems.append(Problem(what=f"{missing} firms have no {name}.", remedy="fill it, or leave these firms out beforehand"))
    centred: FloatArray = values - values.mean()
    return centred[:, None]


def firm_numbers(sample: Sample, name: str, problems: list[Problem], remedy: str) -> FloatArray:
    """A kept numeric column that is constant within firms, (N,); NaN where missing."""
    values = read_number(sample.column(name).to_frame(), name, problems, infinite=True)
    return per_firm(sample.firm_codes, values, sample.n_firms, name, problems, remedy)


def firm_years(sample: Sample, name: str, problems: list[Problem], remedy: str) -> IntArray:
    """First years (N,) in a kept column, `NEVER` where it is 0 or missing."""
    year = firm_numbers(sample, name, problems, remedy)
    return np.where(np.isfinite(year) & (year > 0), year, NEVER).astype(np.int64)


def firm_paths(sample: Sample, name: str | None, problems: list[Problem]) -> FloatArray:
    """(N, T) of a kept numeric column (None: the outcome), NaN in years without it or without the outcome."""
    if name is None or name == sample.names.outcome:
        return sample.outcome
    path = np.full(sample.outcome.size, np.nan)
    path[sample.position] = read_number(sample.column(name).to_frame(), name, problems)
    return path.reshape(sample.outcome.shape)
