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
from sme_eval.stats.least_squares import dependent_columns
from sme_eval.stats.small_sample import SmallSample

from .event_rows import REFERENCE, event_effects, late_cohorts, observed_times, one_estimate
from .firm_and_year import FirmAndYear
from .protocol import as_moments, check_level

REPEATS_EFFECTS = "event times repeat the effects of the blocks: cohorts must be seen in their last year before treatment"


@dataclass(frozen=True, slots=True, kw_only=True)
class StackedDiD:
    """Blocks of one cohort and its clean comparison firms, stacked, with block × firm and block × year effects.

    Estimand: overall, one coefficient on treated over all blocks; by event time, one coefficient per event time relative to −1.
    Both average the cohorts' effects with weights that the regression chooses (positive where blocks are balanced, larger for
    cohorts that are close in number to their comparison), hence not the average over treated firm-years.

    The block of cohort g holds the years g + window[0] … g + window[1], the cohort and the firms untreated in all of these years,
    so that nobody already treated serves as comparison: y_ibt = α_ib + λ_bt + β·1{g_i = b, t ≥ b} + ε_ibt.

    Assumptions: parallel trends of each cohort and its comparison firms within the window, no anticipation (the leads speak to
    both). Checked at run time: that a block has a comparison and years on both sides; other cohorts are left out, which the notes
    say, as they do of cohorts whose window runs out of the panel.

    Parameters
    ----------
    window
        First and last event time of a block, negative and not negative.
    level
        Level of the intervals.

    Raises
    ------
    DesignError
        The window is not one; the sample names no treatment or has covariates.
    IdentificationError
        No cohort has a block.

    Errors: clustered by firm or above; a firm's score is summed over the blocks that it is in. fixest's factor on the stacked rows:
    N stacked rows, K = coefficients + block × year levels, G distinct firms. Source: Cengiz, Dube, Lindner and Zipperer (2019).

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
    level: float = 0.95

    def __post_init__(self) -> None:
        problems = check_level(self.level)
        whole = isinstance(self.window, tuple) and [type(part) for part in self.window] == [int, int]
        if not (whole and self.window[0] <= REFERENCE and self.window[1] >= 0):
            what = f"window={self.window!r} does not hold event times -1 and 0."
            problems.append(Problem(what=what, remedy="two whole numbers such as (-3, 3)"))
        raise_if_any(DesignError, problems)

    def fit(self, data: Sample | Moments) -> EventStudy:
        """Stack the blocks and fit both regressions, from a sample or its moments."""
        given = as_moments(data, (), "StackedDiD")
        blocks, notes = _blocks(given, self.window)
        kept: BoolArray = np.any([block.used for block in blocks], axis=0).any(axis=1)
        moments, blocks = given.subset(kept), [replace(b, used=b.used[kept], own=b.own[kept]) for b in blocks]
        own: BoolArray = np.any([block.own for block in blocks], axis=0)
        after: BoolArray = own & moments.treated
        times = observed_times(moments, own)
        times = times[times != REFERENCE]
        static = _fit(moments, blocks, after[:, :, None].astype(np.float64))
        if static is None:
            raise IdentificationError(
                Problem(what="Treatment repeats the effects of the blocks.", remedy="see firms in more years")
            )
        dynamic = _fit(moments, blocks, (moments.event_time[:, :, None] == times).astype(np.float64))
        missing = {}
        if dynamic is None:
            missing = {int(e): REPEATS_EFFECTS for e in times}
            dynamic, times = static.combine(np.zeros((0, 1))), times[:0]
        return EventStudy(
            effects=event_effects(dynamic, times, missing, self._basis(dynamic, blocks, notes), own),
            overall=one_estimate(static, "static coefficient on treated", self._basis(static, blocks, notes), after),
            reference=REFERENCE,
        )

    def _basis(self, influence: Influence, blocks: Sequence[_Block], notes: tuple[str, ...]) -> Basis:
        moments, small, groups = influence.moments, influence.small_sample, influence.n_clusters
        errors = "" if small is None else small.words(moments.cluster or "firm", groups)
        window = f"event times {self.window[0]} to {self.window[1]}"
        return Basis(
            n_firms=int(moments.n_firms.sum()),
            n_observations=sum(block.rows(moments) for block in blocks),
            n_clusters=groups,
            convention=f"{len(blocks)} stacked blocks of {window}; block × firm and block × year effects; {errors}",
            degrees_of_freedom=float(groups - 1),
            level=self.level,
            unit=moments.outcome,
            notes=(*notes, *late_cohorts(moments)),
            effects=("block × firm", "block × year"),
            cluster=moments.cluster or "firm",
            covariance="clustered",
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Block:
    """Firm-years `used` (K, T) by the block of a cohort, those of the cohort itself in `own` (K, T)."""

    cohort: int
    used: BoolArray
    own: BoolArray

    def rows(self, moments: Moments) -> int:
        """Stacked observations."""
        return int(moments.n_firms @ self.used.sum(axis=1))

    def years(self) -> int:
        """Block × year levels seen."""
        return int(self.used.any(axis=0).sum())


def _blocks(moments: Moments, window: tuple[int, int]) -> tuple[list[_Block], tuple[str, ...]]:
    """The blocks that compare something, and notes on the cohorts without one or with a shorter one."""
    years, blocks, without, short = moments.years, [], [], []
    for g in (int(c) for c in moments.treated_cohorts):
        inside = (years >= g + window[0]) & (years <= g + window[1])
        clean = moments.cohort > min(g + window[1], int(years[-1]))
        member: BoolArray = np.asarray(moments.cohort == g)
        used = _without_singletons(moments, moments.observed & inside & (member | clean)[:, None])
        own = used & member[:, None]
        sides = own[:, years < g].any() and own[:, years >= g].any()
        if not sides or not used[clean].any():
            without.append(str(g))
            continue
        if g + window[0] < years[0] or g + window[1] > years[-1]:
            short.append(str(g))
        blocks.append(_Block(cohort=g, used=used, own=own))
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


def _without_singletons(moments: Moments, used: BoolArray) -> BoolArray:
    """Firm-years of a block without those alone in their firm or year, again and again, as fixest does."""
    while True:
        keep: BoolArray = used & (used.sum(axis=1) > 1)[:, None] & (moments.n_firms @ used != 1)
        if (keep == used).all():
            return used
        used = keep


def _fit(moments: Moments, blocks: Sequence[_Block], columns: FloatArray) -> Influence | None:
    """Regress on `columns` (K, T, q), switched on for a block's own cohort only; None if they repeat the blocks' effects."""
    n_columns = columns.shape[2]
    gram, cross, scale = np.zeros((n_columns, n_columns)), np.zeros(n_columns), np.zeros(n_columns)
    parts, n_rows = [], sum(block.rows(moments) for block in blocks)
    for block in blocks:
        regressors = columns * block.own[:, :, None]
        design = FirmAndYear.over(moments, block.used)
        residual = design.residual(regressors)
        weighted = residual * moments.weight[:, None, None]
        gram += np.tensordot(weighted, residual, axes=([0, 1], [0, 1]))
        cross += np.einsum("ktq,kt->q", weighted, moments.mean)
        within = design.within(regressors)
        scale += np.einsum("k,ktq,ktq->q", moments.weight, within, within)
        parts.append((design, regressors, residual))
    if dependent_columns(gram, scale).any():
        return None
    bread = np.linalg.inv(gram)
    beta = bread @ cross
    slope = np.zeros((len(moments.n_firms), n_columns, len(moments.years)))
    constant = np.zeros((len(moments.n_firms), n_columns))
    for design, regressors, residual in parts:
        fit = regressors @ beta
        fit += design.years_of((moments.mean - fit)[:, :, None])[:, 0]
        slope += residual.transpose(0, 2, 1)
        constant -= np.einsum("ktq,kt->kq", residual, fit)
    return Influence(
        moments=moments,
        estimate=beta,
        slope=np.matmul(bread, slope),
        constant=constant @ bread,
        small_sample=SmallSample(observations=n_rows, parameters=n_columns + sum(block.years() for block in blocks)),
    )
