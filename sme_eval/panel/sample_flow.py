"""The sample flow: what was kept and what was dropped, step by step, from the file to the estimate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowStep:
    """State after one rule was applied: `rule` is a key (worded per language later), counts are of firms and firm-years."""

    rule: str
    firms: int
    rows: int
    dropped_firms: int = 0
    dropped_rows: int = 0


@dataclass(frozen=True, slots=True)
class SampleFlow:
    """Ordered steps; the first says what came in, each later one what a rule left."""

    steps: tuple[FlowStep, ...] = ()

    def then(self, rule: str, *, firms: int, rows: int) -> SampleFlow:
        """A new flow with one more step; what was dropped is the difference to the step before."""
        last = self.steps[-1] if self.steps else None
        step = FlowStep(
            rule=rule,
            firms=firms,
            rows=rows,
            dropped_firms=last.firms - firms if last else 0,
            dropped_rows=last.rows - rows if last else 0,
        )
        return SampleFlow((*self.steps, step))

    def to_frame(self) -> pd.DataFrame:
        """One row per step: `rule, firms, rows, dropped_firms, dropped_rows`."""
        import pandas as pd

        columns = ("rule", "firms", "rows", "dropped_firms", "dropped_rows")
        return pd.DataFrame([{c: getattr(s, c) for c in columns} for s in self.steps], columns=list(columns))
