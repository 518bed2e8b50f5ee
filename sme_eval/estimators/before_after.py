"""Before and after: how entrants themselves changed, compared with nobody. A description, not an effect."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sme_eval.errors import DesignError, IdentificationError, Problem, raise_if_any
from sme_eval.estimators.landmark import clustered
from sme_eval.estimators.landmark_arm import BASE
from sme_eval.estimators.protocol import check_level
from sme_eval.panel.sample import Sample
from sme_eval.results.basis import Basis
from sme_eval.results.effects import Effects
from sme_eval.results.estimate import Estimate
from sme_eval.results.event_study import EventStudy
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray
from sme_eval.stats.small_sample import require_clusters


@dataclass(frozen=True, slots=True, kw_only=True)
class BeforeAfter:
    """Mean change of treated firms from the year before entry to each event time.

    Estimand: Δ(e) = E[Y_{g+e} − Y_{g−1} | treated in g], every firm counting by its weight. It holds the effect and everything else
    that happened to these firms in the same years: growth of all firms, prices, what they were chosen for. It is an effect only if
    nothing would have changed without treatment, which no data of the treated alone can show. The overall change is the plain mean
    over event times from 0 on, `by_cohort` the same for each cohort.

    Δ̂(e) = Σ w_i (Y_{i,g+e} − Y_{i,g−1}) / Σ w_i over the treated firms seen in both years.

    Parameters
    ----------
    window
        First and last event time.
    level
        Level of the intervals.

    Raises
    ------
    DesignError
        A window without event time 0; no treatment named; covariates, which a comparison with nobody cannot use.
    IdentificationError
        No treated firm is seen in its base year and later; a single cluster.

    Errors: influence functions w_i (Y_{i,g+e} − Y_{i,g−1} − Δ̂(e)) / Σ w, clustered by firm or above, no small-sample factor, normal
    critical values: what least squares on a constant gives with cluster-robust errors (HC0).

    Examples
    --------
    >>> import pandas as pd, sme_eval as sme
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "year": [2020, 2021] * 3, "y": [1.0, 2.0, 1.0, 4.0, 0.0, 9.0],
    ...                       "g": [2021, 2021, 2021, 2021, 0, 0]})
    >>> sample = sme.Sample.from_frame(frame, firm="id", year="year", outcome="y", cohort="g")
    >>> sme.BeforeAfter().fit(sample).estimate
    2.0
    """

    window: tuple[int, int] = (0, 2)
    level: float = 0.95

    def __post_init__(self) -> None:
        problems = check_level(self.level)
        if self.window[0] > 0 or self.window[1] < 0:
            problems.append(Problem(what=f"The window {self.window} does not hold event time 0.", remedy="such as (0, 2)"))
        raise_if_any(DesignError, problems)

    def fit(self, data: Sample) -> EventStudy:
        """Estimate the changes by event time from a sample."""
        cohort = _require(data)
        times = np.array([e for e in range(self.window[0], self.window[1] + 1) if e != BASE])
        change = _changes(data, cohort, times)
        seen = np.isfinite(change)
        if not seen[:, times >= 0].any():
            raise IdentificationError(
                Problem(what="No treated firm is seen both in the year before entry and later.", remedy="lengthen the panel")
            )
        live = seen.any(axis=0)
        change, seen, times = change[:, live], seen[:, live], times[live]
        return _study(data, cohort, times, change, _basis(self, data, np.asarray(seen.any(axis=1))))


def _require(data: Sample) -> IntArray:
    """The cohorts of a sample that this estimator can use."""
    if not isinstance(data, Sample):
        raise DesignError(Problem(what=f"BeforeAfter fits a Sample, not {type(data).__name__}.", remedy="Sample.from_frame"))
    problems = []
    if data.names.covariates:
        what = f"BeforeAfter would ignore the sample's covariates {', '.join(data.names.covariates)}."
        problems.append(Problem(what=what, remedy="leave them out: nobody is compared"))
    if data.cohort is None:
        what = "BeforeAfter needs to know who was treated when."
        problems.append(Problem(what=what, remedy="name `cohort` or `treatment` in Sample.from_frame"))
    raise_if_any(DesignError, problems)
    assert data.cohort is not None
    return data.cohort


def _changes(data: Sample, cohort: IntArray, times: IntArray) -> FloatArray:
    """(N, E) changes from each firm's own base year; NaN where a year is not seen, and for firms that never enter."""
    first, last = int(data.years[0]), int(data.years[-1])
    place = {int(year): j for j, year in enumerate(data.years)}
    change = np.full((data.n_firms, len(times)), np.nan)
    for g in np.unique(cohort[(cohort > first) & (cohort <= last)]):
        if g + BASE not in place:
            continue
        firms = cohort == g
        for j, e in enumerate(times):
            if g + e in place:
                change[firms, j] = data.outcome[firms, place[g + e]] - data.outcome[firms, place[g + BASE]]
    return change


