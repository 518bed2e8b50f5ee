"""Result files: a compressed table and its stamp per world, written whole each time, so that a killed run leaves complete files."""

from __future__ import annotations

import lzma
import os
from pathlib import Path
from typing import Final

import pandas as pd

from simulations.designs import Row
from simulations.stamps import Stamp
from simulations.worlds import Drawn

RESULTS: Final = Path(__file__).resolve().parent / "results"
DIGITS: Final = "%.6g"


def result_file(table: str, world: Drawn, folder: Path = RESULTS) -> Path:
    """Where a world's rows lie."""
    return folder / table / f"{world.name}.csv.xz"


def stamp_file(table: str, world: Drawn, folder: Path = RESULTS) -> Path:
    """Where its stamp lies."""
    return folder / table / f"{world.name}.json.xz"


def read_rows(table: str, world: Drawn, folder: Path = RESULTS) -> pd.DataFrame:
    """The rows so far; none if there is no file."""
    path = result_file(table, world, folder)
    return pd.read_csv(path) if path.exists() else pd.DataFrame()


def seeds_done(rows: pd.DataFrame) -> int:
    """How many seeds stand in a file; they are taken one after the other."""
    return int(rows["seed"].nunique()) if len(rows) else 0


def start(table: str, world: Drawn, stamp: Stamp, folder: Path = RESULTS) -> None:
    """Begin anew: no rows, and the stamp of the code that will make them."""
    path = result_file(table, world, folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    restamp(table, world, stamp, folder)


def append(table: str, world: Drawn, rows: list[Row], folder: Path = RESULTS) -> None:
    """The file with further rows; its bytes do not depend on how the rows were split."""
    path = result_file(table, world, folder)
    before = lzma.decompress(path.read_bytes()).decode() if path.exists() else ""
    _write(path, before + as_text(rows, header=not before))


def as_text(rows: list[Row], *, header: bool) -> str:
    """Rows as a file holds them."""
    return pd.DataFrame(rows).to_csv(index=False, header=header, float_format=DIGITS, lineterminator="\n")


def read_stamp(table: str, world: Drawn, folder: Path = RESULTS) -> Stamp | None:
    """The stamp of a world's rows; None if there is none that can be read."""
    try:
        return Stamp.from_json(lzma.decompress(stamp_file(table, world, folder).read_bytes()).decode())
    except (OSError, lzma.LZMAError, ValueError, KeyError, TypeError):
        return None


def restamp(table: str, world: Drawn, stamp: Stamp, folder: Path = RESULTS) -> None:
    """Another stamp beside the same rows."""
    _write(stamp_file(table, world, folder), stamp.to_json())


def _write(path: Path, text: str) -> None:
    """All or nothing."""
    beside = path.with_name(path.name + ".part")
    beside.write_bytes(lzma.compress(text.encode(), preset=lzma.PRESET_EXTREME))
    os.replace(beside, path)
