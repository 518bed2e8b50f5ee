"""Growth of a total over a list that changes, taken apart: an accounting identity, not an estimate."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from sme_eval.stats.list_change import GROUPS, Group, ListGroup
from sme_eval.terms import DataKind, Language

from .list_growth_plot import draw_waterfall
from .plots import INK
from .table_text import TEXTS
from .text import Printable, text_table

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

Part = Literal["frozen_list", "brought_in", "entrants_growth", "taken_out"]
PARTS: Final[tuple[Part, ...]] = ("frozen_list", "brought_in", "entrants_growth", "taken_out")
IDENTITY: Final = (
    "An accounting identity: its parts add up, it has no standard error or interval, and it says nothing of an effect."
)
WORDS: Final[Mapping[Language, Mapping[str, str]]] = {
    "en": {
        "start": "current list,\n{since}",
        "frozen_list": "growth of firms on\nthe {since} list",
        "brought_in": "entrants:\nhad it before",
        "entrants_growth": "entrants:\ngrowth",
        "taken_out": "leavers:\ntaken out",
        "end": "current list,\n{year}",
        "points": "{points:+.2f} pp",
        "axis": "{label} ({unit})",
    },
    "zh": {
        "start": "{since}年末\n现行名单",
        "frozen_list": "{since}年名单内\n企业的增长",
        "brought_in": "新进企业\n带入的余额",
        "entrants_growth": "新进企业\n的增长",
        "taken_out": "退出企业\n带走的余额",
        "end": "{year}年末\n现行名单",
        "points": "{points:+.2f}个百分点",
        "axis": "{label}（{unit}）",
    },
}
_HUNDRED_MILLION_YUAN: Final[Mapping[Language, str]] = {"zh": "亿元", "en": "100 million yuan"}
_LARGE: Final = 100_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AmountColumn:
    """The amount: its column, its unit's key, and both in words."""

    name: str
    unit: str
    label: Mapping[Language, str]
    unit_label: Mapping[Language, str]

    def shown(self, largest: float, language: Language) -> tuple[str, float]:
        """What an axis says, and by how much amounts are divided on it: 10,000 yuan by the ten thousand are 亿元."""
        large = self.unit == "ten_thousand_yuan" and largest >= _LARGE
        unit, scale = (_HUNDRED_MILLION_YUAN[language], 10_000.0) if large else (self.unit_label[language], 1.0)
        return WORDS[language]["axis"].format(label=self.label[language], unit=unit), scale


