"""Numbers of the published reply as a reader of either language writes them, with their unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sme_eval.policies.facts import Fact, Part
from sme_eval.policies.vocabulary import Vocabulary
from sme_eval.terms import Language

from .letter_words import LETTER_WORDS

_JOINED: Final[Mapping[Language, str]] = {"zh": "、", "en": ", "}


def amount(value: float, unit: str, vocabulary: Vocabulary, language: Language) -> str:
    """A number and its unit: 283家, 3.1%, 6.78 percentage points.

    Examples
    --------
    >>> from sme_eval.policies.vocabulary import load_vocabulary
    >>> amount(6.78, "percentage_points", load_vocabulary(), "zh"), amount(8997, "firms", load_vocabulary(), "en")
    ('6.78个百分点', '8,997 firms')
    """
    if unit == "rank":
        return f"第{value:g}位" if language == "zh" else f"rank {value:g}"
    label = vocabulary.units[unit].text(language)
    if language == "zh":
        return f"{value:.10g}{label}"
    return f"{value:,.10g}{'' if label.startswith('%') else ' '}{label}"


def of_fact(fact: Fact, vocabulary: Vocabulary, language: Language) -> str:
    """The numbers of a fact; a dash where it has none. A ratio stands as the reply writes it."""
    parts: list[Fact | Part] = [part for part in (fact, fact.second) if part is not None and part.value is not None]
    texts = [_part(part, vocabulary, language) for part in parts]
    return _JOINED[language].join(texts) or LETTER_WORDS[language]["dash"]


def _part(part: Fact | Part, vocabulary: Vocabulary, language: Language) -> str:
    if part.value is None or part.unit is None:
        raise AssertionError("only parts with a number are asked for")
    text = part.numeral if part.unit == "ratio" else amount(part.value, part.unit, vocabulary, language)
    exactness = vocabulary.exactness[part.exactness].text(language)
    return f"{exactness}{' ' if exactness and language == 'en' else ''}{text}"


class Filled:
    """Words with facts in them: `{F02}` is the number with its unit, `{F02_n}` the bare one."""

    def __init__(self, facts: Mapping[str, Fact], vocabulary: Vocabulary, language: Language) -> None:
        self._facts = {name: of_fact(fact, vocabulary, language) for name, fact in facts.items()}
        bare = "{:.10g}" if language == "zh" else "{:,.10g}"
        self._facts |= {f"{name}_n": bare.format(fact.value) for name, fact in facts.items() if fact.value is not None}
        self._words = LETTER_WORDS[language]

    def __call__(self, key: str, **values: object) -> str:
        """The words of `key`, filled."""
        return self._words[key].format(**{**self._facts, **values})
