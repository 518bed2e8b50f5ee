"""More keys for the categories of a dictionary, for panels whose categories no project declares, such as imagined cities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sme_eval.panel.declarations import Label
from sme_eval.panel.dictionary import Dictionary
from sme_eval.panel.frozen_mapping import FrozenMapping


def with_categories(dictionary: Dictionary, more: Mapping[str, Mapping[str, Label]]) -> Dictionary:
    """`dictionary` with `more` (column → key → label) after the declared keys; what is declared already stays.

    Columns that are not declared, or whose categories are open, need no more keys and are passed over.
    """
    columns = dict(dictionary.columns)
    for name, labels in more.items():
        if name in columns and columns[name].categories:
            merged = FrozenMapping({**labels, **columns[name].categories})
            declared = columns[name].categories
            order = [*declared, *(key for key in labels if key not in declared)]
            columns[name] = replace(columns[name], categories=FrozenMapping({key: merged[key] for key in order}))
    return Dictionary(FrozenMapping(columns), dictionary.units)
