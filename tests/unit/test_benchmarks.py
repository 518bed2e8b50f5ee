"""benchmarks/: what is measured, how numbers are compared, what is stored, what RESULTS.md says. Ours only, tiny frames."""

from __future__ import annotations

import json
import re
import sys
import time
import tomllib
from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from packaging.requirements import Requirement

from benchmarks import frames, run, store
from benchmarks.compare import Agreement, Spread, ratio, relative, spread
from benchmarks.measure import measure
from benchmarks.measured import Beside, Group, groups
from benchmarks.packages import MODULES, OURS, job
from benchmarks.packages.ours import bare_pivot
from benchmarks.report import write_results
from benchmarks.required import required_table
from benchmarks.store import R_PACKAGES, Line, Pair
from benchmarks.tasks import LARGE, LINEAR_LIMIT, MIDDLE, SMALL, TASKS, Peer
from benchmarks.workers import Failed, Limits, Worker, python_command

ROOT = Path(__file__).resolve().parents[2]
LIMITS = Limits(seconds=60.0, memory=8 * 2**30, threads=1)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("frames")


# --- frames ----------------------------------------------------------------------------------------------------------


def test_a_frame_is_a_balanced_staggered_panel_and_the_same_every_time(cache: Path) -> None:
    frame = frames.simulate(300)
    assert len(frame) == 3000 and not frame.duplicated(["id", "year"]).any()
    assert set(frame["g"]) == set(frames.COHORTS)
    assert (frame.groupby("id")[["g", "x1", "x2", "x3", "elig"]].nunique() == 1).all(axis=None)
    treated = (frame["g"] > 0) & (frame["year"] >= frame["g"])
    assert (frame["treat"] == treated).all()
    assert (frame.loc[frame["g"] > 0, "event"] == (frame["year"] - frame["g"])[frame["g"] > 0]).all()
    assert (frame.loc[frame["g"] == 0, "event"] == -1).all()
    assert frame.equals(frames.simulate(300))


def test_shuffled_rows_are_the_same_rows_in_another_order(cache: Path) -> None:
    ordered, shuffled = (frames.read(frames.frame_file(50, order, cache), ("id", "year", "y")) for order in ("sorted", "shuffled"))
    assert not ordered.equals(shuffled)
    assert shuffled.sort_values(["id", "year"]).reset_index(drop=True).equals(ordered)
    assert list(shuffled.columns) == ["id", "year", "y"], "a task's frame holds what it needs and nothing else"


def test_the_bare_pivot_puts_every_outcome_in_its_place(cache: Path) -> None:
    frame = frames.read(frames.frame_file(50, "sorted", cache), ("id", "year", "y"))
    expected = frame.pivot(index="id", columns="year", values="y").to_numpy()
    assert np.array_equal(bare_pivot(frame), expected)


# --- tasks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TASKS)
def test_ours_does_every_task(name: str, cache: Path) -> None:
    work = job(OURS, name)
    frame = frames.read(frames.frame_file(300, "shuffled", cache), TASKS[name].columns)
    numbers = work.read(work.run(work.prepare(frame)))
    assert numbers and all(np.isfinite(value) and error > 0.0 for value, error in numbers.values())


def test_group_time_numbers_carry_the_names_that_peers_use(cache: Path) -> None:
    work = job(OURS, "cs")
    numbers = work.read(work.run(frames.read(frames.frame_file(300, "sorted", cache), TASKS["cs"].columns)))
    assert {"ATT(2018, 2018)", "event time -2", "event time 0", "simple"} <= set(numbers)
    assert sum(name.startswith("ATT") for name in numbers) == 6 * 9  # six cohorts, nine changes


