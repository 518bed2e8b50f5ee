"""The digits that readers see although no value of the record stands behind them: each with its reason. There are no others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ALLOWED_DIGITS: Final[Mapping[str, str]] = {
    r"— \d+ —": "page number at the foot of a PDF page",
}
"""Pattern of a whole line → why it may stand. HTML pages have no such line: there every digit lies in a `<data>` element."""
