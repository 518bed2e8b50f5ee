"""Callaway–Sant'Anna without covariates against R did: group-time effects, all aggregations, the pre-test."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

import sme_eval as sme

from .rows import mismatches, sample, values

CLUSTERS = {"nocov": None, "nocov_cldist": "dist", "nocov_clstate": "st"}
KEYS = {"group": "group", "dynamic": "event", "calendar": "time"}


@cache
def effects(dataset: str, spec: str) -> sme.GroupTimeEffects:
    covariates, comparison, _, base, anticipation, weight, _ = spec.split("|")
    estimator = sme.CallawaySantAnna(
        comparison={"nevertreated": "never_treated", "notyettreated": "not_yet_treated"}[comparison],
        base_period=base,
        anticipation=int(anticipation.removeprefix("ant")),
    )
    return estimator.fit(sample(dataset, CLUSTERS[covariates], weight or None))


def answer(dataset: str, row: pd.Series) -> tuple[float, float]:
    """(estimate, standard error) for one reference row."""
    result = effects(dataset, row.spec)
    if row.quantity == "pretest_W":
        return result.pretrend_test().statistic, np.nan
    if row.quantity == "att_gt":
        table = result.to_frame().set_index(["cohort", "year"])
        cell = table.loc[(int(row.group), int(row.time))]
        return float(cell["estimate"]), float(cell["std_error"])
    _, kind, *rest = row.quantity.split("_")
    options = {}
    if rest and rest[0].startswith("balance"):
        options["balance"] = int(rest[0].removeprefix("balance"))
    if rest and rest[0].startswith("min"):
        options["window"] = (int(rest[0].removeprefix("min")), int(rest[1].removeprefix("max")))
    aggregation = result.aggregate(kind, **options)
    if row.quantity.endswith("overall"):
        return float(aggregation.overall.estimate), float(aggregation.overall.std_error)
    table = aggregation.to_frame()
    cell = table[table.iloc[:, 0] == int(row[KEYS[kind]])].iloc[0]
    return float(cell["estimate"]), float(cell["std_error"])


@pytest.mark.parametrize(("dataset", "required"), [("mpdta", 352), ("sim2000", 1194)])
def test_every_row(dataset: str, required: int) -> None:
    rows = values(f"did_{dataset}")
    ours = {i: answer(dataset, r) for i, r in rows.iterrows()}
    assert mismatches(rows, ours) == []
    assert len(rows) == required


def test_pretest_p_value() -> None:
    """R prints the p-value to five digits."""
    row = values("did_mpdta").query("quantity == 'pretest_W'").iloc[0]
    assert effects("mpdta", row.spec).pretrend_test().p_value == pytest.approx(float(row.note.split("=")[1]), abs=5e-6)
