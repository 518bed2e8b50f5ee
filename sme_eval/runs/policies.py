"""The declared policies as a person reads them: `sme-eval policies`."""

from __future__ import annotations

from sme_eval.errors import SmeEvalError
from sme_eval.evaluation.design import Design
from sme_eval.policies.policy import Policy, find_policy, load_policies
from sme_eval.runs.evaluate import policy_rules


def describe_policies(name: str | None) -> str:
    """Every policy with its design; of the one that is named also its limits and what `--set` takes.

    Raises
    ------
    DesignError
        A policy file breaks its form, or there is no policy of that name.
    """
    if name is None:
        return "\n\n".join(_outline(policy) for policy in load_policies().values())
    policy = find_policy(name)
    smallest = ", ".join(
        f"{rule.name} {rule.smallest_effect:g}" for rule in policy.outcomes.values() if rule.smallest_effect is not None
    )
    lines = [_outline(policy), f"  treatment    {policy.treatment.label.en} · {policy.treatment.label.zh}"]
    lines += [f"  smallest effect of interest: {smallest}"]
    lines += ["  limits", *(f"    {limit.label.en}" for limit in policy.limits if "{" not in limit.label.en)]
    lines += ["  --set", *(f"    {rule.name} = {rule.default}  ({rule.allowed})" for rule in policy_rules(policy))]
    return "\n".join(lines)


def _outline(policy: Policy) -> str:
    return f"{policy.summary()}\n  evaluation   {_why_not(policy) or f'sme-eval evaluate {policy.name}'}"


def _why_not(policy: Policy) -> str:
    """Why a policy cannot be evaluated; empty if it can."""
    try:
        Design.from_policy(policy)
    except SmeEvalError as error:
        return f"not possible: {error.problems[0].what}"
    return ""
