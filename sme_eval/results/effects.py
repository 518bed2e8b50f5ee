"""Several effects that share one covariance matrix."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sme_eval.stats.arrays import BoolArray, FloatArray, frozen
from sme_eval.stats.inference import JointTest, critical_value, simultaneous_critical_value, two_sided_p, wald_test
from sme_eval.terms import EFFECT_COLUMNS

from .basis import Basis
from .estimate import NO_ERROR, ROUNDING, Estimate, counts_line
from .text import Printable, text_table
from .unavailable import Unavailable

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True, eq=False)
class Effects(Printable):
    """Effects (J,) with their covariance (J, J).

    `keys` identify the rows (`event_time`, `cohort`, `year`, …), each of length J. An effect that is NaN is unavailable, with the
    reason in `notes`; a row whose variance is zero is a reference, fixed at zero. `n_treated` counts the treated firms behind a
    row, which the disclosure gate needs.
    """

    term: tuple[str, ...]
    estimate: FloatArray
    covariance: FloatArray
    basis: Basis
    keys: Mapping[str, tuple[int, ...]]
    notes: tuple[str, ...]
    n_treated: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "estimate", frozen(self.estimate))
        object.__setattr__(self, "covariance", frozen(self.covariance))

    def __len__(self) -> int:
        return len(self.term)

    @property
    def std_error(self) -> FloatArray:
        """Standard errors (J,); NaN for references, unavailable effects and errors that are only rounding."""
        variance = np.diag(self.covariance).copy()
        least = np.square(ROUNDING * np.nan_to_num(self.estimate))
        variance[~np.isfinite(self.estimate) | (variance <= least)] = np.nan
        return np.sqrt(variance)

    def row(self, position: int) -> Estimate:
        """One effect as an `Estimate`."""
        value, error = float(self.estimate[position]), float(self.std_error[position])
        missing = Unavailable(self.notes[position] or "not estimated")
        treated = self.n_treated[position] if self.n_treated else None
        known = math.isfinite(value)
        return Estimate.from_basis(
            self.term[position], value if known else missing, error if known else missing, self.basis, treated
        )

    def critical_value(self, level: float, simultaneous: bool = False, draws: int = 999, seed: int = 0) -> float:
        """Pointwise (t or normal) or sup-t critical value."""
        if not simultaneous:
            return critical_value(level, self.basis.degrees_of_freedom)
        live = np.isfinite(self.estimate)
        return simultaneous_critical_value(self.covariance[np.ix_(live, live)], level, draws, np.random.default_rng(seed))

    def to_frame(self) -> pd.DataFrame:
        """The identifying columns, then term, estimate, std_error, statistic, p_value, conf_low, conf_high, note."""
        import pandas as pd

        error = self.std_error
        statistic = self.estimate / error
        half = self.critical_value(self.basis.level) * error
        values = (
            self.term,
            self.estimate,
            error,
            statistic,
            two_sided_p(statistic, self.basis.degrees_of_freedom),
            self.estimate - half,
            self.estimate + half,
            tuple(note or ("" if math.isfinite(e) else NO_ERROR) for note, e in zip(self.notes, error, strict=True)),
        )
        return pd.DataFrame({**self.keys, **dict(zip(EFFECT_COLUMNS, values, strict=True))})

    def intervals(self, level: float = 0.95, simultaneous: bool = False, draws: int = 999, seed: int = 0) -> pd.DataFrame:
        """Intervals at `level`, pointwise or simultaneous over all rows (sup-t from N(0, V), `draws` draws)."""
        half = self.critical_value(level, simultaneous, draws, seed) * self.std_error
        frame = self.to_frame()[[*self.keys, "term", "estimate"]]
        return frame.assign(conf_low=self.estimate - half, conf_high=self.estimate + half)

    def joint_test(self, rows: BoolArray) -> JointTest | Unavailable:
        """Wald test that the selected effects are all zero."""
        picked = np.flatnonzero(rows)
        test = wald_test(self.estimate[picked], self.covariance[np.ix_(picked, picked)])
        return test if test is not None else Unavailable("no effect with a standard error to test")

    def summary(self) -> str:
        """The table, the counts and the convention."""
        frame = self.to_frame()
        if not any(self.notes):
            frame = frame.drop(columns="note")
        basis = self.basis
        return "\n".join(
            [
                text_table(frame),
                counts_line(basis.n_firms, basis.n_observations, basis.n_clusters),
                f"{basis.level:.0%} intervals; {basis.convention}",
                *basis.warnings(),
            ]
        )
