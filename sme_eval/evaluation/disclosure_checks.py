"""The gate for the tables of checks: rows on few firms, rows that would give them back, and what a sentence quotes of either.

1. A row whose `n_firms` is below the threshold loses its numbers; counts that the bureau published stay.
2. Where the rows of a block add up to the treated firms of the headline, the next smallest row goes too, until the withheld rows
   of the block hold at least `THRESHOLD` firms together and are at least two.
3. A number of the sentence, or the statistic, that is found in a withheld row goes with it (the smallest, the largest, …).
4. Where the headline is withheld, every effect that a check holds goes: it was computed from the same firms.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import replace
from itertools import accumulate

from sme_eval.results.unavailable import Unavailable

from .disclosure_base import THRESHOLD, WITHHELD, Log
from .record import Evaluation
from .record_base import Count
from .record_checks import CellValue, CheckRecord, CheckRowRecord, CheckTableRecord

GIVEN = ("year", "cohort", "event_time", "bound")
"""Columns that name a row or a grid and say nothing of firms."""
OWN_RULES = ("trends", "drift", "clusters", "cohort_sizes")
"""Checks of event times and counts, which other parts of the gate decide."""
COUNT_NUMBERS = ("smallest", "largest", "fewest")
"""Names of numbers that count firms, beside those that begin with `n_`."""
NOT_FIRMS = (
    "n_clusters", "n_districts", "n_industries", "n_cohorts", "n_groups", "n_covariates", "n_specifications", "n_rows", "n_years",
    "n_draws", "n_placebos", "n_assignments", "n_moved", "n_found", "n_units", "n_policies", "n_traits", "n_strata", "n_leads",
    "n_after", "n_future", "n_apart", "n_pairs",
)  # fmt: skip
"""Names that begin with `n_` and count no firms; of a name that is not known, firms are assumed."""
GONE = Unavailable(WITHHELD)
Numbers = Mapping[str, int | float | Unavailable]


def release_checks(evaluation: Evaluation, log: Log) -> Evaluation:
    """The evaluation, whose headline has passed the gate, with its checks passed through it too."""
    headline = evaluation.headline
    withheld = isinstance(headline.estimate, Unavailable) and headline.estimate.reason == WITHHELD
    total = headline.n_treated if isinstance(headline.n_treated, int) else None
    checks = []
    for n, check in enumerate(evaluation.checks):
        if withheld and check.name not in OWN_RULES:
            checks.append(_without_effects(check, f"/checks/{n}", log))
        else:
            checks.append(_check(check, total, f"/checks/{n}", log))
    return replace(evaluation, checks=tuple(checks))


def _check(check: CheckRecord, total: int | None, path: str, log: Log) -> CheckRecord:
    """Rows first, then what the sentence quotes of them."""
    gone: list[CheckRowRecord] = []
    table = check.table
    if table is not None:
        rules = _rules(table.rows, total)
        gone = [table.rows[place] for place in rules]
        rows = (
            _row(row, rules[n], f"{path}/table/rows/{n}", log) if n in rules else _small_counts(row, f"{path}/table/rows/{n}", log)
            for n, row in enumerate(table.rows)
        )
        table = replace(table, rows=tuple(rows))
    numbers = {name: GONE if _quotes(name, value, gone, log) else value for name, value in check.numbers.items()}
    log.add(path, "threshold", _changed(check.numbers, numbers))
    statistic = check.statistic
    if statistic is not None and (_quotes("statistic", statistic, gone, log) or _says_withheld(check.statistic, numbers, check)):
        statistic = GONE
    return replace(check, table=table, numbers=numbers, statistic=statistic)


def _rules(rows: tuple[CheckRowRecord, ...], total: int | None) -> dict[int, str]:
    """Place of each row to be withheld → the rule that takes it."""
    handled = [n for n, row in enumerate(rows) if isinstance(row.n_firms, Unavailable)]
    rules = {n: "threshold" for n, row in enumerate(rows) if n in handled or _few(row.n_firms)}
    if handled or not rules or total is None:
        return rules
    for block in _blocks(rows, total, rules):
        inside = [n for n in block if n in rules]
        rest = sorted((n for n in block if n not in rules), key=lambda n: _size(rows[n]))
        while inside and rest and (len(inside) < 2 or sum(_size(rows[n]) for n in inside) < THRESHOLD):
            rules[rest[0]] = "complementary"
            inside.append(rest.pop(0))
    return rules


def _blocks(rows: tuple[CheckRowRecord, ...], total: int, small: Collection[int]) -> list[range]:
    """Blocks of rows standing together that hold a small one and add up to the total.

    A sum that misses the total by a few firms tells as much; it counts where no block with this small row adds up exactly.
    """
    sums = [0, *accumulate(_size(row) for row in rows)]
    ends = ((first, end) for first in range(len(rows)) for end in range(first + 2, len(rows) + 1))
    found = [range(*pair) for pair in ends if abs(sums[pair[1]] - sums[pair[0]] - total) < THRESHOLD]
    found = [block for block in found if all(_size(rows[n]) < total for n in block)]
    exact = [block for block in found if sums[block.stop] - sums[block.start] == total]
    known = {n for block in exact for n in block}
    near = [block for block in found if any(n in block and n not in known for n in small)]
    return [*exact, *near]


def _size(row: CheckRowRecord) -> int:
    return row.n_firms if isinstance(row.n_firms, int) else 0


def _few(count: Count | None) -> bool:
    return isinstance(count, int) and count < THRESHOLD


def _is_count(name: str) -> bool:
    return (name.startswith("n_") and name not in NOT_FIRMS) or name in COUNT_NUMBERS


def _is_number(value: CellValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _row(row: CheckRowRecord, rule: str, path: str, log: Log) -> CheckRowRecord:
    """The row without its numbers; what names it stays, and so do counts that are public."""

    def hidden(name: str, value: CellValue) -> CellValue:
        public = _is_count(name) and isinstance(value, int) and value in log.published
        return GONE if _is_number(value) and name not in GIVEN and not public else value

    values = {name: hidden(name, value) for name, value in row.values.items()}
    log.add(path, rule, _changed(row.values, values))
    return replace(row, n_firms=GONE, values=values)


def _small_counts(row: CheckRowRecord, path: str, log: Log) -> CheckRowRecord:
    """A row that stays, without the counts that are themselves too small."""
    values = {
        name: GONE if _is_count(name) and isinstance(value, int) and log.small(value) else value
        for name, value in row.values.items()
    }
    log.add(path, "threshold", _changed(row.values, values))
    return replace(row, values=values)


def _quotes(name: str, value: int | float | Unavailable, gone: list[CheckRowRecord], log: Log) -> bool:
    """Whether a number is a small count, or stands in a withheld row."""
    if isinstance(value, Unavailable):
        return False
    if isinstance(value, int):
        return _is_count(name) and (log.small(value) or (value not in log.published and any(value == _size(r) for r in gone)))
    told = (v for row in gone for column, v in row.values.items() if column not in GIVEN)
    return any(isinstance(v, float) and math.isclose(abs(v), abs(value), rel_tol=1e-9) for v in told)


def _says_withheld(statistic: float | Unavailable | None, numbers: Numbers, check: CheckRecord) -> bool:
    """Whether the statistic is one of the sentence's numbers that went."""
    return any(
        isinstance(numbers[name], Unavailable)
        and not isinstance(value, Unavailable)
        and not isinstance(statistic, Unavailable | None)
        and math.isclose(value, statistic, rel_tol=1e-9)
        for name, value in check.numbers.items()
    )


def _without_effects(check: CheckRecord, path: str, log: Log) -> CheckRecord:
    """A check whose headline is withheld: verdict and words stay, counts that are not small stay, effects go."""
    numbers = {
        name: GONE if isinstance(value, float) or (_is_count(name) and _quotes(name, value, [], log)) else value
        for name, value in check.numbers.items()
    }
    count = _changed(check.numbers, numbers)
    table = check.table
    if table is not None:
        quiet = Log(log.published)
        table = CheckTableRecord(columns=table.columns, rows=tuple(_row(row, "threshold", path, quiet) for row in table.rows))
        count += sum(entry.numbers for entry in quiet.entries)
    log.add(path, "threshold", count)
    statistic = GONE if isinstance(check.statistic, float) else check.statistic
    return replace(check, numbers=numbers, table=table, statistic=statistic)


def _changed(before: Mapping[str, object], after: Mapping[str, object]) -> int:
    return sum(before[name] is not after[name] for name in before)