def test_every_peer_is_one_that_can_be_run() -> None:
    named = {peer.name for task in TASKS.values() for peer in task.peers}
    assert named == (set(MODULES) - {OURS}) | set(R_PACKAGES)
    script = (ROOT / "benchmarks" / "peers.R").read_text(encoding="utf-8")
    for name, task in TASKS.items():
        for peer in task.peers:
            if peer.name in R_PACKAGES:
                block = script.split(f'"{peer.name}" = list(')[1]
                assert re.search(rf"^    {name} = list\(", block, flags=re.MULTILINE), f"peers.R does not do {name}"


def test_what_is_required_is_measured_by_default() -> None:
    everything = Namespace(sizes=[SMALL, MIDDLE, LARGE], tasks=list(TASKS), orders=list(frames.ORDERS), peers=None, repeats=5)
    planned = {(pair.task, pair.size, pair.order, pair.peer): repeats for pair, repeats in run.plan(everything)}
    for name, task in TASKS.items():
        if task.required is not None:
            fastest = next(peer.name for peer in task.peers if peer.fastest)
            assert all(planned[name, task.required.size, order, fastest] == 5 for order in task.required.least)
    assert planned["linear", LARGE, "shuffled", None] == 5
    assert planned["cs", LARGE, "sorted", "moderndid"] == 1


def test_slower_peers_run_less_often_on_large_frames() -> None:
    slow, fast = Peer(name="a"), Peer(name="b", fastest=True)
    sizes = (SMALL, MIDDLE, LARGE)
    assert [slow.repeats(size, 5, required=size == LARGE) for size in sizes] == [3, 1, 1]
    assert [fast.repeats(size, 5, required=size == LARGE) for size in sizes] == [3, 3, 5]
    assert fast.repeats(SMALL, 2, required=False) == 2
    assert Peer(name="c", once=True).repeats(SMALL, 5, required=False) == 1


# --- arithmetic ------------------------------------------------------------------------------------------------------


def test_relative_difference_is_over_the_larger() -> None:
    assert relative(1.0, 2.0) == relative(2.0, 1.0) == 0.5
    assert relative(0.0, 0.0) == 0.0 and relative(-1.0, 1.0) == 2.0
    assert relative(float("nan"), 1.0) == float("inf")


def test_agreement_takes_the_worst_common_number_and_refuses_none() -> None:
    ours = {"a": (1.0, 0.1), "b": (2.0, 0.2), "only ours": (9.0, 9.0)}
    found = Agreement.of(ours, {"a": (1.0, 0.1), "b": (2.5, 0.25)})
    assert found == Agreement(compared=2, estimate=pytest.approx(0.2), error=pytest.approx(0.2))
    with pytest.raises(ValueError, match="no number in common"):
        Agreement.of(ours, {"c": (1.0, 1.0)})


def test_spread_and_ratio_are_of_medians() -> None:
    ours, theirs = ([{"wall": value} for value in values] for values in ((1.0, 3.0, 2.0), (8.0, 20.0, 10.0)))
    assert spread(ours, "wall") == Spread(median=2.0, least=1.0, most=3.0)
    assert ratio(theirs, ours) == 5.0
    assert spread(ours, "memory") is None and ratio([], ours) is None


# --- measuring -------------------------------------------------------------------------------------------------------


def test_time_and_memory_of_a_call_that_is_known() -> None:
    size = 40 * 2**20

    def call() -> int:
        time.sleep(0.05)
        return int(np.ones(size, dtype=np.uint8).sum())

    result, measured = measure(call)
    assert result == size
    assert measured.wall >= 0.05 and 0.0 < measured.cpu < measured.wall, "a call that sleeps takes no CPU"
    if sys.platform == "linux" and measured.memory is not None:
        assert 0.9 * size < measured.memory < 3 * size, "the array is gone when the call returns, its peak is not"


