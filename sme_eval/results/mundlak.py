"""Coefficients of a correlated-random-effects regression, and what the firm means say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sme_eval.stats.inference import JointTest

from .regression import RegressionResult
from .unavailable import Unavailable

MEAN = "mean of "


@dataclass(frozen=True, kw_only=True, eq=False)
class MundlakResult(RegressionResult):
    """Within coefficients under the regressors' names, what between firms differs from them under "mean of …".

    `random_share` is the share of the error's variance that is the firm's own, by Swamy and Arora; unavailable after pooled least
    squares.
    """

    random_share: float | Unavailable

    def means_test(self) -> JointTest | Unavailable:
        """Joint test that no firm mean has a coefficient: that random effects without the means would do (Hausman's question)."""
        return self.effects.joint_test(np.array([term.startswith(MEAN) for term in self.effects.term]))

    def summary(self) -> str:
        """The coefficients, then the test of the means."""
        test = self.means_test()
        words = (
            str(test)
            if isinstance(test, Unavailable)
            else f"firm means: chi-squared {test.statistic:.5g} with {test.restrictions} degrees of freedom, p {test.p_value:.4g}"
        )
        return f"{RegressionResult.summary(self)}\n{words}"
