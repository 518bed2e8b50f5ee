"""The manifest: a digest of every report, from which two folders of reports can be compared without reading them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from sme_eval.runs.stamp import Stamp, read_stamps, write_whole

MANIFEST: Final = "manifest.json"
NORMALISED: Final = ("run.json: seconds",)
"""What is left out of the digests, because it differs between two runs of the same thing."""


def manifest(reports: Path) -> dict[str, Any]:
    """Report → what it was made from, and the digest of each of its files, as the stamps hold them."""
    stamps = sorted(read_stamps(reports), key=lambda stamp: stamp.slug)
    return {"left_out": list(NORMALISED), "reports": {stamp.slug: _entry(stamp) for stamp in stamps}}


def _entry(stamp: Stamp) -> dict[str, Any]:
    return {
        "notebook": stamp.name,
        "parameters": dict(stamp.estimation.get("parameters", {})),
        "estimation": dict(stamp.estimation),
        "rendering": dict(stamp.rendering),
        "files": dict(sorted({**stamp.estimated, **stamp.rendered}.items())),
    }


def write_manifest(reports: Path) -> None:
    """Write the manifest of what is there now."""
    write_whole(reports / MANIFEST, json.dumps(manifest(reports), ensure_ascii=False, indent=1, sort_keys=True) + "\n")
