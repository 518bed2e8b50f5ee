"""What each district pays per newly certified firm: what its documents state, and what the simulation assumes."""

from __future__ import annotations

from typing import Final

import numpy as np

from sme_eval.panel.frozen_mapping import FrozenMapping
from sme_eval.simulate.firms import DISTRICTS, FloatArray
from sme_eval.simulate.scenario import Reward

STATED: Final = FrozenMapping({"haishu": 50.0, "jiangbei": 50.0, "yinzhou": 50.0, "hightech": 50.0, "hangzhou_bay": 100.0})
"""10,000 yuan per certified firm, as the published reply states them (facts). Fenghua matches an upper award whose size is
not stated; the other districts are not named."""

INVENTED: Final = FrozenMapping({"beilun": 30.0, "zhenhai": 40.0, "xiangshan": 10.0, "ninghai": 20.0, "yuyao": 60.0, "cixi": 50.0})
"""10,000 yuan in the districts that no source names: inventions of the simulation."""

MATCHING: Final = "fenghua"


def true_doses(reward: Reward) -> FloatArray:
    """(districts,) 10,000 yuan that the simulated districts pay, in the order of `DISTRICTS`."""
    known = {**STATED, **INVENTED, MATCHING: reward.matched_award}
    return np.array([known[district] for district in DISTRICTS])


def published_doses(reward: Reward) -> FloatArray:
    """(districts,) 10,000 yuan as the panel shows them; NaN where not stated, unless the scenario knows all doses."""
    if reward.doses_known:
        return true_doses(reward)
    return np.array([STATED.get(district, np.nan) for district in DISTRICTS])
