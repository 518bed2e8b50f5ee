"""Which simulated worlds each table is measured on, how often, and from which seed on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from simulations.trend_worlds import TREND_WORLDS
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
INSTRUMENT_PANELS: Final = 150
"""Panels on which the other instruments are tried: a coverage of 95 % has a Monte Carlo error of 1.8 points."""
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
CLAIMED: Final = (
    "null_no_selection", "clean", "baseline", "literal", "strong_selection", "credit_only", "certificate_only", "cash_only",
    "price_only", "price_and_access", "concurrent", "attrition", "register",
)  # fmt: skip
"""Every other world of one city."""
CHECKED: Final = ("null", "baseline", "strong_selection", "concurrent", "attrition", "null_strong_selection")
"""Worlds in which the checks are asked: a hidden trend, another policy or attrition is there in one and missing in another."""
FENGHUA: Final = FrozenMapping({"fenghua": 50.0})
"""The dose of the one district that matches an award from above, as if its size were known."""

DEGENERATE: Final = (
    "nothing", "doses_that_differ", "library_firms", "srdi_firms", "srdi_firms_and_date", "library_arm", "srdi_arm",
    "srdi_arm_and_date",
)  # fmt: skip
"""What is taken out: a tier with its firms, or only its arm, so that those who enter it later still stand in the comparison."""

WORLDS: Final[Mapping[str, tuple[World, ...]]] = FrozenMapping(
    {
        "certification": tuple(_worlds(SELECTED, 100_000)),
        "claims": (
            *_worlds(("null",), 300_000, MANY_NULLS),
            *_worlds((*NULLS[1:], *CLAIMED), 300_000),
            *_four_cities((*SELECTED, "null_strong_selection", "null_hidden_weak"), 350_000),
        ),
        "checks": tuple(_worlds(CHECKED, 800_000)),
        "district_tests": (World(name="null", scenario=SCENARIOS["null"], panels=SUMMARIES, first_seed=400_000),),
        "rewards": tuple(_worlds(("baseline", "cash_only"), 410_000)),
        "credit": (
            *_worlds(("baseline", "literal", "strong_selection", "price_only", "price_and_access"), 500_000),
            World(name="null_with_first_stage", scenario=NULL_WITH_FIRST_STAGE, panels=PANELS, first_seed=500_000),
        ),
        "bundle": (
            *_worlds(("baseline", "null", "literal", "strong_selection", "credit_only", "certificate_only", "price_only"), 600_000),
            World(name="baseline_fenghua_known", scenario=SCENARIOS["baseline"], panels=PANELS, first_seed=600_000, stated=FENGHUA),
            World(name="null_fenghua_known", scenario=SCENARIOS["null"], panels=PANELS, first_seed=600_000, stated=FENGHUA),
        ),
        "instruments": tuple(_worlds(("baseline", "null"), 900_000, INSTRUMENT_PANELS)),
        "separability": tuple(
            World(name=without, scenario=SCENARIOS["baseline"], panels=1, first_seed=700_000, without=without)
            for without in DEGENERATE
        ),
    }
)
"""Table → its worlds. Worlds of one table share their seeds: the simulator's streams are named, so that they share all draws that
their difference does not touch."""

TABLES: Final[Mapping[str, tuple[Drawn, ...]]] = FrozenMapping({"estimators": TREND_WORLDS, **WORLDS})
"""Every table, those of the simulated Ningbo and that of the estimators."""
