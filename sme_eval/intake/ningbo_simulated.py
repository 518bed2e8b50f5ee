"""The simulated Ningbo panel as a source: a panel that carries its truth."""

from __future__ import annotations

from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.simulate.ningbo import simulate_ningbo


def load_ningbo_simulated(
    seed: int, scenario: str = "baseline", firms: int = 6000, years: tuple[int, int] = (2015, 2024)
) -> FirmPanel:
    """`simulate_ningbo(...)` without its second value: the truth is `panel.truth`."""
    return simulate_ningbo(seed, scenario, firms=firms, years=years)[0]
