"""Comma-separated text in UTF-8 to a frame, rows as they stand in the file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sme_eval.errors import DataError, Problem
from sme_eval.panel.dictionary import Dictionary
from sme_eval.panel.headings import read_headings

if TYPE_CHECKING:
    import pandas as pd

TEXT_TYPES: Final = ("identifier", "category")
MISSING: Final = ("", "NA", "NaN", "nan")
"""What statistical programs write for a missing number; words for "missing" are a matter of intake, not of this."""


def read_delimited(path: Path, dictionary: Dictionary) -> tuple[pd.DataFrame, list[Problem]]:
    """The columns of a csv file under their names in the dictionary, and what is wrong with its headings.

    Raises
    ------
    DataError
        The file is not csv in UTF-8, or its rows are longer than its header.
    """
    import pandas as pd

    try:
        texts = _header(path)
        frame = _rows(path, texts, dictionary)
    except pd.errors.EmptyDataError:
        return pd.DataFrame(columns=["firm", "year"]), []
    except UnicodeDecodeError as error:
        raise unreadable(path, "csv in UTF-8") from error
    except pd.errors.ParserError as error:
        raise unreadable(path, "csv", str(error).strip()) from error
    headings = read_headings(texts, [bool(frame[n].notna().any()) for n in frame.columns], dictionary, path.name)
    used = list(headings.names)
    return frame[used].set_axis([headings.names[n] for n in used], axis="columns"), headings.problems


def unreadable(path: Path, form: str, detail: str = "") -> DataError:
    """The refusal of a file that is not what its ending says."""
    return DataError(
        Problem(
            what=f"The file cannot be read as {form}.",
            where=f"{path.name}: {detail}" if detail else path.name,
            remedy="save it again as .xlsx, CSV UTF-8 or parquet",
        )
    )


def _header(path: Path) -> list[str]:
    """Names as they stand: repeated ones must be seen, not renamed."""
    import pandas as pd

    head = pd.read_csv(path, encoding="utf-8-sig", header=None, nrows=1, dtype=str, keep_default_na=False)
    return [str(name).strip() for name in head.iloc[0]]


def _rows(path: Path, texts: list[str], dictionary: Dictionary) -> pd.DataFrame:
    """Everything below the header, columns numbered; blank lines stay, so that row numbers are those of the file."""
    import pandas as pd

    names = read_headings(texts, [True] * len(texts), dictionary, path.name).names
    kept_as_text = [n for n, name in names.items() if name in dictionary and dictionary[name].type in TEXT_TYPES]
    options: dict[str, Any] = {
        "dtype": dict.fromkeys(kept_as_text, str),
        "na_values": {n: [""] if n in kept_as_text else list(MISSING) for n in range(len(texts))},
    }
    frame: pd.DataFrame = pd.read_csv(
        path,
        encoding="utf-8-sig",
        header=None,
        skiprows=1,
        skip_blank_lines=False,
        keep_default_na=False,
        low_memory=False,
        **options,
    )
    if frame.shape[1] != len(texts):
        raise pd.errors.ParserError(f"the header has {len(texts)} columns, the rows have {frame.shape[1]}")
    return frame
