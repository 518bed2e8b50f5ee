"""Text and HTML of results: `print(result)`, `summary()` and a notebook show the same."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


class Printable:
    """Gives `print(result)` and notebooks the text of `summary()`."""

    __slots__ = ()

    def summary(self) -> str:
        """The result as a person reads it."""
        raise AssertionError("every result has its own summary")

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return f'<pre style="line-height:1.35">{html.escape(self.summary())}</pre>'


def text_table(frame: pd.DataFrame) -> str:
    """A frame as aligned text, five significant digits."""
    return frame.to_string(index=False, na_rep="", float_format=_number)


def _number(value: Any) -> str:
    return f"{value:.5g}"
