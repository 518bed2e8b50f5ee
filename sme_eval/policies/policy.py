"""A policy as declared in `data/policies/<name>.toml`: treatment, comparison, outcomes, published results, words of its pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, cast, get_args

from sme_eval.errors import DesignError, Problem, raise_if_any, suggestion
from sme_eval.panel.declarations import Entry, Label, read_tables
from sme_eval.panel.frozen_mapping import FrozenMapping
from sme_eval.resources import resource_files
from sme_eval.results.text import Printable
from sme_eval.terms import Comparison, Covariance

Instrument = Literal["certification", "reward", "credit"]
Scale = Literal["log", "level"]
Role = Literal["outcome", "mechanism"]
Constant = str | int | float | bool

_KEYS: Final = (
    "name", "instrument", "label", "question", "data", "treatment", "outcomes", "design", "published", "published_counts",
    "numbers", "background", "reading", "limits", "sources",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class TreatmentRule:
    """The column of the first treated year, the code for never, what treatment is in words.

    `comparisons` are the comparison groups that the policy defends, in order of preference.
    """

    cohort: str
    never_treated: int
    label: Label
    comparisons: tuple[Comparison, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRule:
    """An outcome that the policy is judged by. `smallest_effect` of interest is in the outcome's own unit; a mechanism has none."""

    name: str
    scale: Scale
    role: Role
    smallest_effect: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimatorRule:
    """An estimator by name with its choices."""

    name: str
    choices: Mapping[str, Constant]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRule:
    """A published regression: `coefficients` maps a term to its printed estimate and standard error."""

    outcome: str
    formula: str
    covariance: Covariance
    decimals: int
    source: str
    coefficients: Mapping[str, tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageText:
    """A paragraph of the policy's pages. `about` "data" is said only of the policy's own source, not of another panel."""

    label: Label
    about: Literal["policy", "data"]


@dataclass(frozen=True, kw_only=True)
class Policy(Printable):
    """One declared policy; `load_policies()` reads them."""

    name: str
    instrument: Instrument
    label: Label
    question: Label
    source: str
    source_parameters: Mapping[str, Constant]
    treatment: TreatmentRule
    outcomes: Mapping[str, OutcomeRule]
    estimator: EstimatorRule
    alternatives: tuple[EstimatorRule, ...]
    published: tuple[PublishedRule, ...]
    published_counts: tuple[int, ...]
    numbers: Mapping[str, Constant]
    background: tuple[PageText, ...]
    reading: tuple[PageText, ...]
    limits: tuple[PageText, ...]
    sources: Mapping[str, str]
    data_sources: Mapping[str, str]

    def outcome(self, name: str) -> OutcomeRule:
        """The rule of one outcome; DesignError with a suggestion if the policy does not declare it."""
        if name not in self.outcomes:
            raise DesignError(
                Problem(
                    what=f"Policy {self.name} declares no outcome {name!r}.",
                    remedy=suggestion(name, tuple(self.outcomes)),
                )
            )
        return self.outcomes[name]

    @property
    def main_outcome(self) -> str:
        """The first declared outcome."""
        return next(iter(self.outcomes))

    def summary(self) -> str:
        """Name, question, outcomes and comparison groups."""
        outcomes = ", ".join(f"{rule.name} ({rule.role})" for rule in self.outcomes.values())
        return "\n".join(
            [
                f"{self.name} ({self.instrument}): {self.label.en} · {self.label.zh}",
                f"  question     {self.question.en}",
                f"  data         {self.source}",
                f"  outcomes     {outcomes}",
                f"  comparisons  {', '.join(self.treatment.comparisons)}",
                f"  estimator    {self.estimator.name}; beside it {', '.join(rule.name for rule in self.alternatives) or 'none'}",
            ]
        )


def load_policies(folder: str | Path | None = None) -> Mapping[str, Policy]:
    """Every declared policy by name: the project's `data/policies/*.toml` over the packaged ones, or those of `folder` only.

    Raises
    ------
    DesignError
        A file breaks its form: all problems of all files at once.
    """
    files = resource_files("policies", ".toml") if folder is None else {p.name: p for p in sorted(Path(folder).glob("*.toml"))}
    if not files:
        raise DesignError(Problem(what="No policy file was found.", where="data/policies/*.toml", remedy="check the folder"))
    problems: list[Problem] = []
    policies = [_policy(path, problems) for path in files.values()]
    raise_if_any(DesignError, problems)
    return FrozenMapping({policy.name: policy for policy in policies})


def find_policy(name: str, folder: str | Path | None = None) -> Policy:
    """One policy by name; DesignError with a suggestion if there is none."""
    policies = load_policies(folder)
    if name not in policies:
        raise DesignError(
            Problem(what=f"There is no policy {name!r}.", where="data/policies/", remedy=suggestion(name, tuple(policies)))
        )
    return policies[name]


def _policy(path: Path, problems: list[Problem]) -> Policy:
    top = Entry(read_tables(path), path.name, problems)
    top.only(_KEYS)
    data, design = _table(top, "data"), _table(top, "design")
    data.only(("source", "parameters", "sources"))
    design.only(("estimator", "alternatives"))
    name = top.text("name", required=True)
    if name and name != path.stem:
        problems.append(Problem(what=f"name is {name!r}.", where=path.name, remedy="name the file after the policy"))
    return Policy(
        name=name,
        instrument=cast(Instrument, top.choice("instrument", get_args(Instrument))),
        label=top.label("label"),
        question=top.label("question"),
        source=data.text("source", required=True),
        source_parameters=_constants(data, "parameters"),
        treatment=_treatment(_table(top, "treatment")),
        outcomes=FrozenMapping({entry.text("name"): _outcome(entry) for entry in _tables(top, "outcomes", required=True)}),
        estimator=_estimator(_table(design, "estimator")),
        alternatives=tuple(_estimator(entry) for entry in _tables(design, "alternatives")),
        published=tuple(_published(entry) for entry in _tables(top, "published")),
        published_counts=tuple(_integers(top, "published_counts")),
        numbers=_constants(top, "numbers"),
        background=tuple(_text(entry) for entry in _tables(top, "background")),
        reading=tuple(_text(entry) for entry in _tables(top, "reading")),
        limits=tuple(_text(entry) for entry in _tables(top, "limits", required=True)),
        sources=_citations(top),
        data_sources=_citations(data),
    )


def _table(entry: Entry, key: str) -> Entry:
    value = entry.values.get(key)
    if not isinstance(value, Mapping):
        entry.problems.append(Problem(what=f"[{key}] is missing.", where=entry.where, remedy=f"add the table [{key}]"))
        value = {}
    return Entry(value, f"{entry.where} [{key}]", entry.problems)


def _tables(entry: Entry, key: str, *, required: bool = False) -> list[Entry]:
    value = entry.values.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        entry.problems.append(Problem(what=f"{key} must be a list of tables.", where=entry.where, remedy=f"write [[{key}]]"))
        return []
    if required and not value:
        entry.problems.append(Problem(what=f"[[{key}]] is missing.", where=entry.where, remedy=f"add at least one [[{key}]]"))
    return [Entry(item, f"{entry.where} [[{key}]] {n}", entry.problems) for n, item in enumerate(value, start=1)]


def _constants(entry: Entry, key: str) -> FrozenMapping[str, Constant]:
    value = entry.values.get(key, {})
    if not isinstance(value, Mapping) or not all(isinstance(item, str | int | float | bool) for item in value.values()):
        entry.problems.append(Problem(what=f"{key} must be a table of texts and numbers.", where=entry.where))
        return FrozenMapping({})
    return FrozenMapping(dict(value))


def _citations(entry: Entry) -> FrozenMapping[str, str]:
    return FrozenMapping({key: str(value) for key, value in _constants(entry, "sources").items()})


def _integers(entry: Entry, key: str) -> list[int]:
    value = entry.values.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, int) and not isinstance(item, bool) for item in value):
        entry.problems.append(Problem(what=f"{key} must be a list of whole numbers.", where=entry.where))
        return []
    return list(value)


