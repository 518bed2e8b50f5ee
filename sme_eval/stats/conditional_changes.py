"""Average changes of treated firms beyond those of comparison firms with the same covariates, many at once, by additive passes.

With r the residual of the comparison's regression of the change on the design z (zero regression for "ipw"), o the odds of being
treated (zero for "reg"), D the treated and C the comparison, an effect is

    Σ_D w r / Σ_D w − Σ_C w o r / Σ_C w o.

Its influence is, for treated and comparison firms, with c the second mean,

    w (r − r̄) / Σ_D w − w (1 − p) z'ℓ        and        −w (r − c) o / Σ_C w o − w r z'a + w p z'ℓ,

    a = (Σ_C w zz')⁻¹ (mean of z over D − mean of z over C under w o),    ℓ = I⁻¹ Σ_C w o (r − c) z / Σ_C w o,

I the information of the logit. Every pass but the last sums q-vectors and q × q matrices; the last sums products of influences.
Source: Sant'Anna and Zhao (2020), equations 3.1 and A.1; R DRDID: drdid_panel, reg_did_panel, std_ipw_did_panel.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .arrays import BoolArray, FloatArray
from .batched_logit import Logits, batched_logits, odds
from .contrasts import COMPARISON, TREATED, Contrasts, Part
from .doubly_robust import TRIMMED_ABOVE
from .firm_blocks import Chunk, FirmBlocks, as_square
from .least_squares import scaled_pseudoinverse

NO_OVERLAP = 0.999
"""A firm this likely to be treated, treated or not, makes an effect unavailable, as in R did."""
SINGULAR = 1e-10
"""Smallest eigenvalue, relative to the largest, of the comparison's scaled cross-products that a regression may rest on."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sums:
    """First pass, by side (0 comparison, 1 treated).

    `gram` (2, S, q, q) are cross-products of the design, `change` (2, J, q) those with the changes, `count` (2, S) firms.
    """

    gram: FloatArray
    change: FloatArray
    count: FloatArray

    @property
    def mean(self) -> FloatArray:
        """Mean of the treated's design (S, q); zero where there is none."""
        return np.asarray(self.gram[TREATED, :, 0] / np.maximum(self.gram[TREATED, :, :1, 0], 1e-300))

    def full_rank(self) -> BoolArray:
        """Settings whose comparison spans the design (S,)."""
        gram = self.gram[COMPARISON]
        scale = np.sqrt(np.maximum(np.diagonal(gram, axis1=1, axis2=2), 0.0))
        value = np.linalg.eigvalsh(
            gram / np.where(scale > 0.0, scale, 1.0)[:, :, None] / np.where(scale > 0.0, scale, 1.0)[:, None]
        )
        return np.asarray(value[:, 0] > SINGULAR * np.maximum(value[:, -1], 1e-300))

    def start(self) -> FloatArray:
        """Logits with an intercept only, (S, q)."""
        start = np.zeros(self.gram.shape[1:3])
        treated, comparison = self.gram[TREATED, :, 0, 0], self.gram[COMPARISON, :, 0, 0]
        both = (treated > 0.0) & (comparison > 0.0)
        start[both, 0] = np.log(treated[both] / comparison[both])
        return start


