"""Every refusal of a sample, and what it keeps."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pandas as pd
import pytest

import sme_eval as sme
from sme_eval.panel import codes
from sme_eval.terms import NEVER


def panel(**changes: object) -> pd.DataFrame:
    """Three firms, 2019–2021: one treated in 2020, one in 2021, one never."""
    frame = pd.DataFrame(
        {
            "id": np.repeat([10, 20, 30], 3),
            "year": np.tile([2019, 2020, 2021], 3),
            "y": [1.0, 2.0, 3.0, 2.0, 2.5, 4.0, 0.0, 0.5, 0.6],
            "g": np.repeat([2020, 2021, 0], 3),
            "w": np.repeat([1.0, 2.0, 3.0], 3),
            "d": np.repeat(["a", "a", "b"], 3),
            "x": np.repeat([0.1, 0.2, 0.3], 3),
        }
    )
    return frame.assign(**changes)


def make(frame: pd.DataFrame, **options: object) -> sme.Sample:
    return sme.Sample.from_frame(frame, **{"firm": "id", "year": "year", "outcome": "y", "cohort": "g", **options})


def test_a_clean_panel_is_kept_whole() -> None:
    sample = make(panel(), weight="w", cluster="d", columns=("d",))
    assert sample.n_firms == 3
    assert list(sample.years) == [2019, 2020, 2021]
    assert list(sample.cohort) == [2020, 2021, NEVER]
    assert list(sample.label("d")) == ["a", "a", "b"]
    assert sample.flow.to_frame()["rows"].tolist() == [9, 9]


def test_the_sample_cannot_be_changed_and_does_not_see_later_changes() -> None:
    frame = panel()
    sample = make(frame, columns=("x",))
    frame["y"] = 99.0
    frame.loc[0, "x"] = 99.0
    assert sample.outcome.max() == 4.0
    assert sample.column("x").max() == pytest.approx(0.3)
    with pytest.raises(ValueError, match="read-only"):
        sample.outcome[0, 0] = 1.0


REFUSALS = {
    "missing column": (lambda f: f.drop(columns="g"), {}, "no column 'g'"),
    "empty": (lambda f: f.iloc[:0], {}, "no rows"),
    "duplicate": (lambda f: pd.concat([f, f.iloc[[4]]]), {}, "1 row repeats a firm and year.*\n.*id and year\n.*row 9"),
    "text in a number": (lambda f: f.assign(y=["12,5", *f.y[1:].astype(str)]), {}, "9 values are text where numbers"),
    "infinite": (lambda f: f.assign(y=f.y.where(f.y > 0, -np.inf)), {}, "1 value is infinite"),
    "no firm": (lambda f: f.assign(id=[None, *f.id[1:]]), {}, "1 row has no firm"),
    "year text": (lambda f: f.assign(year=f.year.astype(str) + "年"), {}, "9 values are text where numbers"),
    "year not whole": (lambda f: f.assign(year=f.year + 0.5), {}, "no whole year"),
    "cohort varies": (lambda f: f.assign(g=[2020, 2021, 2020, *f.g[3:]]), {}, "g changes within 1 firm"),
    "cohort missing": (lambda f: f.assign(g=f.g.replace(0, np.nan)), {}, "never_treated=None"),
    "cohort not whole": (lambda f: f.assign(g=f.g.replace(2021, 2020.5)), {}, "3 cohorts are no whole years"),
    "year is a date": (lambda f: f.assign(year=pd.to_datetime(f.year.astype(str))), {}, "holds datetime64"),
    "outcome complex": (lambda f: f.assign(y=f.y.astype(complex)), {}, "holds complex128"),
    "cohort text": (lambda f: f.assign(g=f.g.astype(str).replace("0", "none")), {}, "9 values are text where numbers"),
    "treated in the first year": (lambda f: f.assign(g=f.g.replace(2020, 2019)), {}, "1 firm is treated in the first year"),
    "weight varies": (lambda f: f.assign(w=np.arange(9) + 1.0), {"weight": "w"}, "w changes within 3 firms"),
    "weight not positive": (lambda f: f.assign(w=f.w - 1.0), {"weight": "w"}, "3 weights are not positive"),
    "weight missing": (lambda f: f.assign(w=f.w.replace(2.0, np.nan)), {"weight": "w"}, "3 values are missing"),
    "cluster varies": (lambda f: f.assign(d=list("aabbbbccc")), {"cluster": "d"}, "d changes within 1 firm"),
    "cluster missing": (lambda f: f.assign(d=f.d.replace("b", None)), {"cluster": "d"}, "3 clusters are missing"),
    "covariate varies": (lambda f: f.assign(x=np.arange(9) / 10), {"covariates": ("x",)}, "x changes within 3 firms"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSALS)
def test_refusals(case: str) -> None:
    change, options, message = REFUSALS[case]
    with pytest.raises(sme.DataError, match=message) as caught:
        make(change(panel()), **options)
    assert caught.value.exit_code == 10
    assert "remedy" in str(caught.value)


def test_all_problems_at_once() -> None:
    frame = pd.concat([panel(), panel().iloc[[4]]], ignore_index=True)
    frame["y"] = frame["y"].astype(object)
    frame.loc[2, "y"] = "a lot"
    frame.loc[0, "g"] = 2021
    with pytest.raises(sme.DataError) as caught:
        make(frame)
    text = str(caught.value)
    assert len(caught.value.problems) == 3
    for part in ("3 problems.", "text where numbers", "g changes within", "repeats a firm and year"):
        assert part in text


def test_messages_name_rows_and_no_values() -> None:
    secret = panel(id=np.repeat(["SECRET-1", "SECRET-2", "SECRET-3"], 3))
    with pytest.raises(sme.DataError) as caught:
        make(pd.concat([secret, secret.iloc[[0]]]))
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"treatment": "w"}, "Both a cohort and a treatment"),
        ({"lapses": "keep"}, "lapses='keep' is not a choice"),
        ({"always_treated": "no"}, "always_treated='no' is not a choice"),
    ],
)
def test_contradictions_are_design_errors(options: dict[str, object], message: str) -> None:
    with pytest.raises(sme.DesignError, match=message):
        make(panel(), **options)


def test_a_name_that_was_not_kept_lists_what_is() -> None:
    with pytest.raises(sme.DesignError, match=r"kept columns: g, id, year"):
        make(panel()).column("dist")


def test_codes_for_never() -> None:
    infinite = make(panel(g=np.repeat([2020, 2021, np.inf], 3)))
    missing = make(panel(g=np.repeat([2020, 2021, np.nan], 3)), never_treated=None)
    other = make(panel(g=np.repeat([2020, 2021, 9999], 3)), never_treated=9999)
    for sample in (infinite, missing, other):
        assert list(sample.cohort) == [2020, 2021, NEVER]


def test_treatment_column_and_lapses() -> None:
    lasting = panel(t=[0, 1, 1, 0, 0, 1, 0, 0, 0])
    assert list(make(lasting, cohort=None, treatment="t").cohort) == [2020, 2021, NEVER]
    lapsing = panel(t=[0, 1, 0, 0, 0, 1, 0, 0, 0])
    with pytest.raises(sme.DataError, match="Treatment ends in 1 firm"):
        make(lapsing, cohort=None, treatment="t")
    assert list(make(lapsing, cohort=None, treatment="t", lapses="first").cohort) == [2020, 2021, NEVER]
    with pytest.raises(sme.DataError, match="neither 0 nor 1"):
        make(panel(t=2), cohort=None, treatment="t")


def test_every_dropped_row_is_counted() -> None:
    frame = panel(g=np.repeat([2019, 2021, 0], 3), y=[1.0, 2.0, 3.0, np.nan, 2.5, 4.0, 0.0, 0.5, 0.6])
    flow = make(frame, always_treated="drop").flow.to_frame().set_index("rule")
    assert flow.loc["without_outcome", ["firms", "dropped_rows"]].tolist() == [3, 1]
    assert flow.loc["always_treated", ["firms", "dropped_firms", "dropped_rows"]].tolist() == [2, 1, 3]


def test_nothing_left() -> None:
    with pytest.raises(sme.DataError, match="No row is left"):
        make(panel(y=np.nan))


def test_years_and_firms_without_any_outcome_disappear() -> None:
    frame = panel(y=[np.nan, 2.0, 3.0, np.nan, 2.5, 4.0, np.nan, np.nan, np.nan], g=np.repeat([2021, 2021, 0], 3))
    sample = make(frame)
    assert sample.outcome.tolist() == [[2.0, 3.0], [2.5, 4.0]]
    assert list(sample.years) == [2020, 2021]
    assert sample.outcome.ravel()[sample.position].tolist() == [2.0, 3.0, 2.5, 4.0]


def test_blocks_of_rows_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Identity: rows read two at a time give the sample and the refusals of rows read at once."""
    frame = panel(y=[1.0, np.nan, 3.0, 2.0, 2.5, 4.0, 0.0, 0.5, 0.6]).sample(frac=1.0, random_state=0)
    options: dict[str, object] = {"weight": "w", "cluster": "d", "covariates": ("x",), "columns": ("d",)}
    varying = panel(g=[2020, 2021, 2020, 2021, 2021, 0, 0, 0, 0])
    at_once = make(frame, **options)
    with pytest.raises(sme.DataError) as message:
        make(varying)
    monkeypatch.setattr(codes, "ROWS_AT_A_TIME", 2)
    sample = make(frame, **options)
    for name in ("years", "outcome", "cohort", "weight", "cluster", "baseline", "position", "firm_codes", "year_codes"):
        np.testing.assert_array_equal(getattr(sample, name), getattr(at_once, name))
    assert sample.flow == at_once.flow
    with pytest.raises(sme.DataError) as again:
        make(varying)
    assert str(again.value) == str(message.value)
    assert "g changes within 2 firms" in str(message.value)
    assert "row 0, row 1, row 2" in str(message.value)


