"""A figure of the briefing as a notebook shows it."""

from __future__ import annotations

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
    png = _figure(evaluation.to_json(), language, name)
    return None if png is None else Drawing(png, f"{simulated}ffect on {evaluation.outcome.label.en} {how}")


@lru_cache(maxsize=8)
def _figure(record: str, language: Language, name: str) -> bytes | None:
    """A figure of the page of a record that was read back; two cells that show it draw it once."""
    from sme_eval.briefing.compose import speaker_of
    from sme_eval.briefing.figures import draw_figure

    evaluation = Evaluation.from_json(record)
    return draw_figure(evaluation, speaker_of(evaluation, language), name)
