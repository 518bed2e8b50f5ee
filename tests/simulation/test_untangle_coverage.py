"""Known truth: the parts of the simulated bundle; bias and coverage against their Monte Carlo errors."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

import sme_eval as sme
from sme_eval.simulate.scenario import Credit, Scenario, find_scenario
from tests.unit.test_untangle import ARMS, EXPOSURES, PACKAGE

PANELS = 80
TOLD = ("credit", "srdi", "certificate_with_cash")


def true_parts(panel: sme.FirmPanel) -> dict[str, float]:
    """Mean effect of each told part over its own arm's first three years; certificate and cash over firms paid 500,000 yuan."""
    truth, frame = panel.truth, panel.frame
    assert truth is not None
    window = (0, 2)
    never_certified = (frame["certified_year"] == 0).to_numpy()
    paid_50 = (frame["reward_dose"] == 50).to_numpy(dtype=bool, na_value=False)
    at_entry = {"start": "certified_year", "event_time": window, "among": paid_50}
    return {
        "credit": truth.part("log_revenue", "credit", start="library_year", event_time=window),
        "srdi": truth.part("log_revenue", "srdi", start="srdi_year", event_time=window, among=never_certified),
        "certificate_with_cash": sum(truth.part("log_revenue", part, **at_entry) for part in ("certificate", "cash")),
    }


AT_ONCE = replace(find_scenario("baseline"), name="credit at once", credit=Credit(ramp=(1.0,)))
"""Baseline, but credit acts in full from the first year on, as an exposure of 0 and 1 says it does."""


@pytest.mark.parametrize("scenario", [AT_ONCE, find_scenario("null")], ids=lambda s: s.name)
def test_bias_and_coverage(scenario: Scenario) -> None:
    gaps, covered = [], []
    for seed in range(PANELS):
        panel, _ = sme.simulate_ningbo(seed=50_000 + seed, scenario=scenario)
        truth = true_parts(panel)
        found = sme.untangle(panel, arms=ARMS, exposures=EXPOSURES, sums=PACKAGE)
        estimates = [found[name] for name in TOLD]
        gaps.append([float(one.estimate) - truth[name] for name, one in zip(TOLD, estimates, strict=True)])
        covered.append([one.conf_low <= truth[name] <= one.conf_high for name, one in zip(TOLD, estimates, strict=True)])
    error = np.std(gaps, axis=0, ddof=1) / math.sqrt(PANELS)
    coverage_error = math.sqrt(0.95 * 0.05 / PANELS)
    for j, name in enumerate(TOLD):
        assert abs(np.mean(gaps, axis=0)[j]) < 3 * error[j], (name, np.mean(gaps, axis=0)[j], error[j])
        assert abs(np.mean(covered, axis=0)[j] - 0.95) < 3 * coverage_error, (name, np.mean(covered, axis=0)[j])