@dataclass(frozen=True, kw_only=True, eq=False)
class ListGrowth(Printable):
    """Growth of `amount` from `since` to `year` over a list of firms, as `sme.list_growth` gives it.

    `groups` hold firms and amounts of who stayed, entered and left. Growth rates are in percent, contributions in percentage points
    of the current list's growth. Amounts are in the column's unit. No firm is named, but a group of few firms is as confidential as
    they are.
    """

    amount: AmountColumn
    listed: str
    since: int
    year: int
    data_kind: DataKind
    groups: Mapping[Group, ListGroup]

    @property
    def start(self) -> float:
        """Total of the firms on the list at the start."""
        return self.groups["stayed"].start + self.groups["left"].start

    @property
    def end(self) -> float:
        """Total of the firms on the list at the end."""
        return self.groups["stayed"].end + self.groups["entered"].end

    @property
    def change(self) -> float:
        """End less start, each over the list as it was."""
        return self.end - self.start

    @property
    def current_list(self) -> float:
        """Growth in percent, all firms on the list at each end: what a press release says."""
        return _growth(self.start, self.end)

    @property
    def frozen_start(self) -> float:
        """Growth in percent of the firms on the list at the start, at both dates, wherever they are at the end (Laspeyres)."""
        return _growth(self.start, self.groups["stayed"].end + self.groups["left"].end)

    @property
    def frozen_end(self) -> float:
        """Growth in percent of the firms on the list at the end, at both dates, also before they were on it (Paasche)."""
        return _growth(self.groups["stayed"].start + self.groups["entered"].start, self.end)

    @property
    def parts(self) -> Mapping[Part, float]:
        """Contributions to `change`, in amounts; they add up to it.

        frozen_list: growth of the firms on the list at the start. brought_in: what entrants had at the start, before they were
        counted. entrants_growth: what they added since. taken_out: what leavers have at the end and no longer counts.
        """
        stayed, entered, left = (self.groups[group] for group in GROUPS)
        return {
            "frozen_list": stayed.change + left.change,
            "brought_in": entered.start,
            "entrants_growth": entered.change,
            "taken_out": 0.0 - left.end,
        }

    @property
    def points(self) -> Mapping[Part, float]:
        """Contributions in percentage points; they add up to `current_list`, and that of the frozen list is `frozen_start`."""
        return {part: 100.0 * amount / self.start for part, amount in self.parts.items()}

    @property
    def omitted(self) -> int:
        """Firms of the list that are left out because an amount is missing."""
        return sum(group.omitted for group in self.groups.values())

    def to_frame(self) -> pd.DataFrame:
        """One row per part, then the total: part, firms, amount, growth (percent, of the part's own firms), points."""
        import pandas as pd

        stayed, entered, left = (self.groups[group] for group in GROUPS)
        firms = {"frozen_list": stayed.firms + left.firms, "taken_out": left.firms}
        growth = {"frozen_list": self.frozen_start, "entrants_growth": _growth(entered.start, entered.end)}
        rows = [
            (part, firms.get(part, entered.firms), amount, growth.get(part, math.nan), self.points[part])
            for part, amount in self.parts.items()
        ]
        total = ("total", stayed.firms + entered.firms, self.change, self.current_list, self.current_list)
        return pd.DataFrame([*rows, total], columns=["part", "firms", "amount", "growth", "points"])

    def groups_frame(self) -> pd.DataFrame:
        """One row per group: group, firms, start, end, growth (percent), omitted firms and what is known of them at either date."""
        import pandas as pd

        rows = [
            (name, one.firms, one.start, one.end, _growth(one.start, one.end), one.omitted, one.omitted_start, one.omitted_end)
            for name, one in self.groups.items()
        ]
        columns = ["group", "firms", "start", "end", "growth", "omitted", "omitted_start", "omitted_end"]
        return pd.DataFrame(rows, columns=columns)

    def summary(self) -> str:
        """Three growth rates, the parts, the groups, who is left out, and what this is not."""
        kind = "SIMULATED data: " if self.data_kind == "simulated" else ""
        lines = [
            f"{kind}growth of {self.amount.name} ({self.amount.unit}) from {self.since} to {self.year} over the list {self.listed}",
            f"  current list        {self.current_list:8.2f} %   all firms on the list at each end",
            f"  frozen, {self.since} list   {self.frozen_start:8.2f} %   the same firms at both dates",
            f"  frozen, {self.year} list   {self.frozen_end:8.2f} %   the same firms at both dates, before they joined too",
            "",
            text_table(self.to_frame()),
            "",
            text_table(self.groups_frame()),
        ]
        return "\n".join([*lines, *self._notes()])

    def _notes(self) -> list[str]:
        lost = f"{self.omitted} firms of the list are left out: an amount is missing at one of the two dates"
        return [*([lost] if self.omitted else []), "growth in percent; points in percentage points of the current list", IDENTITY]

    def plot(self, *, axes: Axes | None = None, language: Language = "en") -> Axes:
        """The bridge from the earlier total to the later one; simulated data are called so in the drawing.

        Chinese words need a font that has them: `sme.plot_list_growth` brings its own.
        """
        words = WORDS[language]
        dates = {"since": self.since, "year": self.year}
        bars = {part: amount for part, amount in self.parts.items() if part != "taken_out" or self.groups["left"].firms}
        label, scale = self.amount.shown(max(self.start, self.end), language)
        axes = draw_waterfall(
            [amount / scale for amount in (self.start, *bars.values())],
            names=[words[key].format(**dates) for key in ("start", *bars, "end")],
            notes=["", *(words["points"].format(points=self.points[part]) for part in bars), ""],
            axes=axes,
            y_label=label,
            digits=1 if scale > 1.0 else 0,
        )
        if self.data_kind == "simulated":
            axes.set_title(TEXTS[language]["simulated"], loc="left", fontsize="small", color=INK)
        return axes


def _growth(start: float, end: float) -> float:
    """Percent; nothing grows from nothing."""
    return 100.0 * (end - start) / start if start > 0.0 else math.nan
