"""What firms are before anything happens: where, in which industry, how large, how much research."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntegerArray = NDArray[np.int64]
FlagArray = NDArray[np.bool_]

DISTRICTS: Final = (
    "haishu", "jiangbei", "beilun", "zhenhai", "yinzhou", "fenghua",
    "xiangshan", "ninghai", "yuyao", "cixi", "hightech", "hangzhou_bay",
)  # fmt: skip
DISTRICT_SHARES: Final = (0.07, 0.05, 0.10, 0.07, 0.15, 0.07, 0.06, 0.07, 0.13, 0.14, 0.04, 0.05)
"""Share of firms per district, in the order of `DISTRICTS`: an assumption."""

INDUSTRIES: Final = (
    "C17", "C18", "C21", "C22", "C23", "C24", "C26", "C27", "C28", "C29",
    "C30", "C31", "C32", "C33", "C34", "C35", "C36", "C38", "C39", "C40",
)  # fmt: skip
"""Twenty divisions of GB/T 4754-2017, equally likely: an assumption. All cities have the same ones."""

RD_MEAN: Final = 4.0
RD_SD: Final = 1.0
"""R&D intensity in percent of revenue, normal and cut at zero (four standard deviations below): an assumption."""


@dataclass(frozen=True, slots=True)
class Draws:
    """The random numbers of one city.

    Each part of the simulation has its own stream, named rather than numbered, so that adding a policy later, or
    switching an effect off, leaves every other draw as it was; the first of several cities is the city drawn alone.
    """

    seed: int
    city: int = 1

    def stream(self, name: str) -> np.random.Generator:
        """The generator of one part."""
        full = name if self.city == 1 else f"city {self.city} {name}"
        return np.random.default_rng([self.seed, zlib.crc32(full.encode())])


@dataclass(frozen=True, slots=True)
class Firms:
    """Fixed traits; all arrays (firms,).

    `district` and `industry` index `DISTRICTS` and `INDUSTRIES`; `size`, `rd` and `hidden` are standardised, and no
    column shows the last; `rd_intensity` is in percent.
    """

    district: IntegerArray
    industry: IntegerArray
    size: FloatArray
    rd: FloatArray
    hidden: FloatArray

    @property
    def count(self) -> int:
        """Number of firms."""
        return self.size.size

    @property
    def rd_intensity(self) -> FloatArray:
        """Percent of revenue: linear in `rd`, so that a regression on it controls for `rd` exactly."""
        return RD_MEAN + RD_SD * self.rd


def draw_firms(draws: Draws, count: int) -> Firms:
    """`count` firms of one city."""
    edges = np.cumsum(DISTRICT_SHARES)[:-1]
    return Firms(
        district=np.searchsorted(edges, draws.stream("district").random(count), side="right"),
        industry=draws.stream("industry").integers(0, len(INDUSTRIES), count),
        size=draws.stream("size").standard_normal(count),
        rd=np.maximum(draws.stream("rd").standard_normal(count), -RD_MEAN / RD_SD),
        hidden=draws.stream("hidden").standard_normal(count),
    )