def test_a_worker_measures_in_its_own_process_and_says_the_same_numbers(cache: Path) -> None:
    frame = frames.frame_file(300, "shuffled", cache)
    command = python_command(OURS, "cs", frame, frames.frame_file(50, "sorted", cache), TASKS["cs"].columns)
    with Worker(command, LIMITS) as worker:
        ready, first, second = worker.answer(), worker.ask(), worker.ask()
    work = job(OURS, "cs")
    here = work.read(work.run(frames.read(frame, TASKS["cs"].columns)))
    assert ready["frame_bytes"] == 3000 * 8 * 4 + 132
    assert first["wall"] > 0.0 and first["bare"] > 0.0
    assert first["numbers"] == second["numbers"] == {name: list(row) for name, row in here.items()}


def ends(code: str, limits: Limits = LIMITS) -> str:
    with Worker([sys.executable, "-c", code], limits) as worker, pytest.raises(Failed) as caught:
        worker.answer()
    return str(caught.value)


def test_a_worker_that_fails_says_why_and_one_that_does_not_end_is_ended() -> None:
    assert ends("raise SystemExit('first\\nno overlap')") == "no overlap"
    assert ends("raise SystemExit(3)") == "ended with code 3"
    assert ends("import time; time.sleep(60)", Limits(seconds=0.3, memory=2**40, threads=1)) == "ended after 0 s"
    hungry = "import time; held = bytearray(200 * 2**20); time.sleep(60)"
    assert ends(hungry, Limits(seconds=60.0, memory=100 * 2**20, threads=1)) == "ended at 0 GiB of memory"


# --- going on, and the tables ----------------------------------------------------------------------------------------


def lines_of(pair: Pair, ours: float, theirs: float | None = None, **extra: Any) -> list[Line]:
    key = pair.key(2)
    found = [{**key, "package": OURS, "round": 0, "frame_bytes": 100, "wall": ours, "cpu": ours, "memory": 50, **extra}]
    if theirs is not None:
        agreement = {"compared": 3, "estimate": 1e-4, "error": 1e-15}
        theirs_line = {"package": pair.peer, "round": 0, "frame_bytes": 100, "wall": theirs, "cpu": theirs, "memory": 300}
        found.append({**key, **theirs_line, "agreement": agreement})
    return found


@pytest.fixture
def versions(monkeypatch: pytest.MonkeyPatch) -> dict[str, str | None]:
    known: dict[str, str | None] = {name: "1.0" for name in MODULES} | dict.fromkeys(R_PACKAGES)
    monkeypatch.setattr(store, "package_version", lambda name: known.get(name, "2.0"))
    monkeypatch.setattr("benchmarks.measured.shutil.which", lambda program: None)
    for module in ("measured", "report"):
        monkeypatch.setattr(f"benchmarks.{module}.package_version", lambda name: known.get(name, "2.0"))
    return known


def test_stored_lines_count_only_for_the_versions_that_made_them(versions: dict[str, str | None], tmp_path: Path) -> None:
    pair, path = Pair("cs", LARGE, "sorted", "csdid"), tmp_path / "runs.jsonl"
    store.append(lines_of(pair, 1.0, 4.0), path)
    with path.open("a", encoding="utf-8") as file:
        file.write('{"torn": ')
    lines = store.read_lines(path)
    assert len(lines) == len(store.matching(lines, pair, 2)) == 2
    assert store.matching(lines, pair, 4) == [] and store.matching(lines, Pair("cs", LARGE, "shuffled", "csdid"), 2) == []
    versions["csdid"] = "1.1"
    assert store.matching(lines, pair, 2) == []


def test_our_version_changes_with_the_code_that_is_timed_and_not_with_words(tmp_path: Path) -> None:
    version = store.package_version(OURS)
    assert version is not None and re.fullmatch(r"\d+\.\d+\.\d+\+[0-9a-f]{8}", version)
    (tmp_path / "stats").mkdir()
    (tmp_path / "briefing").mkdir()
    digests = []
    for code, page in (("x = 1\n", "a"), ("x = 1  # one\n", "a"), ("x = 1\n", "b"), ("x = 2\n", "b")):
        (tmp_path / "stats" / "a.py").write_text(code)
        (tmp_path / "briefing" / "a.py").write_text(f"page = {page!r}\n")
        digests.append(store.code_digest(tmp_path))
    assert digests[0] == digests[1] == digests[2] != digests[3]


