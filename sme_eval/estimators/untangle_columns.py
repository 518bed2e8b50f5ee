"""What a decomposition reads of a sample: first years, conditions on firms, exposures and covariates, all problems at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sme_eval.errors import DataError, DesignError, Problem, raise_if_any
from sme_eval.estimators.entry_arm import Exposure, Value
from sme_eval.estimators.landmark_arm import Arm
from sme_eval.estimators.landmark_covariates import LandmarkCovariates, PastGrowth, firm_numbers, landmark_covariates
from sme_eval.panel.codes import MISSING, factorise
from sme_eval.panel.sample import Sample
from sme_eval.panel.validation import per_firm, read_cohort
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray
from sme_eval.terms import NEVER

if TYPE_CHECKING:
    from sme_eval.estimators.untangle import Untangle

ONE_PER_FIRM = "it must hold one value per firm"


def require_held(sample: Sample, names: tuple[str, ...]) -> None:
    """Refuse columns that the sample does not hold, all in one error."""
    problems: list[Problem] = []
    for name in dict.fromkeys(names):
        try:
            sample.column(name)
        except DesignError as refused:
            problems += refused.problems
    raise_if_any(DesignError, problems)


@dataclass(eq=False, kw_only=True)
class FirmColumns:
    """Columns of a sample, one value per firm; what is wrong gathers in `problems`. `years` names those that hold first years."""

    sample: Sample
    years: frozenset[str]
    problems: list[Problem] = field(default_factory=list)
    _numbers: dict[str, FloatArray] = field(default_factory=dict)
    _first: dict[str, IntArray] = field(default_factory=dict)

    def is_text(self, name: str) -> bool:
        """Whether a column holds words, not numbers."""
        dtype = self.sample.column(name).dtype
        return isinstance(dtype, pd.CategoricalDtype) or pd.api.types.is_string_dtype(dtype)

    def number(self, name: str) -> FloatArray:
        """(N,) numbers, NaN where missing."""
        if name not in self._numbers:
            self._numbers[name] = firm_numbers(self.sample, name, self.problems, ONE_PER_FIRM)
        return self._numbers[name]

    def first_year(self, name: str) -> IntArray:
        """(N,) first years; zero and missing are never."""
        if name not in self._first:
            values = self.number(name)
            years = read_cohort(np.where(values == 0.0, np.nan, values), None, name, self.problems)
            self._first[name] = np.full(len(values), NEVER, dtype=np.int64) if years is None else years
        return self._first[name]

    def meets(self, where: Mapping[str, Value]) -> BoolArray:
        """(N,) firms that fulfil every condition."""
        fulfilled = np.ones(self.sample.n_firms, dtype=np.bool_)
        for name, value in where.items():
            fulfilled &= self._has(name, value)
        return fulfilled

    def _has(self, name: str, value: Value) -> BoolArray:
        if self.is_text(name):
            codes, labels = self._words(name)
            wanted = MISSING if value is None else labels.get(value, len(labels))
            return np.asarray(codes == wanted)
        if value is None:
            return np.isnan(self.number(name))
        if name in self.years and value == 0:
            return np.asarray(self.first_year(name) == NEVER)
        if isinstance(value, str):
            what = f"{name} holds numbers, the condition {value!r} is text."
            self.problems.append(Problem(what=what, where=f"column {name}", remedy="give a number"))
            return np.zeros(self.sample.n_firms, dtype=np.bool_)
        return np.asarray(self.number(name) == value)

    def _words(self, name: str) -> tuple[IntArray, dict[object, int]]:
        """(N,) codes of words, `MISSING` without, and the code of each word."""
        codes, labels = factorise(self.sample.column(name))
        value = per_firm(self.sample.firm_codes, codes, self.sample.n_firms, name, self.problems, ONE_PER_FIRM)
        return value, {word: code for code, word in enumerate(labels)}


@dataclass(frozen=True, kw_only=True, eq=False)
class Setting:
    """What is read of a sample: the outcome above the exposures (1 + K, N, T), and per firm who enters, when, and is comparable."""

    outcomes: FloatArray
    years: IntArray
    arms: Mapping[str, Arm]
    covariates: LandmarkCovariates
    weight: FloatArray | None


def read_setting(choices: Untangle, sample: Sample) -> Setting:
    """Read all that a decomposition needs; raise everything that is wrong with it."""
    starts = [part.entry for part in choices.arms.values()] + [part.start for part in choices.exposures.values()]
    firms = FirmColumns(sample=sample, years=frozenset([*starts, *([] if choices.listed is None else [choices.listed])]))
    anything = np.min([firms.first_year(name) for name in sorted(firms.years)], axis=0)
    arms = {
        name: Arm(entry=firms.first_year(part.entry), member=firms.meets(part.where), comparison=lambda g: np.asarray(anything > g))
        for name, part in choices.arms.items()
    }
    seen = np.isfinite(sample.outcome)
    exposures = [np.where(seen, _exposure(part, firms), np.nan) for part in choices.exposures.values()]
    growth = None if choices.past_growth is None else PastGrowth(span=choices.past_growth, of=choices.growth_of)
    try:
        covariates = landmark_covariates(sample, choices.covariates, growth=growth)
    except DataError as refused:
        firms.problems.extend(refused.problems)
    raise_if_any(DataError, list(dict.fromkeys(firms.problems)))
    return Setting(
        outcomes=np.stack([sample.outcome, *exposures]), years=sample.years, arms=arms, covariates=covariates, weight=sample.weight
    )


def _exposure(part: Exposure, firms: FirmColumns) -> FloatArray:
    """(N, T) exposure in every year, whether or not the outcome is seen."""
    size = firms.meets(part.where).astype(np.float64)
    if part.times is not None:
        size *= np.nan_to_num(firms.number(part.times)) / part.per
    on = firms.sample.years >= firms.first_year(part.start)[:, None]
    return np.where(on, size[:, None], 0.0)
