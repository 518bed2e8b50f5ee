"""Size and power of few-district inference on summaries of full panels: the districts' sizes and errors are a panel's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from simulations.designs import Row
from simulations.designs.panels import draw, policy_design, sample
from simulations.worlds import World
from sme_eval.results.dose import DistrictDoseResult
from sme_eval.simulate.rewards import INVENTED, MATCHING, STATED
from sme_eval.stats.arrays import FloatArray
from sme_eval.stats.few_clusters import dose_slope_knapp_hartung, dose_slope_ols, permutation_test
from sme_eval.stats.inference import critical_value
from sme_eval.stats.wild_bootstrap import districts_alone, wild_bootstrap

LAYOUTS: Final[Mapping[str, Mapping[str, float]]] = {
    "five_stated": STATED,
    "six_fenghua_50": {**STATED, MATCHING: 50.0},
    "six_fenghua_100": {**STATED, MATCHING: 100.0},
    "six_fenghua_25": {**STATED, MATCHING: 25.0},
    "twelve_known": {**STATED, **INVENTED, MATCHING: 50.0},
    "twelve_fenghua_100": {**STATED, **INVENTED, MATCHING: 100.0},
}
"""Name → district → dose in 10,000 yuan; `twelve_known` are the simulator's own."""
SETTINGS: Final[Mapping[str, tuple[float, float]]] = {
    "b0_sd0": (0.0, 0.0),
    "b0_sd1": (0.0, 0.01),
    "b0_sd3": (0.0, 0.03),
    "b0.4_sd1": (0.004, 0.01),
    "b4_sd1": (0.04, 0.01),
    "b10_sd1": (0.10, 0.01),
}
"""Name → slope per 50 of dose, and standard deviation of the districts' unexplained effects, log points."""
DRAWS: Final = 6
"""Draws of district effects per panel."""
PER, ALPHA, LEVEL = 50.0, 0.05, 0.95


def rows(world: World, seed: int) -> list[Row]:
    """One row per draw and layout: for each setting the tests that reject, as letters, and the slope."""
    panel = draw(world, seed)
    estimator = policy_design("rewards").estimator
    columns = ("district", "reward_dose", "rd_intensity", "industry", "listed_year")
    frame = panel.frame.assign(reward_dose=panel.frame["district"].astype(str).map(LAYOUTS["twelve_known"]).astype(float))
    result: DistrictDoseResult = estimator.fit(sample(frame, columns=columns))
    names, covariance = result.districts.term, result.districts.covariance
    treated = np.array(result.districts.n_treated, dtype=np.float64)
    found: list[Row] = []
    for draw_number in range(DRAWS):
        rng = np.random.default_rng([seed, draw_number])
        noise, own = rng.multivariate_normal(np.zeros(len(names)), covariance), rng.standard_normal(len(names))
        for layout, doses in LAYOUTS.items():
            at = np.array([names.index(name) for name in doses])
            dose = np.array([doses[name] for name in doses])
            row: Row = {"seed": seed, "draw": draw_number, "layout": layout}
            for setting, (slope, sd) in SETTINGS.items():
                tau = noise[at] + sd * own[at] + slope * dose / PER
                row[setting] = "".join(rejecting(tau, covariance[np.ix_(at, at)], dose / PER, treated[at], rng)) or "-"
                if setting == "b0_sd1":
                    row["slope"] = dose_slope_ols(tau, dose / PER).estimate
            found.append(row)
    return found


TESTS: Final[Mapping[str, str]] = {
    "f": "firm_cluster",
    "1": "crv1",
    "3": "cr3",
    "w": "wild_bootstrap",
    "o": "ols",
    "k": "knapp_hartung",
    "r": "permutation_raw",
    "s": "permutation_studentised",
}
"""Letter → test."""


def rejecting(tau: FloatArray, covariance: FloatArray, dose: FloatArray, size: FloatArray, rng: np.random.Generator) -> list[str]:
    """Letters of the tests that reject b = 0 at 5 %. A bootstrap that is refused as degenerate does not reject."""
    error = np.sqrt(np.diag(covariance))
    p_values = {
        "o": dose_slope_ols(tau, dose).p_value,
        "k": dose_slope_knapp_hartung(tau, error, dose).p_value,
        "r": permutation_test(tau, error, dose, studentised=False, rng=rng).p_value,
        "s": permutation_test(tau, error, dose, rng=rng).p_value,
        "w": 1.0 if districts_alone(dose).any() else wild_bootstrap(tau, dose, rng=rng).p_value,
    }
    return [name for name, p in p_values.items() if p <= ALPHA] + _by_clusters(tau, covariance, dose, size)


def _by_clusters(tau: FloatArray, covariance: FloatArray, dose: FloatArray, size: FloatArray) -> list[str]:
    """The regression with firm and district × year effects, as districts' effects weighted by their firms, by three errors.

    f: firms' influences, normal; 1: districts' squared residuals × D / (D − 1), t(D − 1); 3: jackknife over districts, t(D − 1).
    """
    n = dose.size
    share = size / size.sum()
    x = dose - share @ dose
    weight = share * x / (share @ x**2)
    slope = float(weight @ tau)
    residual = tau - share @ tau - slope * x
    crv1 = float(np.sqrt(n / (n - 1.0) * np.sum((weight * residual) ** 2)))
    firm = float(np.sqrt(weight @ covariance @ weight))
    limit = critical_value(LEVEL, n - 1.0)
    found = ["f"] * (abs(slope) > critical_value(LEVEL, np.inf) * firm) + ["1"] * (abs(slope) > limit * crv1)
    without = [_slope_without(d, tau, dose, size) for d in range(n)]
    jackknife = float(np.sqrt((n - 1.0) / n * np.sum((np.array(without) - slope) ** 2)))
    return found + ["3"] * bool(np.isfinite(jackknife) and abs(slope) > limit * jackknife)


def _slope_without(d: int, tau: FloatArray, dose: FloatArray, size: FloatArray) -> float:
    """The weighted slope without district d; NaN where the dose is then the same everywhere."""
    kept = np.arange(dose.size) != d
    share = size[kept] / size[kept].sum()
    x = dose[kept] - share @ dose[kept]
    spread = float(share @ x**2)
    return float(share @ (x * tau[kept])) / spread if spread > 0.0 else np.nan