def _text(entry: Entry) -> PageText:
    entry.only(("zh", "en", "about"))
    about = entry.choice("about", ("policy", "data")) if "about" in entry.values else "policy"
    return PageText(label=entry.label(), about=cast(Literal["policy", "data"], about))


def _treatment(entry: Entry) -> TreatmentRule:
    entry.only(("cohort", "never_treated", "label", "comparisons"))
    comparisons = entry.texts("comparisons", required=True)
    for name in comparisons:
        if name not in get_args(Comparison):
            entry.problems.append(
                Problem(
                    what=f"comparison {name!r} is not known.",
                    where=entry.where,
                    remedy=suggestion(name, get_args(Comparison)),
                )
            )
    return TreatmentRule(
        cohort=entry.text("cohort", required=True),
        never_treated=int(entry.number("never_treated") or 0),
        label=entry.label("label"),
        comparisons=cast(tuple[Comparison, ...], comparisons),
    )


def _outcome(entry: Entry) -> OutcomeRule:
    entry.only(("name", "scale", "role", "smallest_effect"))
    role = cast(Role, entry.choice("role", get_args(Role)))
    smallest = entry.number("smallest_effect")
    if role == "outcome" and not (smallest and smallest > 0):
        entry.problems.append(
            Problem(
                what="smallest_effect is missing or not positive.",
                where=entry.where,
                remedy="fix the smallest effect of interest before estimation",
            )
        )
    return OutcomeRule(
        name=entry.text("name", required=True),
        scale=cast(Scale, entry.choice("scale", get_args(Scale))),
        role=role,
        smallest_effect=smallest,
    )


def _estimator(entry: Entry) -> EstimatorRule:
    choices = {key: value for key, value in entry.values.items() if key != "name"}
    odd = [key for key, value in choices.items() if not isinstance(value, str | int | float | bool)]
    if odd:
        entry.problems.append(Problem(what=f"{', '.join(odd)}: a text or a number is needed.", where=entry.where))
    return EstimatorRule(name=entry.text("name", required=True), choices=FrozenMapping(cast(dict[str, Constant], choices)))


def _published(entry: Entry) -> PublishedRule:
    entry.only(("outcome", "formula", "covariance", "decimals", "source", "coefficients"))
    coefficients = _table(entry, "coefficients").values
    pairs = {k: v for k, v in coefficients.items() if isinstance(v, list) and len(v) == 2}
    if len(pairs) < len(coefficients) or not pairs:
        entry.problems.append(
            Problem(what="coefficients must be pairs.", where=entry.where, remedy="term = [estimate, standard error]")
        )
    return PublishedRule(
        outcome=entry.text("outcome", required=True),
        formula=entry.text("formula", required=True),
        covariance=cast(Covariance, entry.choice("covariance", get_args(Covariance))),
        decimals=int(entry.number("decimals") or 0),
        source=entry.text("source", required=True),
        coefficients=FrozenMapping({k: (float(v[0]), float(v[1])) for k, v in pairs.items()}),
    )
