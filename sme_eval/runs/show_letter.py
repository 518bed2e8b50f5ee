"""What the notebook on the published reply shows: its facts, what follows from them, what does not, and who can be evaluated."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sme_eval.policies.facts import load_facts
from sme_eval.policies.implied import implied_figures
from sme_eval.policies.instruments import RefusedInstrument
from sme_eval.policies.policy import Policy, load_instruments
from sme_eval.policies.vocabulary import Vocabulary, load_vocabulary
from sme_eval.terms import Language

from .drawing import Drawing
from .letter_numbers import Filled, amount, of_fact
from .letter_traps import spring_all
from .letter_words import LETTER_WORDS
from .shown import ShownTable
from .systems import spans, verdict

if TYPE_CHECKING:
    import pandas as pd

    from sme_eval.results.list_growth import ListGrowth


def letter_table(language: Language = "zh") -> ShownTable:
    """Every fact of the reply under its system: number, kind, population, date, status, what it takes to evaluate it, and notes.

    A date stands only where the reply states it.
    """
    words, known, facts = LETTER_WORDS[language], load_vocabulary(), load_facts()
    rows = [
        (
            known.systems[fact.system].text(language),
            f"{fact.id} {fact.zh if language == 'zh' else fact.en}",
            of_fact(fact, known, language),
            known.kinds[fact.kind].text(language),
            known.populations[fact.population].label.text(language),
            fact.date if fact.date_stated else words["not_stated"],
            known.statuses[fact.status].text(language),
            " ".join(fact.codes) or words["dash"],
            fact.note.text(language) if fact.note and not fact.confirmed else "",
        )
        for fact in facts.values()
    ]
    frame = _frame(rows, words, ("system", "fact", "number", "kind", "population", "date", "status", "codes", "note"))
    codes = ("；" if language == "zh" else "; ").join(f"{code} {label.text(language)}" for code, label in known.codes.items())
    systems = len({fact.system for fact in facts.values()})
    return ShownTable(frame, words["facts_caption"].format(n=len(facts), systems=systems, codes=codes), grouped=True)


def implied_table(language: Language = "zh") -> ShownTable:
    """Every figure that follows from the facts: value, formula, whether it may be quoted, and what it is not."""
    words, known, figures = LETTER_WORDS[language], load_vocabulary(), implied_figures()
    rows = [
        (
            figure.label.text(language),
            amount(_rounded(figure.value), figure.unit, known, language),
            figure.formula.text(language),
            spans(tuple(sorted(figure.facts))),
            words[figure.standing],
            " ".join(figure.traps),
            figure.caveat.text(language) if figure.caveat else "",
        )
        for figure in figures.values()
    ]
    frame = _frame(rows, words, ("implied", "value", "formula", "from", "standing", "traps", "caveat"))
    return ShownTable(frame, words["implied_caption"].format(n=len(rows)))


def _rounded(value: float) -> float:
    """Two decimals, or three digits of what is smaller than one: more would be digits that the reply does not hold."""
    return round(value, 2) if abs(value) >= 1.0 else round(value, 3)


def traps_table(language: Language = "zh") -> ShownTable:
    """Misreadings, each really tried: what the package does, why, and what to do instead."""
    words = LETTER_WORDS[language]
    facts = load_facts()
    filled = Filled(facts, load_vocabulary(), language)
    rows = [
        (
            one.trap.id,
            filled(one.trap.id),
            words[one.happened],
            one.trap.label.text(language),
            one.trap.remedy.text(language),
        )
        for one in spring_all(facts)
    ]
    frame = _frame(rows, words, ("", "asked", "happens", "message", "instead"))
    return ShownTable(frame, words["traps_caption"].format(n=len(rows)))


def growth_table(growth: ListGrowth, language: Language = "zh") -> ShownTable:
    """The parts of a list's growth, in amounts and percentage points; they add up."""
    words, dates = LETTER_WORDS[language], {"since": growth.since, "year": growth.year}
    unit = growth.amount.unit_label[language]
    rows = [
        (
            words[str(row["part"])].format(**dates),
            f"{row['firms']:,.0f}",
            f"{row['amount']:,.0f}",
            "" if row["growth"] != row["growth"] else f"{row['growth']:.2f}",
            f"{row['points']:+.2f}",
        )
        for row in growth.to_frame().to_dict("records")
    ]
    frame = _frame(rows, {**words, "amount": words["amount"].format(unit=unit)}, ("part", "firms", "amount", "growth", "points"))
    rates = {"current": growth.current_list, "first": growth.frozen_start, "last": growth.frozen_end, "omitted": growth.omitted}
    kind = words["simulated" if growth.data_kind == "simulated" else "observed"]
    return ShownTable(frame, words["growth_caption"].format(kind=kind, **dates, **rates))


