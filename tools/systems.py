"""Writes docs/systems.md from the declared instruments: `python tools/systems.py`; a test holds the two together."""

from pathlib import Path

from sme_eval.runs.systems import systems_document

if __name__ == "__main__":
    (Path(__file__).parents[1] / "docs" / "systems.md").write_text(systems_document(), encoding="utf-8", newline="\n")
