"""The firm panel: one row per firm and year, checked against the dictionary, that knows where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_args

import numpy as np

from sme_eval.errors import DataError, Problem, raise_if_any, suggestion
from sme_eval.panel.contract import Origin, conform
from sme_eval.panel.dictionary import Dictionary, load_dictionary
from sme_eval.panel.fingerprint import content_hash
from sme_eval.panel.frozen_mapping import FrozenMapping
from sme_eval.panel.sample_flow import SampleFlow
from sme_eval.panel.truth import Truth
from sme_eval.terms import DataKind

if TYPE_CHECKING:
    import pandas as pd

DATA_KINDS: Final[tuple[DataKind, ...]] = get_args(DataKind)


@dataclass(frozen=True, slots=True)
class Contract:
    """What a panel is checked against, and how its rows are named in messages."""

    dictionary: Dictionary
    origin: Origin = field(default_factory=Origin)


@dataclass(frozen=True, init=False, eq=False, repr=False)
class FirmPanel:
    """A checked firm-year panel.

    Attributes
    ----------
    frame : pandas.DataFrame
        Columns `firm`, `year` and others of the dictionary in canonical types; rows in file order. A fresh view each
        time: changing it does not change the panel.
    data_kind : "observed" | "simulated"
        Never guessed.
    source : str
        Name of the source, declared in `data/sources.toml` for observed data.
    flow : SampleFlow
        What was kept and dropped on the way here.
    truth : Truth | None
        True effects, aligned with the rows; simulated panels only.
    parameters : mapping
        What made the panel, e.g. seed and scenario.
    dictionary : Dictionary
        The dictionary it was checked against.
    """

    _frame: pd.DataFrame
    data_kind: DataKind
    source: str
    flow: SampleFlow
    truth: Truth | None
    parameters: Mapping[str, object]
    dictionary: Dictionary

    def __init__(
        self,
        frame: pd.DataFrame,
        *,
        data_kind: DataKind,
        source: str,
        flow: SampleFlow | None = None,
        truth: Truth | None = None,
        parameters: Mapping[str, object] | None = None,
        contract: Contract | None = None,
    ) -> None:
        """Check `frame` and keep a canonical copy of it.

        Raises
        ------
        DataError
            The data kind is unknown, a truth does not belong to the panel, or the frame breaks the contract of
            `sme_eval.panel.contract`; all problems of the frame at once.
        """
        contract = contract or Contract(load_dictionary())
        raise_if_any(DataError, _kind_problems(data_kind, truth))
        checked = conform(frame, contract.dictionary, contract.origin)
        if truth is not None:
            _require_aligned(truth, checked)
        first = SampleFlow().then("rows_read", firms=checked["firm"].nunique(), rows=len(checked))
        values = {
            "_frame": checked,
            "data_kind": data_kind,
            "source": source,
            "flow": flow or first,
            "truth": truth,
            "parameters": FrozenMapping(parameters),
            "dictionary": contract.dictionary,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def frame(self) -> pd.DataFrame:
        """The rows, in file order (copy on write)."""
        return self._frame.copy(deep=False)

    @property
    def columns(self) -> tuple[str, ...]:
        """Column names, in file order."""
        return tuple(map(str, self._frame.columns))

    @property
    def n_rows(self) -> int:
        """Number of firm-years."""
        return len(self._frame)

    @property
    def n_firms(self) -> int:
        """Number of firms."""
        return int(self._frame["firm"].nunique())

    @property
    def years(self) -> tuple[int, ...]:
        """Years with at least one row, ascending."""
        return tuple(int(year) for year in np.unique(self._frame["year"]))

    def content_hash(self) -> str:
        """sha256 of the content; independent of row order, column order and file format."""
        return content_hash(self._frame, self.dictionary)

    def write(self, path: Path | str) -> Path:
        """Write the panel, its kind, source, flow, parameters and (if simulated) its truth to one parquet file.

        A `.csv` or `.xlsx` file gets the columns and the data kind only.

        Raises
        ------
        DataError
            The ending is none of these, or a parameter cannot be stored.
        """
        from sme_eval.panel.panel_file import write_panel

        return write_panel(self, Path(path))

    def summary(self) -> str:
        """Counts only, never a firm's row."""
        width = max(len(name) for name, _ in self._facts())
        return "\n".join([f"Firm panel {self.source}", *(f"  {name:<{width}}  {value}" for name, value in self._facts())])

    def _facts(self) -> list[tuple[str, str]]:
        years = self.years
        kind = "SIMULATED: no real firm" if self.data_kind == "simulated" else "observed"
        return [
            ("data", kind),
            ("firms", f"{self.n_firms:,}"),
            ("years", f"{years[0]}–{years[-1]} ({len(years)})"),
            ("rows", f"{self.n_rows:,}"),
            ("columns", ", ".join(self.columns)),
        ]

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><th>{name}</th><td>{escape(value)}</td></tr>" for name, value in self._facts())
        return f"<table><caption>Firm panel {escape(self.source)}</caption>{rows}</table>"

    __str__ = summary
    __repr__ = summary


def _kind_problems(data_kind: str, truth: Truth | None) -> list[Problem]:
    if data_kind not in DATA_KINDS:
        return [
            Problem(
                what=f"data_kind is {data_kind!r}.",
                remedy=f'{suggestion(data_kind, DATA_KINDS)} Say whether the data are "observed" or "simulated".',
            )
        ]
    if truth is not None and data_kind != "simulated":
        return [Problem(what="An observed panel has no known truth.", remedy='pass data_kind="simulated" or no truth')]
    return []


def _require_aligned(truth: Truth, frame: pd.DataFrame) -> None:
    firm, given = frame["firm"].to_numpy(), truth.firm
    # Identifiers that read as numbers have become numbers in the panel; compare as texts only if they differ.
    same_firm = np.array_equal(given, firm) or np.array_equal(given.astype(str), firm.astype(str))
    if not (same_firm and np.array_equal(truth.year, frame["year"].to_numpy())):
        raise DataError(
            Problem(
                what="The truth is not aligned with the panel.",
                remedy="give one entry per row, in the order of the rows",
            )
        )
