"""An instrument that no code knows: the files of the guide, as they are printed, from a project folder to both pages."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
from bs4 import BeautifulSoup

import sme_eval as sme
from sme_eval.briefing.render import render_briefing
from sme_eval.evaluation.asked import Effort
from sme_eval.runs.parameters import rules
from sme_eval.runs.policies import describe_policies
from sme_eval.terms import LANGUAGES

ROOT = Path(__file__).parents[2]
GUIDES = [ROOT / "docs" / name for name in ("add_an_instrument.md", "add_an_instrument.zh.md")]
UNKNOWN = re.compile(r"voucher_year|energy_audit|\{[a-z]|\}|\bnan\b|little giant|小巨人|certificat|获评|library|培育库")
"""Names that a page must have replaced by words, and words of other instruments."""


def printed(guide: Path) -> tuple[str, str]:
    """The dictionary and the policy of a guide."""
    columns, policy = re.findall(r"```toml\n(.*?)```", guide.read_text(encoding="utf-8"), flags=re.S)
    return columns, policy


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    columns, policy = printed(GUIDES[0])
    (tmp_path / "data" / "policies").mkdir(parents=True)
    (tmp_path / "data" / "dictionary.toml").write_text(columns, encoding="utf-8")
    (tmp_path / "data" / "policies" / "energy_audit.toml").write_text(policy, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_both_guides_print_the_same_files() -> None:
    assert printed(GUIDES[0]) == printed(GUIDES[1])


def test_every_verb_knows_it(project: Path) -> None:
    assert "evaluation   sme-eval evaluate energy_audit" in describe_policies("energy_audit")
    assert "energy_audit" in [choice for rule in rules("robustness") if rule.name == "policy" for choice in rule.choices]
    assert "energy_audit" in sme.load_instruments()


def test_an_instrument_that_nobody_foresaw_has_both_pages(project: Path) -> None:
    frame = sme.simulate_ningbo(seed=1, scenario="null", firms=2500)[0].frame
    year = np.random.default_rng(7).choice([0, 2020, 2021], 2500, p=[0.8, 0.1, 0.1])
    frame = frame.assign(voucher_year=np.repeat(year, frame["year"].nunique()))
    frame.to_parquet(project / "panel.parquet", index=False)
    panel = sme.read_panel(project / "panel.parquet", "simulated")
    design = sme.Design.from_policy(sme.load_policies()["energy_audit"])
    evaluation = sme.evaluate(design, panel, effort=Effort(draws=99, placebos=50))
    declared = tomllib.loads(printed(GUIDES[0])[1])
    assert abs(evaluation.headline.estimate) < 4 * evaluation.headline.std_error  # type: ignore[operator,arg-type]
    assert evaluation.evidence_level is not None and evaluation.evidence_level.level <= 3
    for language in LANGUAGES:
        briefing = render_briefing(evaluation, language, formats=("html",))
        text = BeautifulSoup(briefing.html, "html.parser").body.get_text()  # type: ignore[union-attr]
        for where in ("label", "question"):
            assert declared[where][language] in text
        assert declared["treatment"]["label"][language] in text and declared["limits"][0][language] in text
        assert UNKNOWN.findall(text) == []
        assert len(briefing.figures) > 5
