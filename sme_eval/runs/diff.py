"""`sme-eval diff`: reads two releases, pairs their reports, and writes what changed and why."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sme_eval.errors import DataError, ParameterError, Problem, SmeEvalError, raise_if_any
from sme_eval.runs.stamp import STAMP, digest, read_stamp, record_folder, write_whole
from sme_eval.runs.used import meaning
from sme_eval.terms import LANGUAGES

if TYPE_CHECKING:
    from sme_eval.briefing.difference_record import Difference, ListedReport, ReportDifference
    from sme_eval.evaluation.record import Evaluation

SAME, DISCLOSURE, DIFFERENT = 0, 15, 17
RECORD: Final = "evaluation.json"
THRESHOLD: Final = "0.5"
PLACES: Final = 3
"""Folders above a record that lies in a folder of reports."""
Key = tuple[str, str]
"""Audience and slug."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One release: its records by audience and slug, and the estimation keys of the runs that made them, by slug."""

    records: Mapping[Key, Evaluation]
    keys: Mapping[str, Mapping[str, Any]]
    single: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffResult:
    """What a comparison found: its text and the exit code of the command line."""

    text: str
    exit_code: int


def diff(old: str | Path, new: str | Path, *, threshold: str | float = THRESHOLD, output: str | Path | None = None) -> DiffResult:
    """Compare two releases and write `difference.zh.html` and `difference.en.html`.

    Raises
    ------
    DataError
        A side, or a record in it, cannot be read; all problems of both sides at once.
    ParameterError
        `threshold` is no number of at least zero.
    """
    from sme_eval.briefing.difference_page import page_name, render_difference

    found = compare_releases(old, new, _threshold(threshold))
    # A page beside the new reports; one of two files lies where the command was given.
    folder = Path(output) if output is not None else (Path(new) if _is_reports(Path(new)) else Path())
    for language in LANGUAGES:
        write_whole(folder / page_name(language), render_difference(found, language))
    code = DISCLOSURE if found.flags else DIFFERENT if found.differs else SAME
    pages = " ".join((folder / page_name(language)).as_posix() for language in LANGUAGES)
    return DiffResult(text=f"{describe(found)}\n  pages {pages}", exit_code=code)


def compare_releases(old: str | Path, new: str | Path, threshold: float = 0.5) -> Difference:
    """The difference between two releases, each a reports folder, a record's folder or a record."""
    from sme_eval.briefing.difference_record import Difference
    from sme_eval.runs.diff_disclosure import disclosure_flags

    before, after = _read_both(Path(old), Path(new))
    paired, only_old, only_new = _pair(before, after)
    # An internal record tells all that its released copy does, and the released copies are asked about disclosure.
    internal = {key[1] for key, _ in paired if key[0] == "internal"}
    told = [(key, partner) for key, partner in paired if key[0] == "internal" or key[1] not in internal]
    records = [*before.records.values(), *after.records.values()]
    return Difference(
        threshold=threshold,
        audience="internal" if any(one.audience == "internal" for one in records) else "release",
        reports=tuple(_report(before, after, key, partner, threshold) for key, partner in told),
        only_old=_listed(before.records, only_old),
        only_new=_listed(after.records, only_new),
        flags=tuple(flag for a, b in paired for flag in disclosure_flags(before.records[a], after.records[b])),
        n_examined=sum(a[0] == b[0] == "release" for a, b in paired),
    )


def describe(difference: Difference) -> str:
    """The difference in lines, without any number of a record."""
    lines = [_line(report) for report in difference.reports]
    lines += [f"  {one.slug} ({one.audience}): only in the old release" for one in difference.only_old]
    lines += [f"  {one.slug} ({one.audience}): only in the new release" for one in difference.only_new]
    places = Counter((flag.rule, flag.place, *dict.fromkeys((flag.old_slug, flag.new_slug))) for flag in difference.flags)
    for (rule, place, *slugs), n in places.items():
        lines.append(f"  DISCLOSURE {rule}: {place} of {' and '.join(slugs)}" + (f" ({n} rows)" if n > 1 else ""))
    found = "a disclosure risk" if difference.flags else "differences" if difference.differs else "no difference"
    return "\n".join([f"{len(difference.reports)} reports compared: {found}", *lines])


def _line(report: ReportDifference) -> str:
    words = {
        "same": "same",
        "same_numbers": "same numbers",
        "small": "nothing beyond the threshold",
        "unexplained": "UNEXPLAINED: numbers changed and no component did",
        "explained": "differs",
        "several": "differs, causes cannot be told apart",
    }
    because = f" ({', '.join(cause.kind for cause in report.causes)})" if report.causes else ""
    counts = [(len(report.effects), "effects"), (len(report.checks), "verdicts"), (len(report.sizes), "counts")]
    parts = [f"{n} {name}" for n, name in counts if n]
    parts += ["claim"] if report.aspects or report.caveats_gained or report.caveats_lost else []
    return f"  {report.slug}: {words[report.status]}{because}" + (f": {', '.join(parts)}" if parts else "")


