"""Recommendations are read strictly from the file of a named analyst, and never for simulated data."""

from __future__ import annotations

from pathlib import Path

import pytest

import sme_eval as sme
from sme_eval.errors import DesignError
from sme_eval.evaluation.recommendations import recommendations_for

GOOD = """
date = 2026-03-01
analyst = { zh = "张三", en = "Zhang San" }
unit = { zh = "某研究室", en = "Research Office" }

[[items]]
zh = "补充收集{headline.n_firms|count}家以外企业的数据。"
en = "Collect data on firms beyond these {headline.n_firms|count}."
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "data" / "recommendations"
    made.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return made


def test_no_file_is_no_recommendation(folder: Path) -> None:
    assert recommendations_for("training_grants", "observed") is None


def test_a_good_file_becomes_part_of_the_record(folder: Path) -> None:
    (folder / "training_grants.toml").write_text(GOOD, encoding="utf-8")
    design = sme.Design.from_policy(sme.load_policies()["training_grants"])
    record = sme.evaluate(design, sme.open_source("jobtraining"))
    found = record.recommendations
    assert found is not None and (found.date, found.analyst.zh, len(found.items)) == ("2026-03-01", "张三", 1)
    assert sme.Evaluation.from_json(record.to_json()) == record
    html = sme.render_briefing(record, "zh", "bureau").html
    assert 'data-ref="/headline/n_firms"' in html and "某研究室" in html


def test_simulated_data_never_have_any(folder: Path) -> None:
    (folder / "certification.toml").write_text(GOOD, encoding="utf-8")
    assert recommendations_for("certification", "simulated") is None


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("date = 2026-03-01", "", "date is missing"),
        ("date = 2026-03-01", 'date = "soon"', "no date"),
        ('zh = "张三", ', "", "zh is missing"),
        ("某研究室", "第3研究室", "holds a digit"),
        ("补充收集", "补充收集10倍", "holds a digit"),
        ("beyond these {headline.n_firms|count}", "beyond these", "different numbers"),
        ("[[items]]", "[[item]]", "item is not a known key"),
        ("[[items]]", "[[items]]\nowner = 'x'", "owner is not a known key"),
        (GOOD[GOOD.index("[[items]]") :], GOOD[GOOD.index("[[items]]") :] * 6, "one to 5"),
    ],
)
def test_what_breaks_the_form_is_refused(folder: Path, old: str, new: str, what: str) -> None:
    (folder / "training_grants.toml").write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(DesignError, match=what):
        recommendations_for("training_grants", "observed")
