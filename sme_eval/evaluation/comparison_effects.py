"""The headline's effect by other weights on the firms that it compares: entropy balancing, matching, the regression's own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sme_eval.checks.side_by_side import Side
from sme_eval.estimators.landmark import clustered
from sme_eval.estimators.matching_cohort import MatchingChoices, match_cohort, read_firms
from sme_eval.panel.sample import Sample
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.arrays import FloatArray
from sme_eval.stats.entropy_balancing import Balancing, effective_size, entropy_balance, with_squares
from sme_eval.stats.least_squares import scaled_pseudoinverse
from sme_eval.stats.weighted_change import weighted_change
from sme_eval.terms import NEVER

from .entry_rows import EntryRows

MATCHING = MatchingChoices(neighbours=1, caliper=0.2, replace=True, exact=(), comparison="never_treated", seed=0)
"""One partner, with replacement, within 0.2 standard deviations of the log odds, as `match_firms` does by default."""


def balance(rows: EntryRows) -> tuple[Balancing, bool]:
    """Entropy balancing of means and variances, of means alone where no weights do both; and whether variances are balanced."""
    both = entropy_balance(with_squares(rows.x, rows.treated), rows.treated, rows.group, rows.weight)
    if both.converged:
        return both, True
    means = entropy_balance(rows.x, rows.treated, rows.group, rows.weight)
    return (means, False) if means.converged else (both, False)


def weighted_side(
    key: str, rows: EntryRows, sample: Sample, weight: FloatArray, *, pooled: bool, balancing: Balancing | None = None
) -> Side:
    """The effect by row weights (R,); `pooled` gives every event time the weight of its treated firms, else all the same."""
    found = weighted_change(rows.change, rows.treated, rows.group, (rows.firm, rows.n_firms), weight, balancing)
    known = np.isfinite(found.effect)
    share = (found.mass if pooled else np.ones(len(known)))[known]
    if not known.any():
        return Side(key=key, estimate=Unavailable("no effect from treatment on is identified"))
    share = share / share.sum()
    influence = found.influence[:, known] @ share
    used = weight > 0.0
    return Side(
        key=key,
        estimate=float(found.effect[known] @ share),
        std_error=float(np.sqrt(clustered(sample, influence[:, None])[0, 0])),
        n_treated=int((used & rows.treated).sum()),
        n_comparison=len(np.unique(rows.firm[used & ~rows.treated])),
        n_effective=effective_size(rows.carried(weight)),
    )


def matched_weight(rows: EntryRows, sample: Sample) -> FloatArray:
    """(R,) weights of matched treated rows and of their partners, cohort by cohort, zero for all others."""
    firms = read_firms(sample, np.full(sample.n_firms, NEVER, dtype=np.int64), MATCHING)
    weight = np.zeros(len(rows.firm))
    for k, g in enumerate(rows.cohorts):
        mine = np.flatnonzero(rows.group == k)
        firm, treated, x = rows.firm[mine], rows.treated[mine], rows.x[mine]
        empty = (x[treated] == 0.0).all(axis=0)
        possible = treated | ~(x[:, empty] != 0.0).any(axis=1)
        pretended = np.full(sample.n_firms, sample.years[0], dtype=np.int64)  # treated from the start: neither side
        pretended[firm[possible]] = np.where(treated[possible], g, NEVER)
        values = np.zeros((rows.x.shape[1], sample.n_firms))
        values[:, firm] = x.T
        pairs = match_cohort(replace(firms, cohort=pretended, values=values), MATCHING, g, np.zeros(sample.n_firms, dtype=bool))
        given = np.zeros(sample.n_firms)
        given[pairs.treated] = firms.weight[pairs.treated]
        np.add.at(given, pairs.compared, pairs.weight)
        weight[mine] = given[firm]
    return weight


def regression_effective(rows: EntryRows) -> float:
    """Kish's number of the weights that a linear regression on the comparison gives its firms; they may be negative."""
    implied = np.zeros(len(rows.firm))
    for k in range(len(rows.cohorts)):
        ours, theirs = (np.flatnonzero((rows.group == k) & side) for side in (rows.treated, ~rows.treated))
        x = np.concatenate([np.ones((len(rows.x), 1)), rows.x], axis=1)[theirs]
        total = rows.weight[ours] @ np.concatenate([np.ones((len(ours), 1)), rows.x[ours]], axis=1)
        weighted = x * rows.weight[theirs][:, None]
        implied[theirs] = weighted @ (scaled_pseudoinverse(weighted.T @ x) @ total)
    return effective_size(rows.carried(implied))
