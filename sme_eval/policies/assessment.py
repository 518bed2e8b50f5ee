"""What `assess_eligibility` finds: who meets the rules of a tier, by which route, what others miss, what is not sure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from sme_eval.results.text import Printable
from sme_eval.terms import Language

from .firm_columns import Numbers
from .tier_rules import TierRule

if TYPE_CHECKING:
    import pandas as pd

NOT_MET: Final = 0
UNKNOWN: Final = 1
MET: Final = 2
Statuses = npt.NDArray[np.int8]
SCORE: Final = "score"
"""The route through the score."""
REQUIREMENTS: Final = "requirements"
"""The route of a tier that has neither a score nor direct routes."""
WORDS: Final[Mapping[Language, Mapping[str, str]]] = {
    "en": {"no": "not met: ", "open": "not known: ", "score": "score and block minima", "route": "score or a direct route",
           "rules": "conditions that are not declared", "join": "; ", "end": ""},
    "zh": {"no": "不符合：", "open": "信息不足：", "score": "评价得分及分项最低分", "route": "评价得分或直通条件",
           "rules": "未列入的认定条件", "join": "；", "end": "。"},
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class Assessment(Printable):
    """The rules of one tier applied to firms; rows as they were supplied (`index`).

    `status`, `requirements` and `routes` hold 0 (not met), 1 (unknown), 2 (met) per firm; `points` by item of the score, NaN where
    not known; the total lies from `score_low` to `score_high`. `rests_on_unconfirmed` marks firms whose answer would be another
    if the rules in `unconfirmed`, which were not checked against a source, were not known. `missing_inputs` were neither supplied
    nor could be worked out for any firm.
    """

    rule: TierRule
    review: bool
    index: pd.Index
    status: Statuses
    requirements: Mapping[str, Statuses]
    routes: Mapping[str, Statuses]
    points: Mapping[str, Numbers]
    score_low: Numbers
    score_high: Numbers
    rests_on_unconfirmed: npt.NDArray[np.bool_]
    unconfirmed: tuple[str, ...]
    missing_inputs: tuple[str, ...]

    def __post_init__(self) -> None:
        for statuses in (self.status, *self.requirements.values(), *self.routes.values()):
            statuses.setflags(write=False)
        for numbers in (self.score_low, self.score_high, *self.points.values()):
            numbers.setflags(write=False)
        self.rests_on_unconfirmed.setflags(write=False)

    @property
    def eligible(self) -> pd.Series[bool]:
        """True, False or missing per firm."""
        import pandas as pd

        return pd.Series(_answers(self.status), index=self.index, name="eligible")

    @property
    def score(self) -> Numbers:
        """The total in points, NaN where an item is not known or the tier has no score of its own."""
        return np.where(self.score_low == self.score_high, self.score_low, np.nan)

    @property
    def route(self) -> tuple[str, ...]:
        """How each eligible firm gets there: "score", the first direct route met, or "requirements"; empty for the others."""
        if not self.routes:
            return tuple(REQUIREMENTS if one == MET else "" for one in self.status)
        names = np.array([*self.routes, ""], dtype=object)
        met = np.array([statuses == MET for statuses in self.routes.values()])
        first = np.where(met.any(axis=0), met.argmax(axis=0), len(self.routes))
        return tuple(str(one) for one in np.where(self.status == MET, names[first], ""))

    def reasons(self, language: Language = "en") -> tuple[str, ...]:
        """What each firm that is not eligible misses, then what is not known of it; empty for eligible firms."""
        words = WORDS[language]
        labels = [one.label.text(language) for one in self.rule.requirements]
        columns = list(self.requirements.values())
        if self.routes:
            labels.append(words["route"] if len(self.routes) > 1 else words["score"])
            columns.append(np.max(list(self.routes.values()), axis=0))
        if not self.rule.complete:
            labels.append(words["rules"])
            columns.append(np.full(len(self.status), UNKNOWN, dtype=np.int8))
        # Few patterns of answers occur: each is put into words once.
        patterns, which = np.unique(np.array(columns).T, axis=0, return_inverse=True)
        texts = [_in_words(pattern, labels, words) for pattern in patterns]
        return tuple(texts[n] for n in which.ravel())

    def to_frame(self, language: Language = "en") -> pd.DataFrame:
        """One row per firm, for internal use: answer, route, score with its bounds, requirements, routes, points, reasons.

        Points and scores in points; answers true, false or missing; `reasons` in `language`.
        """
        import pandas as pd

        columns: dict[str, object] = {"eligible": _answers(self.status), "route": list(self.route)}
        if self.rule.score:
            columns |= {"score": self.score, "score_low": self.score_low, "score_high": self.score_high}
        columns |= {f"requirement_{name}": _answers(statuses) for name, statuses in self.requirements.items()}
        columns |= {f"route_{name}": _answers(statuses) for name, statuses in self.routes.items()}
        columns |= {f"points_{name}": values for name, values in self.points.items()}
        columns |= {"rests_on_unconfirmed": self.rests_on_unconfirmed, "reasons": list(self.reasons(language))}
        return pd.DataFrame(columns, index=self.index)

    def summary(self) -> str:
        """Counts of firms by answer, route and requirement, and what the rules leave open; no firm. For internal use."""
        rule, (no, unknown, yes) = self.rule, _counts(self.status)
        kind = "reviews" if self.review else "applications"
        lines = [
            f"{rule.label.en} · {rule.label.zh}: rules of {rule.rule_version} ({rule.source}), {kind}",
            f"  source                 {rule.provenance.en}",
            f"  firms                  {len(self.status):,}: {yes:,} eligible, {no:,} not, {unknown:,} not known",
        ]
        routes = self.route
        for name in self.routes:
            lines.append(f"  by {name:<19} {routes.count(name):,}")
        for name, statuses in self.requirements.items():
            each = _counts(statuses)
            lines.append(f"  {name:<22} met {each[MET]:,}, not met {each[NOT_MET]:,}, not known {each[UNKNOWN]:,}")
        lines += [f"  not confirmed          {name}" for name in self.unconfirmed]
        if self.unconfirmed:
            lines.append(f"  answers resting on it  {int(self.rests_on_unconfirmed.sum()):,}")
        lines += [f"  not declared           {text.en}" for text in rule.omitted]
        if self.missing_inputs:
            lines.append(f"  not supplied           {', '.join(self.missing_inputs)}")
        return "\n".join(lines)


def _answers(statuses: Statuses) -> pd.arrays.BooleanArray:
    import pandas as pd

    return pd.arrays.BooleanArray(statuses == MET, statuses == UNKNOWN)


def _counts(statuses: Statuses) -> tuple[int, int, int]:
    """How many are not met, unknown, met."""
    return int((statuses == NOT_MET).sum()), int((statuses == UNKNOWN).sum()), int((statuses == MET).sum())


def _in_words(pattern: Statuses, labels: list[str], words: Mapping[str, str]) -> str:
    parts = []
    for status, lead in ((NOT_MET, words["no"]), (UNKNOWN, words["open"])):
        named = [label for label, one in zip(labels, pattern, strict=True) if one == status]
        if named:
            parts.append(lead + words["join"].join(named))
    return words["join"].join(parts) + words["end"] if parts else ""
