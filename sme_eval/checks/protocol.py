"""What a check returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """Passed, failed, or informative (None). `reason` is a key that the pages put into words; `numbers` feed that sentence."""

    name: str
    passed: bool | None
    reason: str
    numbers: Mapping[str, int | float] = field(default_factory=dict)
