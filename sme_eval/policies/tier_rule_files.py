"""Loads the declared certification rules and says which version an application falls under."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from sme_eval.errors import DesignError, ParameterError, Problem, raise_if_any
from sme_eval.panel.declarations import Entry, read_tables
from sme_eval.panel.frozen_mapping import FrozenMapping
from sme_eval.resources import resource_files

from .rule_reader import read_inputs, read_tier
from .tier_rules import FirmInputs, RuleVersion, Tier, TierRule, known_tier


def rule_tables(kind: str, problems: list[Problem], folder: str | Path | None = None) -> Mapping[str, Entry]:
    """The files of one `kind` by stem: the project's `data/rules/*.toml` over the packaged ones, or those of `folder` only.

    A file whose name differs from its stem, or whose kind is not known, is a problem.
    """
    files = resource_files("rules", ".toml") if folder is None else {p.name: p for p in sorted(Path(folder).glob("*.toml"))}
    found: dict[str, Entry] = {}
    for path in files.values():
        seen = path.stat()
        top = Entry(_parsed(path, seen.st_mtime_ns, seen.st_size), path.name, problems)
        if top.choice("kind", ("tier", "inputs", "size_standard", "above_scale")) != kind:
            continue
        if kind != "inputs" and top.text("name") != path.stem:
            problems.append(Problem(what="name is not that of the file.", where=path.name, remedy="name the file after the rules"))
        found[path.stem] = top
    return FrozenMapping(found)


@lru_cache(maxsize=64)
def _parsed(path: Path, changed: int, size: int) -> Mapping[str, object]:
    """A file as it was when it was last changed: parsing is most of what an assessment takes."""
    return FrozenMapping(read_tables(path))


def load_firm_inputs(folder: str | Path | None = None) -> FirmInputs:
    """What the rules may ask about a firm, by name.

    Raises
    ------
    DesignError
        No file declares inputs, or one breaks its form: all problems at once.
    """
    problems: list[Problem] = []
    inputs: dict[str, Any] = {}
    for top in rule_tables("inputs", problems, folder).values():
        inputs |= read_inputs(top)
    if not inputs:
        problems.append(Problem(what="No inputs are declared.", where="data/rules/inputs.toml", remedy="check the folder"))
    raise_if_any(DesignError, problems)
    return FrozenMapping(inputs)


def load_tier_rules(folder: str | Path | None = None) -> Mapping[tuple[Tier, RuleVersion], TierRule]:
    """Every declared set of certification rules by tier and version.

    Raises
    ------
    DesignError
        A file breaks its form, two declare the same tier and version, or tiers of one version begin on different days.
    """
    inputs, problems = load_firm_inputs(folder), list[Problem]()
    rules: dict[tuple[Tier, RuleVersion], TierRule] = {}
    for stem, top in rule_tables("tier", problems, folder).items():
        rule = read_tier(top, inputs)
        if (rule.tier, rule.rule_version) in rules:
            problems.append(Problem(what=f"{rule.tier}, {rule.rule_version}: declared twice.", where=f"{stem}.toml"))
        rules[rule.tier, rule.rule_version] = rule
    for version in {rule.rule_version for rule in rules.values()}:
        days = {(rule.since, rule.until, rule.reviews_from) for rule in rules.values() if rule.rule_version == version}
        if len(days) > 1:
            problems.append(Problem(what=f"The tiers of {version} are in force at different times.", where="data/rules/"))
    raise_if_any(DesignError, problems)
    return FrozenMapping(rules)


def find_tier_rule(tier: str, rule_version: int) -> TierRule:
    """The rules of one tier ("innovative", "srdi", "little_giant") in one version (2022, 2026).

    Raises
    ------
    ParameterError
        No such tier or version is declared.

    Examples
    --------
    >>> find_tier_rule("little_giant", 2026).source
    '工信部企业〔2026〕2号；工信厅企业〔2024〕75号'
    """
    rules, known = load_tier_rules(), known_tier(tier)
    for (name, version), rule in rules.items():
        if name == known and version == rule_version:
            return rule
    versions = sorted(version for name, version in rules if name == known)
    remedy = f"one of: {', '.join(str(version) for version in versions)}"
    raise ParameterError(Problem(what=f"No rules of {rule_version} are declared for {tier}.", remedy=remedy))


def rule_version_for(application_date: date | str, review: bool = False) -> int:
    """The version of the rules that an application, or a review, of that day falls under.

    New applications follow the rules of 2026 from 1 April 2026 on; reviews do so from 2027 on only, those of 2026 still follow
    2022. The day on which the rules of 2022 themselves began is not declared: any day of that year is taken as under them.

    Parameters
    ----------
    application_date
        A date, or its ISO text ("2026-04-01").
    review
        Whether an existing certificate is reviewed (复核).

    Raises
    ------
    ParameterError
        The text is no date, or the day lies before the year of the earliest rules.

    Examples
    --------
    >>> rule_version_for("2026-03-31"), rule_version_for("2026-04-01"), rule_version_for("2026-06-01", review=True)
    (2022, 2026, 2022)
    """
    day = _day(application_date)
    begins: dict[int, date] = {}
    for rule in load_tier_rules().values():
        since = (rule.reviews_from if review else None) or rule.since
        begins[rule.rule_version] = since or date(rule.rule_version, 1, 1)
    under = [version for version, begin in begins.items() if begin <= day]
    if not under:
        earliest = min(begins.values())
        raise ParameterError(Problem(what=f"No declared rules were in force on {day}.", remedy=f"a day from {earliest.year} on"))
    return max(under)


def _day(value: date | str) -> date:
    try:
        # The text of a time stamp begins with its day; that of a missing one is no date.
        return date.fromisoformat(value if isinstance(value, str) else value.isoformat()[:10])
    except (AttributeError, ValueError) as error:
        raise ParameterError(Problem(what="The application date is no date.", remedy='write "2026-04-01"')) from error
