"""The parameters of each notebook: one frozen dataclass, equal to the notebook's parameters cell.

A type that lists its values (`Literal`) is the list of what is allowed, `choices` a function that gives one; `low`, `high` and
`exceptions` give a range.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final, Literal, get_args, get_type_hints

from sme_eval.errors import ParameterError, Problem, suggestion
from sme_eval.runs.settings import Rule, Value, read_settings
from sme_eval.terms import Comparison, Language, PanelRule

TrainingOutcome = Literal["log_scrap", "training_hours", "log_sales", "log_employment"]
CertificationOutcome = Literal["log_revenue", "log_employment"]
RevenueOutcome = Literal["log_revenue"]
OwnDataKind = Literal["from_file", "observed", "simulated"]
ScenarioName = Literal[
    "baseline",
    "null",
    "clean",
    "literal",
    "strong_selection",
    "null_literal",
    "null_strong_selection",
    "null_hidden_only",
    "null_hidden_weak",
    "null_no_selection",
    "credit_only",
    "certificate_only",
    "cash_only",
    "price_only",
    "price_and_access",
    "informative",
    "pooled11",
    "concurrent",
    "attrition",
    "register",
]

FEWEST_PANELS: Final = 20
"""Fewer repetitions give no Monte Carlo error worth the name."""
MOST_PANELS: Final = 10_000
FEWEST_FIRMS: Final = 2500
MOST_FIRMS: Final = 200_000


def _policies() -> tuple[str, ...]:
    """Policies that can be evaluated, the project's own among them."""
    from sme_eval.policies.policy import load_policies

    return tuple(load_policies())


def _words(zh: str, en: str, **limits: float | tuple[float, ...]) -> Mapping[str, Any]:
    return {"zh": zh, "en": en, **limits}