def _threshold(value: str | float) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number >= 0):
        raise ParameterError(
            Problem(what="The threshold is no number of at least zero.", where="--threshold", remedy="such as 0.5")
        )
    return number


# --- reading ---------------------------------------------------------------------------------------------------------


def _is_reports(path: Path) -> bool:
    return path.is_dir() and not (path / RECORD).is_file()


def _read_both(old: Path, new: Path) -> tuple[Side, Side]:
    problems: list[Problem] = []
    sides = [_read(path, which, problems) for path, which in ((old, "OLD"), (new, "NEW"))]
    raise_if_any(DataError, problems)
    return sides[0], sides[1]


def _read(path: Path, which: str, problems: list[Problem]) -> Side:
    from sme_eval.evaluation.record import Evaluation

    if _is_reports(path):
        files = sorted(found for audience in ("internal", "release") for found in path.glob(f"{audience}/*/{RECORD}"))
    else:
        files = [path / RECORD if path.is_dir() else path]
    if not files or not all(file.is_file() for file in files):
        remedy = "name a folder of reports, a folder of a record, or an evaluation.json"
        problems.append(Problem(what="There is no evaluation record here.", where=f"{which}: {path.name}", remedy=remedy))
        return Side(records={}, keys={}, single=True)
    records: dict[Key, Evaluation] = {}
    keys: dict[str, Mapping[str, Any]] = {}
    for file in files:
        where = f"{which}: {file.relative_to(path).as_posix() if file != path and path in file.parents else file.name}"
        try:
            record = Evaluation.read(file)
        except SmeEvalError as error:
            problems += [Problem(what=p.what, where=f"{where} {p.where}".strip(), remedy=p.remedy) for p in error.problems]
            continue
        except (OSError, ValueError) as error:
            problems.append(Problem(what=f"The record cannot be read ({type(error).__name__}).", where=where))
            continue
        records[record.audience, record.slug] = record
        key = _estimation_key(file.resolve(), record.slug)
        if key is not None:
            keys[record.slug] = key
    return Side(records=records, keys=keys, single=not _is_reports(path))


def _estimation_key(file: Path, slug: str) -> Mapping[str, Any] | None:
    """What the run that made a record was made from; None where its stamp is missing or tells of another record."""
    if len(file.parents) < PLACES:
        return None
    reports = file.parents[2]
    stamp = read_stamp(record_folder(reports, slug) / STAMP)
    if stamp is None:
        return None
    made = stamp.estimated.get(f"internal/{slug}/{RECORD}")
    modules = stamp.estimation.get("modules")
    key = {**stamp.estimation, "modules": meaning(modules)} if isinstance(modules, Mapping) else stamp.estimation
    return key if made == digest(record_folder(reports, slug) / RECORD) else None


def _pair(old: Side, new: Side) -> tuple[list[tuple[Key, Key]], list[Key], list[Key]]:
    """Pairs by audience and slug, then those left over by slug alone, then by name; two single records are always a pair."""
    if old.single and new.single:
        return [(next(iter(old.records)), next(iter(new.records)))], [], []
    paired = [(key, key) for key in old.records if key in new.records]
    left = {side: [key for key in records if (key, key) not in paired] for side, records in ((0, old.records), (1, new.records))}
    rules = (lambda side, key: key[1], lambda side, key: (key[0], (old, new)[side].records[key].name))
    for name in rules:
        for a in list(left[0]):
            b = next((b for b in left[1] if name(0, a) == name(1, b)), None)
            if b is not None:
                paired.append((a, b))
                left[0].remove(a)
                left[1].remove(b)
    return sorted(paired), left[0], left[1]


def _report(old: Side, new: Side, a: Key, b: Key, threshold: float) -> ReportDifference:
    from sme_eval.briefing.difference import compare
    from sme_eval.briefing.difference_cause import causes

    before, after = old.records[a], new.records[b]
    keys = old.keys.get(a[1]), new.keys.get(b[1])
    found = causes(before, after, *keys)
    return compare(before, after, threshold=threshold, causes=found, stamped=all(key is not None for key in keys))


def _listed(records: Mapping[Key, Evaluation], keys: Sequence[Key]) -> tuple[ListedReport, ...]:
    """Reports without a partner; one that is there in both forms is listed once."""
    from sme_eval.briefing.difference_record import ListedReport

    internal = {slug for audience, slug in keys if audience == "internal"}
    told = [records[key] for key in keys if key[0] == "internal" or key[1] not in internal]
    return tuple(
        ListedReport(
            slug=one.slug, policy=one.policy.label, outcome=one.outcome.label, data_kind=one.data_kind, audience=one.audience
        )
        for one in told
    )