def instruments_table(language: Language = "zh") -> ShownTable:
    """Every instrument under its system, its facts, whether it can be evaluated, and why not or what threatens it."""
    words, known = LETTER_WORDS[language], load_vocabulary()
    found = [one for one in load_instruments().values() if one.system]
    rows = [
        (
            known.systems[one.system].text(language),
            one.label.text(language),
            spans(one.facts),
            verdict(one, language),
            _why(one, language),
        )
        for one in found
    ]
    frame = _frame(rows, words, ("system", "instrument", "facts", "verdict", "why"))
    evaluable = sum(isinstance(one, Policy) for one in found)
    return ShownTable(frame, words["instruments_caption"].format(n=len(found), evaluable=evaluable), grouped=True)


def _why(one: Policy | RefusedInstrument, language: Language) -> str:
    if isinstance(one, RefusedInstrument):
        return one.refusal.label.text(language)
    return ("；" if language == "zh" else "; ").join(threat.label.text(language).rstrip("。.") for threat in one.threats)


def _frame(rows: Iterable[Sequence[Any]], words: Any, keys: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(list(rows), columns=[words[key] if key else " " for key in keys])


# --- figures ---------------------------------------------------------------------------------------------------------


def plot_batches(language: Language = "zh") -> Drawing:
    """The four batches with their shares, and the key firms among all of them."""
    from sme_eval.briefing.figures_letter import Bars, draw_counts

    words, filled, known, facts = _speaking(language)
    figures = implied_figures()
    counts = [facts[name].quantity().value for name in ("F03", "F04", "F05", "F06")]
    shares = [f"{figures[f'{batch}_batch_share'].value:.1f}%" for batch in ("first", "second", "third", "fourth")]
    texts = [filled("share_text", count=f"{count:g}", share=share) for count, share in zip(counts, shares, strict=True)]
    left = Bars(title=words["batches_title"], values=counts, names=[words[f"batch_{n}"] for n in range(1, 5)], texts=texts)
    share = amount(round(figures["key_share"].value, 1), "percent", known, language)
    right = Bars(
        title=words["key_title"],
        values=[facts["F02"].quantity().value],
        names=[words["all_batches"]],
        texts=[filled("key_text", share=share)],
        hatched=[facts["F09"].quantity().value],
    )
    return Drawing(draw_counts(left, right, words["published"]), words["batches_title"])


def plot_populations(language: Language = "zh") -> Drawing:
    """The three populations of the reply with what it says of each; none of it crosses from one to another."""
    from sme_eval.briefing.figures_letter import Lane, draw_lanes

    words, filled, _, _ = _speaking(language)
    lanes = [Lane(name=words[key], lines=filled(f"{key}_lines").splitlines()) for key in ("lane_both", "lane_srdi", "lane_giants")]
    return Drawing(draw_lanes(lanes, "×", words["lanes_note"], words["published"]), words["lanes_note"])


def plot_points(language: Language = "zh") -> Drawing:
    """Two levels in percent with their gap in percentage points, twice; all loans are no benchmark of small firms."""
    from sme_eval.briefing.figures_letter import Gap, draw_gaps
    from sme_eval.policies.traps import load_traps

    words, _, known, facts = _speaking(language)
    figures = implied_figures()
    gaps = []
    for which, own, other, gap in (
        ("growth", "F30", "all_loan_growth", "F31"),
        ("unsecured", "F36", "all_loan_unsecured_share", "F37"),
    ):
        level = round(figures[other].value, 2)
        gaps.append(
            Gap(
                title=words[f"{which}_title"],
                names=(words[f"{which}_listed"], words["all_loans"]),
                levels=(facts[own].quantity().value, level),
                texts=(of_fact(facts[own], known, language), amount(level, "percent", known, language)),
                gap=of_fact(facts[gap], known, language),
            )
        )
    note = load_traps()["T10"].label.text(language)
    return Drawing(draw_gaps(gaps, note, words["computed"]), f"{words['growth_title']}, {words['unsecured_title']}: {note}")


def plot_gap(language: Language = "zh") -> Drawing:
    """The earlier balance, what the growth of all loans would have added, and the rest: an accounting gap, not an effect."""
    from sme_eval.briefing.figures_letter import draw_bridge

    words, _, _, _ = _speaking(language)
    figures = implied_figures()
    prior, as_all, gap = (figures[name] for name in ("prior_balance", "balance_at_all_loan_growth", "balance_gap"))
    not_this = gap.caveat.text(language) if gap.caveat else ""
    names = [words[key] for key in ("gap_prior", "gap_as_all", "gap_rest", "gap_now")]
    amounts = [prior.value, as_all.value - prior.value, gap.value]
    return Drawing(draw_bridge(amounts, names, [""] * 4, (words["gap_axis"], not_this), words["computed"]), not_this)


def plot_list_growth(growth: ListGrowth, language: Language = "zh") -> Drawing:
    """The bridge of a list's growth, with the kind of data in its pixels."""
    from sme_eval.briefing.figures_letter import draw_list_growth

    words = LETTER_WORDS[language]
    label = words["simulated" if growth.data_kind == "simulated" else "observed"]
    return Drawing(draw_list_growth(growth, language, label, words["watermark"]), growth_table(growth, language).caption)


def _speaking(language: Language) -> tuple[Any, Filled, Vocabulary, Any]:
    facts, known = load_facts(), load_vocabulary()
    return LETTER_WORDS[language], Filled(facts, known, language), known, facts
