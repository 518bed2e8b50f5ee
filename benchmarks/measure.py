"""Wall time, CPU time and peak memory of one call."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

STATUS: Final = Path("/proc/self/status")
RESET: Final = Path("/proc/self/clear_refs")


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds of wall and CPU (all threads and children); bytes of peak memory above what was held before, None if not known."""

    wall: float
    cpu: float
    memory: int | None


def measure(call: Callable[[], Any]) -> tuple[Any, Measured]:
    """Call once and measure.

    Memory is the kernel's own high-water mark of resident memory, set back just before the call, less what was resident then:
    exact, where a sampling thread misses what lasts less than its step. Freed memory is returned to the system first, so that a
    call cannot hide in what an earlier one left behind.
    """
    give_back()
    before = set_back_peak()
    cpu, wall = cpu_seconds(), time.perf_counter()
    result = call()
    wall, cpu = time.perf_counter() - wall, cpu_seconds() - cpu
    peak = resident("VmHWM")
    return result, Measured(wall=wall, cpu=cpu, memory=None if before is None or peak is None else max(peak - before, 0))


def cpu_seconds() -> float:
    """User and system time of this process, all its threads and the children that it has waited for."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


def give_back() -> None:
    """Collect garbage and hand free memory back: Arrow's pool and the C library keep it otherwise."""
    gc.collect()
    with contextlib.suppress(ImportError):
        import pyarrow as pa

        pa.default_memory_pool().release_unused()
    with contextlib.suppress(OSError, AttributeError):  # glibc only
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def set_back_peak() -> int | None:
    """Set the high-water mark to what is resident now, and say how much that is; None where the system cannot (not Linux)."""
    try:
        RESET.write_text("5")
    except OSError:
        return None
    return resident("VmRSS")


def resident(name: str) -> int | None:
    """A line of the kernel's account of this process, in bytes."""
    try:
        lines = STATUS.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(name + ":")), None)
