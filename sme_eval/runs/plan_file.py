"""A plan: notebooks × grids of parameters × languages and forms, read from one small TOML file and checked before anything runs."""

from __future__ import annotations

import itertools
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from sme_eval.briefing.document import EVERY_FORMAT, FORMATS, FORMS, Form
from sme_eval.errors import DataError, ParameterError, Problem, SmeEvalError, raise_if_any, suggestion
from sme_eval.runs.parameters import PAGES, Parameters, notebook_name, resolve, rules, values
from sme_eval.runs.settings import Value
from sme_eval.terms import LANGUAGES, Language

OUTPUTS: Final[Mapping[str, tuple[str, ...]]] = {
    "languages": LANGUAGES,
    "forms": FORMS,
    "formats": EVERY_FORMAT,
}
"""What a report may be written in; a plan's own lists narrow these down."""
USUAL: Final[Mapping[str, tuple[str, ...]]] = {"languages": LANGUAGES, "forms": ("full",), "formats": FORMATS}
DEADLINE: Final = 1800.0
TOP: Final = ("title", "deadline", *OUTPUTS, "reports")
ENTRY: Final = ("notebook", "name", "set", "grid", "exclude", "include", *OUTPUTS)
NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.-]*")
MOST: Final = 5000
"""Evaluations of one plan; a grid with more is a slip of the pen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One evaluation and the pages that are wanted of it, a page per language and form, each in every format.

    `name` names its folder; empty for a report of the sample, whose record names itself.
    """

    notebook: str
    parameters: Parameters
    name: str = ""
    languages: tuple[Language, ...] = LANGUAGES
    forms: tuple[Form, ...] = FORMS
    formats: tuple[str, ...] = USUAL["formats"]

    @property
    def title(self) -> str:
        """What a person calls it."""
        return self.name or self.notebook

    @property
    def pages(self) -> int:
        """How many reports it counts for in a plan."""
        return len(self.languages) * len(self.forms)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFile:
    """A plan that was read and found in order."""

    title: str
    reports: tuple[Report, ...]
    deadline: float = DEADLINE

    @property
    def pages(self) -> int:
        """Reports in the reader's sense: pages by language and form."""
        return sum(report.pages for report in self.reports)


def read_plan(path: str | Path) -> PlanFile:
    """The plan at `path`.

    Raises
    ------
    DataError
        There is no such file, or it is no TOML.
    ParameterError
        Whatever the plan names that does not exist or is not allowed: all of it at once, with the nearest name that is.
    """
    try:
        plain = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(Problem(what=f"There is no plan to read: {error.strerror}.", where=str(path))) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        remedy = 'quote texts, and write lists as ["a", "b"]'
        raise DataError(Problem(what=f"The plan is no TOML: {error}.", where=str(path), remedy=remedy)) from None
    problems: list[Problem] = []
    where = Path(path).name
    _unknown(plain, TOP, where, problems)
    usual = {**USUAL, **_outputs(plain, where, problems)}
    deadline = plain.get("deadline", DEADLINE)
    if not isinstance(deadline, int | float) or isinstance(deadline, bool) or deadline <= 0:
        problems.append(Problem(what=f"deadline is {deadline!r}.", where=where, remedy="seconds for one run, such as 1800"))
    entries = plain.get("reports", [])
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise ParameterError([*problems, Problem(what="The plan asks for no report.", where=where, remedy="add a [[reports]]")])
    reports = [report for n, entry in enumerate(entries, 1) for report in _entry(entry, f"{where}, report {n}", usual, problems)]
    problems += _twice(reports, where)
    raise_if_any(ParameterError, problems)
    return PlanFile(title=str(plain.get("title", Path(path).stem)), reports=tuple(reports), deadline=float(deadline))


def _entry(entry: Mapping[str, Any], where: str, usual: Mapping[str, Any], problems: list[Problem]) -> list[Report]:
    """The reports of one `[[reports]]`; what is wrong with it goes to `problems`."""
    before = len(problems)
    _unknown(entry, ENTRY, where, problems)
    try:
        notebook = notebook_name(str(entry.get("notebook", "")))
    except SmeEvalError as error:
        problems += [replace(problem, where=where) for problem in error.problems]
        return []
    if notebook in PAGES:
        what = f"{notebook} is a page without an evaluation: a plan makes briefings, and it has none."
        problems.append(Problem(what=what, where=where, remedy=f"sme-eval run {notebook}"))
        return []
    outputs = {**usual, **_outputs(entry, where, problems)}
    points = _points(entry, notebook, where, problems)
    if len(problems) > before:
        return []
    found, seen = [], Counter(repr(sorted(point.items())) for point in points)
    varied = [name for name in dict.fromkeys(name for point in points for name in point) if _varies(name, points)]
    problems += [Problem(what=f"The same run is asked for {n} times: {text}.", where=where) for text, n in seen.items() if n > 1]
    for point in points:
        try:
            parameters = resolve(notebook, point)
        except SmeEvalError as error:
            problems += [p for p in (replace(p, where=where) for p in error.problems) if p not in problems]
            continue
        name = _name(entry.get("name"), notebook, parameters, varied, where, problems)
        found.append(Report(notebook=notebook, parameters=parameters, name=name, **outputs))
    return found


