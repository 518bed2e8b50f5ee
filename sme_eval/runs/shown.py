"""A table as a notebook shows it whole: no row left out, no text cut off."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class ShownTable:
    """A frame of texts and numbers with its caption. `grouped` says that rows which share the first column name it once."""

    frame: pd.DataFrame
    caption: str
    grouped: bool = False

    def _repr_html_(self) -> str:
        import pandas as pd

        with pd.option_context("display.max_colwidth", None):
            table = self._rows().to_html(index=False, border=0, na_rep="", max_rows=None)
        return f"<p>{escape(self.caption)}</p>\n{table}"

    def __repr__(self) -> str:
        """The caption, then the rows."""
        return f"{self.caption}\n{self._rows().to_string(index=False, max_colwidth=40, na_rep='')}"

    def _rows(self) -> pd.DataFrame:
        first = self.frame.iloc[:, 0]
        return self.frame.assign(**{str(first.name): first.mask(first == first.shift(), "")}) if self.grouped else self.frame
