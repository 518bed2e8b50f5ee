"""Several results side by side: one regression table, one coefficient plot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .estimate import Estimate
from .event_study import Aggregation, EventStudy
from .regression import RegressionResult

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

Result = Estimate | EventStudy | Aggregation | RegressionResult


def estimates_of(result: Result) -> list[Estimate]:
    """The estimates a table shows of one result: every coefficient of a regression, else the overall effect."""
    if isinstance(result, Estimate):
        return [result]
    if isinstance(result, RegressionResult):
        return [result.effects.row(j) for j in range(len(result.effects))]
    return [result.overall]


def regression_table(results: Sequence[Result], names: Sequence[str] | None = None) -> pd.DataFrame:
    """Results as columns: per term the estimate and, below it, its standard error in parentheses, then counts and convention.

    No stars: the interval and the p-value are in each result.
    """
    import pandas as pd

    columns = list(names) if names is not None else [f"({n})" for n in range(1, len(results) + 1)]
    cells: dict[tuple[str, str], dict[str, str]] = {}
    for column, result in zip(columns, results, strict=True):
        estimates = estimates_of(result)
        for estimate in estimates:
            cells.setdefault((estimate.term, "estimate"), {})[column] = f"{float(estimate.estimate):.4f}"
            cells.setdefault((estimate.term, "std_error"), {})[column] = f"({float(estimate.std_error):.4f})"
        first = estimates[0]
        for row in ("n_observations", "n_firms", "n_clusters", "convention"):
            cells.setdefault(("", row), {})[column] = str(getattr(first, row))
    terms = [key for key in cells if key[0]] + [key for key in cells if not key[0]]
    index = pd.MultiIndex.from_tuples(terms, names=["term", "row"])
    return pd.DataFrame([cells[key] for key in terms], index=index, columns=columns).fillna("")


def coefficient_plot(results: Sequence[Result], names: Sequence[str] | None = None, **labels: Any) -> Axes:
    """Estimates of several results with their intervals, one line each."""
    import pandas as pd

    from .plots import draw_forest

    labelled = zip(names or [""] * len(results), results, strict=True)
    rows = [e.to_frame().assign(term=name or e.term) for name, result in labelled for e in estimates_of(result)]
    return draw_forest(pd.concat(rows, ignore_index=True), **labels)
