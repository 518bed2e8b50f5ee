"""How values are printed, per language: the one place where a number becomes text.

Per cent and percentage points are different formats and never meet. Minus is U+2212. What cannot be given is a dash.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sme_eval.errors import DataError, Problem, suggestion
from sme_eval.evaluation.plain import UNAVAILABLE_KEY
from sme_eval.terms import Language

MINUS: Final = "−"
DASH: Final = "—"
NO_BREAK: Final = "\u00a0"
SMALLEST_P: Final = 0.001
HASH_CHARACTERS: Final = 12
MANY_SAMPLES: Final = 100.0
AMOUNT_PLACES: Final = ((0, 100.0), (1, 10.0), (2, 0.1))
"""Decimals of an amount from this size on."""
MOST_PLACES: Final = 4

Formatter = Callable[[Any, Language], str]


def format_value(value: Any, name: str, language: Language) -> str:
    """`value` as format `name` prints it; a dash for `None`, for an empty text and for what is unavailable."""
    if name not in FORMATS:
        raise DataError(Problem(what=f"There is no number format {name!r}.", remedy=suggestion(name, tuple(FORMATS))))
    if value is None or value == "" or is_unavailable(value):
        return DASH
    return FORMATS[name](value, language)


def is_unavailable(value: Any) -> bool:
    """Whether a plain value of the record stands for a number that cannot be given."""
    return isinstance(value, Mapping) and set(value) == {UNAVAILABLE_KEY}


def _decimals(places: int) -> Formatter:
    def formatter(value: Any, _: Language) -> str:
        return _fixed(float(value), places)

    return formatter


def _fixed(value: float, places: int) -> str:
    text = f"{value:.{places}f}"
    if not text.strip("-0."):
        text = text.lstrip("-")  # a rounded zero has no sign
    return text.replace("-", MINUS)


def _p_value(value: Any, _: Language) -> str:
    return f"<{SMALLEST_P}" if value < SMALLEST_P else _fixed(float(value), 3)


def _p_statement(value: Any, language: Language) -> str:
    # Spaces that do not break keep the statement on one line.
    sign, text = ("<", str(SMALLEST_P)) if value < SMALLEST_P else ("=", _p_value(value, language))
    return f"p{NO_BREAK}{sign}{NO_BREAK}{text}"


def _percent(value: Any, _: Language) -> str:
    return _fixed(float(value), 1) + "%"


def _percentage_points(value: Any, language: Language) -> str:
    return _fixed(float(value), 1) + ("个百分点" if language == "zh" else " percentage points")


def _share(value: Any, language: Language) -> str:
    return _percent(100.0 * value, language)


def _share_points(value: Any, _: Language) -> str:
    # Inside parentheses whose note says that they are percentage points.
    return _fixed(100.0 * float(value), 1)


def _level(value: Any, _: Language) -> str:
    return f"{100 * value:g}%"


def _count(value: Any, language: Language) -> str:
    # A thousand separator is English usage; Chinese groups by ten thousand, so it is left out there.
    return _integer(value, language) if language == "zh" else f"{int(value):,}".replace("-", MINUS)


def _samples(value: Any, language: Language) -> str:
    """How many times a sample: beyond a hundred, decimals would claim too much."""
    return _fixed(float(value), 1) if value < MANY_SAMPLES else _count(round(value), language)


def _integer(value: Any, _: Language) -> str:
    return str(int(value)).replace("-", MINUS)


def _event_time(value: Any, language: Language) -> str:
    return f"+{int(value)}" if value > 0 else _integer(value, language)


def _text(value: Any, _: Language) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _inside(value: Any, language: Language) -> str:
    """A label inside an English sentence loses the capital of its first word, unless that word is an abbreviation."""
    text = str(value)
    return text if language == "zh" or text[1:2].isupper() else text[:1].lower() + text[1:]


def _hash(value: Any, _: Language) -> str:
    return str(value).removeprefix("sha256:")[:HASH_CHARACTERS]


def _amount(value: Any, language: Language) -> str:
    """An amount of any size, as 10,000 yuan per job: three digits or so, because its interval is wider than that."""
    size = abs(float(value))
    if size == 0.0:
        return "0"
    places = next((places for places, least in AMOUNT_PLACES if size >= least), MOST_PLACES)
    return _fixed(float(value), places) if places else _count(round(value), language)


def _assumed(value: Any, language: Language) -> str:
    """A number that somebody stated, as it was stated."""
    text = f"{float(value):,.10g}" if language == "en" else f"{float(value):.10g}"
    return text.replace("-", MINUS)


def _size(formatter: Formatter) -> Formatter:
    """Without sign, for sentences whose verb gives the direction."""

    def size(value: Any, language: Language) -> str:
        return formatter(abs(value), language)

    return size


FORMATS: Final[Mapping[str, Formatter]] = {
    "coefficient": _decimals(3),
    "coefficient_size": _size(_decimals(3)),
    **{f"decimals_{places}": _decimals(places) for places in range(9)},
    "statistic": _decimals(2),
    "p_value": _p_value,
    "p_statement": _p_statement,
    "percent": _percent,
    "percent_size": _size(_percent),
    "percentage_points": _percentage_points,
    "share": _share,
    "share_points": _share_points,
    "level": _level,
    "count": _count,
    "samples": _samples,
    "amount": _amount,
    "assumed": _assumed,
    "integer": _integer,
    "event_time": _event_time,
    "year": _integer,
    "cohort": _integer,
    "text": _text,
    "inside": _inside,
    "hash": _hash,
}
"""Name → formatter. `decimals_n` prints a published number as its source does; "share" a fraction as per cent; "amount" money and
jobs of any size; "assumed" a number as the policy file states it; "hash" the first
characters of a digest; "text" and "inside" words of the record."""
