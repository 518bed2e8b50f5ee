"""The facts and traps of the published reply as a person reads them: `sme-eval policies facts`, `sme-eval policies traps`."""

from __future__ import annotations

from sme_eval.errors import DesignError, ParameterError, Problem, suggestion
from sme_eval.panel.declarations import Label
from sme_eval.policies.facts import Fact, Part, find_facts, load_facts
from sme_eval.policies.implied import ImpliedFigure, implied_figures
from sme_eval.policies.traps import Trap, load_traps
from sme_eval.policies.vocabulary import Vocabulary, load_vocabulary
from sme_eval.terms import LANGUAGES, Language

_FACTS, _TRAPS, _IMPLIED = "facts", "traps", "implied"


def is_of_letter(name: str | None, which: str | None) -> bool:
    """Whether `sme-eval policies NAME WHICH` asks for facts or traps, not for a policy.

    Raises
    ------
    ParameterError
        A second word stands after something else.
    """
    if name in (_FACTS, _TRAPS):
        return True
    if which is not None:
        remedy = "sme-eval policies facts WHICH, or sme-eval policies traps WHICH"
        raise ParameterError(Problem(what=f"Nothing is known about {which!r} of {name!r}.", remedy=remedy))
    return False


def describe_letter(topic: str, which: str | None) -> str:
    """All facts or all traps; or one fact with its words and traps, one system, the implied figures, one trap.

    Raises
    ------
    DesignError
        A file of facts breaks its form, or there is nothing of that name.
    """
    if topic == _TRAPS:
        return _traps(which)
    vocabulary = load_vocabulary()
    if which == _IMPLIED:
        return "\n\n".join(_implied(figure, vocabulary) for figure in implied_figures().values())
    facts = tuple(load_facts().values()) if which is None else find_facts(which)
    if which is not None and len(facts) == 1 and facts[0].id == which:
        return _whole(facts[0], vocabulary)
    return "\n\n".join(
        "\n".join([f"{system}: {label.en} · {label.zh}", *(_line(fact, vocabulary) for fact in facts if fact.system == system)])
        for system, label in vocabulary.systems.items()
        if any(fact.system == system for fact in facts)
    )


def _traps(which: str | None) -> str:
    traps = load_traps()
    if which is None:
        return "\n".join(trap.summary() for trap in traps.values())
    if which not in traps:
        raise DesignError(
            Problem(what=f"There is no trap {which!r}.", where="data/facts/traps.toml", remedy=suggestion(which, tuple(traps)))
        )
    return traps[which].summary()


def _line(fact: Fact, vocabulary: Vocabulary) -> str:
    numbers = [_number(part, vocabulary, language) for language in LANGUAGES for part in _numbers(fact)]
    half = len(numbers) // 2
    english, chinese = " + ".join(numbers[half:]), "、".join(numbers[:half])
    status = "" if fact.status == "in_force" else f" [{fact.status}]"
    said = f": {english} · {chinese}" if numbers else ""
    return f"  {fact.id}  {fact.en} · {fact.zh}{said}{status}"


def _numbers(fact: Fact) -> tuple[Fact | Part, ...]:
    first: tuple[Fact | Part, ...] = (fact,) if fact.value is not None else ()
    return (*first, fact.second) if fact.second else first


def _number(part: Fact | Part, vocabulary: Vocabulary, language: Language) -> str:
    exactness, unit = vocabulary.exactness[part.exactness].text(language), vocabulary.units[part.unit or ""].text(language)
    if part.unit == "ratio":
        return part.numeral
    if part.unit == "rank":
        return f"第{part.value:.10g}位" if language == "zh" else f"rank {part.value:.10g}"
    if language == "zh":
        return f"{exactness}{part.value:.10g}{unit}"
    space = "" if unit.startswith("%") else " "
    return f"{exactness} {part.value:.10g}{space}{unit}".strip()


def _whole(fact: Fact, vocabulary: Vocabulary) -> str:
    """One fact with everything: meaning, words, position, traps."""
    v = vocabulary
    stated = Label("写明", "stated") if fact.date_stated else Label("未写明", "not stated")
    rows: list[tuple[str, Label]] = [
        ("system", v.systems[fact.system]),
        ("population", v.populations[fact.population].label),
        ("kind", v.kinds[fact.kind]),
        ("date", Label(f"{fact.date}（{stated.zh}）", f"{fact.date} ({stated.en})")),
        ("status", v.statuses[fact.status]),
        *((f"code {code}", v.codes[code]) for code in fact.codes),
        *((key, v.populations[name].label) for key, name in (("whole", fact.whole), ("versus", fact.versus)) if name),
        *(("place", v.places[place].label) for place in fact.places),
        *(("mark", v.marks[mark]) for mark in fact.marks),
        *((("inferred", fact.note),) if fact.note else ()),
    ]
    lines = [_line(fact, vocabulary).strip(), *(f"  {name:<12}{label.en} · {label.zh}" for name, label in rows)]
    lines += [f"  words       {fact.words}", f"  offset      {fact.offset}"]
    lines += [f"  corrected   {fact.corrected}"] if fact.typos else []
    lines += [f"  name only   {' '.join(fact.names)}"] if fact.names else []
    return "\n".join([*lines, *(_trap(load_traps()[name]) for name in fact.traps)])


def _trap(trap: Trap) -> str:
    return f"  trap        {trap.id} ({trap.how}): {trap.label.en}\n              {trap.label.zh}"


def _implied(figure: ImpliedFigure, vocabulary: Vocabulary) -> str:
    unit = vocabulary.units[figure.unit]
    population = vocabulary.populations[figure.population].label
    lines = [
        f"{figure.name}: {figure.label.en} · {figure.label.zh}",
        f"  value       {figure.value:.6g} {unit.en} · {figure.value:.6g}{unit.zh}",
        f"  formula     {figure.formula.en} · {figure.formula.zh}",
        f"  population  {population.en} · {population.zh}",
        f"  standing    {' '.join((figure.standing, *figure.traps))}",
    ]
    return "\n".join([*lines, *([f"  caveat      {figure.caveat.en} · {figure.caveat.zh}"] if figure.caveat else [])])
