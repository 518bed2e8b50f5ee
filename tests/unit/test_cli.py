"""The command line: what it answers to mistakes, and that it answers everywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sme_eval import __version__
from sme_eval.cli import _parser
from sme_eval.policies.policy import load_policies

POLICY = (Path(__file__).parents[2] / "data" / "policies" / "training_grants.toml").read_text(encoding="utf-8")
HEAVY = ("numpy", "pandas", "scipy", "matplotlib", "papermill", "nbconvert", "typst")


def run(*arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sme_eval", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=cwd,
        env={**os.environ, **environment},
        check=False,
    )


def refused(code: int, *arguments: str, cwd: Path) -> str:
    """What is said to a mistake: on the standard error only, without a traceback, and nothing is written."""
    before = sorted(cwd.rglob("*"))
    done = run(*arguments, cwd=cwd)
    assert done.returncode == code, done.stderr
    assert done.stdout == "" and "Traceback" not in done.stderr
    assert sorted(cwd.rglob("*")) == before
    return done.stderr


def test_help_lists_every_verb_and_exit_code() -> None:
    text = run("--help").stdout
    for word in ("report", "policies", "evaluate", "run", "simulate", "diff", "doctor", "130 interrupted", "SME_EVAL_TRACEBACK=1"):
        assert word in text


@pytest.mark.parametrize("verb", ["report", "policies", "evaluate", "run", "simulate", "diff", "doctor"])
def test_every_option_is_explained(verb: str) -> None:
    [verbs] = [action for action in _parser()._actions if action.dest == "help" or action.choices][1:]
    assert verbs.choices is not None
    for action in verbs.choices[verb]._actions:  # type: ignore[call-overload]
        assert action.help, action.dest


def test_help_is_light() -> None:
    code = f"import sys, sme_eval.cli as c; c._parser(); print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_version() -> None:
    done = run("--version")
    assert (done.returncode, done.stdout.strip()) == (0, f"sme-eval {__version__}")


@pytest.mark.parametrize(
    ("code", "arguments", "words"),
    [
        (2, [], "required"),
        (2, ["frobnicate"], "invalid choice"),
        (2, ["simulate"], "--output"),
        (11, ["policies", "certificates"], "did you mean 'certification'?"),
        (11, ["evaluate", "certificates"], "did you mean 'certification'?"),
        (11, ["evaluate", "legal_services"], "neither a treated group nor a comparison"),
        (11, ["evaluate", "training_grants", "--outcome", "scrap"], "did you mean 'log_scrap'?"),
        (13, ["evaluate", "training_grants", "--set", "scenario=clean"], "There is no parameter 'scenario'"),
        (13, ["evaluate", "training_grants", "--set", "comparison=controls"], "comparison is 'controls'"),
        (13, ["run", "training_grant"], "did you mean 'training_grants'?"),
        (13, ["run", "training_grants", "--set", "outcom=log_sales"], "did you mean 'outcome'?"),
        (13, ["run", "certification", "--set", "seed=x", "--set", "firms=1"], "2 problems."),
        (13, ["run", "certification", "--set", "seed"], "write --set name=value"),
        (13, ["simulate", "--scenario", "cleen", "--output", "a.parquet"], "did you mean 'clean'?"),
        (13, ["simulate", "--firms", "many", "--output", "a.parquet"], "a whole number from 2500"),
        (10, ["simulate", "--firms", "2500", "--output", "a.xyz"], ".parquet"),
    ],
)
def test_mistakes_have_their_exit_code_and_a_remedy(tmp_path: Path, code: int, arguments: list[str], words: str) -> None:
    assert words in refused(code, *arguments, cwd=tmp_path)


@pytest.mark.parametrize("verb", [["policies"], ["evaluate", "training_grants"], ["policies", "training_grants"]])
def test_a_policy_file_with_an_unknown_key_is_a_design_error(tmp_path: Path, verb: list[str]) -> None:
    folder = tmp_path / "data" / "policies"
    folder.mkdir(parents=True)
    (folder / "training_grants.toml").write_text("colour = 'red'\n" + POLICY, encoding="utf-8")
    said = refused(11, *verb, cwd=tmp_path)
    assert "training_grants.toml" in said and "colour" in said


def test_a_notebook_that_is_no_notebook_is_a_data_error(tmp_path: Path) -> None:
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "training_grants.ipynb").write_text("{", encoding="utf-8")
    assert "training_grants.ipynb is no notebook" in run("run", "training_grants", cwd=tmp_path).stderr


def test_a_reports_folder_that_is_a_file_is_a_data_error(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("", encoding="utf-8")
    assert "--reports FOLDER" in refused(10, "run", "training_grants", cwd=tmp_path)


def test_a_bug_is_short_and_its_traceback_is_to_be_had(tmp_path: Path) -> None:
    code = "import sme_eval.runs.policies as p, sme_eval.cli as c; p.describe_policies = lambda name: 1 / 0; "
    code += "c.sys.exit(c.main(['policies']))"
    for wanted in ("", "1"):
        environment = {**os.environ, "SME_EVAL_TRACEBACK": wanted}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
        assert done.returncode == 1
        assert ("Traceback" in done.stderr) is bool(wanted)
        assert "This is a bug in sme_eval" in done.stderr


def test_policies_are_described() -> None:
    text = run("policies").stdout
    for name in load_policies():
        assert f"sme-eval evaluate {name}" in text
    assert "legal_services` | F61 | refused" in text and "legal_services` | F61 | 不评估" in text
    few = run("policies", "intellectual_property").stdout
    assert "507 would be needed" in few and "需要507家" in few
    one = run("policies", "certification").stdout
    assert "--set" in one and "scenario = baseline" in one


def test_a_terminal_without_chinese_gets_the_rest() -> None:
    done = run("policies", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 0 and "certification" in done.stdout


def test_a_reader_that_leaves_early_is_no_failure() -> None:
    command = f'"{sys.executable}" -m sme_eval policies | true; exit ${{PIPESTATUS[0]}}'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_simulated_panel_is_written(tmp_path: Path) -> None:
    done = run("simulate", "--firms", "2500", "--seed", "3", "--scenario", "null", "--output", "panel.parquet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "SIMULATED" in done.stdout and (tmp_path / "panel.parquet").is_file()
