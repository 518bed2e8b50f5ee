"""Writes RESULTS.md: every table, the earlier measurement beside it, and what differs by more than three Monte Carlo errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from simulations.compare import Compared, compare, read_earlier, read_reasons
from simulations.designs.district_tests import LAYOUTS, TESTS
from simulations.sample_size import lines as sample_size_lines
from simulations.storage import RESULTS, read_rows, read_stamp, seeds_done
from simulations.summaries import FEWEST_CLAIMS, KINDS, Measured, measured
from simulations.trend_table import section
from simulations.worlds import WORLDS

TARGET: Final = Path(__file__).resolve().parent / "RESULTS.md"
HEAD: Final = """# Simulated tables: how far each design can be trusted

**Every number on this page is simulated.** It shows what a method does in a world whose effects are known by assumption; none is a
finding about any firm, any policy or Ningbo. Written by `make simulations`; do not edit.

Effects in per cent (100 × log points); rates as shares. First the estimators where trends are truly parallel; then what the
designs of the policies do in a simulated Ningbo, where they are not. There, in brackets, the earlier measurement, on another
simulator with other draws; **bold with \\*** where the two differ by more than three Monte Carlo errors of their difference
(both simulations' errors and the earlier number's rounding). Every such number has its reason in the list at the end.
"""
SAMPLE_SIZE: Final = "Arithmetic from the errors above: MDE = 2.80 SE. Earlier: SE / MDE / power / cities / MDE in 11 cities."
METRICS: Final = {
    "certification": ("bias", "rejection", "coverage", "mean_se", "sd"),
    "rewards": ("bias", "rejection", "coverage", "mean_se", "sd", "attainable_p"),
    "credit": ("mean", "bias", "rejection", "coverage", "mean_se", "sd", "f", "median", "low", "high"),
    "bundle": ("bias", "sd", "mean_se", "coverage", "rejection"),
    "instruments": ("truth", "bias", "rejection", "coverage", "mean_se", "sd"),
}
CLAIMS: Final = ("consistent", "suggestive", "no_effect_above", "cannot_tell_trends", "cannot_tell_power", "false", "bound_broken")
RULES: Final = ("a_significant", "pretest_and_dr", "bracket_without_equivalence", "package")
ABOUT: Final = {
    "certification": "Certification: estimators over event times 0 to 2, truth is the own gain since the year before",
    "claims": "Certification: what the claim rule says",
    "checks": "Certification: how often each check fires, on panels of 3,000 firms with all entrants of the full city",
    "district_tests": "District rewards: tests of the slope on 600 draws of district effects from 100 panels' sizes and errors",
    "rewards": "District rewards: the policy's own design on full panels",
    "credit": "Cheaper credit: the library arm",
    "bundle": "The bundle in its parts",
    "instruments": "The other instruments of the reply: the headline of each design (equity share: in points × 100)",
    "separability": "What cannot be told apart when variation is missing: one panel each",
}


def write_results(target: Path = TARGET, folder: Path = RESULTS) -> str:
    """Write the page from the result files; its path."""
    numbers = measured(folder)
    reasons, left_out = read_reasons()
    compared = compare(numbers, read_earlier(), reasons)
    parts = [HEAD, *_summary(compared), *section(reasons, folder)]
    for table in WORLDS:
        parts += ["", f"## {ABOUT[table]}", *_seeds(table, folder)]
        parts += list(_separability(folder)) if table == "separability" else list(_table(table, compared))
    parts += [
        "",
        "## Sample size",
        "",
        "Arithmetic from the errors above: MDE = 2.80 SE. Earlier: SE / MDE / power / cities / MDE of 11.",
    ]
    parts += ["", *sample_size_lines(numbers), *_differences(compared)]
    parts += ["", "## Not reproduced", "", *(f"* {one['what']}: {one['why']}" for one in left_out)]
    target.write_text("\n".join(parts) + "\n", encoding="utf-8", newline="\n")
    return target.name


def _summary(compared: Sequence[Compared]) -> list[str]:
    known = [one for one in compared if one.earlier is not None]
    far = [one for one in known if one.far]
    open_ones = [one for one in far if not one.reasons]
    return [
        f"{len(known)} numbers have an earlier measurement: {len(known) - len(far)} within three Monte Carlo errors, {len(far)} "
        f"beyond, of these {len(far) - len(open_ones)} explained and {len(open_ones)} not."
    ]


def _seeds(table: str, folder: Path) -> list[str]:
    """Panels and first seeds of each world."""
    said = [f"{world.name}: {seeds_done(read_rows(table, world, folder))} from {world.first_seed:,}" for world in WORLDS[table]]
    stamps = {world.name: read_stamp(table, world, folder) for world in WORLDS[table]}
    again = [f"{name} {stamp.confirmed}" for name, stamp in stamps.items() if stamp is not None and stamp.confirmed]
    told = ["", f"Measured by earlier code; drawn again by the code as it is, with the same rows: {', '.join(again)} panels."]
    return ["", f"Panels and first seed: {'; '.join(said)}.", *(told if again else ())]


def _table(table: str, compared: Sequence[Compared]) -> Iterator[str]:
    chosen = [one for one in compared if one.now.table == table]
    if table == "claims":
        yield from _claims(chosen)
    elif table == "checks":
        yield from _checks(chosen)
    elif table == "district_tests":
        yield from _district_tests(chosen)
    else:
        for world in WORLDS[table]:
            of_world = [one for one in chosen if one.now.world == world.name]
            rows = list(dict.fromkeys(one.now.row for one in of_world))
            metrics = [m for m in METRICS[table] if any(one.now.metric == m for one in of_world)]
            if rows:
                yield from ("", f"### {world.name}", "")
                yield from _grid(rows, metrics, {(one.now.row, one.now.metric): one for one in of_world})


def _grid(rows: Sequence[str], columns: Sequence[str], cells: dict[tuple[str, str], Compared], corner: str = "") -> Iterator[str]:
    """A Markdown table."""
    yield f"| {corner} | " + " | ".join(column.replace("_", " ") for column in columns) + " |"
    yield "|---" * (len(columns) + 1) + "|"
    for row in rows:
        told = [_cell(cells[row, column]) if (row, column) in cells else "" for column in columns]
        yield f"| {row.replace('_', ' ')} | " + " | ".join(told) + " |"


def _cell(one: Compared) -> str:
    """The number, the earlier one in brackets, a mark if they are far apart."""
    decimals = max(0 if one.earlier is None else one.earlier.decimals, _decimals(one))
    told = f"{one.now.value:.{decimals}f}".replace("-", "−")
    before = "" if one.earlier is None else f" ({one.earlier.value:.{one.earlier.decimals}f})".replace("-", "−")
    return f"**{told}\\***{before}" if one.far else f"{told}{before}"


def _decimals(one: Compared) -> int:
    if one.now.rate:
        return 3 if one.now.metric in ("false", "bound_broken") else 2
    if one.now.metric == "f":
        return 0
    return 3 if one.now.row.endswith(("spread", "per balance", "ratio", "ols")) else 2


def _claims(chosen: Sequence[Compared]) -> Iterator[str]:
    """Kinds by world; then consistent and false by rule."""
    worlds = list(dict.fromkeys(one.now.world for one in chosen))
    package = {(one.now.world, one.now.metric): one for one in chosen if one.now.row == "package"}
    yield from (
        "",
        "False: “consistent” though there is no effect, or the printed hull misses it. Bound broken: “no effect above x” "
        "although the true effect is larger. In `concurrent` another policy comes with the certificate and its effect is taken for "
        "the certificate's: the rule cannot see that, the check of concurrent policies (table of the checks) sees it sometimes.",
        "",
        *_grid(worlds, CLAIMS, package),
    )
    yield from _false_claims(worlds, package)
    for metric in ("consistent", "false"):
        cells = {(one.now.world, one.now.row): one for one in chosen if one.now.metric == metric}
        yield from ("", f"Share {metric}, by rule:", "", *_grid(worlds, RULES, cells))


def _false_claims(worlds: Sequence[str], package: dict[tuple[str, str], Compared]) -> Iterator[str]:
    """Claims that are false as worded, with the exact upper bound of their rate; then coverage, overall and given the claim."""
    yield from (
        "",
        "False as worded: “consistent” in a direction that is wrong or where there is no effect, or “no effect above x” although "
        "the true effect is larger; with the upper end of its exact 95 % interval (Clopper and Pearson). False sign: “suggestive” "
        "in a direction that is wrong or where there is no effect; it names no size.",
        "",
        "| world | false as worded | of | upper end | false sign |",
        "|---|---|---|---|---|",
    )
    for world in worlds:
        false, sign = package[world, "false_claim"].now, package[world, "false_sign"].now
        yield f"| {world.replace('_', ' ')} | {false.value:.3f} | {false.draws} | {upper_end(false):.3f} | {sign.value:.3f} |"
    metrics = [f"{name} coverage{given}" for name in ("interval", "hull") for given in ("", *(f" given {kind}" for kind in KINDS))]
    used = [metric for metric in metrics if any((world, metric) in package for world in worlds)]
    yield from (
        "",
        "How often the headline's interval and the printed hull hold the truth: in all panels, and in those with a claim (left out "
        f"where fewer than {FEWEST_CLAIMS} made it). Given “consistent” coverage may fall: intervals that exclude zero are those "
        "that err outwards.",
        "",
        *_grid(worlds, used, package),
    )


def upper_end(rate: Measured) -> float:
    """Upper end of the exact 95 % interval of a rate."""
    from scipy import stats

    x = round(rate.value * rate.draws)
    return 1.0 if x == rate.draws else float(stats.beta.ppf(0.975, x + 1, rate.draws - x))


def _checks(chosen: Sequence[Compared]) -> Iterator[str]:
    """Check by world: failed, and among those that never fail the reasons they gave."""
    worlds = list(dict.fromkeys(one.now.world for one in chosen))
    names = list(dict.fromkeys(one.now.row for one in chosen))
    cells = {(one.now.row, one.now.world, one.now.metric): one for one in chosen}
    for metric, title in (("failed", "Share of panels in which the check fails"), ("passed", "Share in which it passes")):
        grid = {(name, world): cells[name, world, metric] for name in names for world in worlds if (name, world, metric) in cells}
        yield from ("", f"{title}; the rest informs only:", "", *_grid(names, worlds, grid, "check"))
    reasons = list(dict.fromkeys((one.now.row, one.now.metric) for one in chosen if one.now.metric.startswith("reason ")))
    told = {f"{name}: {metric.removeprefix('reason ')}": (name, metric) for name, metric in sorted(reasons)}
    grid = {(row, w): cells[n, w, m] for row, (n, m) in told.items() for w in worlds if (n, w, m) in cells}
    yield from ("", "Reasons given:", "", *_grid(list(told), worlds, grid, "check: reason"))


def _district_tests(chosen: Sequence[Compared]) -> Iterator[str]:
    """Size by unexplained district effect, then power."""
    for title, settings in (
        ("Size at 5 %, no effect of the dose, unexplained district effects of sd 1 %", ("b0_sd1",)),
        ("The same with sd 0 and 3 %", ("b0_sd0", "b0_sd3")),
        ("Power at 0.4, 4 and 10 % per 50, sd 1 %", ("b0.4_sd1", "b4_sd1", "b10_sd1")),
    ):
        for setting in settings:
            columns = [*(["sd"] if setting == "b0_sd1" else []), *(f"{test} {setting}" for test in TESTS.values())]
            yield from ("", f"{title} ({setting})", "")
            yield from _grid(list(LAYOUTS), columns, {(one.now.row, one.now.metric): one for one in chosen})


def _separability(folder: Path) -> Iterator[str]:
    yield from ("", "| without | rank of parts | null vectors | parts still given | sums given |", "|---|---|---|---|---|")
    for world in WORLDS["separability"]:
        rows = read_rows("separability", world, folder)
        for _, row in rows.iterrows():
            told = [str(row[name]) if isinstance(row[name], str) else "none" for name in ("null", "given", "sums")]
            yield f"| {world.without.replace('_', ' ')} | {row['rank']} of {row['parts']} | {' | '.join(told)} |"


def _differences(compared: Sequence[Compared]) -> Iterator[str]:
    """What is far from the earlier measurement, grouped by its reason."""
    yield from ("", "## Beyond three Monte Carlo errors, and why")
    grouped: dict[tuple[str, ...], list[Compared]] = {}
    for one in compared:
        if one.far:
            grouped.setdefault(one.reasons, []).append(one)
    for reasons, group in grouped.items():
        yield from ("", " ".join(reasons) or "**Not explained.**", "")
        for one in group:
            assert one.earlier is not None
            where = f"{one.now.table}, {one.now.world}, {one.now.row}, {one.now.metric}".replace("_", " ")
            yield f"* {where}: {one.now.value:.3g}, earlier {one.earlier.value:g} ({one.distance:+.1f} errors)".replace("-", "−")
