"""The notebook on the published reply from the command line to its page."""

from __future__ import annotations

from pathlib import Path

import pytest

from sme_eval.cli import main
from sme_eval.runs.page_record import read_page


@pytest.mark.slow
def test_the_letter_ends_in_its_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", "letter", "--set", "firms=2500"]) == 0
    assert "for internal use only" in capsys.readouterr().out
    folder = tmp_path / "reports/internal/letter"
    assert sorted(path.name for path in folder.iterdir()) == [
        "letter.notebook.html",
        "letter.notebook.ipynb",
        "page.json",
        "run.json",
    ]
    assert not (tmp_path / "reports/release").exists()
    page = (folder / "letter.notebook.html").read_text(encoding="utf-8")
    assert 'lang="zh-CN"' in page and page.count("image/png;base64") == 5
    assert "84.16亿元" in page and "这是账面差额，不是政策效果。" in page and "名单增长一节用的是模拟数据" in page
    assert page.count("公开答复说了什么") == 2  # the title of the window and of the page
    assert read_page(folder / "page.json").provenance.data_parameters["firms"] == 2500
    assert "letter.notebook.html" in (tmp_path / "reports/index.html").read_text(encoding="utf-8")

    assert main(["runs"]) == 0 and "run letter language=zh" in capsys.readouterr().out
    assert main(["verify", "letter"]) == 0
    assert "the record gives the same pages" in capsys.readouterr().out
