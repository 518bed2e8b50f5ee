"""Stale results drawn again in part: where the code as it is gives the same rows, they stand, and their stamp says so."""

from __future__ import annotations

import io
import sys
from concurrent.futures import Executor
from pathlib import Path

import pandas as pd

from simulations.designs import Row, rows
from simulations.stamps import Stamp, files_behind, world_digest
from simulations.storage import RESULTS, as_text, read_rows, read_stamp, restamp, seeds_done
from simulations.worlds import Drawn, seeds

Files = dict[str, dict[str, str]]
"""Path of a table's worlds → the files behind it, found once."""


def confirm_world(table: str, world: Drawn, panels: int, pool: Executor, files: Files, folder: Path = RESULTS) -> bool | None:
    """Draw `panels` panels of a stale world again, spread over all; True and a new stamp if every row is as it lies there.

    None where there is nothing to confirm: the world is current, or was never measured in full.
    """
    stamp = read_stamp(table, world, folder)
    stored = read_rows(table, world, folder)
    whole = seeds(world)
    if stamp is None or not stamp.changes(world) or seeds_done(stored) < len(whole):
        return None
    wanted = min(-(-panels // world.batch), len(whole))
    asked = [whole[n * len(whole) // wanted] for n in range(wanted)]
    found: list[Row] = []
    for of_seed in pool.map(rows, [table] * len(asked), [world] * len(asked), asked):
        found += of_seed
    same = _same(found, stored[stored["seed"].isin(asked)])
    if same:
        if world.path not in files:
            files[world.path] = files_behind(table, world)
        new = Stamp(files=files[world.path], world=world_digest(world), confirmed=len(asked) * world.batch)
        restamp(table, world, new, folder)
    told = "the same, to the last digit" if same else "other rows: measure it anew"
    sys.stderr.write(f"{table}/{world.name}: {len(asked) * world.batch} of {world.panels} panels drawn again, {told}\n")
    return same


def _same(found: list[Row], stored: pd.DataFrame) -> bool:
    """Whether the rows are those of the file, as it would hold them."""
    again = pd.read_csv(io.StringIO(as_text(found, header=True)))
    return list(again.columns) == list(stored.columns) and again.equals(stored.reset_index(drop=True).astype(again.dtypes))
