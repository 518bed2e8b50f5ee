"""The declared policies as a person reads them: `sme-eval policies`."""

from __future__ import annotations

from sme_eval.errors import SmeEvalError
from sme_eval.evaluation.design import Design
from sme_eval.policies.instruments import RefusedInstrument
from sme_eval.policies.policy import Policy, find_instrument, load_policies
from sme_eval.runs.evaluate import policy_rules
from sme_eval.runs.systems import few_firms, systems_table
from sme_eval.terms import LANGUAGES


def describe_policies(name: str | None) -> str:
    """Every system with its instruments and verdicts, then every policy with its design.

    Of the one that is named also its facts, threats and limits and what `--set` takes, or why it is refused.

    Raises
    ------
    DesignError
        A policy file breaks its form, or there is no policy of that name.
    """
    if name is None:
        tables = [systems_table(language) for language in LANGUAGES]
        return "\n\n".join([*tables, *(_outline(policy) for policy in load_policies().values())])
    policy = find_instrument(name)
    if isinstance(policy, RefusedInstrument):
        few = policy.refusal.small_n
        told = [] if few is None else [f"               {few_firms(few, language)}" for language in reversed(LANGUAGES)]
        return "\n".join([policy.summary(), *told, *_threats(policy)])
    smallest = ", ".join(
        f"{rule.name} {rule.smallest_effect:g}" for rule in policy.outcomes.values() if rule.smallest_effect is not None
    )
    lines = [_outline(policy), f"  treatment    {policy.treatment.label.en} · {policy.treatment.label.zh}"]
    lines += [f"  smallest effect of interest: {smallest}"]
    lines += [f"  facts        {', '.join(policy.facts)}"] if policy.facts else []
    lines += _threats(policy)
    lines += ["  limits", *(f"    {limit.label.en}" for limit in policy.limits if "{" not in limit.label.en)]
    lines += ["  --set", *(f"    {rule.name} = {rule.default}  ({rule.allowed})" for rule in policy_rules(policy))]
    return "\n".join(lines)


def _threats(one: Policy | RefusedInstrument) -> list[str]:
    """Threats with their remedies."""
    told = [f"    {threat.label.en} → {threat.remedy.en}" for threat in one.threats]
    return ["  threats", *told] if told else []


def _outline(policy: Policy) -> str:
    return f"{policy.summary()}\n  evaluation   {_why_not(policy) or f'sme-eval evaluate {policy.name}'}"


def _why_not(policy: Policy) -> str:
    """Why a policy cannot be evaluated; empty if it can."""
    try:
        Design.from_policy(policy)
    except SmeEvalError as error:
        return f"not possible: {error.problems[0].what}"
    return ""
