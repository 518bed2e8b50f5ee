"""Coefficient stability: what an estimate's move under controls says of controls that are missing.

Proportional selection: with W1 the part of the outcome that observed controls explain and W2 the part that missing ones do,
orthogonal to the observed, Cov(D, W2)/Var(W2) = δ·Cov(D, W1)/Var(W1). Source: Oster (2019), as in Stata's `psacalc`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .arrays import FloatArray

NOTHING_LEFT = 1e-9
"""Share of the treatment's variance that the controls must leave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stability:
    """Two regressions of one outcome on the same treatment, on the same rows, without and with controls.

    `short` and `long` are the treatment's coefficients, `short_r` and `long_r` their R²; `outcome`, `treatment` are variances, and
    `treatment_left` that of the treatment given the controls. What both regressions hold constant (fixed effects) is taken out
    beforehand, so that R² is the share of what is left.
    """

    short: float
    long: float
    short_r: float
    long_r: float
    outcome: float
    treatment: float
    treatment_left: float

    def delta(self, most_r: float, effect: float = 0.0) -> float:
        """δ at which the true effect is `effect`, if all controls, missing ones too, explain `most_r` of the outcome.

        Infinite where no missing control could do it, NaN where nothing is said (no control moves anything).
        """
        gap, moved = self.long - effect, self.short - self.long
        gained, missing = (self.long_r - self.short_r) * self.outcome, (most_r - self.long_r) * self.outcome
        left, all_, taken = self.treatment_left, self.treatment, self.treatment_left * (self.treatment - self.treatment_left)
        shared = gap**2 * left * moved * all_ + gap**3 * taken
        above = gap * left * (gained + all_ * moved**2) + gap**2 * left * moved * all_ + shared
        below = missing * (moved * all_ + gap * (all_ - left)) + shared
        if below == 0.0:
            return math.nan if above == 0.0 else math.copysign(math.inf, above)
        return above / below

    def adjusted(self, most_r: float) -> float:
        """The true effect under equal selection, δ = 1, if all controls, missing ones too, explain `most_r` of the outcome.

        With b the bias in units of the move from `short` to `long`, δ = 1 is a quadratic in b with one positive and one negative
        root; under the negative one the observed controls would go with the treatment the other way round than they do (against
        Oster's assumption 3), so the effect is `long` less the positive one: beyond `long`, in the direction of the move.
        """
        moved, left, all_ = self.short - self.long, self.treatment_left, self.treatment
        gained, missing = (self.long_r - self.short_r) * self.outcome, (most_r - self.long_r) * self.outcome
        if moved == 0.0 or missing <= 0.0:
            return self.long
        square, constant = left * all_ * moved**2, missing * all_
        linear = missing * (all_ - left) - gained * left - square
        root = math.sqrt(linear**2 + 4.0 * square * constant)
        # Two forms of the same root: neither takes the difference of two large numbers.
        bias = (linear + root) / (2.0 * square) if linear > 0.0 else 2.0 * constant / (root - linear)
        return self.long - moved * bias


def stability(without: FloatArray, given: FloatArray, weight: FloatArray | None = None) -> Stability | None:
    """Stability of the slope of an outcome on a treatment, rows (2, n) in this order.

    `without` are the residuals from what both regressions hold constant, `given` those from the controls too; `weight` (n,). None
    where nothing is left of the treatment or of the outcome.
    """
    w = np.ones(without.shape[1]) if weight is None else weight / weight.mean()
    n = without.shape[1]
    (outcome, cross), (_, treatment) = (without * w) @ without.T / n
    (left_outcome, left_cross), (_, left) = (given * w) @ given.T / n
    if not (outcome > 0.0 and treatment > 0.0 and left > NOTHING_LEFT * treatment):
        return None
    return Stability(
        short=float(cross / treatment),
        long=float(left_cross / left),
        short_r=float(cross**2 / treatment / outcome),
        long_r=float(1.0 - (left_outcome - left_cross**2 / left) / outcome),
        outcome=float(outcome),
        treatment=float(treatment),
        treatment_left=float(left),
    )
