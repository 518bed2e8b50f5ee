"""One figure drawn once: an internal page and its released copy differ in a few of them only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from sme_eval.evaluation.plain import to_plain
from sme_eval.evaluation.record import Evaluation

OWN: Final[Mapping[str, tuple[str, ...]]] = {
    "compared": ("compared",),
    "dose": ("dose",),
    "first_stage": ("listing",),
    "identified_set": ("listing",),
    "bundle": ("bundle",),
    "curve": ("curve",),
    "cohort_map": ("cohort_map",),
    "sample_flow": ("sample_flow",),
}
"""Figure → parts of the record that it alone shows. Figures of companions and of checks show theirs, by place and name."""
CHECK: Final = "check_"
_COMPANION: Final = "companion"
_ASIDE: Final = frozenset(
    {"audience", "withheld", "provenance", "checks", "companions", *(part for of in OWN.values() for part in of)}
)
"""What no figure shows, or only those named above."""


class DrawnFigures:
    """PNG bytes by what they show; pass one to every page of a record and its copies."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str, str], bytes] = {}

    def get(self, name: str, language: str, shown: str, draw: Callable[[], bytes]) -> bytes:
        """The figure called `name`, drawn if none of that name has shown the same in that language."""
        key = (name, language, shown)
        if key not in self._made:
            self._made[key] = draw()
        return self._made[key]


class Shown:
    """Digests of what the figures of a record show: everything that any figure may show, and what is one figure's own."""

    def __init__(self, evaluation: Evaluation) -> None:
        self._plain: dict[str, Any] = to_plain(evaluation)
        self._common = _digest({name: part for name, part in self._plain.items() if name not in _ASIDE})

    def by(self, figure: str) -> str:
        """Digest of what the figure of that name shows."""
        return _digest([self._common, self._own(figure)])

    def _own(self, figure: str) -> Any:
        if figure.startswith(CHECK):
            return [check for check in self._plain["checks"] if CHECK + check["name"] == figure]
        if _COMPANION in figure:
            return self._plain["companions"]
        return [self._plain[part] for part in OWN.get(figure, ())]


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
