"""What the policies do to revenue and employment, part by part."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sme_eval.simulate.credit import on_list, spread_step
from sme_eval.simulate.firms import DISTRICTS, INDUSTRIES, Draws, Firms, FloatArray, IntegerArray
from sme_eval.simulate.rewards import true_doses
from sme_eval.simulate.scenario import BATCHES, Scenario
from sme_eval.simulate.selection import Tiers
from sme_eval.terms import NEVER


def dynamic_effect(start: IntegerArray, years: IntegerArray, profile: tuple[float, ...], factor: Mapping[int, float]) -> FloatArray:
    """(firms, years) `profile` by event time (its last value from then on) × the factor of the start; 0 before."""
    effect = np.zeros((start.size, years.size))
    for first, multiple in factor.items():
        event = years - first
        path = np.asarray(profile)[np.clip(event, 0, len(profile) - 1)] * multiple
        effect[start == first] = np.where(event >= 0, path, 0.0)
    return effect


def revenue_parts(draws: Draws, world: Scenario, firms: Firms, tiers: Tiers, years: IntegerArray) -> dict[str, FloatArray]:
    """Part → (firms, years) log points of revenue.

    certificate: of the little giant, with its district's unexplained share; srdi: of the SRDI status; cash: of the true
    dose, from certification on; credit: elasticity × balance + price effect × fall of the spread; spillover, if the
    scenario has one: of the share of little giants in the firm's industry × district, on every firm.
    """
    parts = {
        "certificate": _certificate(draws, world, firms, tiers, years),
        "srdi": world.certificate.srdi * _since(tiers.srdi, years),
        "cash": cash_effect(world, firms)[:, None] * _since(tiers.certified, years),
        "credit": _credit(world, tiers, years),
    }
    if world.spillover_per_10pp:
        parts["spillover"] = world.spillover_per_10pp * _share_certified(firms, tiers, years) / 0.10
    return parts


def employment_parts(world: Scenario, tiers: Tiers, years: IntegerArray) -> dict[str, FloatArray]:
    """Part → (firms, years) log points of employment: only the little-giant certificate acts on it."""
    return {"certificate": dynamic_effect(tiers.certified, years, world.certificate.employment, _factors(world))}


def cash_effect(world: Scenario, firms: Firms) -> FloatArray:
    """(firms,) log points that the true dose of the firm's district brings once the firm is certified."""
    reward = world.reward
    effect = reward.per_50 * (true_doses(reward) / 50) ** reward.power
    return np.asarray(effect[firms.district])


def _certificate(draws: Draws, world: Scenario, firms: Firms, tiers: Tiers, years: IntegerArray) -> FloatArray:
    rules = world.certificate
    effect = dynamic_effect(tiers.certified, years, rules.revenue, _factors(world))
    if rules.anticipation:
        effect += rules.anticipation * rules.revenue[0] * (tiers.certified[:, None] - years == 1)
    if rules.district_sd:
        own = draws.stream("district effect").normal(0.0, rules.district_sd, len(DISTRICTS))
        effect += own[firms.district][:, None] * _since(tiers.certified, years)
    return effect


def _credit(world: Scenario, tiers: Tiers, years: IntegerArray) -> FloatArray:
    rules = world.credit
    access = rules.elasticity * rules.balance * on_list(rules, tiers, years)
    return np.asarray(access - rules.price_effect * spread_step(rules, tiers, years))


def _share_certified(firms: Firms, tiers: Tiers, years: IntegerArray) -> FloatArray:
    """(firms, years) share of little giants among the firms of the same industry and district, the firm included."""
    cell = firms.industry * len(DISTRICTS) + firms.district
    cells = len(INDUSTRIES) * len(DISTRICTS)
    size = np.maximum(np.bincount(cell, minlength=cells), 1)
    certified = _since(tiers.certified, years)
    shares = np.stack([np.bincount(cell, column, minlength=cells) / size for column in certified.T], axis=1)
    return np.asarray(shares[cell])


def _factors(world: Scenario) -> dict[int, float]:
    return dict(zip(BATCHES, world.certificate.cohort_factor, strict=True))


def _since(start: IntegerArray, years: IntegerArray) -> FloatArray:
    """(firms, years) 1 from the start on, 0 before; a start of `NEVER` is later than every year."""
    return np.asarray((years >= start[:, None]) & (start[:, None] < NEVER), dtype=np.float64)
