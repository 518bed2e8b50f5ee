"""A bundle of policies separated into its parts: effects of entering by different arms, and what each arm brought."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from sme_eval.errors import DesignError, IdentificationError, Problem, raise_if_any, suggestion
from sme_eval.estimators.entry_arm import EntryArm as EntryArm
from sme_eval.estimators.entry_arm import Exposure as Exposure
from sme_eval.estimators.entry_arm import where_text
from sme_eval.estimators.landmark_arm import BASE, ArmEffects, arm_effects
from sme_eval.estimators.protocol import check_level
from sme_eval.estimators.untangle_columns import Setting, read_setting, require_held
from sme_eval.estimators.untangle_result import Found, decomposition
from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.panel.frozen_mapping import FrozenMapping
from sme_eval.panel.sample import Sample
from sme_eval.results.decomposition import Decomposition
from sme_eval.stats.arrays import BoolArray, FloatArray
from sme_eval.stats.separation import separate, solve_parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Untangle:
    """The effect of each exposure, from how much of each the arms brought.

    Estimand: θ with τ_a = Σ_k M_ak θ_k. τ_a is the effect of entering by arm a on the outcome, M_ak that on exposure k, both by the
    same linear operator: the landmark difference-in-differences of each entry year g, mean of event times in `window`, base g − 1,
    against firms that had not entered anything up to and in g, whatever happens to them later, given an intercept, `covariates` and
    past growth; entry years pooled by their firms. M nets out what treated firms had before and what comparison firms get later,
    and, where the outcome's own growth is conditioned on, what earlier exposures had added to that growth.

    Assumptions, none of them testable with as many arms as exposures: (a) parts add up in the outcome's units; (b) a part has the
    same effect in every arm; (c) entry by each arm is as good as random given the covariates; (d) exposures have the right profile
    over time; (e) no firm's exposure moves another's outcome. More arms than exposures test them jointly (`fit`). Checked: which
    parts the arms can separate (rank and null vectors), and that treated firms lie within what comparison firms span.

    Parameters
    ----------
    arms, exposures
        By name. Firms that differ in an exposure should be different arms.
    covariates
        Kept columns, one value per firm: numbers as they are, texts and categories as dummies.
    past_growth, growth_of
        Event times between which the change of column `growth_of` (None: the outcome) is a covariate; None for no such covariate.
    listed
        Column of the first year on any list; beside it, every entry and start counts. None: only these.
    window
        Event times averaged, the first of them 0.
    sums
        Name → part → coefficient: sums to be given too.
    smallest_effect
        Smallest effect of interest, in units of the outcome: parts that could only be found at five times it are `cannot_tell`.
    level
        Level of the intervals.

    Returns from `fit`: a `Decomposition`. A part that the arms cannot separate is unavailable with the names of those it is mixed
    with; the others keep their estimates, and identified sums are given.

    Raises
    ------
    DesignError
        Contradictory choices, columns that the sample does not hold.
    DataError
        Columns that vary within firms, text in years, firms without a covariate.
    IdentificationError
        An arm without treated firms, base year, growth years or comparison; fewer clusters than parts.

    Errors: ψ_θ = L (ψ_τ − Σ_k θ_k ψ_Mk), L the inverse of M or, with more arms than parts, that of the two-step generalised method
    of moments; M counts as estimated. Clustered by firm or above, no small-sample factor, normal critical values. Source: the
    operator is that of Heckman, Ichimura and Todd (1997), the weight that of Hansen (1982).

    Examples
    --------
    >>> import sme_eval as sme
    >>> panel, truth = sme.simulate_ningbo(seed=1, scenario="baseline")
    >>> found = sme.untangle(
    ...     panel,
    ...     arms={"certified": sme.EntryArm("certified_year")},
    ...     exposures={"certificate": sme.Exposure("certified_year")},
    ...     covariates=("rd_intensity",),
    ...     listed=None,
    ... )
    >>> found.rank, found["certificate"].conf_low < found["certificate"].conf_high
    (1, True)
    """

    arms: Mapping[str, EntryArm]
    exposures: Mapping[str, Exposure]
    covariates: tuple[str, ...] = ("rd_intensity", "district")
    past_growth: tuple[int, int] | None = (-3, -1)
    growth_of: str | None = None
    listed: str | None = "listed_year"
    window: tuple[int, int] = (0, 2)
    sums: Mapping[str, Mapping[str, float]] = field(default_factory=FrozenMapping)
    smallest_effect: float | None = None
    level: float = 0.95

    def __post_init__(self) -> None:
        for name in ("arms", "exposures", "sums"):
            object.__setattr__(self, name, FrozenMapping(getattr(self, name)))
        raise_if_any(DesignError, [*_named_problems(self), *_sum_problems(self), *_choice_problems(self)])

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the sample that it reads, beside the outcome."""
        named = [name for arm in self.arms.values() for name in arm.columns]
        named += [name for exposure in self.exposures.values() for name in exposure.columns]
        extra = [name for name in (self.listed, self.growth_of) if name is not None]
        return tuple(dict.fromkeys([*named, *self.covariates, *extra]))

    def fit(self, data: Sample) -> Decomposition:
        """Separate the effect on the sample's outcome."""
        if not isinstance(data, Sample):
            raise DesignError(
                Problem(what=f"Untangle fits a Sample, not {type(data).__name__}.", remedy="sme.untangle takes a panel or a frame")
            )
        require_held(data, tuple(name for name in self.columns if name != data.names.outcome))
        setting = read_setting(self, data)
        effects = {
            name: arm_effects(arm, setting.outcomes, setting.years, setting.covariates, self.window, setting.weight)
            for name, arm in setting.arms.items()
        }
        raise_if_any(IdentificationError, [p for name, found in effects.items() for p in _arm_problems(self, name, found)])
        return _solve(self, data, setting, tuple(effects.values()))


