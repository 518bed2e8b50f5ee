"""One evaluation of a policy without a notebook: which choices it takes, and the record that they give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, get_args

from sme_eval.policies.policy import Policy, find_policy
from sme_eval.runs.job import Job
from sme_eval.runs.parameters import FEWEST_FIRMS, FEWEST_PANELS, MOST_FIRMS, MOST_PANELS
from sme_eval.runs.settings import Rule, Value, read_settings
from sme_eval.terms import DataKind, PanelRule

_LIMITS: Final[Mapping[str, Mapping[str, float]]] = {
    "seed": {"low": 0},
    "firms": {"low": FEWEST_FIRMS, "high": MOST_FIRMS},
}


def policy_rules(policy: Policy) -> tuple[Rule, ...]:
    """What `--set` may name for a policy: its design's choices, and the parameters of its source."""
    from sme_eval.evaluation.design import estimator_from_rule

    declared = estimator_from_rule(policy.estimator, policy)
    rules = [
        _rule(name, str(getattr(declared, field)), choices)
        for name, field, choices in (
            ("comparison", "comparison", policy.treatment.comparisons),
            ("panel_rule", "panel", get_args(PanelRule)),
        )
        if hasattr(declared, field)
    ]
    rules += [
        Rule(name="level", kind=float, default=0.95, zh="置信水平", en="level of the intervals", low=0.5, high=0.999),
    ]
    text = "a panel of your own, .xlsx, .csv or .parquet, instead of the policy's source"
    rules.append(Rule(name="panel", kind=str, default="", zh="自有面板文件", en=text))
    text = "of your own panel: needed where the file does not say it"
    rules.append(Rule(name="data_kind", kind=str, default="", zh="数据性质", en=text, choices=get_args(DataKind)))
    text = "of your own .xlsx file: needed where several hold a panel"
    rules.append(Rule(name="sheet", kind=str, default="", zh="自有面板文件的工作表", en=text))
    for name, value in policy.source_parameters.items():
        kind = str if isinstance(value, bool) else type(value)
        limits: Any = _LIMITS.get(name, {})
        choices = _scenarios() if name == "scenario" else ()
        text = f"parameter of the source {policy.source}"
        rules.append(Rule(name=name, kind=kind, default=value, zh=text, en=text, choices=choices, **limits))
    if "scenario" in policy.source_parameters:
        text = "further simulated panels; 0 for none"
        limits = {"low": FEWEST_PANELS, "high": MOST_PANELS, "exceptions": (0,)}
        rules.append(Rule(name="repetitions", kind=int, default=0, zh="重复次数", en=text, **limits))
    return tuple(rules)


def _rule(name: str, default: str, choices: tuple[str, ...]) -> Rule:
    return Rule(name=name, kind=str, default=default, zh=name, en=name, choices=choices)


def _scenarios() -> tuple[str, ...]:
    from sme_eval.simulate.scenario import SCENARIOS

    return tuple(SCENARIOS)


def policy_settings(policy: Policy, settings: Mapping[str, object]) -> dict[str, Value]:
    """The choices of one evaluation, checked.

    Raises
    ------
    ParameterError
        Unknown names, mistyped or refused values, all at once.
    """
    return read_settings(policy_rules(policy), settings, f"policy {policy.name}")


def estimate_policy(job: Job, folder: Path, progress: Callable[[str], None] | None = None) -> None:
    """Evaluate the policy of `job` and write its record below `folder`; `progress` hears the name of each step."""
    from sme_eval.evaluation.design import Design
    from sme_eval.evaluation.evaluate import evaluate
    from sme_eval.intake import open_source
    from sme_eval.panel.panel_file import read_panel
    from sme_eval.runs.simulated import add_repetitions

    policy = find_policy(job.name)
    made: dict[str, Any] = dict(job.parameters)  # checked against the policy's rules before the job was given
    design = Design.from_policy(
        policy,
        made["outcome"],
        comparison=made.get("comparison"),
        panel=made.get("panel_rule"),
        level=made["level"],
    )
    if made["panel"]:
        panel = read_panel(made["panel"], made["data_kind"] or None, sheet=made["sheet"])
    else:
        panel = open_source(policy.source, **{name: made[name] for name in policy.source_parameters})
    evaluation = add_repetitions(evaluate(design, panel, progress=progress), design, made.get("repetitions", 0))
    evaluation.write(folder)
