"""Figures that follow from the facts: computed each time, never stored, each with its formula in words."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from sme_eval.errors import DesignError, Problem, raise_if_any
from sme_eval.panel.declarations import Entry, Label, read_tables
from sme_eval.panel.frozen_mapping import FrozenMapping
from sme_eval.results.text import Printable

from .fact_files import fact_file
from .facts import Fact, load_facts
from .quantities import Quantity
from .traps import TrapError, TrapWarning

Standing = Literal["sound", "qualified", "refused"]
"""sound: typed arithmetic allows it; qualified: with a warning; refused: shown only with what it is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpliedFigure(Printable):
    """One figure. `traps` are those it was warned of, or (`standing` refused) the one that typed arithmetic refuses it for."""

    name: str
    label: Label
    formula: Label
    caveat: Label | None
    value: float
    unit: str
    population: str
    standing: Standing
    facts: tuple[str, ...]
    traps: tuple[str, ...]

    def summary(self) -> str:
        """Label, value, formula, standing and caveat."""
        caveat = f" {self.caveat.en}" if self.caveat else ""
        noted = f"{self.standing}: {', '.join(self.traps)}" if self.traps else self.standing
        return f"{self.name} {self.value:.6g} {self.unit} = {self.formula.en} ({noted}).{caveat}"