def untangle(
    data: FirmPanel | pd.DataFrame,
    *,
    arms: Mapping[str, EntryArm],
    exposures: Mapping[str, Exposure],
    outcome: str = "log_revenue",
    cluster: str | None = None,
    weight: str | None = None,
    **options: Any,
) -> Decomposition:
    """Separate a bundle of policies into its parts.

    `data` is a panel, or a frame with columns `firm` and `year`; `options` are those of `Untangle`, which says what is estimated.
    Rows without the outcome are left out.

    Examples
    --------
    >>> import sme_eval as sme
    >>> panel, truth = sme.simulate_ningbo(seed=1, scenario="null")
    >>> certificate = {"certificate": sme.Exposure("certified_year")}
    >>> found = sme.untangle(panel, arms={"all": sme.EntryArm("certified_year")}, exposures=certificate, covariates=(), listed=None)
    >>> found.arms.n_treated
    (283,)
    """
    choices = Untangle(arms=arms, exposures=exposures, **options)
    frame = data.frame if isinstance(data, FirmPanel) else data
    columns = tuple(name for name in choices.columns if name not in {outcome, "firm", "year", cluster, weight})
    sample = Sample.from_frame(frame, firm="firm", year="year", outcome=outcome, columns=columns, cluster=cluster, weight=weight)
    return choices.fit(sample)


def _solve(choices: Untangle, sample: Sample, setting: Setting, effects: tuple[ArmEffects, ...]) -> Decomposition:
    """Parts from the effects of the arms."""
    values, influences = zip(*(found.window_mean(*choices.window) for found in effects), strict=True)
    value, influence = np.array(values), np.stack(influences, axis=1)
    if choices.past_growth is not None and choices.growth_of in (None, sample.names.outcome):
        for a, (name, one) in enumerate(zip(choices.arms, effects, strict=True)):
            _net_growth(choices, setting, name, one, (value[a], influence[:, a]))
    groups = (np.arange(sample.n_firms) if sample.cluster is None else sample.cluster).astype(np.int64)
    found = Found(
        value=value,
        influence=influence[:, :, 0],
        treated=np.array([_treated(one) for one in effects]),
        brought=np.array([_brought(setting, one) for one in effects]),
        groups=groups,
    )
    largest = np.nanmax(np.abs(setting.outcomes[1:]), axis=(1, 2), initial=0.0)
    separation = separate(value[:, 1:], np.where(largest > 0.0, largest, 1.0), np.asarray(~found.brought.any(axis=0)))
    parts = solve_parts((value[:, 0], influence[:, :, 0]), (value[:, 1:], influence[:, :, 1:]), separation, groups)
    if parts is None:
        what = f"{np.unique(groups).size} clusters cannot weight {len(effects)} arms."
        raise IdentificationError(Problem(what=what, remedy="cluster by firm, or declare fewer arms"))
    return decomposition(choices, sample, found, separation, parts)


def _named_problems(choices: Untangle) -> list[Problem]:
    """Problems of arms and exposures."""
    problems: list[Problem] = []
    for words, given, kind in (("arm", choices.arms, EntryArm), ("exposure", choices.exposures, Exposure)):
        if not given:
            problems.append(Problem(what=f"No {words} is named.", remedy=f"name at least one: {kind.__name__}(…)"))
        for name, one in given.items():
            if not isinstance(one, kind):
                problems.append(Problem(what=f"The {words} {name!r} is a {type(one).__name__}.", remedy=f"give {kind.__name__}(…)"))
            elif not all(isinstance(column, str) and column for column in one.columns):
                problems.append(Problem(what=f"The {words} {name!r} names no column.", remedy="name the column of its first year"))
    for name, exposure in choices.exposures.items():
        if isinstance(exposure, Exposure) and not (math.isfinite(exposure.per) and exposure.per != 0.0):
            problems.append(Problem(what=f"The exposure {name!r} is per {exposure.per}.", remedy="give a number other than 0"))
    return problems


