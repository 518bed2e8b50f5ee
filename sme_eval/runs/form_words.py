"""The words of the parameter form in both languages, and what a parameter may be in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from sme_eval.runs.settings import Rule
from sme_eval.terms import Language

FORM_WORDS: Final[Mapping[Language, Mapping[str, str]]] = {
    "zh": {
        "run": "运行",
        "stop": "停止",
        "ready": "可以运行。",
        "refused": "有参数不合要求，改正后才能运行。",
        "running": "正在运行：已完成 {done} 步，共 {steps} 步，用时 {seconds} 秒。",
        "stopping": "正在停止……",
        "stopped": "已停止。此前已有的页面没有改动。",
        "done": "完成，用时 {seconds} 秒。",
        "failed": "没有完成，原因如下。",
        "bug": "这是程序的错误，不是您的错误：{what}",
        "page": "页面",
        "pdf": "PDF",
        "notebook": "本次运行的笔记本（含参数，可重新运行）",
        "release": "可对外提供的页面",
        "bounds": "（{allowed}）",
        "index": "全部报告",
        "not": "“{value}”不可用，应为 {allowed}。",
        "one_of": "以下之一：{choices}",
        "text": "文字",
        "whole": "整数",
        "number": "数值",
        "from_to": "{low} 至 {high} 的{noun}",
        "at_least": "不小于 {low} 的{noun}",
        "or": "{exceptions} 或 {allowed}",
    },
    "en": {
        "run": "Run",
        "stop": "Stop",
        "ready": "Ready to run.",
        "refused": "A parameter is refused; correct it to run.",
        "running": "Running: {done} of {steps} steps done, {seconds} s.",
        "stopping": "Stopping …",
        "stopped": "Stopped. Pages from before are as they were.",
        "done": "Done in {seconds} s.",
        "failed": "The run did not finish, for this reason.",
        "bug": "This is a bug in sme_eval, not a mistake of yours: {what}",
        "page": "page",
        "pdf": "PDF",
        "notebook": "the notebook of this run (holds its parameters, can be run again)",
        "release": "page for release",
        "bounds": " ({allowed})",
        "index": "all reports",
        "not": "“{value}” is refused; write {allowed}.",
        "one_of": "one of {choices}",
        "text": "a text",
        "whole": "a whole number",
        "number": "a number",
        "from_to": "{noun} from {low} to {high}",
        "at_least": "{noun} of at least {low}",
        "or": "{exceptions} or {allowed}",
    },
}


def allowed(rule: Rule, language: Language) -> str:
    """The values that `rule` allows, in words."""
    words = FORM_WORDS[language]
    if rule.choices:
        return words["one_of"].format(choices=("、" if language == "zh" else ", ").join(rule.choices))
    if rule.kind is str:
        return words["text"]
    noun = words["whole" if rule.kind is int else "number"]
    if math.isinf(rule.low):
        return noun
    key = "at_least" if math.isinf(rule.high) else "from_to"
    text = words[key].format(noun=noun, low=f"{rule.low:.12g}", high=f"{rule.high:.12g}")
    exceptions = ", ".join(f"{value:g}" for value in rule.exceptions)
    return words["or"].format(exceptions=exceptions, allowed=text) if exceptions else text
