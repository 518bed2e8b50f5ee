"""What a named analyst recommends, as the record holds it."""

from __future__ import annotations

from dataclasses import dataclass

from .record_base import Bilingual


@dataclass(frozen=True, slots=True, kw_only=True)
class RecommendationsRecord:
    """Recommendations with who made them, where and when. They are the analyst's, no result of the evaluation."""

    analyst: Bilingual
    unit: Bilingual
    date: str
    items: tuple[Bilingual, ...]
