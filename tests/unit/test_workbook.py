"""Excel workbooks and headings in words: what is read, and that everything that is not plain is refused at once and by cell."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from openpyxl import Workbook, load_workbook

from sme_eval.errors import DataError
from sme_eval.panel.dictionary import load_dictionary
from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.panel.headings import letter
from sme_eval.panel.panel_file import read_panel

HEADINGS = ["企业编号", "Year", "营业收入(对数)", "certified_year", "industry division"]
ROWS: list[list[Any]] = [
    ["913302010000000001", 2019, 8.5, 0, "C34"],
    ["913302010000000001", 2020, 8.6, 0, "C34"],
    ["913302010000000002", 2019, 9, 2020, "C35"],
    ["913302010000000002", 2020, None, 2020, "C35"],
]


def book(*rows: list[Any]) -> Workbook:
    made = Workbook()
    sheet = made.active
    assert sheet is not None
    for row in rows or (HEADINGS, *ROWS):
        sheet.append(row)
    return made


def saved(made: Workbook, tmp_path: Path, name: str = "mine.xlsx") -> Path:
    made.save(tmp_path / name)
    return tmp_path / name


def refusal(path: Path, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        read_panel(path, "observed", **options)
    return str(caught.value)


def test_headings_may_be_names_or_labels(tmp_path: Path) -> None:
    panel = read_panel(saved(book(), tmp_path), "observed")
    assert panel.columns == ("firm", "year", "log_revenue", "certified_year", "industry")
    assert panel.frame["firm"].tolist()[0] == 913302010000000001
    text = ",".join(HEADINGS) + "\n" + "\n".join(",".join("" if v is None else str(v) for v in row) for row in ROWS) + "\n"
    (tmp_path / "mine.csv").write_text(text, encoding="utf-8")
    assert read_panel(tmp_path / "mine.csv", "observed").content_hash() == panel.content_hash()


def test_no_two_columns_of_the_dictionary_share_a_heading() -> None:
    labels = [text for column in load_dictionary().columns.values() for text in (column.label.zh, column.label.en)]
    assert len(labels) == len(set(labels))


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_a_simulated_panel_stays_marked(tmp_path: Path, suffix: str) -> None:
    frame = pd.DataFrame(
        {"firm": [1, 1, 2], "year": [2019, 2020, 2019], "log_revenue": [1 / 3, None, 2.0], "industry": ["C34"] * 3}
    )
    made = FirmPanel(frame, data_kind="simulated", source="made")
    path = made.write(tmp_path / f"made{suffix}")
    again = read_panel(path)
    assert (again.data_kind, again.content_hash()) == ("simulated", made.content_hash())
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    with pytest.raises(DataError, match="argument says observed, file says simulated"):
        read_panel(path, "observed")


def test_the_mark_is_whole(tmp_path: Path) -> None:
    rows = [[*HEADINGS, "data_kind"], *([*row, "simulated"] for row in ROWS[:3]), [*ROWS[3], None]]
    assert "does not say one thing in every row" in refusal(saved(book(*rows), tmp_path))


def test_the_sheet_is_the_only_panel_or_the_one_that_is_named(tmp_path: Path) -> None:
    made = book(["notes"], ["from the bureau"])
    data = made.create_sheet("2021")
    for row in (HEADINGS, *ROWS):
        data.append(row)
    assert read_panel(saved(made, tmp_path), "observed").n_rows == 4
    second = made.create_sheet("2022")
    for row in (HEADINGS, *ROWS[:2]):
        second.append(row)
    path = saved(made, tmp_path)
    assert "2 sheets hold a panel: 2021, 2022" in refusal(path)
    assert read_panel(path, "observed", sheet="2022").n_rows == 2
    assert "one of: Sheet, 2021, 2022" in refusal(path, sheet="2023")
    with pytest.raises(DataError, match=r"only \.xlsx files have sheets"):
        read_panel(tmp_path / "mine.csv", "observed", sheet="2022")


Change = Callable[[Any], None]


def put(cell: str, value: Any) -> Change:
    def change(sheet: Any) -> None:
        sheet[cell] = value

    return change


DEFECTS: dict[str, tuple[list[Change], tuple[str, ...]]] = {
    "merged headings": ([lambda s: s.merge_cells("C1:D1")], ("1 area of merged cells in the headings", "C1:D1")),
    "merged below": ([lambda s: s.merge_cells("A2:A3")], ("1 area of merged cells below the headings", "A2:A3")),
    "same meaning": ([put("C1", "年份")], ("Column year occurs 2 times: B 'Year', C '年份'",)),
    "unnamed": ([put("C1", None)], ("1 column with values has no heading: C",)),
    "formula": ([put("C3", "=1+1")], ("1 cell of log_revenue holds a formula without a stored value", "cell C3")),
    "text": ([put("C4", "约8"), put("C2", "8.5")], ("2 cells of log_revenue hold a text instead of a number", "cell C2")),
    "truth value": ([put("D2", True)], ("1 cell of certified_year holds a text", "cell D2")),
    "date": ([put("D4", datetime.datetime(2020, 7, 1))], ("1 cell of certified_year holds a date", "cell D4")),
    "error": ([put("E3", "#N/A")], ("1 cell of industry holds an error", "cell E3")),
    "title": ([lambda s: s.insert_rows(1), put("A1", "企业名单")], ("Row 1 holds no heading",)),
    "no headings": ([lambda s: s.delete_rows(1)], ("Row 1 holds no heading",)),
    "blank row": ([lambda s: s.insert_rows(3)], ("1 row of firm: missing", "row 3")),
    "empty": ([lambda s: s.delete_rows(1, 9)], ("The panel has no rows",)),
    "undeclared": ([put("C1", "营业收入")], ("'营业收入' is not in the dictionary",)),
}


@pytest.mark.parametrize("case", DEFECTS)
def test_what_is_not_plain_is_refused(case: str, tmp_path: Path) -> None:
    changes, parts = DEFECTS[case]
    made = book()
    for change in changes:
        change(made.active)
    text = refusal(saved(made, tmp_path))
    for part in parts:
        assert part in text, text
    for secret in ("913302010000000001", "约8", "企业名单"):
        assert secret not in text


def test_everything_is_told_at_once(tmp_path: Path) -> None:
    made = book()
    sheet: Any = made.active
    for cell, value in (("C2", "=A1"), ("D2", "never"), ("F1", "年份"), ("G2", 5), ("B3", datetime.date(2020, 1, 1))):
        sheet[cell] = value
    sheet["F2"] = 2019
    sheet.merge_cells("A4:A5")
    sheet["E5"] = "no industry"
    text = refusal(saved(made, tmp_path))
    for part in (
        "formula",
        "instead of a number",
        "occurs 2 times",
        "no heading: G",
        "a date",
        "merged",
        "not a declared category",
    ):
        assert part in text, text


def test_formulas_with_stored_values_are_read(tmp_path: Path) -> None:
    """openpyxl stores none; the value is put into the file as Excel does it."""
    import re
    import zipfile

    made = book()
    assert made.active is not None
    made.active["C2"] = "=4+4.5"
    path = saved(made, tmp_path)
    full = tmp_path / "full.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(full, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, re.sub(rb"</f><v\s*/>|</f><v></v>", b"</f><v>8.5</v>", content))
    assert load_workbook(full, data_only=True).active["C2"].value == 8.5  # type: ignore[union-attr, index]
    assert read_panel(full, "observed").content_hash() == read_panel(saved(book(), tmp_path), "observed").content_hash()


def test_letters() -> None:
    assert [letter(n) for n in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]
