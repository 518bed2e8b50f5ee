"""What the estimates are held against: the published result, and the same design on other data."""

from __future__ import annotations

from sme_eval.briefing.document import Figure, Heading, Own, Paragraph, Phrase, Say, Table, Value
from sme_eval.briefing.pointers import pointer
from sme_eval.briefing.wording import Placeholder, parse
from sme_eval.evaluation.record import Evaluation, PublishedRecord

from .common import Blocks, Pointed, caption, distinct_names, effects_of, interval
from .evidence import covers_cell, event_study_table, percent_cell, pretrend
from .opening import claim_sentence


def published(evaluation: Evaluation) -> Blocks:
    """Published coefficients beside ours, and the policy file's reading of them."""
    if not evaluation.published:
        return []
    blocks: Blocks = [Heading((Say("published.title"),), anchor="published")]
    for n, record in enumerate(evaluation.published):
        where = pointer("published", n)
        blocks += [Paragraph((Say("published.lead", at=where),)), _published_table(where, record)]
    readings = [n for n in range(len(evaluation.policy.reading)) if _answered(evaluation, n)]
    if readings:
        blocks.append(Heading((Say("published.reading"),), level=3))
        blocks += [Paragraph((Own(pointer("policy", "reading", n)),)) for n in readings]
    return blocks


def _answered(evaluation: Evaluation, n: int) -> bool:
    """Whether the record holds every section that the policy's reading `n` speaks of: another design may have no curve."""
    sections = {part.path.split(".")[0] for part in parse(evaluation.policy.reading[n].en) if isinstance(part, Placeholder)}
    return all(getattr(evaluation, section, None) is not None for section in sections)


def _published_table(where: str, record: PublishedRecord) -> Table[Phrase]:
    names = ("estimate", "replicated_estimate", "std_error", "replicated_std_error")
    form = f"decimals_{record.decimals}"
    rows = []
    for n in range(len(record.rows)):
        at = where + pointer("rows", n)
        numbers: tuple[Phrase, ...] = tuple((Value(at + pointer(name), form),) for name in names)
        rows.append(((Value(at + pointer("term"), "text"),), *numbers, (Say("cell.matches", at=at),)))
    return Table(
        caption=caption("published.caption", ""),
        columns=tuple((Say(f"published.{name}"),) for name in ("term", *names, "matches")),
        rows=tuple(rows),
        notes=((Say("published.note"),),),
    )


def companions(evaluation: Evaluation) -> Blocks:
    """The same design on other data: what the rule says there, and how far each method is from the truth."""
    if not evaluation.companions:
        return []
    blocks: Blocks = [Heading((Say("companion.title"),), anchor="companions"), Paragraph((Say("companion.lead"),))]
    for n, other in enumerate(evaluation.companions):
        blocks += _companion(other, n)
    return blocks


def _companion(other: Evaluation, place: int) -> Blocks:
    root = pointer("companions", place)
    scenario = other.provenance.data_parameters.get("scenario")
    heading = "companion.heading_other" if scenario is None else "companion.heading"
    return [
        Heading((Say(heading, at=root, root=root),), level=3),
        Paragraph((Say(f"companion.scenario.{scenario}", root=root, otherwise=("companion.scenario.other",)),)),
        Paragraph((Say("companion.verdict"), *claim_sentence(other, root))),
        Paragraph(pretrend(other, root)),
        Figure(
            name=f"companion_{place}",
            caption=caption("companion.caption", root),
            alternative=(Say("companion.alternative"),),
        ),
        _companion_table(other, root),
        *_repeated(other, root),
        event_study_table(other, root),
    ]


def _companion_table(other: Evaluation, root: str) -> Table[Phrase]:
    effects = effects_of(other, root)
    keys = ("companion.method", "estimates.row_estimate", "estimates.row_interval", "companion.percent")
    return Table(
        caption=caption("companion.caption_table", root),
        columns=tuple((Say(key, root=root),) for key in (*keys, "estimates.row_truth", "estimates.row_covers")),
        rows=tuple(_companion_row(name, effect) for name, effect in zip(distinct_names(effects), effects, strict=True)),
    )


def _companion_row(name: Phrase, pointed: Pointed) -> tuple[Phrase, ...]:
    where, effect = pointed
    return (
        name,
        (Value(where + pointer("estimate"), "coefficient"),),
        interval(where, effect.conf_low),
        percent_cell(where, effect),
        (Value(where + pointer("truth"), "coefficient"),),
        covers_cell(where, effect),
    )


def repetitions(evaluation: Evaluation) -> Blocks:
    """How the estimators did over many panels of the same scenario."""
    if not evaluation.repetitions:
        return []
    return [Heading((Say("repetition.title"),), anchor="repetitions"), *_repeated(evaluation, "")]


def _repeated(evaluation: Evaluation, root: str) -> Blocks:
    """Bias, coverage and verdicts over many panels of the evaluation at `root`; nothing if it was not repeated."""
    if not evaluation.repetitions:
        return []
    blocks: Blocks = [Paragraph((Say("repetition.lead", root=root),)), _repetition_table(evaluation, root)]
    kinds = evaluation.repetitions[0].claims
    if kinds:
        blocks += [Paragraph((Say("repetition.claims"),)), _claims_table(tuple(kinds), root)]
    return blocks


def _repetition_table(evaluation: Evaluation, root: str) -> Table[Phrase]:
    rows: list[tuple[Phrase, ...]] = []
    names = distinct_names([(root + pointer("repetitions", n), record) for n, record in enumerate(evaluation.repetitions)])
    for n, name in enumerate(names):
        at = root + pointer("repetitions", n)
        rows.append(
            (
                name,
                (Value(at + pointer("mean_estimate"), "coefficient"),),
                (Value(at + pointer("mean_truth"), "coefficient"),),
                (Say("cell.bias", at=at),),
                (Say("cell.coverage", at=at),),
            )
        )
    keys = ("companion.method", *(f"repetition.{n}" for n in ("mean_estimate", "mean_truth", "bias", "coverage")))
    return Table(
        caption=caption("repetition.caption", root),
        columns=tuple((Say(key, root=root),) for key in keys),
        rows=tuple(rows),
        notes=((Say("repetition.note"),),),
    )


def _claims_table(kinds: tuple[str, ...], root: str) -> Table[Phrase]:
    shares = root + pointer("repetitions", 0, "claims")
    return Table(
        caption=caption("repetition.caption_claims", root),
        columns=((Say("repetition.kind"),), (Say("repetition.share"),)),
        rows=tuple(((Say(f"word.claim_kind.{kind}"),), (Value(shares + pointer(kind), "share"),)) for kind in kinds),
    )
