"""Plans: what a small TOML file asks for, and every mistake in it told at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sme_eval as sme
from sme_eval.runs.parameters import values
from sme_eval.runs.plan_file import PlanFile, read_plan

Read = Callable[[str], PlanFile]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def from_text(text: str) -> PlanFile:
        (tmp_path / "plan.toml").write_text(text, encoding="utf-8")
        return read_plan(tmp_path / "plan.toml")

    return from_text


def refusal(read: Read, text: str) -> str:
    with pytest.raises(sme.ParameterError) as caught:
        read(text)
    return caught.value.report()


def test_a_grid_is_every_combination_less_the_excluded_and_the_included_after_it(read: Read) -> None:
    plan = read(
        """
        title = "quarter"
        [[reports]]
        notebook = "certification"
        [reports.set]
        firms = 3000
        [reports.grid]
        outcome = ["log_revenue", "log_employment"]
        seed = [1, 2, 3]
        [[reports.exclude]]
        outcome = "log_employment"
        seed = 2
        [[reports.include]]
        outcome = "log_revenue"
        seed = 9
        """
    )
    found = [(values(report.parameters)["outcome"], values(report.parameters)["seed"]) for report in plan.reports]
    both = ("log_revenue", "log_employment")
    expected = [(outcome, seed) for outcome in both for seed in (1, 2, 3) if (outcome, seed) != ("log_employment", 2)]
    assert found == [*expected, ("log_revenue", 9)]
    assert {values(report.parameters)["firms"] for report in plan.reports} == {3000}
    assert plan.reports[0].name == "certification-log_revenue-1"
    assert (plan.title, plan.pages) == ("quarter", 12), "six evaluations, a page in each language"


def test_outputs_are_the_plans_or_the_reports_own(read: Read) -> None:
    plan = read(
        """
        languages = ["zh"]
        formats = ["docx", "html"]
        [[reports]]
        notebook = "training_grants"
        name = "one"
        [[reports]]
        notebook = "training_grants"
        name = "two-{comparison}"
        languages = ["en", "zh"]
        forms = "bureau"
        """
    )
    one, two = plan.reports
    assert (one.languages, one.forms, one.formats) == (("zh",), ("full",), ("html", "docx"))
    assert (two.languages, two.forms, two.name) == (("zh", "en"), ("bureau",), "two-never_treated")


def test_every_mistake_is_told_at_once_with_the_nearest_name(read: Read) -> None:
    said = refusal(
        read,
        """
        langages = ["zh"]
        formats = ["pfd"]
        [[reports]]
        notebook = "certifcation"
        [[reports]]
        notebook = "credit"
        [reports.grid]
        sead = [1, 2]
        [[reports]]
        notebook = "rewards"
        [reports.grid]
        scenario = ["nul"]
        [[reports]]
        notebook = "bundle"
        name = "{town}"
        """,
    )
    for part in ("'langages'", "did you mean 'languages'", "'pfd'", "did you mean 'pdf'", "did you mean 'certification'"):
        assert part in said
    for part in ("'sead'", "did you mean 'seed'", "'nul'", "did you mean 'null'", "{town}", "report 3"):
        assert part in said


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "asks for no report"),
        ("[[reports]]\nnotebook='credit'\n[[reports]]\nnotebook='credit'", "2 reports are named 'credit'"),
        ("[[reports]]\nnotebook='credit'\n[reports.grid]\nseed=[1,1]", "asked for 2 times"),
        ("[[reports]]\nnotebook='credit'\n[reports.set]\nseed=1\n[reports.grid]\nseed=[1]", "both set and varied"),
        ("[[reports]]\nnotebook='credit'\n[reports.grid]\nseed=[]", "grid of seed is empty"),
        ("[[reports]]\nnotebook='credit'\n[reports.grid]\nseed=[1]\n[[reports.exclude]]\nseed=2", "takes nothing out: seed = 2"),
        ("[[reports]]\nnotebook='credit'\nname='../x'", "cannot name a folder"),
        ("[[reports]]\nnotebook='credit'\nlanguages=[]", "languages is empty"),
        ("[[reports]]\nnotebook='credit'\ngrid=3", "grid is no table"),
        ("[[reports]]\nnotebook='credit'\nexclude=3", "exclude is no list"),
        ("deadline=0\n[[reports]]\nnotebook='credit'", "deadline is 0"),
        ("[[reports]]\nnotebook='credit'\n[reports.grid]\nseed=[" + ",".join(map(str, range(6000))) + "]", "6,000 points"),
    ],
)
def test_what_a_plan_may_not_say(read: Read, text: str, why: str) -> None:
    assert why in refusal(read, text)


def test_a_file_that_is_none(tmp_path: Path, read: Read) -> None:
    with pytest.raises(sme.DataError, match="no plan to read"):
        read_plan(tmp_path / "nowhere.toml")
    with pytest.raises(sme.DataError, match="no TOML"):
        read("[[reports]\n")


@settings(max_examples=40, deadline=None)
@given(seeds=st.lists(st.integers(0, 10**6), min_size=1, max_size=6, unique=True), order=st.randoms())
def test_the_order_of_a_grid_changes_no_report(tmp_path_factory: pytest.TempPathFactory, seeds: list[int], order: object) -> None:
    path = tmp_path_factory.mktemp("plan") / "plan.toml"

    def found(given: list[int]) -> set[tuple[str, int]]:
        path.write_text(f"[[reports]]\nnotebook='credit'\nname='credit-{{seed}}'\n[reports.grid]\nseed={given}", encoding="utf-8")
        return {(report.name, int(values(report.parameters)["seed"])) for report in read_plan(path).reports}

    shuffled = list(seeds)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert found(seeds) == found(shuffled) == {(f"credit-{seed}", seed) for seed in seeds}
