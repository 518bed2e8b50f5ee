"""Measures what is missing and writes RESULTS.md: `python -m benchmarks`, or `make bench`."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from types import FrameType
from typing import Any, Final

import psutil

from benchmarks.compare import Agreement
from benchmarks.frames import ORDERS, csv_file, frame_file
from benchmarks.packages import OURS
from benchmarks.store import R_PACKAGES, RESULTS, Line, Pair, append, matching, package_version, read_lines
from benchmarks.tasks import SIZES, TASKS, Task
from benchmarks.workers import Failed, Limits, Worker, python_command, r_command

WARM_FIRMS: Final = 500
"""Firms of the frame on which everything is compiled and imported before the clock starts."""
INTERRUPTED: Final = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse options, measure, write RESULTS.md; 0 when done."""
    chosen = _parser().parse_args(arguments)
    if chosen.fresh:
        RESULTS.unlink(missing_ok=True)
    signal.signal(signal.SIGTERM, _interrupt)  # ends the workers too, as Ctrl-C does
    try:
        if not chosen.tables:
            measure_all(chosen)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; run it again to go on\n")
        return INTERRUPTED
    from benchmarks.report import write_results

    print(f"wrote {write_results(read_lines(), chosen.threads)}")
    return 0


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="benchmarks", description="Ours and the packages of the field side by side; goes on where a run stopped."
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), metavar="FIRMS", help="numbers of firms")
    parser.add_argument("--tasks", nargs="+", choices=list(TASKS), default=list(TASKS), help="which tasks")
    parser.add_argument("--orders", nargs="+", choices=ORDERS, default=list(ORDERS), help="order of the frame's rows")
    parser.add_argument("--peers", nargs="+", metavar="PACKAGE", help="only these peers")
    parser.add_argument("--repeats", type=int, default=5, help="repetitions where a ratio is required; others get fewer")
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1), help="threads and cores that a package may use")
    parser.add_argument("--time-limit", type=float, default=600.0, metavar="SECONDS", help="for one measurement")
    memory = round(0.7 * psutil.virtual_memory().available / 2**30, 1)
    parser.add_argument("--memory-limit", type=float, default=memory, metavar="GIB", help="resident memory of one package")
    parser.add_argument("--fresh", action="store_true", help="throw earlier measurements away")
    parser.add_argument("--tables", action="store_true", help="write RESULTS.md from what there is, measure nothing")
    return parser


def plan(chosen: Namespace) -> Iterator[tuple[Pair, int]]:
    """Every pair with its repetitions, small sizes first."""
    for size in chosen.sizes:
        for name in chosen.tasks:
            task: Task = TASKS[name]
            required = task.required is not None and size == task.required.size
            if size > max(task.sizes):
                continue
            for order in (order for order in chosen.orders if order in task.orders):
                for peer in sorted(task.peers, key=lambda peer: not peer.fastest):
                    if size <= peer.largest and (chosen.peers is None or peer.name in chosen.peers):
                        yield Pair(name, size, order, peer.name), peer.repeats(size, chosen.repeats, required)
                if not task.peers:
                    yield Pair(name, size, order, None), chosen.repeats


def measure_all(chosen: Namespace) -> None:
    """Run the plan; what is stored already, or failed before, is not run again."""
    limits = Limits(seconds=chosen.time_limit, memory=chosen.memory_limit * 2**30, threads=chosen.threads)
    lines = read_lines()
    for pair, repeats in plan(chosen):
        if any(package_version(package) is None for package in pair.packages):
            continue  # the report says who is not installed
        stored = matching(lines, pair, limits.threads)
        done = sum(line["package"] == OURS for line in stored)
        if done < repeats and not any("failed" in line for line in stored):
            _say(f"{pair.describe()}: {repeats - done} of {repeats} to measure")
            for round_ in measure_pair(pair, range(done, repeats), limits):
                append(round_)
                _say("    " + "   ".join(_brief(line) for line in round_))


def measure_pair(pair: Pair, rounds: range, limits: Limits) -> Iterator[list[Line]]:
    """Both in their own processes, frames loaded; then in turn, who goes first alternating. Ends at the first failure."""
    key = pair.key(limits.threads)
    with contextlib.ExitStack() as stack:
        workers: dict[str, Worker] = {}
        frames: dict[str, int] = {}
        for package in pair.packages:
            worker = stack.enter_context(Worker(_command(pair, package), limits))
            try:
                frames[package] = worker.answer()["frame_bytes"]
            except Failed as failure:
                yield [{**key, "package": package, "failed": f"before the first measurement: {failure}"}]
                return
            workers[package] = worker
        for number in rounds:
            found, failed = _one_round(workers, pair.packages if number % 2 == 0 else pair.packages[::-1])
            lines = [
                {**key, "package": p, "round": number, "frame_bytes": frames[p], **_kept(found[p])}
                for p in pair.packages
                if p in found
            ]
            if pair.peer is not None and len(found) == len(pair.packages):
                try:
                    lines[-1]["agreement"] = asdict(Agreement.of(found[OURS]["numbers"], found[pair.peer]["numbers"]))
                except ValueError as error:
                    failed[pair.peer] = str(error)
            yield [*lines, *({**key, "package": package, "failed": said} for package, said in failed.items())]
            if failed:
                return


def _one_round(workers: dict[str, Worker], turns: Sequence[str]) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """One measurement of each, and who failed."""
    found: dict[str, dict[str, Any]] = {}
    for package in turns:
        try:
            found[package] = workers[package].ask()
        except Failed as failure:
            return found, {package: str(failure)}
    return found, {}


def _command(pair: Pair, package: str) -> list[str]:
    columns = TASKS[pair.task].columns
    order = next(order for order in ORDERS if order == pair.order)
    frame, warm = frame_file(pair.size, order), frame_file(WARM_FIRMS, "sorted")
    if package in R_PACKAGES:
        return r_command(package, pair.task, csv_file(frame), csv_file(warm), columns)
    return python_command(package, pair.task, frame, warm, columns)


def _kept(answer: dict[str, Any]) -> Line:
    """What is stored of an answer: everything but the numbers, which have been compared."""
    return {name: value for name, value in answer.items() if name != "numbers"}


def _brief(line: Line) -> str:
    """One measurement for the terminal."""
    return f"{line['package']} {line['failed']}" if "failed" in line else f"{line['package']} {line['wall']:.3f} s"


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