def test_a_missing_outcome_does_not_hide_a_repeated_row() -> None:
    frame = pd.concat([panel(), panel().iloc[[4]].assign(y=np.nan)], ignore_index=True)
    with pytest.raises(sme.DataError, match="1 row repeats a firm and year"):
        make(frame)


def test_two_codes_for_never_are_one_cohort() -> None:
    """Constant within the firm as a cohort, though the numbers differ from row to row."""
    assert list(make(panel(g=[2020, 2020, 2020, 2021, 2021, 2021, 0, np.inf, 0])).cohort) == [2020, 2021, NEVER]


def test_too_many_years_and_repeated_rows_are_told_together() -> None:
    frame = pd.DataFrame({"id": 1, "year": [*range(1950, 2020), 1950], "y": 1.0, "g": 0})
    with pytest.raises(sme.DataError) as caught:
        make(frame)
    for part in ("70 distinct years", "1 row repeats", "row 70"):
        assert part in str(caught.value)


def test_a_nullable_year_that_is_missing_is_told() -> None:
    with pytest.raises(sme.DataError, match="1 value is missing"):
        make(panel(year=pd.array([None, 2020, 2021, 2019, 2020, 2021, 2019, 2020, 2021], dtype="Int64")))


def test_rows_that_are_left_out_leave_every_column() -> None:
    sample = make(panel(y=[1.0, np.nan, 3.0, 2.0, 2.5, 4.0, 0.0, 0.5, 0.6]), columns=("x",))
    assert list(sample.column("x")) == list(sample.frame["x"]) == [0.1, 0.1, 0.2, 0.2, 0.2, 0.3, 0.3, 0.3]


def test_baseline_values_are_kept_per_firm() -> None:
    frame = panel(x=np.repeat([0.1, np.nan, 0.3], 3), z=np.repeat([1, 2, 3], 3)).sample(frac=1.0, random_state=1)
    sample = make(frame, covariates=("x", "z"))
    assert sample.baseline.tolist() == [[0.1, 0.3], [1.0, 3.0]]
    assert make(panel()).baseline.shape == (0, 3)


def test_memory_stays_below_the_frame() -> None:
    """Traced peak of validation and moments on a shuffled frame of 400,000 rows."""
    n_firms = 40_000
    frame = pd.DataFrame({"id": np.repeat(np.arange(n_firms), 10), "year": np.tile(np.arange(2010, 2020), n_firms)})
    frame["y"] = np.random.default_rng(0).standard_normal(len(frame))
    frame["g"] = np.repeat(np.where(np.arange(n_firms) % 3 == 0, 2015, 0), 10)
    frame = frame.sample(frac=1.0, random_state=2, ignore_index=True)
    size = int(frame.memory_usage(index=False).sum())
    sme.Moments.from_sample(make(panel()))  # imports what is imported late
    tracemalloc.start()
    sme.Moments.from_sample(make(frame))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < size
