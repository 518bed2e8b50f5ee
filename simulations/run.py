"""Runs what is missing or stale: `python -m simulations`, or `make simulations`."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from pathlib import Path
from threading import Thread
from typing import Final

from tqdm import tqdm

from simulations.confirm import Files, confirm_world
from simulations.designs import Row, rows
from simulations.stamps import Stamp, files_behind, world_digest
from simulations.storage import RESULTS, append, read_rows, read_stamp, seeds_done, start
from simulations.worlds import TABLES, Drawn, seeds

CHUNK: Final = 20
"""Panels between two writes: what a killed run loses at most."""
INTERRUPTED: Final = 130
THREADS: Final = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse options, run the tables, write RESULTS.md; 0 when done."""
    parser = ArgumentParser(prog="simulations", description="Measure every design on simulated panels; go on where a run stopped.")
    parser.add_argument("--only", action="append", choices=sorted(TABLES), help="a table, may be repeated (default: all)")
    parser.add_argument("--panels", type=int, help="panels per world, fewer than declared (rounded up to whole batches)")
    parser.add_argument("-j", "--jobs", type=int, default=2, help="processes")
    parser.add_argument(
        "--confirm", type=int, metavar="N", help="draw N panels of each stale world again; if they are the same, its results stand"
    )
    parser.add_argument("--tables", action="store_true", help="write RESULTS.md from what there is, run nothing")
    chosen = parser.parse_args(arguments)
    if not chosen.tables and not _run_all(chosen.only, chosen.jobs, chosen.panels, chosen.confirm):
        return INTERRUPTED
    from simulations.tables import write_results

    print(f"wrote {write_results()}")
    return 0


def _run_all(only: Sequence[str] | None, jobs: int, panels: int | None, confirm: int | None) -> bool:
    """Run the tables in their order, or only confirm what is stale; False if interrupted."""
    for name in THREADS:  # before the workers load numpy: two processes of one thread each are faster than threads in both
        os.environ[name] = "1"
    try:
        for table in TABLES:
            if only and table not in only:
                continue
            if confirm:
                confirm_table(table, confirm, jobs=jobs)
            else:
                run_table(table, jobs=jobs, panels=panels)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; run it again to go on\n")
        return False
    return True


def run_table(table: str, *, jobs: int = 2, panels: int | None = None, folder: Path = RESULTS) -> None:
    """All worlds of a table; what was measured by the code as it is stays."""
    files: dict[str, dict[str, str]] = {}
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=end_with_parent) as pool:
        try:
            for world in TABLES[table]:
                if not _current(table, world, folder):
                    if world.path not in files:
                        files[world.path] = files_behind(table, world)
                    start(table, world, Stamp(files=files[world.path], world=world_digest(world)), folder)
                run_world(table, world, seeds(world, panels), pool, folder)
        except BaseException:  # an interrupt must not wait for the panels that are still queued
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def confirm_table(table: str, panels: int, *, jobs: int = 2, folder: Path = RESULTS) -> None:
    """Every stale world of a table, drawn again in part."""
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=end_with_parent) as pool:
        files: Files = {}
        for world in TABLES[table]:
            confirm_world(table, world, panels, pool, files, folder)


def end_with_parent() -> None:
    """In a worker: end when the run that started it is gone, however it ended."""
    parent = parent_process()
    if parent is not None:
        Thread(target=lambda: (wait([parent.sentinel]), os._exit(1)), daemon=True).start()


def _current(table: str, world: Drawn, folder: Path) -> bool:
    """Whether the file stands for the code as it is; says what has changed if not."""
    stamp = read_stamp(table, world, folder)
    if stamp is None:
        return False
    changed = stamp.changes(world)
    if changed:
        sys.stderr.write(f"{table}/{world.name} is stale: {', '.join(changed[:3])}{' …' * (len(changed) > 3)}; measuring it anew\n")
    return not changed


def run_world(table: str, world: Drawn, wanted: range, pool: ProcessPoolExecutor, folder: Path = RESULTS) -> None:
    """The seeds of one world that are still missing, written chunk by chunk in their order."""
    missing = wanted[seeds_done(read_rows(table, world, folder)) :]
    if not missing:
        return
    found: list[Row] = []
    chunk = max(CHUNK // world.batch, 1)
    results = pool.map(rows, [table] * len(missing), [world] * len(missing), missing, chunksize=min(chunk, 2))
    shown = tqdm(results, f"{table}/{world.name}", total=len(missing), unit="panel" if world.batch == 1 else "batch", leave=False)
    for number, of_seed in enumerate(shown, start=1):
        found += of_seed
        if number % chunk == 0 or number == len(missing):
            append(table, world, found, folder)
            found = []
