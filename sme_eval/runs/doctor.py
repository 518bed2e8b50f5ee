"""What works on this machine: `sme-eval doctor`. Nothing is fetched and nothing is changed."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final, Literal

from sme_eval.errors import SmeEvalError
from sme_eval.runs.kernel import KERNEL, worker_environment
from sme_eval.runs.run import staging_folder

State = Literal["ok", "note", "failed"]
OLDEST, NEWEST = (3, 11), (3, 13)
SECONDS: Final = 120
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
_START_KERNEL: Final = f"""
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name={KERNEL!r}, startup_timeout=60)
client.stop_channels()
manager.shutdown_kernel(now=True)
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    state: State
    text: str

    def __str__(self) -> str:
        """One line."""
        return f"{self.name:<12} {self.state:<7} {self.text}"


def examine(reports: str | Path = "reports") -> Iterator[Finding]:
    """Look at one thing after the other."""
    checks: dict[str, Callable[[], tuple[State, str]]] = {
        "Python": _python,
        "index": _index,
        "lock": _lock,
        "font": _font,
        "Typst": _typst,
        "Jupyter": _kernel,
        "Chromium": _chromium,
        "reports": lambda: _writable(reports),
    }
    for name, check in checks.items():
        try:
            yield Finding(name, *check())
        except SmeEvalError as error:
            yield Finding(name, "failed", error.problems[0].what)
        except Exception as error:  # whatever a library says here is the finding
            yield Finding(name, "failed", f"{type(error).__name__}: {str(error).partition(chr(10))[0]}")


def _python() -> tuple[State, str]:
    version = ".".join(map(str, sys.version_info[:3]))
    fits = OLDEST <= sys.version_info[:2] <= NEWEST
    return ("ok", version) if fits else ("failed", f"{version}: sme_eval runs on Python 3.11, 3.12 and 3.13")


def _index() -> tuple[State, str]:
    if importlib.util.find_spec("pip") is None:
        return "note", "this environment has no pip to ask; not needed to run"
    command = [sys.executable, "-m", "pip", "config", "list", "--disable-pip-version-check"]
    listing = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False).stdout
    found = re.search(r"index-url='?([^'\n]+)", listing)
    address = re.sub(r"//[^/@\s]+@", "//***@", found[1]) if found else "pip's default"
    return "ok", f"{address} (configured; not contacted: nothing is fetched at run time)"


def _lock() -> tuple[State, str]:
    """Installed versions against the lock; what is not installed (tests, other systems) does not count."""
    lock = Path(__file__).resolve().parents[2] / "requirements.lock"
    if not lock.is_file():
        return "note", "installed without its lock: versions are not compared"
    pins = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)([^\\\n]*)", lock.read_text(encoding="utf-8"), flags=re.MULTILINE)
    wanted: dict[str, set[str]] = {}
    for name, version, _ in pins:
        wanted.setdefault(name, set()).add(version)
    have = {name: found for name in wanted if (found := _version(name)) is not None}
    differ = [f"{name} {have[name]} (locked {', '.join(sorted(wanted[name]))})" for name in have if have[name] not in wanted[name]]
    if differ:
        return "note", f"{len(differ)} packages differ from requirements.lock: {'; '.join(differ[:3])}"
    return "ok", f"{len(have)} installed packages are the locked ones"


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _font() -> tuple[State, str]:
    from sme_eval.briefing.typeface import FAMILY, font_path

    return "ok", f"{FAMILY} ({font_path().name})"


def _typst() -> tuple[State, str]:
    import typst

    pages = typst.compile(b"#set page(width: 5cm, height: 5cm)\nok")
    return ("ok", "compiles a page") if pages else ("failed", "compiles nothing")


def _kernel() -> tuple[State, str]:
    with tempfile.TemporaryDirectory(prefix="sme-eval-", ignore_cleanup_errors=True) as scratch:
        done = subprocess.run(
            [sys.executable, "-c", _START_KERNEL],
            env=worker_environment(Path(scratch)),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    if done.returncode:
        return "failed", (done.stderr.strip().splitlines() or ["the kernel did not start"])[-1]
    return "ok", "a kernel starts"


def _chromium() -> tuple[State, str]:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    return ("ok", found) if found else ("note", "not found; only the browser tests need it")


def _writable(reports: str | Path) -> tuple[State, str]:
    existed = Path(reports).exists()
    with staging_folder(reports) as (folder, _):
        pass
    if not existed:
        folder.rmdir()
    return "ok", f"{Path(reports).as_posix()} can be written"
