"""Sentences and the table of RESULTS.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

HEAD: Final = """\
# Benchmarks

Written by `make bench`; do not edit. Machines are noisy, and seconds belong to the machine they were measured on: the
ratios are what counts, because both sides of a ratio were measured in turns within the same minutes.
"""

MEASURED_HOW: Final = """\
## How it was measured

* **Frames** are simulated (`benchmarks/frames.py`, seeded): firms × 10 years, six cohorts and never-treated firms,
  integer ids, rows in order of firm and year or shuffled. Every package reads the same file and holds only the columns
  that the task needs.
* **Each package has its own process**, bounded to the same threads and cores. It loads the frame and makes one call on
  500 firms, so that imports and compilation are over; then ours and the peer take turns, who goes first alternating.
  Medians (smallest–largest) over the runs. Where no ratio is required there are fewer runs,
  and one of slow peers on large frames. Our row pools our runs beside every peer; ratios take the pair alone.
* **The clock** starts at the raw frame in memory. Ours runs every check that a sample makes, fits and aggregates. CPU
  time counts all threads. Memory is the kernel's high-water mark of resident memory above what was resident with the
  frame loaded, and the same in units of the frame (`memory_usage(deep=True)`).
* **Each package at its best for the task**: no aggregation that is not read, csdid by regression where there are no
  covariates (the same numbers, faster), pyfixest with `lean=True, store_data=False`, moderndid with numba, diff-diff
  with its Rust back-end. Columns that a package cannot make itself (`treat`, `event`) are in the frame already.
* **Numbers** are compared by name: how many both give, and the largest relative difference |a − b| / max(|a|, |b|) of
  estimates and of standard errors.
* **Simultaneous bands**: our draws come from N(0, V), V the estimated covariance; the peers' from a multiplier
  bootstrap of influence functions. With Gaussian multipliers the bootstrap's law given the data is exactly N(0, V), so
  both estimate the same quantile, but the peers' draws cost time for every firm and ours do not. How much of the ratio
  that is, the table without bands tells.
"""


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; a bar within a cell would end it."""
    lines = [head, ["---"] * len(head), *([cell.replace("|", "/") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
