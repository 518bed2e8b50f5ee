"""What is estimated on each panel: one module per table, each with `rows(world, seed)`."""

from __future__ import annotations

import importlib
from typing import cast

from simulations.worlds import Drawn

Row = dict[str, float | int | str]
"""One line of a result file."""


def rows(table: str, world: Drawn, seed: int) -> list[Row]:
    """Estimate what one seed draws; the table's module is loaded when it is first needed, so that a stamp names no other."""
    return cast(list[Row], importlib.import_module(f"simulations.designs.{table}").rows(world, seed))