def _sum_problems(choices: Untangle) -> list[Problem]:
    """Problems of declared sums."""
    problems = []
    for name, weights in choices.sums.items():
        for part in weights:
            if part not in choices.exposures:
                what = f"The sum {name!r} names {part!r}, which is no exposure."
                problems.append(Problem(what=what, remedy=suggestion(part, tuple(choices.exposures))))
        if name in choices.exposures:
            problems.append(Problem(what=f"The sum {name!r} has the name of an exposure.", remedy="give it another name"))
        if not (np.isfinite(list(weights.values())).all() and any(weights.values())):
            what = f"The sum {name!r} has no finite coefficient other than 0."
            problems.append(Problem(what=what, remedy='such as {"credit": 1.0}'))
    return problems


def _choice_problems(choices: Untangle) -> list[Problem]:
    """Problems of the other choices."""
    problems = check_level(choices.level)
    if choices.window[0] != 0 or choices.window[1] < 0:
        problems.append(Problem(what=f"The window {choices.window} does not begin with event time 0.", remedy="such as (0, 2)"))
    if choices.past_growth is not None and not choices.past_growth[0] < choices.past_growth[1] < 0:
        what = f"past_growth={choices.past_growth} is not a span before treatment."
        problems.append(Problem(what=what, remedy="such as (-3, -1), or None"))
    if choices.past_growth is None and choices.growth_of is not None:
        problems.append(Problem(what="growth_of needs past_growth.", remedy="such as past_growth=(-3, -1)"))
    if choices.smallest_effect is not None and not choices.smallest_effect > 0.0:
        what = f"smallest_effect={choices.smallest_effect} is not above 0."
        problems.append(Problem(what=what, remedy="give it in units of the outcome, or None"))
    return problems


def _arm_problems(choices: Untangle, name: str, found: ArmEffects) -> list[Problem]:
    """A problem if an arm has no effect in the window."""
    if np.isfinite(found.value[0]).any():
        return []
    arm = choices.arms[name]
    who = f"{arm.entry}{' where ' + where_text(arm.where) if arm.where else ''}"
    what = f"The arm {name!r} has no firm that enters within the panel with base year, growth years and comparison firms."
    return [Problem(what=what, where=who, remedy="leave the arm out, lengthen the panel, or use fewer covariates")]


def _net_growth(choices: Untangle, setting: Setting, name: str, found: ArmEffects, row: tuple[FloatArray, FloatArray]) -> None:
    """Take out of an arm's row (1 + K,) and its influence (N, 1 + K) what exposures had already added to past growth.

    The effect is linear in the growth that is conditioned on: it rises by B_k when growth is taken net of one unit of exposure k,
    so τ + Bθ = Mθ, and M − B takes the place of M. Comparison firms were not exposed before, so their regression stays. Left out is
    what their later exposure adds to its slope: a product of two effects.
    """
    value, influence = row
    effect, its_influence = float(value[0]), influence[:, 0].copy()
    for k in np.flatnonzero(_grown(choices, setting, found)):
        net = replace(setting.covariates, path=setting.covariates.path - setting.outcomes[1 + k])
        moved = arm_effects(setting.arms[name], setting.outcomes[:1], setting.years, net, choices.window, setting.weight)
        (with_net,), of_net = moved.window_mean(*choices.window)
        value[1 + k] -= with_net - effect
        influence[:, 1 + k] -= of_net[:, 0] - its_influence


def _grown(choices: Untangle, setting: Setting, found: ArmEffects) -> BoolArray:
    """(K,) exposures that changed for a treated firm of the arm within its past growth."""
    grown = np.zeros(len(setting.outcomes) - 1, dtype=np.bool_)
    first, last = choices.past_growth or (BASE, BASE)
    for cohort in found.cohorts:
        if cohort.treated.any():
            years = np.searchsorted(setting.years, [cohort.cohort + first, cohort.cohort + last])
            path = setting.outcomes[1:, cohort.treated.any(axis=(1, 2))][:, :, years]
            grown |= (path[:, :, 0] != path[:, :, 1]).any(axis=1)
    return grown


def _treated(found: ArmEffects) -> BoolArray:
    """(N,) firms that the arm's effects are averages over."""
    return np.asarray(np.any([cohort.treated.any(axis=(1, 2)) for cohort in found.cohorts], axis=0))


def _brought(setting: Setting, found: ArmEffects) -> BoolArray:
    """(K,) exposures that change for a treated firm of the arm after the base year."""
    exposures = setting.outcomes[1:]
    brought = np.zeros(len(exposures), dtype=np.bool_)
    for cohort in found.cohorts:
        treated = cohort.treated.any(axis=(1, 2))
        later = (setting.years >= cohort.cohort) & (setting.years <= cohort.cohort + found.times[-1])
        change = exposures[:, treated][:, :, later] - exposures[:, treated][:, :, setting.years == cohort.cohort + BASE]
        brought |= (np.abs(change) > 0.0).any(axis=(1, 2))
    return brought
