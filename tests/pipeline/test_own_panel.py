"""A user's own file from the command line: the short way to a page, and every way to get the file wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import sme_eval as sme
from sme_eval.cli import main

DataChange = Callable[[pd.DataFrame], pd.DataFrame]


def grants() -> pd.DataFrame:
    return sme.open_source("jobtraining").frame


def evaluate(frame: pd.DataFrame, *settings: str) -> int:
    """`sme-eval evaluate` on a csv file in the working folder."""
    frame.to_csv("mine.csv", index=False, encoding="utf-8-sig")
    words = ["evaluate", "training_grants", "--set", "panel=mine.csv", "--set", "data_kind=observed"]
    return main([*words, *(word for setting in settings for word in ("--set", setting))])


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_own_file_to_pages(project: Path) -> None:
    """The same firms as a file give the same estimates, under a name of their own, without what was said about the sample data."""
    assert evaluate(grants()) == 0
    own = sme.Evaluation.read(project / "reports/internal/training_grants-log_scrap-mine.observed")
    sample = sme.evaluate(sme.Design.from_policy(sme.load_policies()["training_grants"]), sme.open_source("jobtraining"))
    assert own.headline == sample.headline
    assert (own.policy.background, own.policy.reading, own.published) == ((), (), ())
    page = (project / f"reports/internal/{own.slug}/{own.slug}.en.html").read_text(encoding="utf-8")
    assert "Michigan" not in page


def drop(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.drop(columns="log_scrap")


def repeat_rows(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([frame, frame.iloc[[0, 1]]])


def write_text(frame: pd.DataFrame) -> pd.DataFrame:
    changed = frame.astype({"log_scrap": object})
    changed.loc[5, "log_scrap"] = "约0.5"
    return changed


def treat_at_once(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(first_grant=frame["first_grant"].replace(1988, 1987))


def vary_the_cohort(frame: pd.DataFrame) -> pd.DataFrame:
    changed = frame.copy()
    changed.loc[0, "first_grant"] = 1989
    return changed


def everything_at_once(frame: pd.DataFrame) -> pd.DataFrame:
    return repeat_rows(write_text(vary_the_cohort(frame)))


CASES: dict[str, tuple[DataChange, int, tuple[str, ...]]] = {
    "missing column": (drop, 10, ("no column 'log_scrap'",)),
    "duplicate firm-years": (repeat_rows, 10, ("more than one row for the same year", "row 473")),
    "text in a number": (write_text, 10, ("log_scrap", "row 7")),
    "cohort varying within a firm": (vary_the_cohort, 10, ("first_grant", "1 firm")),
    "empty file": (lambda frame: frame.iloc[:0], 10, ("no rows",)),
    "all at once": (everything_at_once, 10, ("3 problems", "log_scrap", "first_grant", "same year")),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_files_are_refused_whole(case: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change, code, parts = CASES[case]
    assert evaluate(change(grants())) == code
    message = capsys.readouterr().err
    assert message.startswith("DataError")
    assert "Traceback" not in message
    for part in parts:
        assert part in message, message
    assert not list(project.glob("reports/**/*.html")) + list(project.glob("reports/**/*.json"))


def test_firms_treated_in_the_first_year_are_dropped_and_counted(project: Path) -> None:
    """A design drops them by declaration; `Sample.from_frame` refuses unless told to."""
    assert evaluate(treat_at_once(grants())) == 0
    own = sme.Evaluation.read(project / "reports/internal/training_grants-log_scrap-mine.observed")
    assert own.sample_flow[-1].rule == "always_treated"
    assert own.sample_flow[-1].dropped_firms == 19
    with pytest.raises(sme.DataError, match="there is no before"):
        sme.Sample.from_frame(treat_at_once(grants()), firm="firm", year="year", outcome="log_scrap", cohort="first_grant")


@pytest.mark.parametrize(
    ("setting", "part"), [("comparson=never_treated", "did you mean 'comparison'"), ("level=high", "level is 'high'")]
)
def test_mistyped_parameters(setting: str, part: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate(grants(), setting) == 13
    assert part in capsys.readouterr().err
    assert not (project / "reports").exists()


def test_a_policy_file_with_an_unknown_key(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    packaged = Path(__file__).parents[2] / "data" / "policies" / "training_grants.toml"
    folder = project / "data" / "policies"
    folder.mkdir(parents=True)
    text = packaged.read_text(encoding="utf-8").replace("[treatment]\n", '[treatment]\ncohrt = "x"\n')
    (folder / packaged.name).write_text(text, encoding="utf-8")
    assert evaluate(grants()) == 11
    assert "cohrt" in capsys.readouterr().err
