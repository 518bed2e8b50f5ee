"""Known truth where both parametric models are wrong: a flexible cross-fitted learner has no bias and honest intervals.

Entry and growth depend on cos(2x), which neither a straight line nor a logit in x sees. With S panels the mean's Monte Carlo error
is sd / √S, that of a true 95 % coverage sqrt(.95 · .05 / S).
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer

import sme_eval as sme

PANELS, FIRMS, EFFECT = 100, 600, 0.3
ERRORS = 3.0
"""Monte Carlo errors within which an unbiased mean and a true coverage must lie."""
SPLINES = sme.CrossFit(
    outcome=make_pipeline(SplineTransformer(n_knots=6), Ridge(alpha=0.1)),
    propensity=make_pipeline(SplineTransformer(n_knots=6), LogisticRegression(C=10.0, solver="newton-cholesky")),
)
METHODS = {"linear": sme.CallawaySantAnna(), "splines": sme.CallawaySantAnna(learner=SPLINES)}


def draw(seed: int) -> sme.Sample:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2.0, 2.0, FIRMS)
    entered = rng.random(FIRMS) < 1.0 / (1.0 + np.exp(0.7 - 1.2 * np.cos(2.0 * x)))
    before = rng.standard_normal(FIRMS)
    after = before + 0.5 * np.cos(2.0 * x) + EFFECT * entered + 0.5 * rng.standard_normal(FIRMS)
    frame = pd.DataFrame({"id": np.repeat(np.arange(FIRMS), 2), "year": np.tile([2020, 2021], FIRMS), "x": np.repeat(x, 2)})
    frame["y"], frame["g"] = np.column_stack([before, after]).ravel(), np.repeat(np.where(entered, 2021, 0), 2)
    return sme.Sample.from_frame(frame, firm="id", year="year", outcome="y", cohort="g", covariates=("x",))


@cache
def runs() -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Per method estimates, errors and whether intervals cover the truth."""
    rows: dict[str, list[tuple[float, float, bool]]] = {name: [] for name in METHODS}
    for seed in range(PANELS):
        sample = draw(seed)
        for name, estimator in METHODS.items():
            one = estimator.fit(sample).effects.row(0)
            rows[name].append((float(one.estimate), float(one.std_error), one.conf_low <= EFFECT <= one.conf_high))
    return {name: tuple(np.array(column) for column in zip(*found, strict=True)) for name, found in rows.items()}


def test_the_parametric_form_is_biased() -> None:
    """Otherwise the design would prove nothing."""
    estimates, _, covered = runs()["linear"]
    assert estimates.mean() - EFFECT > 10.0 * estimates.std(ddof=1) / math.sqrt(PANELS)
    assert covered.mean() < 0.5


def test_the_learner_is_not_and_its_intervals_cover() -> None:
    estimates, errors, covered = runs()["splines"]
    assert abs(estimates.mean() - EFFECT) < ERRORS * estimates.std(ddof=1) / math.sqrt(PANELS)
    assert abs(covered.mean() - 0.95) < ERRORS * math.sqrt(0.95 * 0.05 / PANELS)
    assert errors.mean() == pytest.approx(estimates.std(ddof=1), rel=ERRORS / math.sqrt(2.0 * PANELS))
