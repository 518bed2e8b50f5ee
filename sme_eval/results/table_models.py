"""What tables and plots show of each result: its model, its terms, its own specification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from sme_eval.errors import DesignError, Problem, raise_if_any, suggestion
from sme_eval.terms import LANGUAGES, DataKind

from .decomposition import Decomposition
from .dose import DistrictDoseResult
from .effects import Effects
from .estimate import Estimate
from .event_study import Aggregation, EventStudy
from .group_time import GroupTimeEffects
from .instrumental import FirstStage, InstrumentalResult
from .regression import RegressionResult

Averaged = EventStudy | Aggregation | GroupTimeEffects | DistrictDoseResult
Result = Estimate | Averaged | RegressionResult | Decomposition
Terms = Sequence[str] | Mapping[str, str]
"""Terms to keep, in order; a mapping also names them."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """One column: `main` speaks for the model's counts and errors; `shown` are its terms, each with the note of its row."""

    name: str
    main: Estimate
    shown: Mapping[str, tuple[Estimate, str]]
    r_squared: float | None = None
    first_stage: FirstStage | None = None


def read_models(
    results: Sequence[Result], names: Sequence[str] | None, terms: Terms | None, problems: Sequence[Problem]
) -> list[Model]:
    """The models behind `results`; DesignError with `problems` and everything else that is wrong with the request."""
    own = [f"({n})" for n in range(1, len(results) + 1)] if names is None else list(names)
    found = [*problems, *_problems(results, own)]
    available = [_terms_of(result) for result in results if isinstance(result, Result)]
    if terms is not None:
        everything = list(dict.fromkeys(term for rows in available for term in rows))
        missing = [term for term in terms if term not in everything]
        found += [Problem(what=f"No result has a term {term!r}.", remedy=suggestion(term, everything)) for term in missing]
        found += [] if len(terms) else [Problem(what="`terms` is empty.", remedy="name terms, or None for each result's own")]
    raise_if_any(DesignError, found)
    return [_model(name, result, rows, terms) for name, result, rows in zip(own, results, available, strict=True)]


def form_problems(data_kind: str | None, language: str) -> list[Problem]:
    """What is wrong with the choices that tables and plots share."""
    kinds = get_args(DataKind)
    choices = (("data_kind", data_kind, (None, *kinds)), ("language", language, LANGUAGES))
    return [
        Problem(what=f"{name}={value!r} is not a choice.", remedy=suggestion(value, [str(choice) for choice in allowed]))
        for name, value, allowed in choices
        if value not in allowed
    ]


def _problems(results: Sequence[Result], names: Sequence[str]) -> list[Problem]:
    problems = []
    if not results:
        problems.append(Problem(what="There is no result to show.", remedy="give at least one"))
    if len(names) != len(results):
        problems.append(Problem(what=f"{len(names)} names for {len(results)} results.", remedy="one name for each"))
    if len(set(names)) < len(names):
        problems.append(Problem(what="Two models have one name.", remedy="names that differ"))
    odd = [(n, type(r).__name__) for n, r in enumerate(results, start=1) if not isinstance(r, Result)]
    what, remedy = "Result {} is a {}, which has no estimates to tabulate.", "give what `fit` or `aggregate` returns"
    return [*problems, *(Problem(what=what.format(n, kind), remedy=remedy) for n, kind in odd)]


def _terms_of(result: Result) -> dict[str, tuple[Estimate, str]]:
    """Every term that the result can show."""
    if isinstance(result, Estimate):
        return {result.term: (result, "")}
    if isinstance(result, Decomposition):
        return _rows(result.parts) | _rows(result.sums)
    if isinstance(result, DistrictDoseResult):
        return {result.slope.term: (result.slope, "")} | _rows(result.districts)
    rows = _rows(result.effects)
    if isinstance(result, RegressionResult):
        return rows
    overall = _overall(result)
    return {overall.term: (overall, "")} | rows


def _rows(effects: Effects | None) -> dict[str, tuple[Estimate, str]]:
    if effects is None:
        return {}
    return {term: (effects.row(n), effects.notes[n]) for n, term in enumerate(effects.term)}


def _overall(result: Averaged) -> Estimate:
    """One number per result; of group-time effects the average per treated firm and year, the package's headline."""
    return result.aggregate("simple").overall if isinstance(result, GroupTimeEffects) else result.overall


def _model(name: str, result: Result, rows: dict[str, tuple[Estimate, str]], terms: Terms | None) -> Model:
    if terms is not None:
        shown = {term: rows[term] for term in terms if term in rows}
    else:
        shown = rows if isinstance(result, RegressionResult | Decomposition) else dict([next(iter(rows.items()))])
    return Model(
        name=name,
        main=next(iter(rows.values()))[0],
        shown=shown,
        r_squared=result.r_squared_within if isinstance(result, RegressionResult) else None,
        first_stage=result.first_stage if isinstance(result, InstrumentalResult) else None,
    )
