"""A figure of the briefing as a notebook shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from sme_eval.evaluation.record import Evaluation
from sme_eval.terms import Language


@dataclass(frozen=True, slots=True, repr=False)
class Drawing:
    """A figure of the briefing, with its description for those who do not see it."""

    png: bytes
    description: str

    def _repr_png_(self) -> tuple[bytes, dict[str, str]]:
        return self.png, {"alt": self.description}

    def __repr__(self) -> str:
        """The description."""
        return self.description


def drawing(evaluation: Evaluation, name: str, language: Language, how: str) -> Drawing | None:
    """A figure of the briefing by its name; None where this record has none."""
    simulated = "Simulated data: e" if evaluation.data_kind == "simulated" else "E"
    png = _figures(evaluation.to_json(), language).get(name)
    return None if png is None else Drawing(png, f"{simulated}ffect on {evaluation.outcome.label.en} {how}")


@lru_cache(maxsize=2)
def _figures(record: str, language: Language) -> Mapping[str, bytes]:
    """The figures of a record's briefing; two cells that show one record draw it once."""
    from sme_eval.briefing.compose import speaker_of
    from sme_eval.briefing.figures import draw_figures

    evaluation = Evaluation.from_json(record)
    return draw_figures(evaluation, speaker_of(evaluation, language))
