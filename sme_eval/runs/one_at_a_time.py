"""One run of a plan at a time on a folder of reports."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sme_eval.errors import DataError, Problem

LOCK: Final = ".lock"


@contextmanager
def one_at_a_time(reports: Path) -> Iterator[None]:
    """Hold the folder's lock; the system lets go of it when the process ends, however it ends.

    Raises
    ------
    DataError
        Another run holds it.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(reports / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        remedy = "wait for it to end, or give this run another folder with --reports FOLDER"
        raise DataError(Problem(what="Another run is at work on these reports.", where=reports.name, remedy=remedy)) from None
    try:
        yield
    finally:
        lock.release()
