"""Stacked difference-in-differences: one clean comparison per cohort, all in one regression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sme_eval.errors import DesignError, IdentificationError, Problem, raise_if_any
from sme_eval.moments.influence import Influence
from sme_eval.moments.moments import Moments
from sme_eval.panel.sample import Sample
from sme_eval.results.basis import Basis
from sme_eval.results.event_study import EventStudy
from sme_eval.stats.arrays import BoolArray, FloatArray

from .event_rows import REFERENCE, event_effects, late_cohorts, observed_times, one_estimate
from .protocol import as_moments, check_level
from .two_way import fit_stack, regression_basis
from .year_effects import YearEffects, YearEffectsBy, check_year_effects, effects_of, labels_of, not_alone

REPEATS_EFFECTS = "event times repeat the effects of the blocks: cohorts must be seen in their last year before treatment"


@dataclass(frozen=True, slots=True, kw_only=True)
class StackedDiD:
    """Blocks of one cohort and its clean comparison firms, stacked, with block × firm and block × year effects.

    Estimand: overall, one coefficient on treated over all blocks; by event time, one coefficient per event time relative to −1.
    Both average the cohorts' effects with weights that the regression chooses (positive where blocks are balanced, larger for
    cohorts that are close in number to their comparison), hence not the average over treated firm-years.

    The block of cohort g holds the years g + window[0] … g + window[1], the cohort and the firms untreated in all of these years,
    so that nobody already treated serves as comparison: y_ibt = α_ib + λ_bt + β·1{g_i = b, t ≥ b} + ε_ibt, with λ_bt by label if
    `year_effects_by` names any. Covariates are not taken: `SunAbraham` and the two-way regressions enter them × year.

    Assumptions: parallel trends of each cohort and its comparison firms within the window (and within the values of
    `year_effects_by`), no anticipation (the leads speak to both). Checked at run time: that a block has a comparison and years on
    both sides; other cohorts are left out, which the notes say, as they do of cohorts whose window runs out of the panel.

    Parameters
    ----------
    window
        First and last event time of a block, negative and not negative.
    year_effects_by
        A kept column, or several: block × label × year effects, as in `TwoWayFixedEffects`.
    level
        Level of the intervals.

    Raises
    ------
    DesignError
        The window is not one; the sample names no treatment, lacks a label or has covariates; `year_effects_by` is no name.
    IdentificationError
        No cohort has a block.

    Errors: clustered by firm or above; a firm's score is summed over the blocks that it is in. fixest's factor on the stacked rows:
    N stacked rows, K = coefficients + levels of block × (label ×) year, G distinct firms; observations alone in a
    level of their block are left out, which the notes say. Source: Cengiz, Dube, Lindner and Zipperer (2019).

    Examples
    --------
    >>> import pandas as pd, sme_eval as sme
    >>> frame = pd.DataFrame({"id": [1, 1, 1, 2, 2, 2, 3, 3, 3], "year": [2019, 2020, 2021] * 3,
    ...                       "y": [1.0, 1.0, 3.0, 2.0, 2.2, 2.2, 0.0, 0.0, 0.2], "g": [2021] * 3 + [0] * 6})
    >>> sample = sme.Sample.from_frame(frame, firm="id", year="year", outcome="y", cohort="g")
    >>> round(sme.StackedDiD(window=(-1, 0)).fit(sample).estimate, 10)      # (3 − 1) − (1.2 − 1.1)
    1.9
    """

    window: tuple[int, int] = (-3, 3)
    year_effects_by: YearEffectsBy = None
    level: float = 0.95

    def __post_init__(self) -> None:
        problems = check_level(self.level) + check_year_effects(self.year_effects_by)
        whole = isinstance(self.window, tuple) and [type(part) for part in self.window] == [int, int]
        if not (whole and self.window[0] <= REFERENCE and self.window[1] >= 0):
            what = f"window={self.window!r} does not hold event times -1 and 0."
            problems.append(Problem(what=what, remedy="two whole numbers such as (-3, 3)"))
        raise_if_any(DesignError, problems)

    def fit(self, data: Sample | Moments) -> EventStudy:
        """Stack the blocks and fit both regressions, from a sample or its moments."""
        by = effects_of(self.year_effects_by)
        given = as_moments(data, labels_of(self.year_effects_by), "StackedDiD")
        blocks, notes = _blocks(given, self.window, by)
        kept: BoolArray = np.any([block.used for block in blocks], axis=0).any(axis=1)
        moments, blocks = given.subset(kept), [replace(b, used=b.used[kept], own=b.own[kept]) for b in blocks]
        own: BoolArray = np.any([block.own for block in blocks], axis=0)
        after: BoolArray = own & moments.treated
        times = observed_times(moments, own)
        times = times[times != REFERENCE]
        static = _fit(moments, blocks, after[:, :, None].astype(np.float64), by)
        if np.isnan(static.estimate).any():
            raise IdentificationError(
                Problem(what="Treatment repeats the effects of the blocks.", remedy="see firms in more years")
            )
        dynamic = _fit(moments, blocks, (moments.event_time[:, :, None] == times).astype(np.float64), by)
        found = ~np.isnan(dynamic.estimate)
        missing = {int(e): REPEATS_EFFECTS for e in times[~found]}
        dynamic = dynamic.combine(np.eye(len(times))[found])
        return EventStudy(
            effects=event_effects(dynamic, times[found], missing, self._basis(dynamic, blocks, notes, by), own),
            overall=one_estimate(static, "static coefficient on treated", self._basis(static, blocks, notes, by), after),
            reference=REFERENCE,
        )

    def _basis(self, influence: Influence, blocks: Sequence[_Block], notes: tuple[str, ...], by: YearEffects) -> Basis:
        plain = regression_basis(influence, self.level, by, sum(block.alone for block in blocks))
        effects = ("block × firm", *(f"block × {'year' if b is None else f'{b} × year'}" for b in by))
        errors = plain.convention.split("; ", 1)[1]
        window = f"event times {self.window[0]} to {self.window[1]}"
        return replace(
            plain,
            n_observations=sum(block.rows(influence.moments) for block in blocks),
            convention=f"{len(blocks)} stacked blocks of {window}; {' and '.join(effects)} effects; {errors}",
            notes=(*notes, *plain.notes, *late_cohorts(influence.moments)),
            effects=effects,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Block:
    """Firm-years `used` (K, T) by the block of a cohort, those of the cohort itself in `own` (K, T), and how many were `alone`."""

    cohort: int
    used: BoolArray
    own: BoolArray
    alone: int

    def rows(self, moments: Moments) -> int:
        """Stacked observations."""
        return int(moments.n_firms @ self.used.sum(axis=1))


def _blocks(moments: Moments, window: tuple[int, int], by: YearEffects) -> tuple[list[_Block], tuple[str, ...]]:
    """The blocks that compare something, and notes on the cohorts without one or with a shorter one."""
    years, blocks, without, short = moments.years, [], [], []
    for g in (int(c) for c in moments.treated_cohorts):
        inside = (years >= g + window[0]) & (years <= g + window[1])
        clean = moments.cohort > min(g + window[1], int(years[-1]))
        member: BoolArray = np.asarray(moments.cohort == g)
        candidates: BoolArray = moments.observed & inside & (member | clean)[:, None]
        used = not_alone(moments, candidates, by)
        own = used & member[:, None]
        sides = own[:, years < g].any() and own[:, years >= g].any()
        if not sides or not used[clean].any():
            without.append(str(g))
            continue
        if g + window[0] < years[0] or g + window[1] > years[-1]:
            short.append(str(g))
        alone = int(moments.n_firms @ (candidates & ~used).sum(axis=1))
        blocks.append(_Block(cohort=g, used=used, own=own, alone=alone))
    if not blocks:
        raise IdentificationError(
            Problem(
                what="No cohort has years on both sides of treatment and clean comparison firms.",
                where=f"cohorts: {', '.join(without) or 'none'}; window {window[0]} to {window[1]}",
                remedy="shorten the window, so that later cohorts can serve as comparison",
            )
        )
    notes = {"cohorts without a clean comparison are left out": without, "cohorts whose window runs out of the panel": short}
    return blocks, tuple(f"{text}: {', '.join(names)}" for text, names in notes.items() if names)


def _fit(moments: Moments, blocks: Sequence[_Block], columns: FloatArray, by: YearEffects) -> Influence:
    """Regress on `columns` (K, T, q), switched on for a block's own cohort only; NaN where they repeat the blocks' effects."""
    names = [f"column {j}" for j in range(columns.shape[2])]
    return fit_stack(moments, names, [(block.used, columns * block.own[:, :, None]) for block in blocks], by, partly=True)
