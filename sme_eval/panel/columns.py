"""Which column of a frame plays which part in a sample, and how treatment is coded."""

from __future__ import annotations

from dataclasses import dataclass

from sme_eval.errors import DesignError, Problem, raise_if_any, suggestion
from sme_eval.terms import AlwaysTreated, Lapses


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Which column of the frame plays which part."""

    firm: str
    year: str
    outcome: str
    cohort: str | None = None
    treatment: str | None = None
    cluster: str | None = None
    weight: str | None = None
    covariates: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()

    @property
    def needed(self) -> list[str]:
        """Every name that the frame must hold."""
        single = (self.firm, self.year, self.outcome, self.cohort, self.treatment, self.cluster, self.weight)
        return [name for name in (*single, *self.covariates, *self.columns) if name is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """How treatment is coded: see `Sample.from_frame`."""

    never_treated: float | None = 0
    lapses: Lapses = "raise"
    always_treated: AlwaysTreated = "raise"


def refuse_contradictions(names: Columns, lapses: str, always_treated: str) -> None:
    """Arguments that cannot stand together, as a DesignError."""
    problems = []
    if names.cohort is not None and names.treatment is not None:
        problems.append(Problem(what="Both a cohort and a treatment column are named.", remedy="name one of them"))
    for option, value, choices in (
        ("lapses", lapses, ("raise", "first")),
        ("always_treated", always_treated, ("raise", "drop")),
    ):
        if value not in choices:
            problems.append(Problem(what=f"{option}={value!r} is not a choice.", remedy=suggestion(value, choices)))
    raise_if_any(DesignError, problems)