def first_sums(firms: FirmBlocks, contrasts: Contrasts) -> Sums:
    """Pass over all firms."""
    q, n_settings = len(firms.design), len(contrasts.treated)
    triangle, count = np.zeros((2, n_settings, q * (q + 1) // 2)), np.zeros((2, n_settings))
    change = np.zeros((2, len(contrasts.year), q))
    for block in range(firms.n_blocks):
        part = contrasts.part(block, contrasts.live)
        for chunk in firms.chunks(block) if part else ():
            mask, difference = part.mask(chunk), part.differences(chunk)
            ones = np.ones((1, len(chunk.weight))) if mask is None else mask
            if mask is not None:
                difference *= mask[part.within]
            triangle[part.side, part.settings] += ones @ chunk.products.T
            count[part.side, part.settings] += ones.sum(axis=1)
            change[part.change_side, part.changes] += difference @ chunk.weighted.T
    return Sums(gram=as_square(triangle, q), change=change, count=count)


def regressions(contrasts: Contrasts, sums: Sums) -> FloatArray:
    """Slopes (J, q) of the changes on the design among the comparison."""
    inverse = np.array([scaled_pseudoinverse(gram) for gram in sums.gram[COMPARISON]])
    slopes: FloatArray = np.einsum("jab,jb->ja", inverse[contrasts.setting], sums.change[COMPARISON])
    return slopes


def propensities(firms: FirmBlocks, contrasts: Contrasts, sums: Sums, settings: BoolArray) -> Logits:
    """The logits of the marked settings (S,)."""
    return batched_logits(firms, contrasts, settings, sums.start())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OddsSums:
    """Pass under the comparison's odds.

    `gram` (S, q, q) and `change` (J, q) as in `Sums`, weighted by the odds · `information` (S, q, q) of the logits · `largest` (S,)
    propensity of any firm · `certain` (S,) treated firms at `NO_OVERLAP` or more.
    """

    gram: FloatArray
    change: FloatArray
    information: FloatArray
    largest: FloatArray
    certain: FloatArray


def odds_sums(firms: FirmBlocks, contrasts: Contrasts, coefficients: FloatArray, settings: BoolArray) -> OddsSums:
    """Pass over the firms of the marked `settings` (S,)."""
    n_settings, q = coefficients.shape
    triangle, information = (np.zeros((n_settings, q * (q + 1) // 2)) for _ in range(2))
    change, largest, certain = np.zeros((len(contrasts.year), q)), np.zeros(n_settings), np.zeros(n_settings)
    for block in range(firms.n_blocks):
        part = contrasts.part(block, settings)
        compared = part.side == COMPARISON
        changes = np.flatnonzero(compared[part.within])
        for chunk in firms.chunks(block) if part else ():
            share, tilt = tilts(part, chunk, coefficients)
            here, products = part.settings, chunk.products.T
            largest[here] = np.maximum(largest[here], share.max(axis=1))
            certain[here] += ((share >= NO_OVERLAP) & ~compared[:, None]).sum(axis=1)
            information[here] += (share * (1.0 - share)) @ products
            triangle[here] += tilt @ products
            if len(changes):
                weighted = part.differences(chunk)[changes] * tilt[part.within[changes]]
                change[part.changes[changes]] += weighted @ chunk.weighted.T
    return OddsSums(
        gram=as_square(triangle, q), change=change, information=as_square(information, q), largest=largest, certain=certain
    )


def tilts(part: Part, chunk: Chunk, coefficients: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Propensities and the weights that they give to comparison firms, (K, n) each; both zero where a firm does not count."""
    tilt = odds(coefficients[part.settings], chunk.design)
    share = tilt / (1.0 + tilt)
    mask = part.mask(chunk)
    if mask is not None:
        share *= mask
        tilt *= mask
    tilt[share >= TRIMMED_ABOVE] = 0.0
    tilt[part.side == TREATED] = 0.0
    return share, tilt


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Conditional:
    """Effects (J,) and what the influence of firms on them is made of.

    slope (J, q) of the changes' regression · treated_mean, tilted_mean (J,) of the residuals · treated_weight, tilted_weight (S,) ·
    tilt, leverage (S, q): logit coefficients (None without logits) and a above · score (J, q): ℓ above.
    """

    estimate: FloatArray
    slope: FloatArray
    treated_mean: FloatArray
    tilted_mean: FloatArray
    treated_weight: FloatArray
    tilted_weight: FloatArray
    tilt: FloatArray | None
    leverage: FloatArray
    score: FloatArray

    def only(self, changes: BoolArray) -> Conditional:
        """The marked changes (J,); settings are kept."""
        per_change = ("estimate", "slope", "treated_mean", "tilted_mean", "score")
        return replace(self, **{name: getattr(self, name)[changes] for name in per_change})


def conditional_effects(
    contrasts: Contrasts, sums: Sums, slope: FloatArray | None, tilts: tuple[FloatArray, OddsSums] | None
) -> Conditional:
    """Effects from the sums: by regression without `tilts`, by weighting without `slope`, doubly robust with both."""
    s = contrasts.setting
    q, n_settings = sums.gram.shape[-1], len(contrasts.treated)
    gamma = np.zeros((len(s), q)) if slope is None else slope
    weight = np.maximum(sums.gram[TREATED, :, 0, 0], 1e-300)
    treated_mean = sums.change[TREATED, :, 0] / weight[s] - np.einsum("jq,jq->j", sums.mean[s], gamma)
    tilted_weight, tilted_mean = np.ones(n_settings), np.zeros(len(s))
    lever, score = sums.mean.copy(), np.zeros((len(s), q))
    if tilts is not None:
        passed = tilts[1]
        tilted_weight = np.maximum(passed.gram[:, 0, 0], 1e-300)
        residual = passed.change - np.einsum("jab,jb->ja", passed.gram[s], gamma)
        tilted_mean = residual[:, 0] / tilted_weight[s]
        moment = (residual - tilted_mean[:, None] * passed.gram[s, 0]) / tilted_weight[s, None]
        inverse = np.array([scaled_pseudoinverse(matrix) for matrix in passed.information])
        score = np.einsum("jab,jb->ja", inverse[s], moment)
        lever -= passed.gram[:, 0] / tilted_weight[:, None]
    if slope is None:
        lever = np.zeros((n_settings, q))
    else:
        lever = np.array([scaled_pseudoinverse(gram) @ m for gram, m in zip(sums.gram[COMPARISON], lever, strict=True)])
    return Conditional(
        estimate=treated_mean - tilted_mean,
        slope=gamma,
        treated_mean=treated_mean,
        tilted_mean=tilted_mean,
        treated_weight=weight,
        tilted_weight=tilted_weight,
        tilt=None if tilts is None else tilts[0],
        leverage=lever,
        score=score,
    )
