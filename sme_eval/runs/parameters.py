"""The parameters of each notebook: one frozen dataclass, equal to the notebook's parameters cell.

A type that lists its values (`Literal`) is the list of what is allowed; `_number` gives a range.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final, Literal, get_args, get_type_hints

from sme_eval.errors import ParameterError, Problem, suggestion
from sme_eval.runs.settings import Rule, Value, read_settings
from sme_eval.terms import Comparison, PanelRule

TrainingOutcome = Literal["log_scrap", "training_hours", "log_sales", "log_employment"]
CertificationOutcome = Literal["log_revenue", "log_employment"]
ScenarioName = Literal["clean", "null", "baseline"]

FEWEST_PANELS: Final = 20
"""Fewer repetitions give no Monte Carlo error worth the name."""
FEWEST_FIRMS: Final = 1000


def _text(default: str, zh: str, en: str) -> Any:
    return field(default=default, metadata={"zh": zh, "en": en})


def _number(default: float, zh: str, en: str, **limits: float | tuple[float, ...]) -> Any:
    return field(default=default, metadata={"zh": zh, "en": en, **limits})


def _outcome(default: str) -> Any:
    return _text(default, "结果变量", "the outcome; the policy's other outcomes are shown beside it")


def _comparison(default: str) -> Any:
    return _text(default, "对照组：从未处理的企业，或尚未处理的企业", "firms compared with: never treated, or not yet treated")


def _level() -> Any:
    return _number(0.95, "区间的置信水平", "level of the intervals", low=0.5, high=0.999)


def _reports() -> Any:
    return _text("reports", "报告文件夹", "folder of the reports, seen from the project folder")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingGrantsParameters:
    """Parameters of `training_grants.ipynb`."""

    outcome: TrainingOutcome = _outcome("log_scrap")
    comparison: Comparison = _comparison("never_treated")
    panel_rule: PanelRule = _text(
        "pairs",
        "样本：每次比较的两年都有数据的企业（pairs），或各年都有数据的企业（balanced）",
        "firms seen in both years of each comparison (pairs), or in every year (balanced)",
    )
    level: float = _level()
    reports: str = _reports()


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificationParameters:
    """Parameters of `certification.ipynb`."""

    outcome: CertificationOutcome = _outcome("log_revenue")
    scenario: ScenarioName = _text(
        "clean",
        "模拟情景：趋势平行（clean）、无效应（null）、按过往增长选择企业（baseline）",
        "simulated world: parallel trends (clean), no effect (null), selection on past growth (baseline)",
    )
    seed: int = _number(1, "随机种子", "seed of the simulation", low=0)
    firms: int = _number(6000, "模拟企业数", "number of simulated firms", low=FEWEST_FIRMS, high=200_000)
    comparison: Comparison = _comparison("not_yet_treated")
    level: float = _level()
    repetitions: int = _number(
        100,
        "重复模拟的次数，0表示不重复",
        "further simulated panels on which the method is tried; 0 for none",
        low=FEWEST_PANELS,
        high=10_000,
        exceptions=(0,),
    )
    reports: str = _reports()


Parameters = TrainingGrantsParameters | CertificationParameters

NOTEBOOKS: Final[Mapping[str, type[Parameters]]] = {
    "training_grants": TrainingGrantsParameters,
    "certification": CertificationParameters,
}
"""Notebook → its parameters. A notebook bears the name of the policy that it evaluates."""


def notebook_name(notebook: str) -> str:
    """The registered name of a notebook given by name, file name or path.

    Raises
    ------
    ParameterError
        There is no such notebook.
    """
    name = notebook.replace("\\", "/").rsplit("/", maxsplit=1)[-1].removesuffix(".ipynb")
    if name not in NOTEBOOKS:
        remedy = suggestion(name, tuple(NOTEBOOKS))
        raise ParameterError(Problem(what=f"There is no notebook {name!r}.", where="notebooks/", remedy=remedy))
    return name


def rules(notebook: str) -> tuple[Rule, ...]:
    """The rules of a notebook's parameters, in the order of its parameters cell."""
    kind = NOTEBOOKS[notebook]
    hints = get_type_hints(kind)
    return tuple(_rule(declared.name, hints[declared.name], declared.default, declared.metadata) for declared in fields(kind))


def _rule(name: str, hint: Any, default: Any, metadata: Mapping[str, Any]) -> Rule:
    choices = get_args(hint)
    return Rule(
        name=name,
        kind=str if choices else hint,
        default=default,
        zh=metadata["zh"],
        en=metadata["en"],
        choices=choices,
        low=metadata.get("low", -math.inf),
        high=metadata.get("high", math.inf),
        exceptions=metadata.get("exceptions", ()),
    )


def resolve(notebook: str, settings: Mapping[str, object]) -> Parameters:
    """The parameters of `notebook` with `settings` (texts or values) in place of defaults.

    Raises
    ------
    ParameterError
        An unknown notebook; unknown parameters, mistyped or refused values, all at once.
    """
    name = notebook_name(notebook)
    kind: Any = NOTEBOOKS[name]
    made: Parameters = kind(**read_settings(rules(name), settings, f"notebook {name}"))
    return made


def values(parameters: Parameters) -> dict[str, Value]:
    """Parameters by name, without the folder of the reports: where a record is written changes nothing in it."""
    return {name: value for name, value in asdict(parameters).items() if name != "reports"}


def changed(parameters: Parameters) -> dict[str, Value]:
    """Those of `values` that are not the default."""
    default = values(type(parameters)())
    return {name: value for name, value in values(parameters).items() if value != default[name]}
