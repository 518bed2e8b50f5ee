"""The stamp of a run: what its outputs were made from, and their digests. It lies beside the record and is written last."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

SCHEMA: Final = 1
STAMP: Final = "run.json"
EVALUATION: Final = "evaluation.json"
PAGE: Final = "page.json"
"""The record of a notebook without an evaluation; it stands in the place of the other."""
Key = Mapping[str, Any]
"""What an output was made from: component → digest or value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """One run: the keys of `estimation` and `rendering`, and the outputs of each: paths below the reports' folder → sha256.

    `report` is its name in a plan, `seconds` how long each part took.
    """

    name: str
    slug: str
    estimation: Key = field(default_factory=dict)
    rendering: Key = field(default_factory=dict)
    estimated: Mapping[str, str] = field(default_factory=dict)
    rendered: Mapping[str, str] = field(default_factory=dict)
    report: str = ""
    seconds: Mapping[str, float] = field(default_factory=dict)

    def write(self, reports: Path) -> None:
        """Write the stamp beside its record, whole or not at all."""
        folder = record_folder(reports, self.slug)
        write_whole(folder / STAMP, json.dumps({"schema": SCHEMA, **asdict(self)}, ensure_ascii=False, indent=1) + "\n")


def record_folder(reports: Path, slug: str) -> Path:
    """Where the internal outputs of a run lie."""
    return reports / "internal" / slug


def record_file(folder: Path) -> Path:
    """The record in the folder of a run: of an evaluation, else of a page without one."""
    page = folder / PAGE
    return page if page.is_file() else folder / EVALUATION


def read_stamps(reports: Path) -> list[Stamp]:
    """Every readable stamp below `reports`; what is no stamp of this schema counts as none."""
    found = (read_stamp(path) for path in sorted(reports.glob(f"internal/*/{STAMP}")))
    return [stamp for stamp in found if stamp is not None]


def read_stamp(path: Path) -> Stamp | None:
    """The stamp in a file; None if there is none that can be read."""
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        if plain.pop("schema") != SCHEMA:
            return None
        stamp = Stamp(**plain)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    # A folder that was renamed or copied by hand is not the one that was stamped.
    return stamp if stamp.slug == path.parent.name else None


def digest(path: Path) -> str:
    """sha256 of a file's bytes; empty if there is no file."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def digest_texts(files: Iterable[tuple[str, Path]]) -> str:
    """One sha256 over named files; line endings do not matter."""
    total = hashlib.sha256()
    for name, path in sorted(files):
        total.update(name.encode() + b"\0" + path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return total.hexdigest()


def write_whole(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8", newline="\n")
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def publish(staging: Path, reports: Path, earlier: Iterable[str]) -> dict[str, str]:
    """Move every file below `staging` to its place below `reports`, and remove those `earlier` ones that were not made again.

    Returns the path of each file below `reports` and its sha256.
    """
    made = {}
    for path in sorted(path for path in staging.rglob("*") if path.is_file()):
        inside = path.relative_to(staging).as_posix()
        made[inside] = digest(path)
        (reports / inside).parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, reports / inside)
    for inside in set(earlier) - set(made):
        (reports / inside).unlink(missing_ok=True)
    return made
