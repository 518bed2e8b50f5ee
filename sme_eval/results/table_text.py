"""The words of regression tables in both languages, and the one definition of their stars."""

from __future__ import annotations

from typing import Final

from sme_eval.terms import Language

STARS: Final = ((0.01, "***"), (0.05, "**"), (0.10, "*"))
"""p-value below which an estimate gets its stars; the legend is made from the same pairs."""

DASH: Final = "–"
"""Stands where a number cannot; a numbered note gives the reason."""

EN: Final[dict[str, str]] = {
    "caption": "Estimates",
    "simulated": "simulated data: no finding",
    "bracket": "{text} ({more})",
    "outcome": "Outcome",
    "effect": "{name} effects",
    "firm": "firm",
    "year": "year",
    "cohort": "cohort",
    "yes": "yes",
    "no": "no",
    "cluster": "Clustered by",
    "n_observations": "Observations",
    "n_firms": "Firms",
    "n_clusters": "Clusters",
    "n_treated": "Treated firms",
    "r_squared_within": "Within R²",
    "effective_f": "First-stage effective F",
    "std_error": "Standard errors in parentheses.",
    "interval": "{levels} intervals in brackets.",
    "p_value": "Two-sided p-values below the estimates.",
    "stars": "Stars: {legend}.",
    "not_stated": "not stated by the result",
    "differences": "changes between years are compared, so that firm and year effects cancel",
    "robust": "heteroskedasticity-robust (HC1) errors, not clustered",
    "classical": "classical errors, not clustered",
    "no_treated_count": "the result does not count treated firms",
    "no_r_squared": "this estimator has no within R²",
    "no_variation": "nothing of the outcome varies within the effects",
    "no_first_stage": "no instruments, so no first stage",
    "no_error": "no standard error",
    "reference": "reference, fixed at zero",
    "estimate": "estimate",
    "not_available": "not available",
}

ZH: Final[dict[str, str]] = {
    "caption": "估计结果",
    "simulated": "模拟数据：不构成任何结论",
    "bracket": "{text}（{more}）",
    "outcome": "结果变量",
    "effect": "{name}固定效应",
    "firm": "企业",
    "year": "年份",
    "cohort": "批次",
    "yes": "是",
    "no": "否",
    "cluster": "聚类层级",
    "n_observations": "观测数",
    "n_firms": "企业数",
    "n_clusters": "聚类数",
    "n_treated": "处理组企业数",
    "r_squared_within": "组内 R²",
    "effective_f": "第一阶段有效 F 值",
    "std_error": "括号内为标准误。",
    "interval": "方括号内为 {levels} 置信区间。",
    "p_value": "估计值下方为双侧 p 值。",
    "stars": "显著性：{legend}。",
    "not_stated": "结果未注明",
    "differences": "比较的是年份之间的变化，企业与年份固定效应相互抵消",
    "robust": "异方差稳健标准误（HC1），未聚类",
    "classical": "经典标准误，未聚类",
    "no_treated_count": "该结果不统计处理组企业数",
    "no_r_squared": "该估计方法没有组内 R²",
    "no_variation": "结果变量在固定效应之内没有变化",
    "no_first_stage": "没有工具变量，故无第一阶段",
    "no_error": "没有标准误",
    "reference": "基准期，固定为零",
    "estimate": "估计值",
    "not_available": "无法给出",
}

TEXTS: Final[dict[Language, dict[str, str]]] = {"en": EN, "zh": ZH}


def stars_for(p_value: float) -> str:
    """The stars of a p-value; none for NaN."""
    return next((mark for limit, mark in STARS if p_value < limit), "")


def star_legend(language: Language) -> str:
    """What the stars mean."""
    return TEXTS[language]["stars"].format(legend=", ".join(f"{mark} p < {limit:g}" for limit, mark in STARS))


def caption_text(caption: str | None, simulated: bool, language: Language) -> str:
    """The caption; simulated data are named in words."""
    words = TEXTS[language]
    text = words["caption"] if caption is None else caption
    return words["bracket"].format(text=text, more=words["simulated"]) if simulated else text


def effect_label(effect: str, language: Language) -> str:
    """`"district × year"` as a row's name; firm, year and cohort are translated, columns keep their names."""
    words = TEXTS[language]
    name = " × ".join(words.get(part, part) if part in ("firm", "year", "cohort") else part for part in effect.split(" × "))
    text = words["effect"].format(name=name)
    return text[:1].upper() + text[1:] if language == "en" else text
