"""Write environment.yml from pyproject.toml: `make environment`; with --check, only say whether it is up to date."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "environment.yml"

HEADER = """\
# Written by `make environment` from pyproject.toml; do not edit.
# conda chooses versions on the day it runs and checks no hashes. The locked way, which the tests run on, is
# `make setup`: requirements.lock holds exact versions and the hash of every file.
"""
RENAMED = {"typst": "typst-py"}  # the channel's `typst` is the command-line program
NOT_ON_CONDA_FORGE = {"moderndid", "playwright", "synthdid-py", "zhplot"}


def split(requirement: str) -> tuple[str, str]:
    """Split a requirement into its name and its version bounds."""
    match = re.fullmatch(r"([A-Za-z0-9._-]+)\s*([<>=!~0-9.,*\s]*)", requirement)
    if match is None:
        raise SystemExit(f"environment: {requirement!r} has extras or a marker; conda knows neither, so declare it plainly")
    return match[1].lower(), match[2].replace(" ", "")


def requirements(project: dict[str, Any]) -> list[tuple[str, str]]:
    """List what the package and its tests need, by name."""
    declared = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    return sorted(split(requirement) for requirement in declared)


def render(pyproject: str) -> str:
    """Make the text of environment.yml."""
    project = tomllib.loads(pyproject)["project"]
    wanted = requirements(project)
    conda = [RENAMED.get(name, name) + bounds for name, bounds in wanted if name not in NOT_ON_CONDA_FORGE]
    pip = [name + bounds for name, bounds in wanted if name in NOT_ON_CONDA_FORGE]
    lines = [f"name: {project['name']}", "channels:", "  - conda-forge", "  - nodefaults", "dependencies:"]
    lines += [f"  - python{project['requires-python']}", *(f"  - {line}" for line in conda), "  - pip", "  - pip:"]
    lines += [f"      - {line}" for line in [*pip, "-e ."]]
    return HEADER + "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    """Write the file, or compare it."""
    text = render((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    if arguments == ["--check"]:
        fresh = TARGET.exists() and TARGET.read_text(encoding="utf-8") == text
        print(f"{TARGET.name} is up to date" if fresh else f"{TARGET.name} is out of date: run make environment")
        return 0 if fresh else 1
    TARGET.write_text(text, encoding="utf-8", newline="\n")
    print(f"{TARGET.name} written")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
