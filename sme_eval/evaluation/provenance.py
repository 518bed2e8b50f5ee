"""What a record was made from: data, parameters, code, versions. No time, no place, no person."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path

from sme_eval import __version__
from sme_eval.panel.firm_panel import FirmPanel

from .record import Provenance

PACKAGE = Path(__file__).resolve().parents[1]
LIBRARIES = ("numpy", "scipy", "pandas", "linearmodels", "statsmodels")
AFTER_THE_RECORD = ("briefing", "runs", "cli.py", "__main__.py")
"""Rooms that only read records: editing them changes no estimate."""


def provenance(panel: FirmPanel) -> Provenance:
    """Provenance of an evaluation of `panel` by this installation."""
    commit, dirty = _commit()
    return Provenance(
        package_version=__version__,
        commit=commit,
        dirty=dirty,
        python=platform.python_version(),
        libraries={name: metadata.version(name) for name in LIBRARIES},
        source=panel.source,
        data_hash=panel.content_hash(),
        data_parameters={str(k): v if isinstance(v, str | int | float | bool) else str(v) for k, v in panel.parameters.items()},
        modules_hash=modules_hash(),
        lock_hash=lock_hash(),
    )


@cache
def modules_hash() -> str:
    """sha256 over the package's code that stands before the record."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        inside = path.relative_to(PACKAGE)
        if inside.parts[0] not in AFTER_THE_RECORD:
            digest.update(inside.as_posix().encode() + b"\0" + path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()


@cache
def lock_hash() -> str:
    """sha256 of the lock this installation was made from; of the libraries' versions where there is no lock."""
    lock = PACKAGE.parent / "requirements.lock"
    if lock.is_file():
        return hashlib.sha256(lock.read_bytes().replace(b"\r\n", b"\n")).hexdigest()
    versions = "\n".join(f"{name}=={metadata.version(name)}" for name in LIBRARIES)
    return hashlib.sha256(versions.encode()).hexdigest()


@cache
def _commit() -> tuple[str, bool | None]:
    """(commit, whether tracked files were changed since) of the checkout the package runs from; ("", None) when installed."""
    if not (PACKAGE.parent / ".git").exists():
        return "", None
    try:
        head = _git("rev-parse", "HEAD")
        return head, bool(_git("status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.SubprocessError):
        return "", None


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=PACKAGE.parent, capture_output=True, text=True, check=True, timeout=30)
    return done.stdout.strip()
