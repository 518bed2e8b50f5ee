"""What is compared: tasks, who takes part, at which sizes, what the project requires of itself, and where conventions differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from benchmarks.frames import Order

SIZES: Final = (10_000, 100_000, 1_000_000)
LARGE, MIDDLE, SMALL = 1_000_000, 100_000, 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A package that takes part, up to a size.

    `once` is for those that take minutes, or more memory than there is, at any size.
    """

    name: str
    fastest: bool = False
    largest: int = LARGE
    once: bool = False

    def repeats(self, size: int, wanted: int, required: bool) -> int:
        """How often it is run: in full where a ratio is required, the fastest known; slow ones once on large frames."""
        if self.fastest and required:
            return wanted
        return 1 if self.once or not (self.fastest or size < MIDDLE) else min(wanted, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A required ratio: the fastest peer's wall time over ours, at a size, by order of the frame."""

    size: int
    least: Mapping[Order, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One estimation problem on the columns that it needs."""

    title: str
    columns: tuple[str, ...]
    peers: tuple[Peer, ...]
    sizes: tuple[int, ...] = SIZES
    orders: tuple[Order, ...] = ("shuffled", "sorted")
    required: Ratio | None = None
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Package → why its numbers differ from ours."""


def both(least: float) -> dict[Order, float]:
    """The same requirement for both orders."""
    return {"shuffled": least, "sorted": least}


KEYS: Final = ("id", "year", "g", "y")
REGRESSION: Final = (*KEYS, "treat")
COVARIATES: Final = ("x1", "x2", "x3")
HAJEK: Final = (
    "divides the reweighted comparison by the number treated and clips propensities at 0.01 and 0.99 (Horvitz–Thompson); ours and "
    "R normalise the weights (Hájek)"
)
DRAWN: Final = "errors from the draws of a multiplier bootstrap, so they differ by Monte Carlo error"
ITERATED: Final = "fixed effects taken out by iteration, to the package's default tolerance"
FIRM_EFFECTS_COUNTED: Final = (
    "counts the firm effects, which are nested in the clusters, as parameters: errors √(10/9) − 1 = 5.4 % larger"
)

TASKS: Final[Mapping[str, Task]] = {
    "cs": Task(
        title="Callaway–Sant'Anna without covariates: every ATT(g, t) with analytical errors, by event time and overall",
        columns=KEYS,
        peers=(Peer(name="diff-diff", fastest=True), Peer(name="csdid"), Peer(name="moderndid"), Peer(name="R did")),
        required=Ratio(size=LARGE, least={"shuffled": 15.0, "sorted": 6.0}),
    ),
    "dr": Task(
        title="Doubly robust Callaway–Sant'Anna with 3 covariates, analytical errors, by event time and overall",
        columns=(*KEYS, *COVARIATES),
        peers=(Peer(name="diff-diff", fastest=True), Peer(name="csdid"), Peer(name="moderndid"), Peer(name="R did")),
        required=Ratio(size=LARGE, least=both(10.0)),
        reasons={"diff-diff": HAJEK},
    ),
    "bands": Task(
        title="The same with simultaneous bands from 999 draws",
        columns=(*KEYS, *COVARIATES),
        peers=(Peer(name="diff-diff", fastest=True), Peer(name="csdid"), Peer(name="moderndid"), Peer(name="R did")),
        sizes=(SMALL, MIDDLE),
        required=Ratio(size=MIDDLE, least=both(20.0)),
        reasons={"diff-diff": f"{HAJEK}; {DRAWN}", "csdid": DRAWN, "moderndid": DRAWN, "R did": DRAWN},
    ),
    "imputation": Task(
        title="Imputation: overall and by event time (ours also gives the leads)",
        columns=KEYS,
        peers=(Peer(name="diff-diff", fastest=True),),
        required=Ratio(size=LARGE, least=both(5.0)),
    ),
    "twfe": Task(
        title="Two-way fixed effects: one coefficient, clustered by firm",
        columns=REGRESSION,
        peers=(Peer(name="pyfixest", fastest=True), Peer(name="linearmodels"), Peer(name="R fixest")),
        required=Ratio(size=LARGE, least=both(3.0)),
        reasons={"pyfixest": ITERATED, "linearmodels": FIRM_EFFECTS_COUNTED, "R fixest": ITERATED},
    ),
    "event": Task(
        title="Event-study regression: leads and lags, clustered by firm",
        columns=(*KEYS, "event"),
        peers=(Peer(name="pyfixest", fastest=True), Peer(name="R fixest")),
        required=Ratio(size=LARGE, least=both(3.0)),
        reasons={"pyfixest": ITERATED, "R fixest": ITERATED},
    ),
    "sunab": Task(
        title="Sun–Abraham: averages by event time",
        columns=KEYS,
        peers=(Peer(name="pyfixest", fastest=True, largest=SMALL), Peer(name="diff-diff", largest=MIDDLE)),
        sizes=(SMALL, MIDDLE),
        orders=("shuffled",),
    ),
    "twostage": Task(
        title="Two-stage: overall and by event time",
        columns=REGRESSION,
        peers=(Peer(name="diff-diff", once=True), Peer(name="pyfixest", once=True)),
        sizes=(SMALL,),
        orders=("shuffled",),
    ),
    "panel": Task(
        title="Panel regression of any regressor beside firm and year effects (ours through linearmodels' AbsorbingLS)",
        columns=("id", "year", "y", "treat"),
        peers=(Peer(name="linearmodels"), Peer(name="pyfixest", fastest=True)),
        sizes=(SMALL, MIDDLE),
        orders=("shuffled",),
        reasons={"linearmodels": FIRM_EFFECTS_COUNTED, "pyfixest": ITERATED},
    ),
    "linear": Task(
        title="All linear estimators of sme_eval together, once the moments exist",
        columns=(*KEYS, "elig"),
        peers=(),
        orders=("shuffled",),
    ),
}
BARE_LIMIT: Final = 2.0
"""Callaway–Sant'Anna takes at most this many times a bare pivot of the same frame in the same process, at the largest size."""
MEMORY_LIMIT: Final = 1.0
"""Peak memory above the loaded frame, in frames, at the largest size; of the tasks with a required ratio."""
LINEAR_LIMIT: Final = 0.1
"""Seconds for all linear estimators together on the moments of the balanced panel."""
