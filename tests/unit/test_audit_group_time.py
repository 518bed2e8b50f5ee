"""Small, weighted, clustered panels with gaps: group-time effects and every average against firm-by-firm influences.

The oracle follows R did 2.5: firms seen in every year, comparison by the year and the base, influence functions per firm, and
cohort shares estimated: their own influences enter the averages.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

import sme_eval as sme

EXACT = 1e-10
"""Means and sums of a few dozen numbers by two routes."""

Cell = tuple[int, int]


def panel(seed: int, years: Sequence[int], missing: float = 0.03, firms: int = 34) -> pd.DataFrame:
    """Cohorts of one to five firms, one cohort after the last year, districts of about five firms."""
    rng = np.random.default_rng(seed)
    firm, place = np.divmod(np.arange(firms * len(years)), len(years))
    g = rng.permutation([2017] * 1 + [2018] * 4 + [2019] * 5 + [2030] * 3 + [0] * (firms - 13))[firm]
    data = pd.DataFrame({"id": firm, "year": np.array(years)[place], "g": g, "d": firm % 7})
    data["w"] = rng.uniform(0.3, 3.0, firms)[firm]
    data["y"] = 5.0 * rng.normal(size=firms)[firm] + rng.normal(size=len(firm)) + 0.3 * place
    return data[(rng.random(len(data)) >= missing) | (data.g == 2017)].reset_index(drop=True)


class ByFirm:
    """ATT(g, t) with the influence of every firm, and averages of them."""

    def __init__(self, data: pd.DataFrame, later: bool, universal: bool, anticipation: int, weight: bool) -> None:
        self.wide = data.pivot(index="id", columns="year", values="y").dropna()
        firm = data.groupby("id")[["g", "w", "d"]].first().loc[self.wide.index]
        self.years = list(self.wide.columns)
        self.g = firm.g.where((firm.g > 0) & (firm.g <= max(self.years)), 9999).to_numpy()
        self.d, self.w = firm.d.to_numpy(), firm.w.to_numpy() if weight else np.ones(len(firm))
        self.att: dict[Cell, float] = {}
        self.influence: dict[Cell, np.ndarray] = {}
        for g in sorted(set(self.g) - {9999}):
            before = [t for t in self.years if t + anticipation < g]
            for n, t in enumerate(self.years):
                if n == 0 and not universal:
                    continue
                base = before[-1] if universal or t >= g - anticipation else self.years[n - 1]
                compared = (self.g > max(t, base) + anticipation) & (self.g != g) if later else self.g == 9999
                self.one(g, t, base, compared)

    def one(self, g: int, t: int, base: int, compared: np.ndarray) -> None:
        change = (self.wide[t] - self.wide[base]).to_numpy()
        self.att[g, t], self.influence[g, t] = 0.0, np.zeros(len(change))
        for members, sign in ((self.g == g, 1.0), (compared, -1.0)):
            mean = np.average(change[members], weights=self.w[members])
            self.att[g, t] += sign * mean
            self.influence[g, t][members] += sign * (self.w * (change - mean))[members] / self.w[members].sum()

    def share(self, g: int) -> tuple[float, np.ndarray]:
        """Share of a cohort and the influence of every firm on it."""
        share = self.w[self.g == g].sum() / self.w.sum()
        return share, self.w * ((self.g == g) - share) / self.w.sum()

    def by_share(self, parts: list[tuple[int, float, np.ndarray]]) -> tuple[float, np.ndarray]:
        """Average of (cohort, effect, influence) by estimated shares."""
        shares = [self.share(g) for g, _, _ in parts]
        total = sum(p for p, _ in shares)
        value = sum(p * effect for (p, _), (_, effect, _) in zip(shares, parts, strict=True)) / total
        terms = [p / total * own + (effect - value) / total * psi for (p, psi), (_, effect, own) in zip(shares, parts, strict=True)]
        return value, np.sum(terms, axis=0)

    def cells(self, chosen: Sequence[Cell]) -> list[tuple[int, float, np.ndarray]]:
        return [(g, self.att[g, t], self.influence[g, t]) for g, t in chosen]

    def average(self, kind: str) -> dict[object, tuple[float, np.ndarray]]:
        after = [(g, t) for g, t in self.att if t >= g]
        if kind == "simple":
            return {"overall": self.by_share(self.cells(after))}
        if kind == "group":
            found = {g: [c for c in after if c[0] == g] for g in sorted({g for g, _ in after})}
            plain = {
                g: (np.mean([self.att[c] for c in cs]), np.mean([self.influence[c] for c in cs], axis=0)) for g, cs in found.items()
            }
            return {**plain, "overall": self.by_share([(g, *pair) for g, pair in plain.items()])}
        key = (lambda c: c[1] - c[0]) if kind == "dynamic" else (lambda c: c[1])
        chosen = list(self.att) if kind == "dynamic" else after
        table = {k: self.by_share(self.cells([c for c in chosen if key(c) == k])) for k in sorted({key(c) for c in chosen})}
        late = [pair for k, pair in table.items() if kind == "calendar" or k >= 0]
        return {**table, "overall": (np.mean([v for v, _ in late]), np.mean([i for _, i in late], axis=0))}

    def error(self, influence: np.ndarray, clustered: bool) -> float:
        sums = pd.Series(influence).groupby(self.d).sum() if clustered else pd.Series(influence)
        return float(np.sqrt((sums**2).sum()))


KEYS = {"group": "cohort", "dynamic": "event_time", "calendar": "year"}


@pytest.mark.parametrize("options", [{}, {"weight": "w"}, {"cluster": "d"}, {"weight": "w", "cluster": "d"}], ids=str)
@pytest.mark.parametrize("years", [tuple(range(2015, 2022)), (2014, 2016, 2017, 2018, 2019, 2021)], ids=["yearly", "gaps"])
@pytest.mark.parametrize(("later", "universal"), [(False, False), (True, False), (True, True)])
def test_effects_and_averages(later: bool, universal: bool, years: tuple[int, ...], options: dict[str, str]) -> None:
    data = panel(len(years), years)
    expected = ByFirm(data, later, universal, 0, "weight" in options)
    names: dict[str, str] = {"firm": "id", "year": "year", "outcome": "y", "cohort": "g"}
    fit = sme.CallawaySantAnna(
        comparison="not_yet_treated" if later else "never_treated", base_period="universal" if universal else "varying"
    ).fit(sme.Sample.from_frame(data, **names, **options))
    table = fit.to_frame().set_index(["cohort", "year"])
    assert sorted(table.index) == sorted(expected.att)
    for cell, effect in expected.att.items():
        error = expected.error(expected.influence[cell], "cluster" in options)
        assert table.loc[cell, "estimate"] == pytest.approx(effect, rel=EXACT, abs=1e-12)
        assert np.nan_to_num(table.loc[cell, "std_error"]) == pytest.approx(error, rel=EXACT, abs=1e-12)
    for kind in ("simple", "group", "dynamic", "calendar"):
        found = fit.aggregate(kind)
        rows = found.overall.to_frame() if found.effects is None else found.effects.to_frame().set_index(KEYS[kind])
        for key, (effect, influence) in expected.average(kind).items():
            own = found.overall.to_frame().iloc[0] if key == "overall" else rows.loc[key]
            error = expected.error(influence, "cluster" in options)
            assert own["estimate"] == pytest.approx(effect, rel=EXACT, abs=1e-12)
            assert np.nan_to_num(own["std_error"]) == pytest.approx(error, rel=EXACT, abs=1e-12)
    assert fit.effects.basis.n_firms == len(expected.g)


@pytest.mark.parametrize("later", [False, True])
def test_anticipation(later: bool) -> None:
    """Effects that may start two years early share the last year before that as their base (did 2.5.1: the year before instead)."""
    data = panel(4, tuple(range(2013, 2022))).query("g < 2030").reset_index(drop=True)
    expected = ByFirm(data, later, False, 2, True)
    choices = sme.CallawaySantAnna(comparison="not_yet_treated" if later else "never_treated", anticipation=2)
    sample = sme.Sample.from_frame(data, firm="id", year="year", outcome="y", cohort="g", weight="w")
    table = choices.fit(sample).to_frame().set_index(["cohort", "year"])
    for cell, effect in expected.att.items():
        assert table.loc[cell, "estimate"] == pytest.approx(effect, rel=EXACT, abs=1e-12)
        assert table.loc[cell, "std_error"] == pytest.approx(expected.error(expected.influence[cell], False), rel=EXACT)
