"""From one value per firm to one per row of the panel, over all cities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sme_eval.simulate.city import City
from sme_eval.simulate.firms import FloatArray, IntegerArray
from sme_eval.terms import NEVER

if TYPE_CHECKING:
    import pandas as pd


class Rows:
    """The rows of some cities, sorted by firm and year."""

    def __init__(self, cities: Sequence[City], years: int) -> None:
        self._cities = cities
        self._years = years
        self.count = sum(city.firms.count for city in cities)

    def row(self, values: Callable[[City], NDArray[Any]]) -> NDArray[Any]:
        """(rows,) from (firms,) of each city."""
        return np.repeat(np.concatenate([values(city) for city in self._cities]), self._years)

    def start(self, values: Callable[[City], IntegerArray]) -> IntegerArray:
        """(rows,) first years from (firms,) of each city, 0 for never."""
        start = np.concatenate([values(city) for city in self._cities])
        return np.repeat(np.where(start == NEVER, 0, start), self._years)

    def yearly(self, values: Callable[[City], FloatArray]) -> FloatArray:
        """(rows,) from (firms, years) of each city."""
        return np.concatenate([values(city).ravel() for city in self._cities])


def of_districts(
    each: Rows, cities: int, position: Callable[[City], IntegerArray], districts: tuple[str, ...]
) -> pd.Categorical[str]:
    """(rows,) the `districts` at these positions, those of further cities under names of their own."""
    keys = tuple(district_key(key, city) for city in range(1, cities + 1) for key in districts)
    return categorical(each.row(lambda city: position(city) + (city.number - 1) * len(districts)), keys)


def district_key(key: str, city: int) -> str:
    """`cixi` in the first city, `c02_cixi` in the second."""
    return key if city == 1 else f"c{city:02d}_{key}"


def categorical(position: IntegerArray, keys: tuple[str, ...]) -> pd.Categorical[str]:
    """(rows,) `keys` at these positions."""
    import pandas as pd

    return pd.Categorical.from_codes(position, categories=pd.Index(list(keys), dtype="str"))
