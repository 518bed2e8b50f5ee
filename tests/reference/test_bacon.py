"""The Goodman-Bacon decomposition against R bacondecomp."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sme_eval as sme
from sme_eval.estimators.bacon import KINDS

from .rows import TOLERANCE, sample, values

NAMES = dict(zip(("Treated vs Untreated", "Earlier vs Later Treated", "Later vs Earlier Treated"), KINDS, strict=True))


def test_every_row() -> None:
    """9 comparisons, each with its kind, estimate and weight, and their weighted sum."""
    rows = values("bacon_mpdta")
    table = sme.bacon_decomposition(sample("mpdta"))
    others = ["Inf" if pd.isna(g) else str(g) for g in table["comparison_cohort"]]
    table.index = pd.Index([f"{g}_vs_{other}" for g, other in zip(table["cohort"], others, strict=True)])
    matched = 0
    for r in rows.itertuples():
        if r.quantity == "weighted_sum":
            ours = float(table["weight"] @ table["estimate"])
        else:
            ours = float(table.loc[r.term, r.quantity])
            assert table.loc[r.term, "kind"] == NAMES[r.note]
        matched += bool(np.isclose(ours, r.estimate, rtol=TOLERANCE, atol=1e-12))
    assert matched == len(rows) == 19
    assert len(table) == 9


@pytest.mark.parametrize("weight", [None, "w"])
def test_it_sums_to_the_regression(weight: str | None) -> None:
    data = sample("sim2000", weight=weight)
    table = sme.bacon_decomposition(data)
    assert float(table["weight"] @ table["estimate"]) == pytest.approx(sme.TwoWayFixedEffects().fit(data).estimate, rel=1e-10)
