"""The top of the page: what kind of data, the question, and what may be claimed."""

from __future__ import annotations

from sme_eval.briefing.document import Callout, Heading, Items, Own, Paragraph, Phrase, Say
from sme_eval.briefing.pointers import pointer
from sme_eval.evaluation.record import Evaluation
from sme_eval.results.unavailable import Unavailable

from .common import Blocks
from .reading import caveat, natural_keys

FINDINGS = frozenset({"consistent", "no_effect_above"})
"""Claims that stand behind the size of the estimate."""


VARIANTS = {"trends_untestable": "untestable", "drift_not_excluded": "drift", "attainable_p_too_large": "attainable"}
"""What decided a claim → the variant of its sentence that says so."""


def title(evaluation: Evaluation) -> Phrase:
    """Policy and outcome."""
    return (Say("header.title"),)


def header(evaluation: Evaluation) -> Blocks:
    """The banner of simulated data, the kind of data and the audience, the question."""
    blocks: Blocks = [Paragraph((Say("header.status"),), role="label")]
    if evaluation.data_kind == "simulated":
        blocks.append(Callout(role="simulated", title=(Say("banner.title"),), blocks=(Paragraph((Say("banner.body"),)),)))
    blocks.append(Paragraph((Say("header.question"),), role="question"))
    return blocks


def claim(evaluation: Evaluation) -> Blocks:
    """The box with the claim, the number it rests on, who is compared with whom, and the caveats."""
    name = "claim.title_demonstration" if evaluation.claim.demonstration else "claim.title"
    facts = Items(claim_facts(evaluation))
    blocks: Blocks = [Paragraph(claim_sentence(evaluation, ""), role="claim"), facts]
    caveats = evaluation.claim.caveats
    if caveats:
        blocks.append(Paragraph((Say("claim_facts.caveats"),), role="label"))
        blocks.append(Items(tuple(caveat(evaluation, key) for key in caveats)))
    return [Callout(role="claim", title=(Say(name),), blocks=tuple(blocks))]


def claim_sentence(evaluation: Evaluation, root: str) -> Phrase:
    """The fixed words of the claim; for simulated data the comparison with the truth as well."""
    decided, scale = evaluation.claim, evaluation.outcome.scale
    mode = "demonstration" if decided.demonstration else "observed"
    stem = f"claim.{mode}.{decided.kind}"
    for reason, variant in VARIANTS.items():
        if reason in decided.deciding:
            return _with_truth(evaluation, Say(f"{stem}.{variant}", root=root, otherwise=(f"{stem}.any",)), root)
    hull = (f"{stem}.hull_{decided.direction}_{scale}",) if evaluation.bracket is not None else ()
    keys = (*hull, *(f"{stem}.{form}" for form in (f"{decided.direction}_{scale}", decided.direction, scale, "any")))
    say = Say(keys[0], root=root, otherwise=keys[1:])
    return _with_truth(evaluation, say, root)


def _with_truth(evaluation: Evaluation, say: Say, root: str) -> Phrase:
    if not evaluation.claim.demonstration:
        return (say,)
    return (say, Say("frame.space"), Say(f"demonstration.{_demonstration_case(evaluation)}", root=root))


def _demonstration_case(evaluation: Evaluation) -> str:
    headline = evaluation.headline
    if isinstance(headline.estimate, Unavailable):
        return "unavailable"
    if headline.truth is None:
        return "no_truth"
    log = headline.percent is not None and headline.truth_percent is not None
    if headline.estimand == "before_after":
        return "before_after_log" if log else "before_after_level"
    if log and evaluation.dose is not None:
        return "slope_log"
    if log and evaluation.bundle is not None:
        return "separated_log"
    return "log" if log else "level"


def claim_facts(evaluation: Evaluation) -> tuple[Phrase, ...]:
    """The estimate with its estimand in words, the comparison, the counts, the smallest effect of interest."""
    keys = [*(_bracket_key(evaluation) or (_estimate_key(evaluation),)), "estimand", "method", "compared", "counts"]
    keys[1:1] = natural_keys(evaluation, stands=_stands(evaluation))
    keys += ["attainable"] if _few_districts(evaluation) else []
    keys += ["smallest"] if evaluation.outcome.smallest_effect is not None and not evaluation.power else []
    return tuple((Say(f"claim_facts.{key}"),) for key in keys)


def _few_districts(evaluation: Evaluation) -> bool:
    """The doses cannot show anything, and it is known what would change that."""
    found = evaluation.dose
    return found is not None and found.attainable_p > found.alpha and not isinstance(found.needed_new, Unavailable)


def _stands(evaluation: Evaluation) -> bool:
    """Whether the claim stands behind a size, or shows one as a demonstration."""
    return evaluation.claim.kind in FINDINGS or evaluation.claim.demonstration


def _bracket_key(evaluation: Evaluation) -> tuple[str, ...]:
    """The range of both answers, where there are two and the claim stands behind a size."""
    if evaluation.bracket is None or not _stands(evaluation):
        return ()
    return ("bracket_level" if evaluation.bracket.hull_percent is None else "bracket_log",)


def _estimate_key(evaluation: Evaluation) -> str:
    if isinstance(evaluation.headline.estimate, Unavailable):
        return "unavailable"
    stands = "finding" if _stands(evaluation) else "other"
    return f"{stands}_{'level' if evaluation.headline.percent is None else 'log'}"


def background(evaluation: Evaluation) -> Blocks:
    """What the policy is and which data there are, in the policy file's own words."""
    paragraphs: Blocks = [Paragraph((Own(pointer("policy", "background", n)),)) for n in range(len(evaluation.policy.background))]
    return [Heading((Say("background.title"),), anchor="background"), *paragraphs] if paragraphs else []
