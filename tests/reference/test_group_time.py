"""Callaway–Sant'Anna against R did, with and without covariates: group-time effects, all aggregations, the pre-test."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

import sme_eval as sme

from .rows import frame, mismatches, sample, values

CLUSTERS = {"cldist": "dist", "clstate": "st"}
COVARIATES = {"nocov": (), "lpop": ("lpop",), "x123": ("x1", "x2", "x3")}
KEYS = {"group": "group", "dynamic": "event", "calendar": "time"}


@cache
def effects(dataset: str, spec: str) -> sme.GroupTimeEffects:
    given, comparison, method, base, anticipation, weight, _ = spec.split("|")
    covariates, _, cluster = given.partition("_")
    estimator = sme.CallawaySantAnna(
        comparison={"nevertreated": "never_treated", "notyettreated": "not_yet_treated"}[comparison],
        method=method,
        base_period=base,
        anticipation=int(anticipation.removeprefix("ant")),
    )
    return estimator.fit(sample(dataset, CLUSTERS.get(cluster), weight or None, COVARIATES[covariates]))


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


LOOSE = {
    ("x123|notyettreated|ipw|varying|ant0||", "aggte_dynamic", "-2"),
    ("x123|notyettreated|ipw|varying|ant0||", "aggte_dynamic_balance1", "-2"),
    ("x123|notyettreated|ipw|varying|ant0|w|", "att_gt", "2022_2019"),
}
"""Rows for which R's logit, which stops when its deviance has settled to 1e-8, is less exact than `TOLERANCE`."""
LOOSE_TOLERANCE = 1e-7


@pytest.mark.parametrize(("dataset", "required", "loose"), [("mpdta", 834, 0), ("sim2000", 2177, 3)])
def test_every_row_with_covariates(dataset: str, required: int, loose: int) -> None:
    rows = values(f"did_covariates_{dataset}")
    ours = {i: answer(dataset, r) for i, r in rows.iterrows()}
    exact = np.array([(r.spec, r.quantity, str(r.term)) not in LOOSE for _, r in rows.iterrows()])
    assert mismatches(rows[exact], ours) == []
    assert (int(exact.sum()), int((~exact).sum())) == (required, loose)
    for i, row in rows[~exact].iterrows():
        assert ours[i] == pytest.approx((row.estimate, row.se), rel=LOOSE_TOLERANCE)


def weighted_gap(settled: float, most_steps: int) -> float:
    """ATT(2022, 2019) of the last loose row by dense arithmetic, the logit as R iterates it."""
    data = frame("sim2000").sort_values(["id", "year"])
    firms, paths = data.groupby("id").first(), data.pivot(index="id", columns="year", values="y")
    at_risk = ((firms.g == 0) | (firms.g > 2019)).to_numpy()
    firms, change = firms[at_risk], (paths[2019] - paths[2018])[at_risk].to_numpy()
    d, w = (firms.g == 2022).to_numpy(float), (firms.w / firms.w.mean()).to_numpy()
    x = np.column_stack([np.ones(len(d)), firms[["x1", "x2", "x3"]]])
    p, last = (w * d + 0.5) / (w + 1.0), np.inf
    index = np.log(p / (1.0 - p))
    for _ in range(most_steps):
        scale = w * p * (1.0 - p)
        index = x @ np.linalg.solve((x * scale[:, None]).T @ x, x.T @ (scale * index + w * (d - p)))
        p = 1.0 / (1.0 + np.exp(-index))
        deviance = -2.0 * float(w @ np.log(np.where(d > 0.0, p, 1.0 - p)))
        if abs(deviance - last) < settled * (0.1 + abs(deviance)):
            break
        last = deviance
    tilt = w * (1.0 - d) * p / (1.0 - p)
    return float((w * d) @ change / (w @ d) - tilt @ change / tilt.sum())


def test_loose_rows_are_the_logit_stopped_early() -> None:
    """Stopped by R's rule, dense arithmetic gives R's digits; run to the end, ours."""
    rows = values("did_covariates_sim2000")
    row = rows[(rows.spec == "x123|notyettreated|ipw|varying|ant0|w|") & (rows.term == "2022_2019")].iloc[0]
    assert weighted_gap(1e-8, 25) == pytest.approx(row.estimate, rel=1e-12)
    assert weighted_gap(0.0, 60) == pytest.approx(answer("sim2000", row)[0], rel=1e-12)


def test_pretest_p_value() -> None:
    """R prints the p-value to five digits."""
    row = values("did_mpdta").query("quantity == 'pretest_W'").iloc[0]
    assert effects("mpdta", row.spec).pretrend_test().p_value == pytest.approx(float(row.note.split("=")[1]), abs=5e-6)