def _means(change: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Weighted means (E,) of the columns and their influence (N, E)."""
    held = np.where(np.isfinite(change), weight[:, None], 0.0)
    total = held.sum(axis=0)
    mean = (held * np.nan_to_num(change)).sum(axis=0) / total
    return mean, held * (np.nan_to_num(change) - mean) / total


def _study(data: Sample, cohort: IntArray, times: IntArray, change: FloatArray, basis: Basis) -> EventStudy:
    weight = np.ones(data.n_firms) if data.weight is None else data.weight
    mean, influence = _means(change, weight)
    after = times >= 0
    covariance = clustered(data, np.column_stack([influence, influence[:, after].mean(axis=1)]))
    treated = np.isfinite(change).sum(axis=0)
    last = int(times.max())
    return EventStudy(
        effects=_by_event_time(times, mean, covariance[:-1, :-1], treated, basis),
        overall=Estimate.from_basis(
            f"mean change of the treated from the year before entry, event times 0 to {last}",
            float(mean[after].mean()),
            float(np.sqrt(covariance[-1, -1])),
            basis,
            int(treated[after].max()),
        ),
        reference=BASE,
        by_cohort=_by_cohort(data, cohort, change[:, after], weight, basis),
    )


def _by_event_time(times: IntArray, mean: FloatArray, covariance: FloatArray, treated: IntArray, basis: Basis) -> Effects:
    """The changes with the base year among them, fixed at zero."""
    at = int(np.searchsorted(times, BASE))
    shown = tuple(int(e) for e in np.insert(times, at, BASE))
    return Effects(
        term=tuple(f"event time {e}" for e in shown),
        estimate=np.insert(mean, at, 0.0),
        covariance=np.insert(np.insert(covariance, at, 0.0, axis=0), at, 0.0, axis=1),
        basis=basis,
        keys={"event_time": shown},
        notes=tuple("reference" if e == BASE else "" for e in shown),
        n_treated=tuple(int(n) for n in np.insert(treated, at, treated.max())),
    )


def _by_cohort(data: Sample, cohort: IntArray, change: FloatArray, weight: FloatArray, basis: Basis) -> Effects:
    """Per cohort the plain mean of its changes over event times from 0 on."""
    found, means, influences = [], [], []
    for g in np.unique(cohort[np.isfinite(change).any(axis=1)]):
        own = np.where((cohort == g)[:, None], change, np.nan)
        live = np.isfinite(own).any(axis=0)
        mean, influence = _means(own[:, live], weight)
        found.append(int(g))
        means.append(float(mean.mean()))
        influences.append(influence.mean(axis=1))
    seen = np.isfinite(change).any(axis=1)
    return Effects(
        term=tuple(f"cohort {g}" for g in found),
        estimate=np.array(means),
        covariance=clustered(data, np.column_stack(influences)),
        basis=basis,
        keys={"cohort": tuple(found)},
        notes=("",) * len(found),
        n_treated=tuple(int((seen & (cohort == g)).sum()) for g in found),
    )


def _basis(estimator: BeforeAfter, data: Sample, used: BoolArray) -> Basis:
    """What the changes rest on: treated firms only."""
    groups = np.arange(data.n_firms) if data.cluster is None else data.cluster
    return Basis(
        n_firms=int(used.sum()),
        n_observations=int(np.isfinite(data.outcome[used]).sum()),
        n_clusters=require_clusters(int(np.unique(groups[used]).size)),
        convention="compared with nobody: the treated firms' own year before entry; "
        f"clustered by {data.names.cluster or 'firm'}: influence functions, no small-sample factor, normal critical values",
        level=estimator.level,
        unit=data.names.outcome,
    )