def _varies(name: str, points: Sequence[Mapping[str, Value]]) -> bool:
    return len({point.get(name) for point in points}) > 1


def _points(entry: Mapping[str, Any], notebook: str, where: str, problems: list[Problem]) -> list[dict[str, Value]]:
    """Settings by point of the grid: every combination, without the excluded ones, then the included ones."""
    allowed = [rule.name for rule in rules(notebook) if rule.name != "reports"]
    fixed, grid = _table(entry, "set", where, problems), _table(entry, "grid", where, problems)
    further = {kind: _tables(entry, kind, where, problems) for kind in ("exclude", "include")}
    for names in (fixed, grid, *further["exclude"], *further["include"]):
        _unknown(names, allowed, where, problems, "parameter")
    lists = {name: given if isinstance(given, list) else [given] for name, given in grid.items()}
    problems += [Problem(what=f"The grid of {name} is empty.", where=where) for name, given in lists.items() if not given]
    both = sorted(set(fixed) & set(grid))
    problems += [Problem(what=f"{name} is both set and varied.", where=where, remedy="leave one of them out") for name in both]
    size = 1
    for given in lists.values():
        size *= len(given)
    if size > MOST:
        problems.append(Problem(what=f"The grid has {size:,} points.", where=where, remedy=f"at most {MOST:,} in one plan"))
        return []
    points = [dict(zip(lists, values_, strict=True)) for values_ in itertools.product(*lists.values())]
    for rule in further["exclude"]:
        kept = [point for point in points if any(point.get(name) != value for name, value in rule.items())]
        if len(kept) == len(points):
            told = ", ".join(f"{name} = {value}" for name, value in rule.items())
            problems.append(Problem(what=f"An exclude takes nothing out: {told}.", where=where, remedy="name values of the grid"))
        points = kept
    return [{**fixed, **point} for point in (*points, *further["include"])]


def _table(entry: Mapping[str, Any], key: str, where: str, problems: list[Problem]) -> dict[str, Any]:
    found = entry.get(key, {})
    if isinstance(found, dict):
        return found
    problems.append(Problem(what=f"{key} is no table.", where=where, remedy=f"write [reports.{key}]"))
    return {}


def _tables(entry: Mapping[str, Any], key: str, where: str, problems: list[Problem]) -> list[dict[str, Any]]:
    found = entry.get(key, [])
    if isinstance(found, list) and all(isinstance(one, dict) and one for one in found):
        return found
    problems.append(Problem(what=f"{key} is no list of tables.", where=where, remedy=f"write [[reports.{key}]]"))
    return []


def _outputs(plain: Mapping[str, Any], where: str, problems: list[Problem]) -> dict[str, tuple[str, ...]]:
    """Languages, forms and formats that are named."""
    found = {}
    for key, allowed in OUTPUTS.items():
        if key not in plain:
            continue
        given = plain[key] if isinstance(plain[key], list) else [plain[key]]
        wrong = [one for one in given if one not in allowed]
        problems += [Problem(what=f"{key} holds {one!r}.", where=where, remedy=suggestion(one, allowed)) for one in wrong]
        if not given:
            problems.append(Problem(what=f"{key} is empty.", where=where, remedy=f"one or more of: {', '.join(allowed)}"))
        found[key] = tuple(one for one in allowed if one in given)
    return found


def _unknown(given: Iterable[str], allowed: Sequence[str], where: str, problems: list[Problem], noun: str = "entry") -> None:
    for name in given:
        if name not in allowed:
            problem = Problem(what=f"There is no {noun} {name!r}.", where=where, remedy=suggestion(name, allowed))
            if problem not in problems:
                problems.append(problem)


def _name(
    template: object, notebook: str, parameters: Parameters, varied: Sequence[str], where: str, problems: list[Problem]
) -> str:
    """The name of a report: the plan's template, or the notebook and what varies."""
    made = {name: _word(value) for name, value in values(parameters).items()}
    text = template if isinstance(template, str) else "-".join(("{notebook}", *(f"{{{name}}}" for name in varied)))
    try:
        name = text.format(notebook=notebook, **made)
    except (KeyError, IndexError, ValueError):
        remedy = "use {notebook} and parameters: " + ", ".join(made)
        problem = Problem(what=f"The name {text!r} cannot be filled in.", where=where, remedy=remedy)
        problems += [problem] if problem not in problems else []
        return ""
    if not NAME.fullmatch(name):
        remedy = "use lower-case letters, digits, - and _"
        problems.append(Problem(what=f"{name!r} cannot name a folder.", where=where, remedy=remedy))
    return name


def _word(value: Value) -> str:
    """A value as part of a name: a file without its folder and ending."""
    text = Path(value).stem if isinstance(value, str) and ("/" in value or "\\" in value or "." in value) else str(value)
    return re.sub(r"[^a-z0-9_.]+", "-", text.lower()).strip("-.") or "none"


def _twice(reports: Sequence[Report], where: str) -> list[Problem]:
    """Names that two reports share: one would take the other's place."""
    counts = Counter(report.name for report in reports)
    remedy = 'give the entries names that tell them apart, such as name = "{notebook}-{seed}"'
    return [Problem(what=f"{n} reports are named {name!r}.", where=where, remedy=remedy) for name, n in counts.items() if n > 1]
