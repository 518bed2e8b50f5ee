"""Which simulated worlds each table is measured on, how often, and from which seed on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from sme_eval.panel.frozen_mapping import FrozenMapping
from sme_eval.simulate.scenario import SCENARIOS, Credit, Scenario


class Drawn(Protocol):
    """A world of any table: seeds `first_seed`, `first_seed` + 1, … draw `batch` panels each until there are `panels` of them."""

    @property
    def name(self) -> str:
        """Its name, also of its file."""

    @property
    def panels(self) -> int:
        """How many panels."""

    @property
    def first_seed(self) -> int:
        """The first seed."""

    @property
    def batch(self) -> int:
        """Panels per seed."""

    @property
    def told(self) -> str:
        """Everything that draws the panels, except how many."""

    @property
    def path(self) -> str:
        """Worlds of one table and one path run through the same code."""

    def smallest(self) -> Drawn:
        """The same world with one panel per seed."""


def seeds(world: Drawn, panels: int | None = None) -> range:
    """The seeds of a world, or of its first `panels` panels."""
    wanted = world.panels if panels is None else min(panels, world.panels)
    return range(world.first_seed, world.first_seed - (-wanted // world.batch))


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A scenario and its panels: seeds `first_seed`, `first_seed` + 1, … (`panels` of them).

    `stated` are doses that the panel publishes beyond the scenario's own, by district; `without` names what is taken out of the
    panel so that parts of a bundle cannot be told apart.
    """

    name: str
    scenario: Scenario
    panels: int
    first_seed: int
    stated: Mapping[str, float] = field(default_factory=FrozenMapping)
    without: str = ""

    @property
    def batch(self) -> int:
        """Panels per seed."""
        return 1

    @property
    def told(self) -> str:
        """Everything that draws the world's panels, except how many."""
        return f"{self.scenario!r} {self.first_seed} {dict(self.stated)!r} {self.without}"

    @property
    def path(self) -> str:
        """All worlds of a table run through the same code."""
        return ""

    def smallest(self) -> World:
        """A seed is one panel."""
        return self


PANELS: Final = 400
"""Panels per world at Ningbo's size: a rate of 5 % has a Monte Carlo error of 1.1 points."""
MANY_NULLS: Final = 1000
"""Panels on which the claim rule meets no effect: its rare mistakes are what is asked, and the first 400 happened to be calm."""
MANY_CITIES: Final = 100
"""Panels of worlds with four cities."""
SUMMARIES: Final = 100
"""Panels whose district sizes and errors the few-district tests are drawn from."""


def _worlds(names: tuple[str, ...], first_seed: int, panels: int = PANELS) -> list[World]:
    return [World(name=name, scenario=SCENARIOS[name], panels=panels, first_seed=first_seed) for name in names]


def _four_cities(names: tuple[str, ...], first_seed: int) -> list[World]:
    return [
        World(name=f"{name}_4_cities", scenario=replace(SCENARIOS[name], cities=4), panels=MANY_CITIES, first_seed=first_seed)
        for name in names
    ]


NULL_WITH_FIRST_STAGE: Final = replace(
    SCENARIOS["null"],
    name="null_with_first_stage",
    description="Listing changes credit as in baseline, and credit does nothing to revenue.",
    credit=Credit(elasticity=0.0),
)

NULLS: Final = ("null", "null_literal", "null_strong_selection", "null_hidden_only", "null_hidden_weak")
SELECTED: Final = ("null", "baseline", "literal", "strong_selection")
CHECKED: Final = ("null", "baseline")
"""Worlds in which the checks are asked: without any effect, and with all policies at work; firms are chosen alike in both."""
