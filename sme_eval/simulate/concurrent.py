"""Other policies, reviews, research as reported and as verified, and when a firm leaves: each from streams of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sme_eval.simulate.beside import Concurrent, Exit, Reporting, Review
from sme_eval.simulate.firms import DISTRICTS, INDUSTRIES, Draws, Firms, FloatArray, IntegerArray
from sme_eval.simulate.outcomes import autoregression
from sme_eval.simulate.selection import Tiers
from sme_eval.simulate.traits import chance
from sme_eval.terms import NEVER

EARLIEST_EXIT = 2
"""No firm leaves in the panel's first two years."""
PERSISTENCE = 0.6
"""Of the yearly deviation of research from its baseline."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What one city has beside its policies.

    `high_tech`, `digital` and `lapse` are first years (firms,), `NEVER` for most; `reported` and `verified` are percent of
    revenue (firms, years), the latter missing for some firms; `exposure` (firms, years) is a share; `gone` (firms,) is the first
    year without a row, `NEVER` if there is none.
    """

    high_tech: IntegerArray
    digital: IntegerArray
    lapse: IntegerArray
    reported: FloatArray
    verified: FloatArray
    exposure: FloatArray
    gone: IntegerArray


def draw_others(draws: Draws, rules: Concurrent, firms: Firms, tiers: Tiers) -> tuple[IntegerArray, IntegerArray]:
    """First years of the high-technology status and of the digital grant, (firms,) each."""
    giant = tiers.certified < NEVER
    holds = chance(draws, "high tech", rules.base + rules.rd * firms.rd + rules.giant * giant)
    year = draws.stream("high tech year").integers(rules.years[0], rules.years[1] + 1, firms.count)
    aligned = giant & (draws.stream("high tech aligned").random(firms.count) < rules.aligned)
    year = np.where(aligned, tiers.certified, year)
    granted = chance(draws, "digital", rules.digital_base + rules.digital_size * firms.size)
    grant = draws.stream("digital year").integers(rules.digital_years[0], rules.digital_years[1] + 1, firms.count)
    return np.where(holds, year, NEVER), np.where(granted, grant, NEVER)


def with_status(revenue: FloatArray, rules: Concurrent, high_tech: IntegerArray, years: IntegerArray) -> FloatArray:
    """Revenue (firms, years) with the high-technology status, which is no policy under study: it belongs to no true effect."""
    return revenue + rules.effect * (years >= high_tech[:, None]) if rules.effect else revenue


def draw_lapse(draws: Draws, rules: Review, tiers: Tiers, last_year: int) -> IntegerArray:
    """(firms,) first year without a valid certificate after one; `NEVER` if it is after `last_year`."""
    reviews = draws.stream("review").geometric(rules.not_renewed, tiers.certified.size)
    lapse = tiers.certified + rules.validity * reviews
    return np.where((tiers.certified < NEVER) & (lapse <= last_year), lapse, NEVER)


def draw_research(
    draws: Draws, rules: Reporting, firms: Firms, starts: tuple[IntegerArray, IntegerArray], years: IntegerArray
) -> tuple[FloatArray, FloatArray]:
    """Reported and verified R&D (firms, years); `starts` are the first years of certificate and high-technology status."""
    shape = (firms.count, years.size)
    noise = autoregression(draws.stream("research noise"), shape, rules.sd, PERSISTENCE)
    true = np.maximum(firms.rd_intensity[:, None] + noise, 0.0)
    reported = true + rules.sd_report * draws.stream("report noise").standard_normal(shape)
    for start, relabelled in zip(starts, (rules.certified, rules.high_technology), strict=True):
        reported += relabelled * (years >= start[:, None])
    true[draws.stream("verified").random(firms.count) >= rules.verified] = np.nan
    return np.maximum(reported, 0.0), true


def supplier_exposure(firms: Firms, tiers: Tiers, years: IntegerArray) -> FloatArray:
    """(firms, years) share of little giants among the other firms of the industry and district; 0 if there is no other."""
    cell = firms.industry * len(DISTRICTS) + firms.district
    cells = len(INDUSTRIES) * len(DISTRICTS)
    others = np.maximum(np.bincount(cell, minlength=cells) - 1, 1)[cell]
    certified = years >= tiers.certified[:, None]
    giants = np.stack([np.bincount(cell[column], minlength=cells) for column in certified.T], axis=1)
    return np.asarray((giants[cell] - certified) / others[:, None])


def draw_exit(draws: Draws, rules: Exit, tiers: Tiers, revenue: FloatArray, years: IntegerArray) -> IntegerArray:
    """(firms,) first year without a row; `revenue` (firms, years) is untreated, so that effects move no one out."""
    gone = np.full(revenue.shape[0], NEVER, dtype=np.int64)
    if not rules.hazard:
        return gone
    growth = np.diff(revenue, axis=1)[:, EARLIEST_EXIT - 2 : -1]
    growth = growth - growth.mean(axis=0)
    factor = np.where(tiers.certified < NEVER, rules.certified, 1.0)[:, None]
    entered = np.max([np.where(start < NEVER, start, 0) for start in (tiers.certified, tiers.srdi, tiers.library)], axis=0)
    leaves = draws.stream("exit").random(growth.shape) < rules.hazard * np.exp(-rules.growth * growth) * factor
    leaves &= years[EARLIEST_EXIT:] > entered[:, None]
    return np.where(leaves.any(axis=1), years[EARLIEST_EXIT:][leaves.argmax(axis=1)], gone)
