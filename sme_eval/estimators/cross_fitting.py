"""Cross-fitting: what a learner predicts for a firm never comes from a fit on that firm or on its cluster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol, runtime_checkable

import numpy as np

from sme_eval.errors import DesignError, Problem, raise_if_any
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray

RIDGES: Final = tuple(10.0**k for k in range(-2, 7))
"""Penalties among which leave-one-out error chooses; covariates are in standard deviations, so that n firms weigh like n."""


@runtime_checkable
class Regressor(Protocol):
    """What predicts a number, as scikit-learn's regressors do."""

    def fit(self, X: Any, y: Any) -> Any:
        """Learn from n firms."""

    def predict(self, X: Any) -> Any:
        """Predict n numbers."""


@runtime_checkable
class Classifier(Protocol):
    """What predicts a probability, as scikit-learn's classifiers do."""

    def fit(self, X: Any, y: Any) -> Any:
        """Learn from n firms."""

    def predict_proba(self, X: Any) -> Any:
        """Probabilities (n, 2) of the classes 0 and 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossFit:
    """Learners of the two first steps of a doubly robust estimate, and the folds they are fitted across.

    m̂(x), the comparison's mean change, and p̂(x), the propensity, are predicted for the firms of each fold by learners fitted on
    the other folds: `CallawaySantAnna(learner=CrossFit(...))`. A firm's own outcome thus never enters its own prediction, so that
    learners which fit closely do not bias the estimate.

    Folds: firms of each cohort are shuffled and dealt out in turn, so that every fold has its share of each; with a cluster above
    the firm whole clusters are dealt, as evenly by cohort as they allow. The shuffle starts from an order of firms by their
    covariates, outcomes and weights: folds, and so the estimates, do not depend on the order of rows nor on the firms' names.

    Parameters
    ----------
    outcome
        A scikit-learn regressor or pipeline. None: ridge regression on the covariates, their squares and products, the penalty
        chosen by leave-one-out error. It holds the linear regression as a case and needs no tuning.
    propensity
        A scikit-learn classifier with `predict_proba`. None: logit on the same terms with scikit-learn's penalty C = 1, which
        keeps small cohorts from separating and fades as firms are added.
    folds
        Parts of the sample, 2 or more.
    seed
        Of the shuffle, and of learners that draw and have no `random_state` of their own.

    Learners are cloned before each fit and see the covariates as the sample holds them, in its order of names: those that depend
    on units must bring their scaler. Weights reach them as `sample_weight`, with mean one.

    Raises
    ------
    DesignError
        Learners that do not fit, predict or clone; folds or seed that are no such numbers.

    Source: Chernozhukov, Chetverikov, Demirer, Duflo, Hansen, Newey and Robins (2018).

    Examples
    --------
    >>> from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor
    >>> import sme_eval as sme
    >>> trees = sme.CrossFit(outcome=GradientBoostingRegressor(), propensity=GradientBoostingClassifier(), folds=5, seed=1)
    >>> trees.description
    'outcome GradientBoostingRegressor, propensity GradientBoostingClassifier, 5 folds, seed 1'
    """

    outcome: Regressor | None = None
    propensity: Classifier | None = None
    folds: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        problems = _learner_problems("outcome", self.outcome, Regressor, "fit and predict")
        problems += _learner_problems("propensity", self.propensity, Classifier, "fit and predict_proba")
        if not _whole(self.folds) or self.folds < 2:
            problems.append(Problem(what=f"folds={self.folds!r} leaves no other fold to fit on.", remedy="a number such as 5"))
        if not _whole(self.seed) or self.seed < 0:
            problems.append(Problem(what=f"seed={self.seed!r} is not a seed.", remedy="0, 1, 2, …"))
        raise_if_any(DesignError, problems)

    @property
    def description(self) -> str:
        """Learners, folds and seed in words."""
        outcome = learner_name(self.outcome) if self.outcome is not None else "ridge regression with squares and products"
        propensity = learner_name(self.propensity) if self.propensity is not None else "penalised logit with squares and products"
        return f"outcome {outcome}, propensity {propensity}, {self.folds} folds, seed {self.seed}"

    def regressor(self) -> Any:
        """A fresh learner of changes."""
        return _seeded(self.outcome if self.outcome is not None else _ridge(), self.seed)

    def classifier(self) -> Any:
        """A fresh learner of propensities."""
        return _seeded(self.propensity if self.propensity is not None else _logit(), self.seed)


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _learner_problems(role: str, learner: object, kind: type, methods: str) -> list[Problem]:
    """Why a learner cannot be used: a class instead of an object, methods that it lacks, or no clone."""
    if learner is None:
        return []
    from sklearn.base import clone

    name = learner.__name__ if isinstance(learner, type) else learner_name(learner)
    if isinstance(learner, type) or not isinstance(learner, kind):
        remedy = f"give an object with {methods}, such as one of scikit-learn's"
        return [Problem(what=f"{name} cannot learn the {role}.", remedy=remedy)]
    try:
        clone(learner)
    except (TypeError, RuntimeError) as error:
        remedy = "every fold needs a fresh copy: give it get_params and set_params (sklearn.base.BaseEstimator)"
        return [Problem(what=f"{name}, the learner of the {role}, cannot be cloned.", where=str(error)[:120], remedy=remedy)]
    return []


def learner_name(learner: object) -> str:
    """Its class; of a pipeline those of its steps, of a search that of what is searched."""
    name, inner = type(learner).__name__, getattr(learner, "estimator", None)
    if hasattr(learner, "steps"):
        inside = ", ".join(learner_name(step) for _, step in learner.steps)
    else:
        inside = learner_name(inner) if hasattr(inner, "fit") else ""
    return f"{name}({inside})" if inside else name


def _terms() -> tuple[Any, ...]:
    """Standardised covariates, their squares and products, standardised again so that one penalty suits all."""
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    return StandardScaler(), PolynomialFeatures(degree=2, include_bias=False), StandardScaler()


def _ridge() -> Any:
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline

    return make_pipeline(*_terms(), RidgeCV(alphas=RIDGES))


def _logit() -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    return make_pipeline(*_terms(), LogisticRegression(C=1.0, solver="newton-cholesky", tol=1e-8))


def _seeded(learner: Any, seed: int) -> Any:
    """A clone whose draws, where it has no `random_state`, come from `seed`."""
    from sklearn.base import clone

    fresh = clone(learner)
    unset = [
        name for name, value in fresh.get_params(deep=True).items() if value is None and name.split("__")[-1] == "random_state"
    ]
    return fresh.set_params(**dict.fromkeys(unset, seed))


def weight_keyword(learner: Any) -> str | None:
    """Under which name `fit` takes weights, for a pipeline that of its last step; None if it takes none."""
    from sklearn.utils.validation import has_fit_parameter

    if hasattr(learner, "steps"):
        name, last = learner.steps[-1]
        inner = weight_keyword(last)
        return None if inner is None else f"{name}__{inner}"
    return "sample_weight" if has_fit_parameter(learner, "sample_weight") else None


def refuse_weights(choice: CrossFit) -> None:
    """Refuse learners that would ignore the weights of a weighted sample."""
    learners = (choice.regressor(), choice.classifier())
    remedy = "a learner whose fit takes sample_weight, or a sample without `weight`"
    raise_if_any(
        DesignError,
        [
            Problem(what=f"The sample has weights, which {learner_name(learner)} cannot take.", remedy=remedy)
            for learner in learners
            if weight_keyword(learner) is None
        ],
    )


def deal_folds(stratum: IntArray, cluster: IntArray | None, choice: CrossFit) -> IntArray:
    """Fold (N,) of firms in an order of their own, `stratum` (N,) ascending; whole clusters where `cluster` (N,) is given."""
    if cluster is not None:
        return _deal_clusters(stratum, cluster, choice)
    order = np.random.default_rng(choice.seed).permutation(len(stratum))
    order = order[np.argsort(stratum[order], kind="stable")]
    fold = np.empty(len(stratum), dtype=np.int64)
    fold[order] = np.arange(len(stratum)) % choice.folds  # goes on from one stratum to the next, so that sizes stay even
    return fold


def _deal_clusters(stratum: IntArray, cluster: IntArray, choice: CrossFit) -> IntArray:
    from sklearn.model_selection import StratifiedGroupKFold

    _, first, code = np.unique(cluster, return_index=True, return_inverse=True)
    if len(first) < choice.folds:
        what = f"{choice.folds} folds cannot be dealt from {len(first)} clusters."
        raise DesignError(Problem(what=what, remedy="fewer folds, or cluster lower: a cluster is never split"))
    appearance = np.argsort(np.argsort(first))[code]
    split = StratifiedGroupKFold(choice.folds, shuffle=True, random_state=choice.seed)
    fold = np.empty(len(stratum), dtype=np.int64)
    for k, (_, held_out) in enumerate(split.split(np.zeros((len(stratum), 1)), stratum, appearance)):
        fold[held_out] = k
    return fold


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LearnedFirms:
    """What learners see of N firms: covariates `x` (N, p), `weight` (N,) or None, `fold` (N,); `step` is called after each fit."""

    x: FloatArray
    weight: FloatArray | None
    fold: IntArray
    step: Callable[[], object]

    def predicted_change(self, choice: CrossFit, change: FloatArray, learned: BoolArray) -> FloatArray:
        """m̂ (N,): `change` (N,) as fitted on the firms that `learned` (N,) marks, of the other folds."""
        return self._across(choice, choice.regressor, change, (learned, np.ones_like(learned)), _predict)

    def predicted_propensity(self, choice: CrossFit, treated: BoolArray, counts: BoolArray) -> FloatArray:
        """p̂ (N,) among the firms that `counts` (N,) marks, fitted on those of the other folds; zero elsewhere."""
        return self._across(choice, choice.classifier, treated.astype(np.int64), (counts, counts), _predict_proba)

    def _across(
        self,
        choice: CrossFit,
        make: Callable[[], Any],
        target: Any,
        rows: tuple[BoolArray, BoolArray],
        predict: Callable[[Any, FloatArray], Any],
    ) -> FloatArray:
        """Fold by fold: fit on the first `rows` outside it, predict the second inside it."""
        learned, wanted = rows
        result = np.zeros(len(self.fold))
        for k in range(choice.folds):
            inside, outside = wanted & (self.fold == k), learned & (self.fold != k)
            if inside.any():
                result[inside] = self._fit_and_predict(make(), target, (outside, inside), predict)
            self.step()
        return result

    def _fit_and_predict(
        self, learner: Any, target: Any, rows: tuple[BoolArray, BoolArray], predict: Callable[[Any, FloatArray], Any]
    ) -> FloatArray:
        outside, inside = rows
        weights: dict[str, FloatArray] = {}
        if self.weight is not None:
            weights[str(weight_keyword(learner))] = self.weight[outside] / self.weight[outside].mean()
        try:
            found = np.asarray(predict(learner.fit(self.x[outside], target[outside], **weights), self.x[inside]), dtype=np.float64)
        except (ValueError, TypeError, ArithmeticError, np.linalg.LinAlgError) as error:
            what = f"{learner_name(learner)} could not be fitted on {int(outside.sum())} firms."
            remedy = "choose a learner or settings that such a group allows"
            raise DesignError(Problem(what=what, where=str(error).split("\n")[0][:160], remedy=remedy)) from error
        if found.shape != (int(inside.sum()),) or not np.isfinite(found).all():
            what = f"{learner_name(learner)} did not predict one finite number per firm."
            raise DesignError(Problem(what=what, remedy="check its settings"))
        return found


def _predict(fitted: Any, x: FloatArray) -> Any:
    return fitted.predict(x)


def _predict_proba(fitted: Any, x: FloatArray) -> Any:
    return np.asarray(fitted.predict_proba(x))[:, 1]
