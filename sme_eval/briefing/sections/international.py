"""Two pages for readers elsewhere: question, method, three findings, limits, what follows by rule, where to read on."""

from __future__ import annotations

from typing import Final

from sme_eval.briefing.document import Callout, Heading, Items, Paragraph, Phrase, Say
from sme_eval.evaluation.record import Evaluation
from sme_eval.results.unavailable import Unavailable

from .bureau import main_figures, summary_figure
from .common import Blocks
from .findings import abstract, findings
from .problems import caveats, failures, not_evaluated

FINDINGS_TOLD: Final = 3
MOST_CAVEATS: Final = 4
"""Further ones are in the annex: there is no third sheet."""
METHOD: Final = ("design", "treated", "comparison", "sample", "outcome")
COVERED: Final = {True: "covered", False: "missed", None: "unknown"}


def international(evaluation: Evaluation) -> Blocks:
    """The whole page. There must be room for it on two sheets whatever the claim: reasons of failed checks stand in the annex."""
    method: Items[Phrase] = Items(tuple((Say(f"international.method_{name}"),) for name in METHOD))
    return [
        *_opening(evaluation),
        Paragraph(abstract(evaluation), role="claim"),
        Callout(role="method", title=(Say("international.method"),), blocks=(method,)),
        Heading((Say("international.findings"),), anchor="findings", numbered=False),
        Items(findings(evaluation)[:FINDINGS_TOLD], ordered=True),
        *summary_figure(evaluation),
        Heading((Say("international.limits"),), anchor="limits", numbered=False),
        Items((*failures(evaluation, 0), *caveats(evaluation, MOST_CAVEATS), *not_evaluated(evaluation))),
        Heading((Say("international.implications"),), anchor="implications", numbered=False),
        Items(implications(evaluation)),
        main_figures(evaluation),
        Paragraph((Say("international.technical"),), role="note"),
    ]


def _opening(evaluation: Evaluation) -> Blocks:
    blocks: Blocks = [
        Paragraph((Say("header.status"),), role="label"),
        Paragraph((Say("international.reproducible"),), role="note"),
    ]
    if evaluation.data_kind == "simulated":
        blocks.append(Callout(role="simulated", title=(Say("banner.title"),), blocks=(Paragraph((Say("bureau.banner"),)),)))
    return [*blocks, Paragraph((Say("header.question"),), role="question")]


def implications(evaluation: Evaluation) -> tuple[Phrase, ...]:
    """What follows by rule from the claim; from a demonstration, what follows for the method only."""
    claim = evaluation.claim
    if claim.demonstration:
        known = evaluation.headline.covers_truth
        return (Say(f"implication.method_{COVERED[known]}"),), (Say("implication.method_only"),)
    first: Phrase = (Say(f"implication.{claim.kind}", otherwise=("implication.any",)),)
    return (first, *_more_data(evaluation), (Say("implication.no_choice_of_firms"),))


def _more_data(evaluation: Evaluation) -> tuple[Phrase, ...]:
    """How much more would be needed, where the claim says that there is too little and the record says how much."""
    if evaluation.claim.kind == "cannot_tell_clusters" and evaluation.dose is not None:
        return () if isinstance(evaluation.dose.needed_new, Unavailable) else ((Say("implication.more_districts"),),)
    row = evaluation.power[0] if evaluation.power else None
    told = row is not None and row.smallest_effect is not None and not isinstance(row.samples, Unavailable)
    return ((Say("implication.more_firms"),),) if evaluation.claim.kind == "cannot_tell_power" and told else ()
