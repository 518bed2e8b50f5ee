"""bootstrap.py: what it decides and what it says, without network and without touching .venv."""

import ast
import importlib.util
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXPECTED = {"python": "3.12", "venv": "/project/.venv", "inputs": "abc"}
Run = Callable[[list[str], dict[str, str]], tuple[int, str]]


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A fresh copy of the module whose .venv is an empty temporary folder."""
    spec = importlib.util.spec_from_file_location("bootstrap_under_test", ROOT / "bootstrap.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(module, "STAMP", tmp_path / ".venv" / "sme_eval.json")
    monkeypatch.setattr(module, "LOG", tmp_path / ".venv" / "setup.log")
    monkeypatch.setattr(module, "GUARD", tmp_path / ".setup.guard")
    monkeypatch.setattr(module, "BENCH_VENV", tmp_path / ".venv-bench")
    return module


def scripted(answers: dict[str, tuple[int, str]], calls: list[str]) -> Run:
    """A `run` that answers by the first word found in the command, and succeeds otherwise."""

    def run(command: list[str], environment: dict[str, str]) -> tuple[int, str]:
        line = " ".join(command)
        calls.append(line)
        return next((answer for word, answer in answers.items() if word in line), (0, ""))

    return run


# --- Python ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "word"), [((3, 6, 15), "old"), ((3, 10, 13), "old"), ((3, 14, 0), "new")])
def test_wrong_python_is_one_line_with_a_remedy(bootstrap: ModuleType, version: tuple[int, ...], word: str) -> None:
    problem = bootstrap.python_problem(version)
    assert f"{'.'.join(map(str, version))} is too {word}" in problem
    assert "PYTHON=python3.12" in problem and "\n" not in problem


@pytest.mark.parametrize("minor", [11, 12, 13])
def test_supported_pythons_pass(bootstrap: ModuleType, minor: int) -> None:
    assert bootstrap.python_problem((3, minor, 0)) is None


def test_the_bounds_are_those_of_pyproject(bootstrap: ModuleType) -> None:
    low, high = re.findall(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', (ROOT / "pyproject.toml").read_text())[0]
    assert ((3, int(low)), (3, int(high) - 1)) == (bootstrap.OLDEST, bootstrap.NEWEST)


def test_wrong_python_stops_a_verb_with_code_2(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap, "python_problem", lambda version: "Python 3.9.1 is too old")
    assert bootstrap.main(["report"]) == 2
    assert capsys.readouterr().err == "bootstrap: Python 3.9.1 is too old\n"


def test_python_without_ensurepip_names_the_debian_package(bootstrap: ModuleType) -> None:
    problem = bootstrap.venv_problem(lambda module: None if module == "ensurepip" else object())
    assert "ensurepip" in problem and "apt install python3-venv" in problem and "\n" not in problem
    assert bootstrap.venv_problem(lambda module: object()) is None


def test_the_file_parses_as_python_3_6() -> None:
    """Syntax that an old Python cannot read would hide the sentence about the old Python."""
    ast.parse((ROOT / "bootstrap.py").read_text(encoding="utf-8"), feature_version=(3, 6))


# --- the state of .venv ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "folder", "python", "action", "says"),
    [
        (None, False, False, "create", "setting up"),
        (None, True, True, "rebuild", "half-made"),
        (EXPECTED, True, False, "rebuild", "is gone"),
        ({**EXPECTED, "venv": "/elsewhere/.venv"}, True, True, "rebuild", "has moved"),
        ({**EXPECTED, "python": "3.11"}, True, True, "rebuild", "made for Python 3.11, this is 3.12"),
        ({**EXPECTED, "inputs": "old"}, True, True, "update", "has changed"),
        (EXPECTED, True, True, "ready", ""),
    ],
)
def test_what_happens_to_venv(
    bootstrap: ModuleType, found: dict[str, str] | None, folder: bool, python: bool, action: str, says: str
) -> None:
    decided, why = bootstrap.venv_state(found, EXPECTED, folder, python)
    assert decided == action
    assert says in why and "\n" not in why


@pytest.mark.parametrize("content", ["", "{", "[]", "7"])
def test_a_torn_stamp_counts_as_none(bootstrap: ModuleType, content: str) -> None:
    bootstrap.VENV.mkdir()
    bootstrap.STAMP.write_text(content)
    assert bootstrap.read_stamp() is None


def test_setup_leaves_a_stamp_only_when_every_step_worked(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap, "make_venv", lambda environment: bootstrap.VENV.mkdir(exist_ok=True))
    monkeypatch.setattr(bootstrap, "PYTHON", Path(sys.executable))
    monkeypatch.setattr(bootstrap, "install_project", lambda: None)

    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(bootstrap, "install_packages", interrupted)
    assert bootstrap.main(["setup"]) == 130
    assert not bootstrap.STAMP.exists()

    monkeypatch.setattr(bootstrap, "install_packages", lambda: None)
    assert bootstrap.main(["setup"]) == 0
    assert "half-made" in capsys.readouterr().err
    assert bootstrap.current_state() == ("ready", "")


def test_a_finished_setup_does_nothing(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "current_state", lambda: ("ready", ""))
    monkeypatch.setattr(bootstrap, "make_venv", lambda environment: pytest.fail("touched .venv"))
    bootstrap.setup()
    assert not bootstrap.GUARD.exists()


def test_one_setup_at_a_time(bootstrap: ModuleType) -> None:
    with bootstrap.GUARD.open("a+") as first, bootstrap.GUARD.open("a+") as second:
        assert bootstrap.try_lock(first)
        assert not bootstrap.try_lock(second)
    with bootstrap.GUARD.open("a+") as third:
        assert bootstrap.try_lock(third), "the guard must go with the process that held it"


# --- pip's settings reach uv -----------------------------------------------------------------------------------------

LISTING = r"""
:env:.default-timeout='60'
:env:.index-url='https://env.example/simple'
global.cert='/etc/ca.pem'
global.extra-index-url='https://one.example/simple\nhttps://two.example/simple'
global.find-links='/wheels /more'
global.index-url='https://global.example/simple'
global.proxy='http://proxy.example:3128'
install.index-url='https://install.example/simple'
install.trusted-host='one.example two.example'
download.index-url='https://download.example/simple'
"""


def test_pip_settings_follow_pips_precedence(bootstrap: ModuleType) -> None:
    settings = bootstrap.pip_settings(LISTING)
    assert settings["index-url"] == "https://env.example/simple"
    without_env = bootstrap.pip_settings(LISTING.replace(":env:.index-url", ":env:.other"))
    assert without_env["index-url"] == "https://install.example/simple"


def test_every_setting_is_handed_over(bootstrap: ModuleType) -> None:
    handed = bootstrap.uv_environment(bootstrap.pip_settings(LISTING), {})
    assert handed["UV_DEFAULT_INDEX"] == "https://env.example/simple"
    assert handed["UV_INDEX"] == "https://one.example/simple https://two.example/simple"
    assert handed["UV_FIND_LINKS"] == "/wheels,/more"
    assert handed["UV_INSECURE_HOST"] == "one.example two.example"
    assert handed["HTTPS_PROXY"] == handed["HTTP_PROXY"] == "http://proxy.example:3128"
    assert handed["SSL_CERT_FILE"] == "/etc/ca.pem"
    assert handed["UV_HTTP_TIMEOUT"] == "60"
    assert handed["UV_PYTHON_DOWNLOADS"] == "never"
    assert handed["UV_SYSTEM_CERTS"] == "true"


def test_without_settings_nothing_is_invented(bootstrap: ModuleType) -> None:
    handed = bootstrap.uv_environment({}, {})
    assert not {"UV_DEFAULT_INDEX", "UV_INDEX", "UV_FIND_LINKS", "HTTPS_PROXY", "SSL_CERT_FILE"} & set(handed)
    assert bootstrap.index_arguments({}) == []
    assert bootstrap.index_arguments({"no-index": "true"}) == ["--no-index"]


def test_what_the_user_told_uv_stays(bootstrap: ModuleType) -> None:
    said = {"UV_INDEX_URL": "https://mine.example", "https_proxy": "http://mine:1", "SSL_CERT_FILE": "/mine.pem"}
    handed = bootstrap.uv_environment(bootstrap.pip_settings(LISTING), said)
    assert "UV_DEFAULT_INDEX" not in handed and "HTTPS_PROXY" not in handed
    assert handed["SSL_CERT_FILE"] == "/mine.pem"


def test_certificates_named_for_other_tools_serve_uv(bootstrap: ModuleType, tmp_path: Path) -> None:
    assert bootstrap.uv_environment({}, {"REQUESTS_CA_BUNDLE": "/ca.pem"})["SSL_CERT_FILE"] == "/ca.pem"
    assert bootstrap.uv_environment({"cert": str(tmp_path)}, {})["SSL_CERT_DIR"] == str(tmp_path)


def test_settings_of_other_pythons_stay_outside(bootstrap: ModuleType) -> None:
    kept = bootstrap.clean_environment({"PYTHONPATH": "/x", "PYTHONHOME": "/y", "PIP_USER": "1", "HOME": "/home"})
    assert "PYTHONPATH" not in kept and "PYTHONHOME" not in kept
    assert kept["PIP_USER"] == "0" and kept["HOME"] == "/home"


def test_the_lock_is_made_without_private_indexes(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("UV_INDEX", "UV_FIND_LINKS", "UV_DEFAULT_INDEX", "UV_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    handed = bootstrap.uv_only(bootstrap.pip_settings(LISTING))
    assert handed["UV_DEFAULT_INDEX"] == "https://env.example/simple"
    assert "UV_INDEX" not in handed and "UV_FIND_LINKS" not in handed


# --- uv, and pip when uv fails ---------------------------------------------------------------------------------------


def test_uv_installs_with_hashes_and_pip_is_not_asked(bootstrap: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    calls: list[str] = []
    bootstrap.install_packages(scripted({}, calls))
    (sync,) = [line for line in calls if " pip sync " in line]
    assert "--require-hashes" in sync and sync.endswith("requirements.lock")
    assert not any("pip install" in line and line.endswith("requirements.lock") for line in calls)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ({"requirements-uv.lock": (1, "ERROR: No matching distribution found for uv")}, "uv could not be installed"),
        ({"pip sync": (2, "error: cannot execute binary file")}, "uv failed: cannot execute binary file"),
        ({"pip sync": (127, "error: uv: No such file or directory")}, "uv failed: uv: No such file"),
    ],
)
def test_any_failure_of_uv_falls_back_to_pip_in_one_line(
    bootstrap: ModuleType, capsys: pytest.CaptureFixture[str], answers: dict[str, tuple[int, str]], why: str
) -> None:
    calls: list[str] = []
    bootstrap.install_packages(scripted(answers, calls))
    assert "-m pip install --quiet --require-hashes -r" in calls[-1] and calls[-1].endswith("requirements.lock")
    assert "-m venv --clear" in calls[-2], "pip must start from an empty environment"
    (line,) = capsys.readouterr().err.splitlines()
    assert why in line and "using pip instead" in line


def test_no_network_stops_at_once_and_says_how_to_name_a_mirror(bootstrap: ModuleType) -> None:
    output = (
        "WARNING: Retrying after connection broken by 'NewConnectionError: [Errno 111] Connection refused'\n"
        "ERROR: Could not find a version that satisfies the requirement uv\n"
    )
    calls: list[str] = []
    with pytest.raises(bootstrap.Problem) as caught:
        bootstrap.install_packages(scripted({"requirements-uv.lock": (1, output)}, calls))
    assert len(calls) == 1
    assert "could be reached (Connection refused)" in str(caught.value) and "global.index-url" in str(caught.value)
    assert caught.value.code == 1 and "\n" not in str(caught.value)


def test_a_mirror_that_is_behind_is_named_as_such(bootstrap: ModuleType) -> None:
    missing = (1, "ERROR: No matching distribution found for numpy==9.9")
    with pytest.raises(bootstrap.Problem, match=r"does not have all of the lock .*numpy==9\.9"):
        bootstrap.install_packages(scripted({"pip sync": missing, "--require-hashes -r": missing}, []))


def test_a_reason_is_one_line_without_passwords(bootstrap: ModuleType) -> None:
    output = "error: Failed to fetch\n  Caused by: no answer from https://me:secret@mirror.example/simple\nhint: x\n"
    assert bootstrap.reason(output) == "no answer from https://***@mirror.example/simple"
    assert bootstrap.reason("") == "no message"


def test_an_environment_that_cannot_be_made_says_what_to_do(bootstrap: ModuleType) -> None:
    with pytest.raises(bootstrap.Problem, match=r"\.venv could not be made: .*Permission denied.* delete the folder"):
        bootstrap.make_venv({}, scripted({"-m venv": (1, "Error: [Errno 13] Permission denied: '.venv'")}, []))


# --- the environment of the benchmarks -------------------------------------------------------------------------------


def made(bootstrap: ModuleType, calls: list[str], answers: dict[str, tuple[int, str]]) -> Run:
    """A `run` under which `python -m venv` leaves an environment with a Python behind."""

    def run(command: list[str], environment: dict[str, str]) -> tuple[int, str]:
        if "venv" in command:
            python = bootstrap.BENCH_VENV / bootstrap.BIN.name / bootstrap.PYTHON.name
            python.parent.mkdir(parents=True, exist_ok=True)
            python.touch()
        return scripted(answers, calls)(command, environment)

    return run


@pytest.mark.parametrize(("uv", "installs"), [(True, "pip sync"), (False, "-m pip install")])
def test_the_benchmarks_get_an_environment_of_their_own_once(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, uv: bool, installs: str
) -> None:
    calls: list[str] = []
    monkeypatch.setattr(bootstrap, "UV", Path(sys.executable) if uv else tmp_path / "no-uv")
    python = bootstrap.bench_setup(made(bootstrap, calls, {}))
    assert python.parent.parent == bootstrap.BENCH_VENV and str(bootstrap.BENCH_VENV) in calls[0]
    assert installs in calls[-1] and "--require-hashes" in calls[-1] and calls[-1].endswith("requirements-bench.lock")
    assert str(python) in calls[-1], "nothing is installed into .venv"
    before = len(calls)
    assert bootstrap.bench_setup(made(bootstrap, calls, {})) == python and len(calls) == before
    monkeypatch.setattr(bootstrap, "BENCH_LOCK", ROOT / "requirements-uv.lock")
    bootstrap.bench_setup(made(bootstrap, calls, {}))
    assert len(calls) > before, "another lock makes it anew"


def test_an_environment_that_could_not_be_filled_counts_as_none(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr(bootstrap, "UV", Path(sys.executable))
    with pytest.raises(bootstrap.Problem, match="installing the packages to measure against failed: no space"):
        bootstrap.bench_setup(made(bootstrap, calls, {"pip sync": (2, "error: no space")}))
    before = len(calls)
    bootstrap.bench_setup(made(bootstrap, calls, {}))
    assert len(calls) > before


def test_bench_runs_in_that_environment(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[list[str], Path]] = []
    monkeypatch.setattr(bootstrap, "setup", lambda: None)
    monkeypatch.setattr(bootstrap, "bench_setup", lambda: Path("bench/bin/python"))
    monkeypatch.setattr(bootstrap, "in_venv", lambda command, python: ran.append((command, python)) or 3)
    assert bootstrap.main(["bench", "--repeats", "1"]) == 3
    assert ran == [(["-m", "benchmarks", "--repeats", "1"], Path("bench/bin/python"))]


# --- verbs -----------------------------------------------------------------------------------------------------------


def test_help_lists_every_verb_in_one_line(bootstrap: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert bootstrap.main([]) == bootstrap.main(["help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {line.split()[0] for line in lines if line.startswith("  ")} == {*bootstrap.VERBS, "help"}


def test_make_knows_every_verb(bootstrap: ModuleType) -> None:
    verbs = re.findall(r"^VERBS := (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)[0]
    assert set(verbs.split()) == set(bootstrap.VERBS)


def test_unknown_verb_and_linter_are_usage_errors(bootstrap: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert bootstrap.main(["reprot"]) == 2
    assert bootstrap.main(["lint", "pylint"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 and "there is no verb reprot" in lines[0] and "there is no linter pylint" in lines[1]


def test_arguments_and_exit_code_pass_through(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(bootstrap, "setup", lambda: None)
    monkeypatch.setattr(bootstrap, "in_venv", lambda command: ran.append(command) or 17)
    assert bootstrap.main(["report", "--set", "k=v"]) == 17
    assert ran == [["-m", "sme_eval", "report", "--set", "k=v"]]


def test_a_missing_lock_is_one_line(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(bootstrap, "INPUTS", (tmp_path / "requirements.lock",))
    assert bootstrap.main(["setup"]) == 2
    assert capsys.readouterr().err == ("bootstrap: requirements.lock is missing: restore it with git checkout requirements.lock\n")


def test_doctor_needs_no_setup(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    listing = "global.index-url='https://me:secret@mirror.example/simple'"
    monkeypatch.setattr(bootstrap, "run", lambda command, environment: (0, listing))
    assert bootstrap.main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "not made yet" in out and "make setup" in out
    assert "mirror.example" in out and "secret" not in out


def test_help_needs_nothing_installed() -> None:
    done = subprocess.run([sys.executable, "-S", "-I", str(ROOT / "bootstrap.py")], capture_output=True, timeout=10, check=True)
    assert b"report" in done.stdout
