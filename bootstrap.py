#!/usr/bin/env python3
"""Set up this project in .venv and run its verbs: `python3 bootstrap.py help`.

Only the standard library, and only syntax that Python 3.6 can read, so that a Python that is too old gets a sentence
instead of a SyntaxError. The same file serves make, Windows (`py bootstrap.py report`) and continuous integration.
"""

import ast
import contextlib
import hashlib
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
EXE = ".exe" if os.name == "nt" else ""
PYTHON = BIN / ("python" + EXE)
UV = BIN / ("uv" + EXE)
STAMP = VENV / "sme_eval.json"
LOG = VENV / "setup.log"
LOCK = ROOT / "requirements.lock"
UV_LOCK = ROOT / "requirements-uv.lock"
BENCH_VENV = ROOT / ".venv-bench"  # the packages that ours is measured against, which must not shape our own environment
BENCH_LOCK = ROOT / "requirements-bench.lock"
INPUTS = (LOCK, UV_LOCK, ROOT / "pyproject.toml")  # what a finished set-up depends on
GUARD = ROOT / ".setup.guard"  # held while .venv changes; outside .venv, which may be deleted

OLDEST, NEWEST = (3, 11), (3, 13)
PLATFORMS = ("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "aarch64-apple-darwin", "x86_64-pc-windows-msvc")

# Exit codes: 0 done, 1 the set-up failed, 2 something that the user has to change first, 130 interrupted.
FAILED, USAGE, INTERRUPTED = 1, 2, 130

NO_INDEX = (
    "no package index could be reached ({reason}). "
    "Check the network, or tell pip which mirror or proxy to use: python -m pip config set global.index-url ADDRESS"
)
NO_VENV = (
    "this Python cannot make virtual environments with pip (module {module} is missing). "
    "On Debian or Ubuntu: apt install python3-venv; elsewhere install Python from python.org. Then run this again."
)
NOT_THERE = (
    "the package index does not have all of the lock ({reason}). "
    "A mirror that is behind is the usual cause: choose another with python -m pip config set global.index-url ADDRESS"
)
# How pip and uv name a network that does not answer; the last one found in their output says it best.
UNREACHABLE = re.compile(
    "NewConnectionError|ConnectTimeout|ReadTimeout|[Tt]imed out|ProxyError|Max retries|dns error|error sending request|"
    "Failed to establish a new connection|Connection refused|Connection reset|Network is unreachable|No route to host|"
    "Temporary failure in name resolution|Name or service not known|getaddrinfo failed|"
    "CERTIFICATE_VERIFY_FAILED|UnknownIssuer"
)


class Problem(Exception):
    """Something the user can act on: one line and an exit code, never a traceback."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code


def say(line: str) -> None:
    """Speak on stderr, so that a verb's own output stays clean."""
    sys.stderr.write("bootstrap: " + line + "\n")
    sys.stderr.flush()


# --- what must be true before anything is installed ------------------------------------------------------------------


def python_problem(version: "tuple[int, ...]") -> "str | None":
    """Say why this Python will not do, if it will not."""
    if OLDEST <= tuple(version[:2]) <= NEWEST:
        return None
    word = "old" if tuple(version[:2]) < OLDEST else "new"
    return (
        "Python {} is too {}: sme_eval runs on Python 3.11, 3.12 and 3.13. Install one of them and name it: "
        "python3.12 bootstrap.py VERB (Windows: py -3.12 bootstrap.py VERB; make: make PYTHON=python3.12 VERB)"
    ).format(".".join(str(part) for part in version[:3]), word)


def venv_problem(find_spec=importlib.util.find_spec) -> "str | None":  # type: ignore[no-untyped-def]
    """Debian ships Python without ensurepip: `import venv` works there and making an environment does not."""
    missing = [module for module in ("venv", "ensurepip") if find_spec(module) is None]
    return NO_VENV.format(module=missing[0]) if missing else None


def require_python() -> None:
    """Stop with one line when this Python cannot carry the project."""
    problem = python_problem(sys.version_info[:3])
    if problem:
        raise Problem(problem, USAGE)


# --- is .venv finished? ----------------------------------------------------------------------------------------------


def expected_stamp(inputs: "tuple[Path, ...] | None" = None) -> "dict[str, str]":
    """Describe what a finished set-up was made from."""
    digest = hashlib.sha256()
    for path in inputs or INPUTS:
        try:
            digest.update(path.read_bytes())
        except FileNotFoundError:
            raise Problem(f"{path.name} is missing: restore it with git checkout {path.name}", USAGE) from None
    return {"python": "{}.{}".format(*sys.version_info[:2]), "venv": str(VENV), "inputs": digest.hexdigest()}


def read_stamp(path: "Path | None" = None) -> "dict[str, str] | None":
    """Read what the last finished set-up left behind; None when none finished."""
    try:
        stamp = json.loads((path or STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return stamp if isinstance(stamp, dict) else None


def venv_state(found: "dict[str, str] | None", expected: "dict[str, str]", folder: bool, python: bool) -> "tuple[str, str]":
    """Decide what to do with .venv: ("ready" | "create" | "update" | "rebuild", why)."""
    if not folder:
        return "create", "setting up .venv"
    if found is None:
        return "rebuild", ".venv is half-made (a set-up did not finish): building it again"
    if not python:
        return "rebuild", "the Python that .venv was made with is gone: building it again"
    if found.get("venv") != expected["venv"]:
        return "rebuild", "the project has moved since .venv was made: building it again"
    if found.get("python") != expected["python"]:
        return "rebuild", ".venv was made for Python {}, this is {}: building it again".format(
            found.get("python"), expected["python"]
        )
    if found.get("inputs") != expected["inputs"]:
        return "update", "pyproject.toml or the lock has changed: bringing .venv up to date"
    return "ready", ""


def current_state() -> "tuple[str, str]":
    """Look at .venv as it is on disk."""
    return venv_state(read_stamp(), expected_stamp(), VENV.exists(), PYTHON.exists())


# --- pip's settings, for uv, which does not read them ----------------------------------------------------------------


def pip_settings(listing: str) -> "dict[str, str]":
    """Read `pip config list`; the environment beats [install], which beats [global], as in pip."""
    found = {}  # type: dict[str, tuple[int, str]]
    ranks = {"global": 0, "install": 1, ":env:": 2}
    for line in listing.splitlines():
        match = re.match(r"(global|install|:env:)\.([\w-]+)=(.*)$", line.strip())
        if not match:
            continue
        section, name, value = match.groups()
        with contextlib.suppress(ValueError, SyntaxError):
            value = str(ast.literal_eval(value))
        if ranks[section] >= found.get(name, (0, ""))[0]:
            found[name] = (ranks[section], value)
    return {name: value for name, (_, value) in found.items()}


def clean_environment(environ: "dict[str, str]") -> "dict[str, str]":
    """Keep other Pythons' settings out of .venv, and let a folder with a Chinese name work on Windows too."""
    dropped = ("PYTHONHOME", "PYTHONPATH", "UV_PYTHON", "UV_SYSTEM_PYTHON", "PIP_TARGET", "PIP_PREFIX")
    kept = {name: value for name, value in environ.items() if name not in dropped}
    kept.update(PYTHONUTF8="1", PIP_USER="0", PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1")
    return kept


def uv_environment(settings: "dict[str, str]", environ: "dict[str, str]") -> "dict[str, str]":
    """Hand pip's index, mirror, proxy and certificates to uv. What the user told uv directly stays."""
    offered = {
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_SYSTEM_CERTS": "true",  # with an empty HOME uv otherwise trusts only its own bundle
        "UV_NO_PROGRESS": "1",
        "UV_INDEX_STRATEGY": "unsafe-best-match",  # pip looks at every index; the lock's hashes make that safe
    }
    words = {name: value.split() for name, value in settings.items()}
    if "UV_INDEX_URL" not in environ:
        offered["UV_DEFAULT_INDEX"] = settings.get("index-url", "")
    if "UV_EXTRA_INDEX_URL" not in environ:
        offered["UV_INDEX"] = " ".join(words.get("extra-index-url", []))
    offered["UV_FIND_LINKS"] = ",".join(words.get("find-links", []))
    offered["UV_INSECURE_HOST"] = " ".join(words.get("trusted-host", []))
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        offered[name] = settings.get("proxy", "")
    certificate = settings.get("cert") or environ.get("REQUESTS_CA_BUNDLE") or environ.get("CURL_CA_BUNDLE") or ""
    offered["SSL_CERT_DIR" if os.path.isdir(certificate) else "SSL_CERT_FILE"] = certificate
    offered["SSL_CLIENT_CERT"] = settings.get("client-cert", "")
    seconds = settings.get("timeout") or settings.get("default-timeout") or ""
    offered["UV_HTTP_TIMEOUT"] = seconds.split(".")[0]
    result = clean_environment(environ)
    for name, value in offered.items():
        if value and not (environ.get(name) or environ.get(name.lower())):
            result[name] = value
    return result


def index_arguments(settings: "dict[str, str]") -> "list[str]":
    """Give the one switch that uv does not take from its environment."""
    return ["--no-index"] if settings.get("no-index", "").lower() in ("1", "true", "yes", "on") else []


# --- set-up ----------------------------------------------------------------------------------------------------------


def run(command: "list[str]", environment: "dict[str, str]") -> "tuple[int, str]":
    """Run one step of the set-up; its output goes to the log and to whoever must explain a failure."""
    try:
        done = subprocess.run(
            command,
            cwd=str(ROOT),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except OSError as error:
        return 127, f"error: {command[0]}: {error.strerror}"
    output = done.stdout.decode("utf-8", "replace")
    with contextlib.suppress(OSError), LOG.open("a", encoding="utf-8") as log:
        log.write(output)
    return done.returncode, output


def reason(output: str) -> str:
    """Pick the line of a failed step that says why."""
    lines = [re.sub(r"^[\s×╰│├─▶]+|\s+$", "", line) for line in output.splitlines()]
    lines = [line for line in lines if line and not line.startswith(("WARNING", "[notice]", "hint:"))]
    errors = [line for line in lines if re.match(r"(ERROR|error|Caused by|Because)\b", line)]
    said = re.sub("^(ERROR|error|Caused by): *", "", (errors or lines or ["no message"])[-1])
    return re.sub(r"//[^/@\s]+@", "//***@", said)[:240]  # an index address may hold a password


def pip_install(*arguments: str) -> "list[str]":
    """Build a pip command that installs into .venv."""
    return [str(PYTHON), "-m", "pip", "install", "--quiet", *arguments]


def fail(output: str, step: str) -> None:
    """Turn a failed step into one line."""
    unreachable = UNREACHABLE.findall(output)
    if unreachable:
        raise Problem(NO_INDEX.format(reason=unreachable[-1]))
    if "No matching distribution" in output:
        raise Problem(NOT_THERE.format(reason=reason(output)))
    raise Problem(f"{step} failed: {reason(output)}. The full output is in .venv/setup.log")


def make_venv(environment: "dict[str, str]", run=run, venv: "Path | None" = None) -> None:  # type: ignore[no-untyped-def]
    """Make an empty environment with pip (.venv unless another is named), replacing whatever is there."""
    venv = venv or VENV
    base = getattr(sys, "_base_executable", None) if Path(sys.prefix) == VENV else None
    code, output = run([base or sys.executable, "-m", "venv", "--clear", str(venv)], environment)
    if code:
        why = reason(output)
        raise Problem(f"{venv.name} could not be made: {why}. Close the programs that use it, or delete the folder")


def uv_sync(python: Path, lock: Path, environment: "dict[str, str]", run=run) -> "tuple[int, str]":  # type: ignore[no-untyped-def]
    """Install exactly a lock with uv, told pip's settings; compiled once, because some machines forbid Python to do it later.

    A process that finds nothing compiled spends ten seconds on it, and every report is a process.
    """
    settings = pip_settings(run([str(PYTHON), "-m", "pip", "config", "list"], environment)[1])
    command = [str(UV), "pip", "sync", "--python", str(python), "--require-hashes", "--compile-bytecode"]
    code, output = run([*command, *index_arguments(settings), str(lock)], uv_environment(settings, dict(os.environ)))
    return code, output


def sync_with_uv(run=run) -> "str | None":  # type: ignore[no-untyped-def]
    """Install the lock with the pinned uv; say why when that did not work."""
    environment = clean_environment(dict(os.environ))
    code, output = run(pip_install("--require-hashes", "--only-binary", ":all:", "-r", str(UV_LOCK)), environment)
    if code and UNREACHABLE.search(output):
        fail(output, "set-up")  # that was pip: trying pip once more would only take longer
    if code:
        return "uv could not be installed: " + reason(output)
    code, output = uv_sync(PYTHON, LOCK, environment, run)
    return "uv failed: " + reason(output) if code else None


def install_packages(run=run) -> None:  # type: ignore[no-untyped-def]
    """Install exactly the lock: by uv, and by pip if uv fails for whatever reason."""
    complaint = sync_with_uv(run)
    if complaint is None:
        return
    say(f"{complaint}; using pip instead, which takes a few minutes")
    environment = clean_environment(dict(os.environ))
    make_venv(environment, run)  # whatever uv left half-done must not count as installed
    code, output = run(pip_install("--require-hashes", "-r", str(LOCK)), environment)
    if code:
        fail(output, "installing the packages")


def install_project(run=run) -> None:  # type: ignore[no-untyped-def]
    """Install sme_eval itself as editable; its build back-end is in the lock, so nothing is fetched."""
    command = pip_install("--no-index", "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    code, output = run(command, clean_environment(dict(os.environ)))
    if code:
        fail(output, "installing sme_eval itself")
    run([str(PYTHON), "-m", "compileall", "-q", str(ROOT / "sme_eval")], dict(os.environ))  # as the libraries: see uv_sync


def setup() -> None:
    """Make .venv match the lock; a finished one is recognised at once."""
    if current_state()[0] == "ready":
        return
    with only_one():
        state, why = current_state()  # another set-up may have finished while this one waited
        if state == "ready":
            return
        problem = venv_problem()
        if problem:
            raise Problem(problem, USAGE)
        say(why + (" (once; a minute or two)" if state != "update" else ""))
        started = time.time()
        with contextlib.suppress(FileNotFoundError):
            STAMP.unlink()
        if state != "update":
            make_venv(clean_environment(dict(os.environ)))
        install_packages()
        install_project()
        STAMP.write_text(json.dumps(expected_stamp()), encoding="utf-8")
        say(f"ready after {time.time() - started:.0f} s")


@contextlib.contextmanager
def only_one():  # type: ignore[no-untyped-def]
    """Let one set-up at a time touch .venv; the system releases the guard even if the process dies."""
    with GUARD.open("a+") as handle:
        if not try_lock(handle):
            say("another set-up is running here: waiting for it")
            while not try_lock(handle):
                time.sleep(0.5)
        yield


def try_lock(handle) -> bool:  # type: ignore[no-untyped-def]
    """Take the guard without waiting; False if another process has it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            handle.seek(0)
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def bench_setup(run=run) -> Path:  # type: ignore[no-untyped-def]
    """Make .venv-bench match its lock, with .venv's uv or else with pip; give back its Python.

    sme_eval is not installed in it: verbs run in the project's folder, where it is found.
    """
    python = BENCH_VENV / BIN.name / PYTHON.name
    stamp = BENCH_VENV / STAMP.name
    wanted = dict(expected_stamp((BENCH_LOCK,)), venv=str(BENCH_VENV))
    if python.exists() and read_stamp(stamp) == wanted:
        return python
    with only_one():
        say("installing the packages to measure against in .venv-bench (once; a minute or two)")
        environment = clean_environment(dict(os.environ))
        make_venv(environment, run, BENCH_VENV)
        if UV.exists():
            code, output = uv_sync(python, BENCH_LOCK, environment, run)
        else:
            code, output = run([str(python), *pip_install("--require-hashes", "-r", str(BENCH_LOCK))[1:]], environment)
        if code:
            fail(output, "installing the packages to measure against")
        stamp.write_text(json.dumps(wanted), encoding="utf-8")
    return python


# --- verbs -----------------------------------------------------------------------------------------------------------


def in_venv(command: "list[str]", python: "Path | None" = None) -> int:
    """Run a program of .venv (or of another Python's environment) in the project's folder, on this terminal; give its exit code."""
    python = python or PYTHON
    environment = clean_environment(dict(os.environ))
    environment["VIRTUAL_ENV"] = str(python.parent.parent)
    environment["PATH"] = str(python.parent) + os.pathsep + environment.get("PATH", "")
    process = subprocess.Popen([str(python), *command], cwd=str(ROOT), env=environment)
    interrupted = False
    while True:
        try:
            code = process.wait()
            break
        except KeyboardInterrupt:  # a terminal sends Ctrl-C to both: the child decides how to end
            interrupted = True
            if sys.stdin is None or not sys.stdin.isatty():
                process.terminate()
    if interrupted and code:
        return INTERRUPTED
    return 128 - code if code < 0 else code


def module(*command: str):  # type: ignore[no-untyped-def]
    """Make a verb: set up, then run a Python module with the arguments that follow."""

    def verb(arguments: "list[str]") -> int:
        setup()
        return in_venv(list(command) + arguments)

    return verb


def setup_verb(arguments: "list[str]") -> int:
    """Set up and say so."""
    setup()
    say(".venv is ready")
    return 0


def bench(arguments: "list[str]") -> int:
    """Measure ours beside the field's packages, which live in an environment of their own."""
    setup()
    return in_venv(["-m", "benchmarks", *arguments], bench_setup())


def doctor(arguments: "list[str]") -> int:
    """Ask the package; without a finished .venv, say what stands in the way of one."""
    state, why = current_state()
    if state == "ready":
        return in_venv(["-m", "sme_eval", "doctor", *arguments])
    _, listing = run([sys.executable, "-m", "pip", "config", "list"], clean_environment(dict(os.environ)))
    settings = pip_settings(listing)
    problem = venv_problem()
    print("Python    {} ({}): fits".format(".".join(map(str, sys.version_info[:3])), sys.executable))
    print("venv      {}".format(problem or "can be made"))
    print("index     {}".format(re.sub(r"//[^/@\s]+@", "//***@", settings.get("index-url", "pip's default"))))
    print(".venv     {}".format("not made yet" if state == "create" else why.split(":")[0]))
    print("next      {}".format("see the line on venv" if problem else "make setup (Windows: py bootstrap.py setup)"))
    return USAGE if problem else 0


STRIP = ["-m", "nbstripout", "--keep-id", "--extra-keys"]
STRIP += ["metadata.papermill cell.metadata.papermill cell.metadata.execution"]
LINTERS = {  # name: (command, what it looks at when no file is named; None: the notebooks)
    "ruff": (["-m", "ruff", "check", "--force-exclude"], ["."]),
    "format": (["-m", "ruff", "format", "--force-exclude", "--check"], ["."]),
    "mypy": (["-m", "mypy"], []),
    "notebooks": ([*STRIP, "--verify"], None),
    "strip": (STRIP, None),
    "large-files": (["-m", "pre_commit_hooks.check_added_large_files", "--maxkb=200"], []),
}  # type: dict[str, tuple[list[str], list[str] | None]]
ONLY_WHEN_NAMED = ("strip", "large-files")  # the one changes files, the other looks at a commit


def lint(arguments: "list[str]") -> int:
    """Run every linter, or the one that is named, on the files that are named."""
    names = arguments[:1] or [name for name in LINTERS if name not in ONLY_WHEN_NAMED]
    if names[0] not in LINTERS:
        raise Problem("there is no linter {}; there are: {}".format(names[0], ", ".join(LINTERS)), USAGE)
    setup()
    notebooks = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
    worst = 0
    for name in names:
        command, everything = LINTERS[name]
        files = arguments[1:] or (notebooks if everything is None else everything)
        if everything is not None or files:
            worst = max(worst, in_venv(command + files))
    return worst


def uv_only(settings: "dict[str, str]") -> "dict[str, str]":
    """Lock against the main index alone: hashes of a private extra index would fit nobody else."""
    shared = {name: value for name, value in settings.items() if name not in ("extra-index-url", "find-links")}
    return uv_environment(shared, dict(os.environ))


def lock(arguments: "list[str]") -> int:
    """Write every lock again; --upgrade moves to newer releases, --check only looks for wheels."""
    setup()
    if not UV.exists():
        raise Problem("the lock is made by uv, which could not be installed here: see .venv/setup.log")
    _, listing = run([str(PYTHON), "-m", "pip", "config", "list"], clean_environment(dict(os.environ)))
    environment = uv_only(pip_settings(listing))
    if arguments == ["--check"]:
        return check_lock(environment)
    compile_ = [str(UV), "pip", "compile", "--universal", "--fork-strategy", "fewest", "--python-version", "3.11"]
    compile_ += ["--generate-hashes", "--no-emit-index-url", "--custom-compile-command", "python bootstrap.py lock"]
    compile_ += ["--quiet", *arguments]
    everything = ["pyproject.toml", "--extra", "test", "--extra", "dev"]
    against = ["--group", "bench", "--constraint", LOCK.name]  # the same numpy and pandas under ours and theirs
    for wanted, target in ((everything, LOCK), (["--group", "setup"], UV_LOCK), (against, BENCH_LOCK)):
        code, output = run(compile_ + wanted + ["--output-file", target.name], environment)
        if code:
            fail(output, "locking " + target.name)
    return check_lock(environment)


def check_lock(environment: "dict[str, str]") -> int:
    """Ask the index for a wheel of every locked package, for each Python and platform; nothing is installed."""
    missing = 0
    for minor in range(OLDEST[1], NEWEST[1] + 1):
        for platform in PLATFORMS:
            where = f"3.{minor} on {platform}"
            with tempfile.TemporaryDirectory() as target:
                command = [str(UV), "pip", "install", "--dry-run", "--target", target, "--python", str(PYTHON)]
                command += ["--python-version", f"3.{minor}", "--python-platform", platform]
                command += ["--only-binary", ":all:", "--require-hashes", "--requirements", str(LOCK)]
                code, output = run(command, environment)
            print("{:45} {}".format(where, "missing: " + reason(output) if code else "every wheel is there"))
            missing += bool(code)
    return 1 if missing else 0


def environment_verb(arguments: "list[str]") -> int:
    """Write environment.yml again; needs no set-up."""
    return subprocess.call([sys.executable, str(ROOT / "tools" / "environment.py"), *arguments])


VERBS = {  # in the order in which help lists them
    "report": (module("-m", "sme_eval", "report"), "bring the sample report up to date: every notebook and briefing"),
    "test": (
        module("-m", "pytest", "-n", "auto", "--maxprocesses", "8", "--dist", "loadfile", "--no-loadscope-reorder"),
        "run the whole test suite (arguments go to pytest)",
    ),
    "lab": (module("-m", "jupyterlab"), "start JupyterLab"),
    "setup": (setup_verb, "make .venv from the lock; every other verb does so when needed"),
    "doctor": (doctor, "say what works on this machine and what is missing"),
    "lint": (lint, "ruff, formatting, mypy, notebooks without outputs: check, change nothing"),
    "lock": (lock, "write the lock again and look for wheels (--upgrade: newer releases; --check: look only)"),
    "environment": (environment_verb, "write environment.yml again from pyproject.toml"),
    "contact-sheet": (module("tools/contact_sheet.py"), "draw every page of the report on one sheet"),
    "simulations": (
        module("-m", "simulations"),
        "measure every design on simulated panels: what is missing or stale (--only TABLE, --panels N, -j N)",
    ),
    "bench": (bench, "measure speed and memory beside the field's packages (--sizes N, --tasks NAME, --repeats N, --fresh)"),
}


def help_text() -> str:
    """List the verbs, one line each."""
    lines = ["make VERB, or python3 bootstrap.py VERB [ARGUMENTS] (Windows: py bootstrap.py VERB)", ""]
    lines += [f"  {name:14} {text}" for name, (_, text) in VERBS.items()]
    return "\n".join([*lines, "  {:14} {}".format("help", "this list")])


def dispatch(arguments: "list[str]") -> int:
    """Run one verb."""
    verb = arguments[0] if arguments else "help"
    if verb in ("help", "-h", "--help"):
        print(help_text())
        return 0
    if verb not in VERBS:
        raise Problem("there is no verb {}; there are: {}, help".format(verb, ", ".join(VERBS)), USAGE)
    require_python()
    return VERBS[verb][0](arguments[1:])


def main(arguments: "list[str]") -> int:
    """Run one verb; whatever the user can act on becomes one line."""
    try:
        return dispatch(arguments)
    except Problem as problem:
        say(str(problem))
        return problem.code
    except KeyboardInterrupt:
        say("interrupted; run it again to continue")
        return INTERRUPTED
    except OSError as error:
        say("{}: {}".format(error.filename or "the system", error.strerror or error))
        return FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
