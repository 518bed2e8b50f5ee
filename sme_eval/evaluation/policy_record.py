"""What the record keeps of the policy file and the dictionary, so that pages need neither."""

from __future__ import annotations

from sme_eval.panel.declarations import Label
from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.policies.policy import Policy
from sme_eval.policies.rules import OutcomeRule, PageText

from .record import OutcomeRecord, PolicyRecord, SourceRecord, ThreatRecord
from .record_base import Bilingual


def bilingual(label: Label) -> Bilingual:
    """A declared text as the record holds it."""
    return Bilingual(zh=label.zh, en=label.en)


def policy_record(policy: Policy, panel: FirmPanel) -> PolicyRecord:
    """The policy with its texts and its sources, the data's citations among them."""
    from sme_eval.panel.sources import load_sources

    own = panel.source == policy.source
    declared = load_sources()
    citations = declared[panel.source].citation if panel.source in declared else ()
    cited = {**policy.sources, **(policy.data_sources if own else {})}
    sources = [SourceRecord(key=key, citation=text) for key, text in cited.items()]
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
        background=_texts(policy.background, own),
        reading=_texts(policy.reading, own),
        limits=_texts(policy.limits, own),
        numbers=dict(policy.numbers),
        published_counts=policy.published_counts,
        sources=tuple(sources),
        threats=tuple(ThreatRecord(threat=bilingual(one.label), remedy=bilingual(one.remedy)) for one in policy.threats),
    )


def _texts(texts: tuple[PageText, ...], own: bool) -> tuple[Bilingual, ...]:
    """What may be said: of another panel nothing that was written about the policy's own data."""
    return tuple(bilingual(text.label) for text in texts if own or text.about == "policy")


def unit_label(panel: FirmPanel, column: str) -> Bilingual:
    """The unit of a column in words, empty where it has none."""
    unit = panel.dictionary[column].unit
    return bilingual(unit.label if unit is not None else Label("", ""))


def _effect_unit(panel: FirmPanel, column: str) -> Bilingual:
    unit, units = panel.dictionary[column].unit, panel.dictionary.units
    points = unit is not None and unit.key == "percent" and "percentage_point" in units
    return bilingual(units["percentage_point"].label) if points else unit_label(panel, column)


def outcome_record(rule: OutcomeRule, panel: FirmPanel) -> OutcomeRecord:
    """An outcome with its names from the dictionary, and the unit of effects on it: of a percentage, percentage points."""
    column = panel.dictionary[rule.name]
    return OutcomeRecord(
        name=rule.name,
        label=bilingual(column.label),
        unit=_effect_unit(panel, rule.name),
        scale=rule.scale,
        smallest_effect=rule.smallest_effect,
        role=rule.role,
    )