_OUTCOME: Final = _words("结果变量；政策的其他结果变量列在旁边", "the outcome; the policy's other outcomes are shown beside it")
_POLICY: Final = {**_words("政策", "the policy that the question is put to"), "choices": _policies}
_COMPARISON: Final = _words("对照组：从未处理的企业，或尚未处理的企业", "firms compared with: never treated, or not yet treated")
_PANEL: Final = _words(
    "样本：每次比较的两年都有数据的企业（pairs），或各年都有数据的企业（balanced）",
    "firms seen in both years of each comparison (pairs), or in every year (balanced)",
)
_LEVEL: Final = _words("区间的置信水平", "level of the intervals", low=0.5, high=0.999)
_FILE: Final = _words(
    "自有面板文件，以项目文件夹为起点；留空则用政策自己的数据",
    "a panel of your own, seen from the project folder; empty for the policy's own source",
)
_KIND: Final = _words("数据性质；from_file表示由文件自己写明", "what the data are; from_file where the file says it")
_REPORTS: Final = _words("报告文件夹，以项目文件夹为起点", "folder of the reports, seen from the project folder")
_SCENARIO: Final = _words(
    "模拟情景，例如按过往增长选择企业（baseline）、无效应（null）、另有隐藏趋势（strong_selection）",
    "simulated world, such as selection on past growth (baseline), no effect (null), a hidden trend as well (strong_selection)",
)
_SEED: Final = _words("随机种子", "seed of the simulation", low=0)
_FIRMS: Final = _words("模拟企业数", "number of simulated firms", low=FEWEST_FIRMS, high=MOST_FIRMS)
_LANGUAGE: Final = _words("表格和图的语言", "language of tables and drawings")
_REPETITIONS: Final = _words(
    "重复模拟的次数，0表示不重复",
    "further simulated panels on which the method is tried; 0 for none",
    low=FEWEST_PANELS,
    high=MOST_PANELS,
    exceptions=(0,),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingGrantsParameters:
    """Parameters of `training_grants.ipynb`."""

    outcome: TrainingOutcome = field(default="log_scrap", metadata=_OUTCOME)
    comparison: Comparison = field(default="never_treated", metadata=_COMPARISON)
    panel_rule: PanelRule = field(default="pairs", metadata=_PANEL)
    level: float = field(default=0.95, metadata=_LEVEL)
    reports: str = field(default="reports", metadata=_REPORTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificationParameters:
    """Parameters of `certification.ipynb`."""

    outcome: CertificationOutcome = field(default="log_revenue", metadata=_OUTCOME)
    scenario: ScenarioName = field(default="baseline", metadata=_SCENARIO)
    seed: int = field(default=1, metadata=_SEED)
    firms: int = field(default=6000, metadata=_FIRMS)
    level: float = field(default=0.95, metadata=_LEVEL)
    repetitions: int = field(default=20, metadata=_REPETITIONS)
    reports: str = field(default="reports", metadata=_REPORTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedParameters:
    """Parameters of the notebooks on rewards, credit and the bundle."""

    outcome: RevenueOutcome = field(default="log_revenue", metadata=_OUTCOME)
    scenario: ScenarioName = field(default="baseline", metadata=_SCENARIO)
    seed: int = field(default=1, metadata=_SEED)
    firms: int = field(default=6000, metadata=_FIRMS)
    level: float = field(default=0.95, metadata=_LEVEL)
    reports: str = field(default="reports", metadata=_REPORTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionParameters:
    """Parameters of notebooks that put one question to any policy. An empty outcome is the policy's main one.

    `scenario`, `seed` and `firms` are those of simulated data; an observed source has none of them.
    """

    policy: str = field(default="certification", metadata=_POLICY)
    outcome: str = field(default="", metadata=_OUTCOME)
    scenario: ScenarioName = field(default="baseline", metadata=_SCENARIO)
    seed: int = field(default=1, metadata=_SEED)
    firms: int = field(default=6000, metadata=_FIRMS)
    level: float = field(default=0.95, metadata=_LEVEL)
    reports: str = field(default="reports", metadata=_REPORTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPanelParameters:
    """Parameters of `own_panel.ipynb`: a policy evaluated on a file of one's own."""

    policy: str = field(default="certification", metadata=_POLICY)
    outcome: str = field(default="", metadata=_OUTCOME)
    panel_file: str = field(default="", metadata=_FILE)
    data_kind: OwnDataKind = field(default="from_file", metadata=_KIND)
    level: float = field(default=0.95, metadata=_LEVEL)
    reports: str = field(default="reports", metadata=_REPORTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterParameters:
    """Parameters of `letter.ipynb`: the published reply, and a simulated panel where it takes firms to show something."""

    language: Language = field(default="zh", metadata=_LANGUAGE)
    scenario: ScenarioName = field(default="baseline", metadata=_SCENARIO)
    seed: int = field(default=1, metadata=_SEED)
    firms: int = field(default=6000, metadata=_FIRMS)
    reports: str = field(default="reports", metadata=_REPORTS)


Parameters = (
    OwnPanelParameters
    | TrainingGrantsParameters
    | CertificationParameters
    | SimulatedParameters
    | QuestionParameters
    | LetterParameters
)

NOTEBOOKS: Final[Mapping[str, type[Parameters]]] = {
    "training_grants": TrainingGrantsParameters,
    "certification": CertificationParameters,
    "rewards": SimulatedParameters,
    "credit": SimulatedParameters,
    "bundle": SimulatedParameters,
}
"""Notebook → its parameters. A notebook bears the name of the policy that it evaluates."""

EXPLORATIONS: Final[Mapping[str, type[Parameters]]] = {
    "specification_curve": QuestionParameters,
    "robustness": QuestionParameters,
    "heterogeneity": QuestionParameters,
    "own_panel": OwnPanelParameters,
}
"""Notebooks that bear the name of a question: `sme-eval run` runs them for a policy, the sample report leaves them out."""

PAGES: Final[Mapping[str, type[Parameters]]] = {"letter": LetterParameters}
"""Notebooks without an evaluation: they end in their own page, are for internal use only, and no plan has them."""

REGISTERED: Final[Mapping[str, type[Parameters]]] = {**NOTEBOOKS, **EXPLORATIONS, **PAGES}


def notebook_name(notebook: str) -> str:
    """The registered name of a notebook given by name, file name or path.

    Raises
    ------
    ParameterError
        There is no such notebook.
    """
    name = notebook.replace("\\", "/").rsplit("/", maxsplit=1)[-1].removesuffix(".ipynb")
    if name not in REGISTERED:
        remedy = suggestion(name, tuple(REGISTERED))
        raise ParameterError(Problem(what=f"There is no notebook {name!r}.", where="notebooks/", remedy=remedy))
    return name


def rules(notebook: str) -> tuple[Rule, ...]:
    """The rules of a notebook's parameters, in the order of its parameters cell."""
    kind = REGISTERED[notebook]
    hints = get_type_hints(kind)
    return tuple(_rule(declared.name, hints[declared.name], declared.default, declared.metadata) for declared in fields(kind))


def _rule(name: str, hint: Any, default: Any, metadata: Mapping[str, Any]) -> Rule:
    choices = metadata["choices"]() if "choices" in metadata else get_args(hint)
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
    kind: Any = REGISTERED[name]
    made: Parameters = kind(**read_settings(rules(name), settings, f"notebook {name}"))
    return made


def values(parameters: Parameters) -> dict[str, Value]:
    """Parameters by name, without the folder of the reports: where a record is written changes nothing in it."""
    return {name: value for name, value in asdict(parameters).items() if name != "reports"}


def changed(parameters: Parameters) -> dict[str, Value]:
    """Those of `values` that are not the default."""
    default = values(type(parameters)())
    return {name: value for name, value in values(parameters).items() if value != default[name]}
