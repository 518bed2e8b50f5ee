"""What the record keeps of the policy file and the dictionary, so that pages need neither."""

from __future__ import annotations

from sme_eval.panel.declarations import Label
from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.policies.policy import OutcomeRule, Policy

from .record import Bilingual, OutcomeRecord, PolicyRecord, SourceRecord


def bilingual(label: Label) -> Bilingual:
    """A declared text as the record holds it."""
    return Bilingual(zh=label.zh, en=label.en)


def policy_record(policy: Policy, panel: FirmPanel) -> PolicyRecord:
    """The policy with its texts and its sources, the data's citations among them."""
    from sme_eval.panel.sources import load_sources

    declared = load_sources()
    citations = declared[panel.source].citation if panel.source in declared else ()
    sources = [SourceRecord(key=key, citation=text) for key, text in policy.sources.items()]
    known = {source.citation for source in sources}
    sources += [
        SourceRecord(key=f"{panel.source}_{n}", citation=text) for n, text in enumerate(citations, start=1) if text not in known
    ]
    return PolicyRecord(
        name=policy.name,
        instrument=policy.instrument,
        label=bilingual(policy.label),
        question=bilingual(policy.question),
        treatment=bilingual(policy.treatment.label),
        background=tuple(bilingual(t) for t in policy.background),
        reading=tuple(bilingual(t) for t in policy.reading),
        limits=tuple(bilingual(t) for t in policy.limits),
        numbers=dict(policy.numbers),
        published_counts=policy.published_counts,
        sources=tuple(sources),
    )


def outcome_record(rule: OutcomeRule, panel: FirmPanel) -> OutcomeRecord:
    """An outcome with its names and unit from the dictionary."""
    column = panel.dictionary[rule.name]
    unit = column.unit.label if column.unit is not None else Label("", "")
    return OutcomeRecord(
        name=rule.name,
        label=bilingual(column.label),
        unit=bilingual(unit),
        scale=rule.scale,
        smallest_effect=rule.smallest_effect,
        role=rule.role,
    )
