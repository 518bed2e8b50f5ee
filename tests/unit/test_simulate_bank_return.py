"""Loans on the scale of the reply: within range, consistent with each other, and no comparison of firms moved by a constant."""

import numpy as np
import pandas as pd
import pytest

from sme_eval.simulate.ningbo import simulate_ningbo


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return simulate_ningbo(3, firms=2500)[0].frame


def test_everything_is_within_range(frame: pd.DataFrame) -> None:
    assert (frame["unsecured_loans"] >= 0).all() and (frame["unsecured_loans"] <= frame["loan_balance"]).all()
    assert (frame["loan_balance"] >= 0).all() and (frame["new_loans"] >= 0).all()
    assert (frame["loan_rate"].isna() == (frame["new_loans"] == 0)).all()
    assert frame["loan_rate"].min() > 0


def test_first_time_borrowers_have_no_loan_before(frame: pd.DataFrame) -> None:
    before = (frame["first_loan_year"] > 0) & (frame["year"] < frame["first_loan_year"])
    assert ((frame["loan_balance"] == 0) == before).all()
    first = frame[frame["year"] == frame["first_loan_year"]]
    np.testing.assert_array_equal(first["new_loans"], first["loan_balance"])  # nothing is repaid that was not lent
    assert (first["listed_year"].eq(0) | (first["listed_year"] > first["year"])).all() and (first["constrained"] == 1).all()


def test_new_loans_cover_the_growth_of_the_balance(frame: pd.DataFrame) -> None:
    rise = frame.groupby("firm")["loan_balance"].diff()
    assert (frame["new_loans"] >= rise.fillna(0.0) - 1e-6).all()


def test_constants_are_common_to_all_firms(frame: pd.DataFrame) -> None:
    """Balance over the credit column, rate less spread: one number per year. So logs differ by year effects only."""
    lent = frame[frame["loan_balance"] > 0]
    scale = np.log(lent["loan_balance"]) - lent["log_credit_balance"]
    reference = lent["loan_rate"] - lent["spread"]
    for values in (scale, reference):
        assert values.groupby(lent["year"]).std().max() < 1e-9
    steps = scale.groupby(lent["year"]).mean().diff().drop([2015, 2022])
    np.testing.assert_allclose(steps, 0.08, atol=1e-9)
    np.testing.assert_allclose(reference.groupby(lent["year"]).mean().diff().dropna(), -0.15, atol=1e-9)
    inside = lent[(lent["unsecured_loans"] > 0) & (lent["unsecured_loans"] < lent["loan_balance"])]
    shift = 100 * inside["unsecured_loans"] / inside["loan_balance"] - inside["unsecured_share"]
    assert shift.std() < 1e-9
