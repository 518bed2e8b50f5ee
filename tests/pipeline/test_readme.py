"""What the READMEs say of a user's own file is true: their commands run, and their table names what is needed and nothing else."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pandas as pd
import pytest

import sme_eval as sme
from sme_eval.cli import main
from sme_eval.errors import DataError, SmeEvalError
from sme_eval.panel.dictionary import load_dictionary
from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.terms import Language

ROOT = Path(__file__).resolve().parents[2]
SECTIONS: dict[Language, tuple[str, str]] = {"en": ("README.md", "Your own file"), "zh": ("README.zh.md", "使用自己的数据文件")}


def section(language: Language) -> str:
    file, heading = SECTIONS[language]
    text = (ROOT / file).read_text(encoding="utf-8")
    return text.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]


def commands(language: Language) -> list[list[str]]:
    lines = section(language).split("```")[1].strip().splitlines()
    return [shlex.split(line, comments=True) for line in lines]


def table(language: Language) -> dict[str, tuple[str, str]]:
    """Column → label and unit, as printed."""
    found = re.findall(r"^\| `(\w+)` \| (.+) \| (.+) \|$", section(language), flags=re.MULTILINE)
    return {name: (label, unit) for name, label, unit in found}


def test_both_languages_say_the_same() -> None:
    assert commands("en") == commands("zh")
    assert list(table("en")) == list(table("zh"))
    assert re.findall(r"`reports/[^`]*`", section("en")) == re.findall(r"`reports/[^`]*`", section("zh"))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_labels_and_units_are_those_of_the_dictionary(language: Language) -> None:
    dictionary = load_dictionary()
    for name, (label, unit) in table(language).items():
        column = dictionary[name]
        assert label == column.label.text(language)
        assert column.unit is None or unit.startswith(column.unit.label.text(language))
        for code, meaning in column.special_values.items():
            assert str(code) in unit and meaning.text(language) in unit
        for key in re.findall("`(.+?)`", unit):
            assert key in column.categories


@pytest.mark.slow
def test_the_commands_run_and_the_table_is_what_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for program, *words in commands("en"):
        assert program == "sme-eval"
        assert main(words) == 0, capsys.readouterr().err
    said = capsys.readouterr().out
    (folder,) = re.findall(r"`(reports/[^`]*)/`", section("en"))
    assert f"pages {folder}" in said
    for language in ("zh", "en"):
        assert re.search(
            "simulated|模拟", (tmp_path / folder / f"{Path(folder).name}.{language}.html").read_text(encoding="utf-8").lower()
        )

    design = sme.Design.from_policy(sme.load_policies()["certification"])
    frame = pd.read_csv("panel.csv", encoding="utf-8-sig")[list(table("en"))]
    for name in frame.columns:
        with pytest.raises(SmeEvalError, match=name):
            sme.evaluate(design, panel_of(frame.drop(columns=name)))
    labelled = frame.rename(columns={name: label for name, (label, _) in table("zh").items()})
    labelled.to_csv("labelled.csv", index=False, encoding="utf-8-sig")
    assert sme.evaluate(design, sme.read_panel("labelled.csv", "simulated")).headline.estimate == pytest.approx(
        sme.Evaluation.read(Path(folder)).headline.estimate, rel=1e-9
    )


def panel_of(frame: pd.DataFrame) -> FirmPanel:
    return FirmPanel(frame, data_kind="simulated", source="panel")


def test_a_file_that_says_nothing_is_refused(tmp_path: Path) -> None:
    """Nothing is taken for observed or simulated by its looks."""
    pd.DataFrame({"firm": [1], "year": [2019]}).to_csv(tmp_path / "panel.csv", index=False)
    with pytest.raises(DataError, match="--set data_kind=observed"):
        sme.read_panel(tmp_path / "panel.csv")
