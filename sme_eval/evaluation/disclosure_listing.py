"""The gate for cheaper credit: effects on few firms, and ratios and bounds that would give such an effect back."""

from __future__ import annotations

from dataclasses import replace

from sme_eval.results.unavailable import Unavailable

from .disclosure_base import THRESHOLD, WITHHELD, Log, hide, hide_effect
from .record import Evaluation
from .record_base import EffectRecord, Number
from .record_sections import InstrumentRecord, ListingRecord, RatioRecord, StageRecord


def release_listing(evaluation: Evaluation, log: Log) -> Evaluation:
    """The evaluation with its listing part passed through the gate."""
    found = evaluation.listing
    if found is None:
        return evaluation
    stages = tuple(_stage(stage, f"/listing/stages/{n}", log) for n, stage in enumerate(found.stages))
    listing = replace(
        found,
        stages=stages,
        netted=hide_effect(found.netted, "/listing/netted", log),
        regressions=tuple(hide_effect(e, f"/listing/regressions/{n}", log) for n, e in enumerate(found.regressions)),
        main_share=_main_share(found, evaluation.headline, log),
    )
    if _gone(evaluation.headline.estimate) or any(_gone(stage.effect.estimate) for stage in stages):
        listing = _without_ratios(listing, log)
    return replace(evaluation, listing=listing)


def _gone(value: Number) -> bool:
    return isinstance(value, Unavailable) and value.reason == WITHHELD


def _stage(stage: StageRecord, path: str, log: Log) -> StageRecord:
    effect = hide_effect(stage.effect, f"{path}/effect", log)
    if not _gone(effect.estimate) or _gone(stage.f_statistic):
        return replace(stage, effect=effect)
    log.add(path, "complementary", 1)
    return StageRecord(effect=effect, f_statistic=Unavailable(WITHHELD))


def _main_share(found: ListingRecord, headline: EffectRecord, log: Log) -> Number:
    """A share of a known total is a count; so is what is left of it."""
    if isinstance(found.main_share, Unavailable) or not isinstance(headline.n_treated, int):
        return Unavailable(WITHHELD) if isinstance(headline.n_treated, Unavailable) else found.main_share
    outside = round((1.0 - found.main_share) * headline.n_treated)
    if 0 < outside < THRESHOLD or headline.n_treated - outside < THRESHOLD:
        log.add("/listing/main_share", "complementary", 1)
        return Unavailable(WITHHELD)
    return found.main_share


def _without_ratios(listing: ListingRecord, log: Log) -> ListingRecord:
    """A ratio beside one of its two effects gives the other back."""
    count = 0
    ratios: list[RatioRecord] = []
    for ratio in listing.ratios:
        hidden, n = hide(ratio, ("estimate", "anderson_rubin"))
        ratios.append(hidden)
        count += n
    instruments: list[InstrumentRecord] = []
    names = ("estimate", "std_error", "conf_low", "conf_high", "effective_f", "anderson_rubin", "overidentification_p")
    for record in listing.instruments:
        hidden_record, n = hide(record, names)
        instruments.append(hidden_record)
        count += n
    ends = [name for name in ("access_most", "price_most") if getattr(listing, name) is not None]
    released, n = hide(listing, ends)
    log.add("/listing", "complementary", count + n)
    return replace(released, ratios=tuple(ratios), instruments=tuple(instruments))
