"""Compares two evaluations of one question, without a language and without a number that would single out few firms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from sme_eval.evaluation.disclosure import THRESHOLD, WITHHELD
from sme_eval.evaluation.record import Evaluation, FlowRecord
from sme_eval.evaluation.record_base import Bilingual, Count, EffectRecord, Number, Scalar
from sme_eval.evaluation.record_checks import CheckRecord
from sme_eval.results.unavailable import Unavailable

from .difference_cause import Cause
from .difference_pairs import changed_numbers, pairs, same
from .difference_record import AspectChange, Change, CheckChange, EffectChange, Group, ReportDifference, SizeChange, Status

GONE: Final = Unavailable(WITHHELD)
CANNOT_TELL: Final = ("cannot_tell_trends", "cannot_tell_power", "cannot_tell_clusters")
STRENGTH: Final[Mapping[str, int]] = {"not_estimated": 0, **dict.fromkeys(CANNOT_TELL, 1), "suggestive": 2, "consistent": 3}
"""Claims that stand on one scale; description and a ruled-out size do not."""


def compare(
    old: Evaluation, new: Evaluation, *, threshold: float = 0.5, causes: Sequence[Cause] = (), stamped: bool = False
) -> ReportDifference:
    """What differs between two evaluations; `causes` are the components that changed, by `difference_cause.causes`."""
    effects, n_small = _effects(old, new, threshold)
    aspects = tuple(_aspects(old, new))
    sizes = (*_headline_sizes(old.headline, new.headline), *_flow_sizes(old.sample_flow, new.sample_flow))
    checks = tuple(_checks(old.checks, new.checks))
    gained = tuple(name for name in new.claim.caveats if name not in old.claim.caveats)
    lost = tuple(name for name in old.claim.caveats if name not in new.claim.caveats)
    n_numbers = changed_numbers(old, new)
    listed = any((effects, aspects, sizes, checks, gained, lost))
    return ReportDifference(
        slug=new.slug,
        old_slug=old.slug,
        policy=new.policy.label,
        outcome=new.outcome.label,
        data_kind=new.data_kind,
        audience=new.audience,
        status=_status(listed, bool(n_numbers), len(causes)),
        stamped=stamped,
        causes=tuple(causes),
        effects=tuple(effects),
        aspects=aspects,
        strength=_strength(old.claim.kind, new.claim.kind),
        caveats_gained=gained,
        caveats_lost=lost,
        sizes=sizes,
        checks=checks,
        n_small=n_small,
        n_numbers=n_numbers,
    )


def _status(listed: bool, any_number: bool, n_causes: int) -> Status:
    if n_causes == 0:
        return "unexplained" if listed or any_number else "same"
    if not listed:
        return "small" if any_number else "same_numbers"
    return "explained" if n_causes == 1 else "several"


def _strength(old: str, new: str) -> Literal["stronger", "weaker"] | None:
    if old not in STRENGTH or new not in STRENGTH or STRENGTH[old] == STRENGTH[new]:
        return None
    return "stronger" if STRENGTH[new] > STRENGTH[old] else "weaker"


# --- effects ---------------------------------------------------------------------------------------------------------


def _effects(old: Evaluation, new: Evaluation, threshold: float) -> tuple[list[EffectChange], int]:
    groups: tuple[tuple[Group, Iterable[EffectRecord], Iterable[EffectRecord]], ...] = (
        ("headline", (old.headline,), (new.headline,)),
        ("alternative", old.alternatives, new.alternatives),
        ("mechanism", old.mechanisms, new.mechanisms),
    )
    found, n_small = [], 0
    for group, before, after in groups:
        for a, b in pairs(before, after, KEYS[group]):
            change = effect_change(a, b, threshold)
            if change is not None:
                one = b if b is not None else a
                assert one is not None
                found.append(_effect(group, change, a, b, _label(new if b is not None else old, one.outcome)))
            elif a is not None and b is not None:
                n_small += _moved_at_all(a.estimate, b.estimate)
    return found, n_small


def _moved_at_all(a: Number, b: Number) -> bool:
    return not isinstance(a, Unavailable) and not isinstance(b, Unavailable) and not same(a, b)


def _alternative(effect: EffectRecord) -> tuple[Any, ...]:
    return (effect.key, effect.role, effect.estimator.name, effect.estimator.choices.get("comparison"))


KEYS: Final[Mapping[Group, Callable[[EffectRecord], tuple[Any, ...]]]] = {
    "headline": lambda _: (),
    "alternative": _alternative,
    "mechanism": lambda effect: (effect.key, effect.outcome),
}
"""By what an effect is found again: the main estimate is one, a mechanism is asked by whatever design the main one has."""


def effect_change(old: EffectRecord | None, new: EffectRecord | None, threshold: float) -> Change | None:
    """What happened to an effect, if anything that counts did."""
    if old is None or new is None:
        return "appeared" if old is None else "disappeared"
    a, b = old.estimate, new.estimate
    if isinstance(a, Unavailable) or isinstance(b, Unavailable):
        if isinstance(a, Unavailable) and isinstance(b, Unavailable):
            return None
        return "given" if isinstance(a, Unavailable) else "missing"
    if a * b < 0:
        return "sign"
    if _beyond(a, b, old.std_error, threshold):
        return "moved"
    ends = ((old.conf_low, new.conf_low), (old.conf_high, new.conf_high))
    return "interval" if any(_beyond(x, y, old.std_error, threshold) for x, y in ends) else None


def _beyond(a: Number, b: Number, error: Number, threshold: float) -> bool:
    if isinstance(a, Unavailable) or isinstance(b, Unavailable):
        return isinstance(a, Unavailable) != isinstance(b, Unavailable)
    if same(a, b):
        return False
    # Without a standard error there is no measure of what is much: every change counts.
    return isinstance(error, Unavailable) or error <= 0 or abs(b - a) > threshold * error


def _effect(group: Group, change: Change, old: EffectRecord | None, new: EffectRecord | None, outcome: Bilingual) -> EffectChange:
    one = new if new is not None else old
    assert one is not None
    few = old is not None and new is not None and alike(old, new)
    hidden = few or (old is not None and new is not None and told_once(old.estimate, new.estimate))
    comparison = one.estimator.choices.get("comparison")
    percent = tuple(None if e is None or e.percent is None else e.percent.estimate for e in (old, new))
    a, b = (None if e is None else e.estimate for e in (old, new))
    shift = None if old is None or new is None else _shift(old, new)
    numbers = (a, b, shift, *percent, _difference(*percent))
    old_, new_, shift_, percent_old, percent_new, points = (None if n is None else GONE for n in numbers) if hidden else numbers
    return EffectChange(
        group=group, change=change, estimator=one.estimator.name, comparison=comparison if isinstance(comparison, str) else None,
        role=one.role, outcome=outcome, alike=few, old=old_, new=new_, shift=shift_, percent_old=percent_old,
        percent_new=percent_new, points=points,
    )  # fmt: skip


def _shift(old: EffectRecord, new: EffectRecord) -> Number:
    a, b, error = old.estimate, new.estimate, old.std_error
    if isinstance(a, Unavailable) or isinstance(b, Unavailable):
        return a if isinstance(a, Unavailable) else b
    return Unavailable("not estimated") if isinstance(error, Unavailable) or error <= 0 else (b - a) / error


def _difference(old: Number | None, new: Number | None) -> Number | None:
    if isinstance(old, Unavailable | None) or isinstance(new, Unavailable | None):
        return None
    return new - old


def _label(evaluation: Evaluation, outcome: str) -> Bilingual:
    known = evaluation.mechanism_outcomes.get(outcome)
    return evaluation.outcome.label if known is None else known.label


# --- counts ----------------------------------------------------------------------------------------------------------


def few_apart(old: Count | None, new: Count | None) -> bool:
    """Whether two counts of firms differ by so few that their difference singles these out."""
    return isinstance(old, int) and isinstance(new, int) and 0 < abs(new - old) < THRESHOLD


def alike(old: EffectRecord, new: EffectRecord) -> bool:
    """Whether two effects are of populations that differ by few firms."""
    return few_apart(old.n_firms, new.n_firms) or few_apart(old.n_treated, new.n_treated)


def told_once(old: Number | Count | None, new: Number | Count | None) -> bool:
    """Whether one of two numbers was withheld and the other was not: then neither is printed."""
    withheld = [isinstance(one, Unavailable) and one.reason.startswith("withheld") for one in (old, new)]
    return withheld[0] != withheld[1]


def _headline_sizes(old: EffectRecord, new: EffectRecord) -> list[SizeChange]:
    names = ("n_firms", "n_treated", "n_observations", "n_clusters")
    return _sizes(names, None, *([getattr(one, name) for name in names] for one in (old, new)), hidden=alike(old, new))


def _flow_sizes(old: Sequence[FlowRecord], new: Sequence[FlowRecord]) -> list[SizeChange]:
    found = []
    for a, b in pairs(old, new, lambda step: (step.rule,)):
        firms = [None if step is None else step.firms for step in (a, b)]
        rows = [None if step is None else step.rows for step in (a, b)]
        one = a if a is not None else b
        assert one is not None
        before, after = zip(firms, rows, strict=True)
        found += _sizes(("firms", "rows"), one.rule, before, after, hidden=few_apart(*firms))
    return found


def _sizes(
    names: Sequence[str], rule: str | None, old: Sequence[Count | None], new: Sequence[Count | None], *, hidden: bool
) -> list[SizeChange]:
    """Counts that changed. Neither small ones nor those of samples that differ by few firms are printed."""
    changed = [(name, a, b) for name, a, b in zip(names, old, new, strict=True) if a != b]
    found = []
    for name, a, b in changed:
        gone = hidden or told_once(a, b)
        found.append(SizeChange(name=name, rule=rule, old=GONE if gone or _small(a) else a, new=GONE if gone or _small(b) else b))
    return found


def _small(count: Count | None) -> bool:
    return isinstance(count, int) and 0 < count < THRESHOLD


# --- words -----------------------------------------------------------------------------------------------------------


def _aspects(old: Evaluation, new: Evaluation) -> Iterator[AspectChange]:
    levels = [None if one.evidence_level is None else one.evidence_level.level for one in (old, new)]
    told: tuple[tuple[str, Scalar, Scalar], ...] = (
        ("kind", old.claim.kind, new.claim.kind),
        ("direction", old.claim.direction, new.claim.direction),
        ("evidence_level", levels[0], levels[1]),
        ("data_kind", old.data_kind, new.data_kind),
        ("audience", old.audience, new.audience),
    )
    yield from (AspectChange(name=name, old=a, new=b) for name, a, b in told if a != b)


def _checks(old: Sequence[CheckRecord], new: Sequence[CheckRecord]) -> Iterator[CheckChange]:
    for a, b in pairs(old, new, lambda check: (check.name,)):
        one = a if a is not None else b
        assert one is not None
        if _verdict(a) != _verdict(b):
            yield CheckChange(name=one.name, old=_verdict(a), new=_verdict(b))


def _verdict(check: CheckRecord | None) -> str:
    if check is None:
        return "absent"
    return {True: "passed", False: "failed", None: "informative"}[check.passed]
