"""Which modules a run used: an edit counts where it can change a number."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sme_eval.runs import used

SCRIPT = """
import json, sys
from sme_eval.runs.used import begin, used_modules
begin()
import sme_eval as sme
from sme_eval.stats import few_clusters          # loaded for a constant, none of its functions runs
sme.load_policies()
print(json.dumps(used_modules()))
"""


@pytest.fixture(scope="module")
def found() -> dict[str, str]:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def test_modules_whose_functions_ran_count_whole_and_others_by_what_stands_outside(found: dict[str, str]) -> None:
    assert found["policies/reader.py"].startswith(used.WHOLE), "it read the policies"
    assert found["stats/few_clusters.py"].startswith(used.OUTSIDE)
    assert not [name for name in found if name.split("/")[0] in used.AFTER_THE_RECORD]
    assert used.changed_modules(found) == ()


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(used, "PACKAGE", tmp_path)
    path = tmp_path / "m.py"
    path.write_text('"""Words."""\nLIMIT = 3\n\n\ndef f(x, y=LIMIT):\n    """Words."""\n    return x + y\n', encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "whole", "outside"),
    [
        ("return x + y", "return x - y", True, False),
        ("LIMIT = 3", "LIMIT = 4", True, True),
        ("y=LIMIT", "y=0", True, True),
        ('"""Words."""\nLIMIT', '"""Other words."""\nLIMIT', True, False),
        ("LIMIT = 3", "LIMIT = 3  # why", True, False),
    ],
)
def test_an_edit_counts_where_it_can_change_a_number(module: Path, old: str, new: str, whole: bool, outside: bool) -> None:
    then = {kind: used._digest(module, whole=kind == "whole") for kind in ("whole", "outside")}
    module.write_text(module.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    assert bool(used.changed_modules({"m.py": then["whole"]})) is whole
    assert bool(used.changed_modules({"m.py": then["outside"]})) is outside


def test_a_module_that_is_gone_has_changed(module: Path) -> None:
    then = used._digest(module, whole=True)
    module.unlink()
    assert used.changed_modules({"m.py": then}) == ("m.py",)
