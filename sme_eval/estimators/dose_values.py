"""The doses of firms: read strictly, and refused where they contradict who was treated."""

from __future__ import annotations

import numpy as np

from sme_eval.errors import DataError, DesignError, Problem, raise_if_any
from sme_eval.moments.moments import Moments
from sme_eval.panel.sample import Sample
from sme_eval.panel.validation import counted, per_firm, read_number
from sme_eval.stats.arrays import FloatArray
from sme_eval.terms import NEVER

MOST_DOSES = 20
"""More distinct doses than this are a continuous dose: hardly any firm would share its dose with another."""


def require_doses(sample: Sample, name: str) -> None:
    """Refuse a dose column that is no number, misses values or changes within a firm; all at once."""
    sample.column(name)
    problems: list[Problem] = []
    values = read_number(sample.frame, name, problems)
    remedy = (
        "the dose of a firm is one number, also before its treatment: "
        f'frame["{name}"] = frame.groupby("{sample.names.firm}")["{name}"].transform("max")'
    )
    dose = per_firm(sample.firm_codes, values, sample.n_firms, name, problems, remedy)
    missing = np.isnan(dose)
    if missing.any() and not problems:
        cohort = sample.cohort if sample.cohort is not None else np.full(sample.n_firms, NEVER)
        for firms, who, fill in (
            (missing & (cohort == NEVER), "never-treated", "write 0: they got nothing"),
            (missing & (cohort != NEVER), "treated", "find their dose or leave them out; an unknown dose is not a dose of 0"),
        ):
            if firms.any():
                what = f"{name} is missing for {counted(int(firms.sum()), f'{who} firm', f'{who} firms')}."
                problems.append(Problem(what=what, where=f"column {name}", remedy=fill))
    raise_if_any(DataError, problems)


def doses_of_cells(moments: Moments, name: str) -> FloatArray:
    """The dose of every cell (K,); DataError if it is no number ≥ 0, DesignError if it contradicts the cohorts or is continuous."""
    label = moments.label(name)
    where = f"column {name}"
    try:
        dose = np.array([float(value) for value in label], dtype=np.float64)
    except (TypeError, ValueError):
        problem = Problem(what=f"The doses {name} are not numbers.", where=where, remedy="give the amount that each firm got")
        raise DataError(problem) from None
    bad = ~(np.isfinite(dose) & (dose >= 0.0))
    if bad.any():
        what = f"{counted(int(moments.n_firms[bad].sum()), 'firm has', 'firms have')} a dose below 0 or not finite."
        raise DataError(Problem(what=what, where=where, remedy="a dose is positive for treated firms and 0 for never-treated ones"))
    _refuse_contradictions(moments, dose, name)
    return dose


def _refuse_contradictions(moments: Moments, dose: FloatArray, name: str) -> None:
    treated = moments.cohort <= moments.years[-1]
    problems = []
    for cells, words, remedy in (
        (treated & (dose == 0.0), ("treated firm has", "treated firms have"), "leave them out, or find what they got"),
        ((moments.cohort == NEVER) & (dose > 0.0), ("never-treated firm has", "never-treated firms have"), "set it to 0"),
    ):
        if cells.any():
            amount = "dose 0" if (dose[cells] == 0.0).all() else "a positive dose"
            what = f"{counted(int(moments.n_firms[cells].sum()), *words)} {amount}."
            remedy = f"correct the cohort if that is wrong; else {remedy}"
            problems.append(Problem(what=what, where=f"column {name}", remedy=remedy))
    distinct = np.unique(dose[treated & (dose > 0.0)])
    if len(distinct) > MOST_DOSES:
        what = f"{len(distinct)} distinct doses are a continuous dose, not a discrete one (at most {MOST_DOSES})."
        remedy = (
            f'bin the doses of treated firms, one value per bin: bins = pd.qcut(frame["{name}"].where(frame["{name}"] > 0), 5, '
            f'duplicates="drop"); frame["{name}"] = frame["{name}"].groupby(bins, observed=True).transform("mean").fillna(0)'
        )
        problems.append(Problem(what=what, where=f"column {name}", remedy=remedy))
    raise_if_any(DesignError, problems)