def test_the_results_say_required_measured_and_why_numbers_differ(versions: dict[str, str | None], tmp_path: Path) -> None:
    lines = lines_of(Pair("cs", LARGE, "shuffled", "diff-diff"), 1.0, 20.0, bare=0.4)
    lines += lines_of(Pair("cs", LARGE, "shuffled", "csdid"), 2.0, 24.0, bare=0.4)
    lines += lines_of(Pair("dr", LARGE, "sorted", "diff-diff"), 2.0, 30.0)
    lines += lines_of(Pair("linear", LARGE, "shuffled", None), LINEAR_LIMIT / 2)
    lines.append({**Pair("cs", LARGE, "shuffled", "moderndid").key(2), "package": "moderndid", "failed": "ended after 600 s"})
    target = tmp_path / "RESULTS.md"
    write_results(lines, 2, target)
    text = target.read_text(encoding="utf-8")
    found = [json.dumps(line, ensure_ascii=False) for line in text.splitlines()]
    assert any("fastest peer / ours" in line and "≥ 15 | 20.0 (diff-diff) | ≥ 6 | – | not measured" in line for line in found)
    assert any("bare factorise-and-scatter" in line and "≤ 2 | 3.75" in line for line in found), "median of 1 and 2 over 0.4"
    assert "0.050 s |  |  | yes" in text
    assert "failed: moderndid: ended after 600 s" in text and "not run: R is not installed" in text
    assert "Horvitz–Thompson" in text and "* diff-diff: differs from ours and no reason is known." in text
    assert "N(0, V)" in text and "multiplier" in text
    assert str(ROOT) not in text


def test_a_requirement_that_is_missed_is_said(versions: dict[str, str | None]) -> None:
    pairs = [(order, Pair("twfe", LARGE, order, "pyfixest")) for order in frames.ORDERS]
    lines = [line for order, pair in pairs for line in lines_of(pair, 1.0, 2.9 if order == "sorted" else 3.1)]
    (row,) = [line for line in required_table(groups(lines, 2)).splitlines() if "two-way fixed effects: fastest" in line]
    assert "3.1 (pyfixest)" in row and "2.9 (pyfixest)" in row and row.endswith("| **no** |")


def test_the_fastest_peer_is_the_one_measured_fastest() -> None:
    slow, fast = ([{"wall": value}] for value in (9.0, 4.0))
    pairs = [Beside("a", [{"wall": 1.0}], slow, ""), Beside("b", [{"wall": 2.0}], fast, ""), Beside("c", [], [], "failed")]
    fastest = Group("cs", LARGE, "sorted", pairs).fastest
    assert fastest is not None and fastest.peer == "b" and fastest.ratio() == 2.0


# --- its environment -------------------------------------------------------------------------------------------------


def locked(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==([^\s;\\]+)", (ROOT / name).read_text(encoding="utf-8"), flags=re.MULTILINE))


def test_peers_are_locked_with_hashes_on_the_same_stack() -> None:
    own, against = locked("requirements.lock"), locked("requirements-bench.lock")
    assert all(own[name] == against[name] for name in set(own) & set(against)), "run python3 bootstrap.py lock"
    assert {"numpy", "pandas", "scipy", "pyarrow"} <= set(own) & set(against)
    text = (ROOT / "requirements-bench.lock").read_text(encoding="utf-8")
    assert text.count("--hash=sha256:") > len(against) and "://" not in text
    groups_ = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    for wanted in map(Requirement, groups_["bench"]):
        assert wanted.specifier.contains(against[wanted.name]), f"{wanted} is not in requirements-bench.lock"