Quantities = Mapping[str, Quantity]
"""Quantities of the facts by name, and of the figures before this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plain:
    """A figure that typed arithmetic refuses: how it would be (`typed`, which must raise) and its plain number."""

    typed: Callable[[Quantities], Quantity]
    plain: Callable[[Quantities], float]
    unit: str
    population: str
    facts: tuple[str, ...]


_Rule = Callable[[Quantities], Quantity] | _Plain


def _percent(ratio: Quantity) -> Quantity:
    return replace(ratio, value=100 * ratio.value, unit="percent")


def _per_firm(*counts: str) -> _Plain:
    def total(q: Quantities) -> Quantity:
        result = q[counts[0]]
        for name in counts[1:]:
            result = result + q[name]
        return result

    return _Plain(
        typed=lambda q: q["F29"] / total(q),
        plain=lambda q: q["F29"].value / sum(q[name].value for name in counts),
        unit="yi_yuan_per_firm",
        population="srdi_and_library",
        facts=("F29", *counts),
    )


_AT_ALL_LOAN_GROWTH: Final = _Plain(
    typed=lambda q: q["prior_balance"] * q["all_loan_growth"].factor(),
    plain=lambda q: q["prior_balance"].value * (1 + q["all_loan_growth"].value / 100),
    unit="yi_yuan",
    population="srdi_and_library",
    facts=("F29", "F30", "F31"),
)
_RULES: Final[Mapping[str, _Rule]] = FrozenMapping(
    {
        "prior_balance": lambda q: q["F29"] / q["F30"].factor(),
        "net_new_lending": lambda q: q["F29"] - q["prior_balance"],
        "all_loan_growth": lambda q: q["F30"] - q["F31"],
        "balance_at_all_loan_growth": _AT_ALL_LOAN_GROWTH,
        "balance_gap": _Plain(
            typed=lambda q: q["F29"] - _AT_ALL_LOAN_GROWTH.typed(q),
            plain=lambda q: q["F29"].value - _AT_ALL_LOAN_GROWTH.plain(q),
            unit="yi_yuan",
            population="srdi_and_library",
            facts=("F29", "F30", "F31"),
        ),
        "all_loan_unsecured_share": lambda q: q["F36"] - q["F37"],
        "unsecured_ratio": lambda q: q["F36"] / q["all_loan_unsecured_share"],
        "national_share": lambda q: _percent(q["F02"] / q["F01"]),
        "batch_sum": lambda q: q["F03"] + q["F04"] + q["F05"] + q["F06"],
        "first_three_batches": lambda q: q["F03"] + q["F04"] + q["F05"],
        "first_batch_share": lambda q: _percent(q["F03"] / q["F02"]),
        "second_batch_share": lambda q: _percent(q["F04"] / q["F02"]),
        "third_batch_share": lambda q: _percent(q["F05"] / q["F02"]),
        "fourth_batch_share": lambda q: _percent(q["F06"] / q["F02"]),
        "key_share": lambda q: _percent(q["F09"] / q["F02"]),
        "library_gap": lambda q: q["F21"] - q["F24"],
        "library_gap_share": _Plain(
            typed=lambda q: q["library_gap"] / q["F21"],
            plain=lambda q: 100 * q["library_gap"].value / q["F21"].value,
            unit="percent",
            population="library",
            facts=("F21", "F24"),
        ),
        "loans_per_firm_library": _per_firm("F20", "F21"),
        "loans_per_firm_entrants": _per_firm("F20", "F24"),
        "loans_per_firm_all": _per_firm("F20", "F02", "F21"),
        "upgraded_per_library": _Plain(
            typed=lambda q: q["F23"] / q["F22"],
            plain=lambda q: 100 * q["F23"].value / q["F22"].value,
            unit="percent",
            population="upgrade_library",
            facts=("F22", "F23"),
        ),
        "guided_share": lambda q: _percent(q["F51"] / q["F50"]),
        "warned_share": lambda q: _percent(q["F52"] / q["F50"]),
        "premium_rate_factor": lambda q: q["F34"].factor(),
        "reward_bill": lambda q: q["F02"] * q["F16"],
    }
)


def implied_figures(facts: Mapping[str, Fact] | None = None, folder: str | Path | None = None) -> Mapping[str, ImpliedFigure]:
    """Every figure that follows from the facts, by name, in order.

    Raises
    ------
    DesignError
        The words of a figure are missing, or a fact it needs is.

    Examples
    --------
    >>> figures = implied_figures()
    >>> round(figures["prior_balance"].value, 2), figures["prior_balance"].standing
    (1241.23, 'qualified')
    >>> figures["loans_per_firm_library"].standing, figures["loans_per_firm_library"].traps
    ('refused', ('T3',))
    """
    texts = _texts(folder)
    known = {key: fact.quantity() for key, fact in (facts or load_facts(folder)).items() if fact.value is not None}
    figures: dict[str, ImpliedFigure] = {}
    with warnings.catch_warnings():
        # Each figure carries its traps; saying them here as well would be said to nobody in particular.
        warnings.simplefilter("ignore", TrapWarning)
        for name, rule in _RULES.items():
            figures[name] = _refused(name, rule, known, texts) if isinstance(rule, _Plain) else _allowed(name, rule, known, texts)
    return FrozenMapping(figures)


@dataclass(frozen=True, slots=True)
class _Words:
    label: Label
    formula: Label
    caveat: Label | None


def _texts(folder: str | Path | None) -> Mapping[str, _Words]:
    path = fact_file("implied.toml", folder)
    problems: list[Problem] = []
    entries = Entry({"implied": read_tables(path)}, path.name, problems).inner("implied")
    for name in sorted(set(entries) ^ set(_RULES)):
        problems.append(Problem(what=f"{name} has words or a rule, not both.", where=path.name))
    words = {name: _words(entry) for name, entry in entries.items()}
    raise_if_any(DesignError, problems)
    return words


def _words(entry: Entry) -> _Words:
    entry.only(("label", "formula", "caveat"))
    caveat = entry.label("caveat") if "caveat" in entry.values else None
    return _Words(entry.label("label"), entry.label("formula"), caveat)


def _allowed(
    name: str, rule: Callable[[Quantities], Quantity], known: dict[str, Quantity], texts: Mapping[str, _Words]
) -> ImpliedFigure:
    result = rule(known)
    known[name] = result
    words = texts[name]
    return ImpliedFigure(
        name=name,
        label=words.label,
        formula=words.formula,
        caveat=words.caveat,
        value=result.value,
        unit=result.unit,
        population=result.population,
        standing="qualified" if result.traps else "sound",
        facts=result.facts,
        traps=result.traps,
    )


def _refused(name: str, rule: _Plain, known: Quantities, texts: Mapping[str, _Words]) -> ImpliedFigure:
    words = texts[name]
    return ImpliedFigure(
        name=name,
        label=words.label,
        formula=words.formula,
        caveat=words.caveat,
        value=rule.plain(known),
        unit=rule.unit,
        population=rule.population,
        standing="refused",
        facts=rule.facts,
        traps=_why(name, rule, known),
    )


def _why(name: str, rule: _Plain, known: Quantities) -> tuple[str, ...]:
    try:
        rule.typed(known)
    except TrapError as error:
        return error.traps
    raise DesignError(Problem(what=f"{name} is refused by no trap.", remedy="compute it by typed arithmetic"))
