"""Where the declared facts lie."""

from __future__ import annotations

from pathlib import Path

from sme_eval.errors import DesignError, Problem
from sme_eval.resources import resource_files


def fact_files(ending: str, folder: str | Path | None = None) -> dict[str, Path]:
    """Files of `data/facts` with that ending, by name: the project's over the packaged ones, or those of `folder` only."""
    if folder is None:
        return resource_files("facts", ending)
    return {path.name: path for path in sorted(Path(folder).glob(f"*{ending}"))}


def fact_file(name: str, folder: str | Path | None = None) -> Path:
    """One file of `data/facts`; DesignError if it is not there."""
    files = fact_files(Path(name).suffix, folder)
    if name not in files:
        raise DesignError(Problem(what=f"{name} was not found.", where="data/facts/", remedy="check the folder"))
    return files[name]
