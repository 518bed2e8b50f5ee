"""Every system of the published reply with its instruments and their verdicts: `sme-eval policies` and `docs/systems.md`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from sme_eval.policies.facts import load_systems
from sme_eval.policies.instruments import POWER, TEST_LEVEL, RefusedInstrument, SmallSample
from sme_eval.policies.policy import Policy, load_instruments
from sme_eval.terms import LANGUAGES, Language

_WORDS: Final[Mapping[Language, Mapping[str, str]]] = {
    "zh": {
        "title": "答复中的各项工作与评估结论",
        "lead": "编号F01至F71是答复中的事实，见`data/facts/`。结论由各事项的可评估代码得出：企业面板足够（A）"
        "或须接入其他数据（B）的可以评估，只有监测、对照或计划（C、D、P）的不评估，并写明原因。"
        "本页由`python tools/systems.py`生成。",
        "system": "领域",
        "instrument": "政策工具",
        "facts": "对应事项",
        "verdict": "结论",
        "evaluable": "可以评估",
        "small_n": "不评估：企业太少",
        "no_comparison": "不评估：没有对照",
        "plan": "不评估：尚未实施",
        "descriptive": "不评估：不是政策",
        "other_unit": "不评估：受影响的不是企业",
        "why": "不评估的原因",
        "few": "现有{treated}家，最多只能看出约{detectable:.1%}的效应；要看出{smallest:.1%}的效应，需要{needed}家"
        "（假定变化的标准差为{deviation:g}，每家有{compared:g}家对照企业，显著性水平{level:.0%}，把握{power:.0%}）。",
    },
    "en": {
        "title": "Systems of the reply and what can be said of each",
        "lead": "F01 to F71 are the facts of the reply, in `data/facts/`. The verdict follows from their codes: what a panel "
        "of firms (A) or linked records (B) can show is evaluable; monitoring, benchmarks and plans only (C, D, P) are "
        "refused, with the reason. `python tools/systems.py` writes this page.",
        "system": "system",
        "instrument": "instrument",
        "facts": "facts",
        "verdict": "verdict",
        "evaluable": "evaluable",
        "small_n": "refused: too few firms",
        "no_comparison": "refused: nobody to compare with",
        "plan": "refused: not carried out yet",
        "descriptive": "refused: no policy",
        "other_unit": "refused: what it treats are not firms",
        "why": "Why some are refused",
        "few": "With {treated} firms an effect of about {detectable:.1%} could be seen at best; for {smallest:.1%}, {needed} "
        "would be needed (standard deviation of the change {deviation:g}, assumed; {compared:g} comparison firms for each; "
        "level {level:.0%}, power {power:.0%}).",
    },
}


def systems_table(language: Language) -> str:
    """One row per instrument, in the order of the reply: system, name, facts, verdict; as a Markdown table."""
    words, systems = _WORDS[language], load_systems()
    rows = [[words[key] for key in ("system", "instrument", "facts", "verdict")], ["---"] * 4]
    for one in load_instruments().values():
        if one.system:
            label = one.label.text(language)
            rows.append([systems[one.system].text(language), f"{label} `{one.name}`", spans(one.facts), verdict(one, language)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def systems_document() -> str:
    """What `docs/systems.md` holds."""
    parts = []
    for language in LANGUAGES:
        words = _WORDS[language]
        parts += [
            f"# {words['title']}",
            words["lead"],
            systems_table(language),
            f"## {words['why']}",
            "\n".join(_reasons(language)),
        ]
    return "\n\n".join(parts) + "\n"


def verdict(one: Policy | RefusedInstrument, language: Language) -> str:
    """The verdict in words."""
    return _WORDS[language][one.refusal.kind if isinstance(one, RefusedInstrument) else "evaluable"]


def few_firms(few: SmallSample, language: Language) -> str:
    """What as many firms as there are can show, and how many would be needed."""
    return _WORDS[language]["few"].format(
        treated=few.treated,
        detectable=few.detectable,
        smallest=few.smallest_effect,
        needed=few.needed,
        deviation=few.standard_deviation,
        compared=few.compared,
        level=TEST_LEVEL,
        power=POWER,
    )


def spans(facts: tuple[str, ...]) -> str:
    """Facts with neighbours joined.

    Examples
    --------
    >>> spans(("F02", "F03", "F04", "F09"))
    'F02–F04, F09'
    """
    runs: list[list[str]] = []
    for fact in facts:
        if runs and int(fact[1:]) == int(runs[-1][-1][1:]) + 1:
            runs[-1].append(fact)
        else:
            runs.append([fact])
    return ", ".join(run[0] if len(run) == 1 else f"{run[0]}{'–' if len(run) > 2 else ', '}{run[-1]}" for run in runs)


def _reasons(language: Language) -> Iterator[str]:
    colon, space = ("：", "") if language == "zh" else (": ", " ")
    for one in load_instruments().values():
        if isinstance(one, RefusedInstrument):
            few = one.refusal.small_n
            more = "" if few is None else space + few_firms(few, language)
            yield f"* {one.label.text(language)} `{one.name}`{colon}{one.refusal.label.text(language)}{more}"
