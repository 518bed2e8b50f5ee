"""The firm panel: what it accepts, what it refuses and how it says so, its fingerprint and its files."""

import dataclasses
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sme_eval.errors import DataError, DesignError
from sme_eval.panel.dictionary import load_dictionary
from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.panel.panel_file import read_panel
from sme_eval.panel.sample_flow import SampleFlow
from sme_eval.panel.truth import Truth
from sme_eval.simulate.ningbo import simulate_ningbo
from sme_eval.simulate.scenario import SCENARIOS
from sme_eval.terms import NEVER


def frame(**changes: Any) -> pd.DataFrame:
    """Three firms in two years, with columns replaced or added."""
    columns: dict[str, Any] = {
        "firm": [1, 1, 2, 2, 3, 3],
        "year": [2019, 2020] * 3,
        "log_revenue": [8.0, 8.1, 7.5, np.nan, 9.0, 9.2],
        "rd_intensity": [3.5, 3.5, 4.0, 4.0, 0.0, 0.0],
        "certified_year": [2020, 2020, 0, 0, 0, 0],
        "certified": [0, 1, 0, 0, 0, 0],
        "district": ["cixi", "cixi", "yuyao", "yuyao", "haishu", "haishu"],
    }
    return pd.DataFrame(columns | changes)


def panel(data: pd.DataFrame | None = None) -> FirmPanel:
    return FirmPanel(frame() if data is None else data, data_kind="observed", source="firms")


def refusal(data: pd.DataFrame) -> str:
    with pytest.raises(DataError) as caught:
        panel(data)
    return str(caught.value)


# --- what it accepts -------------------------------------------------------------------------------------------------


def test_rows_stay_in_file_order_with_canonical_types() -> None:
    shuffled = frame().iloc[[3, 0, 5, 1, 4, 2]]
    kept = panel(shuffled).frame
    assert kept["firm"].tolist() == [2, 1, 3, 1, 3, 2]
    assert kept.index.tolist() == list(range(6))
    assert {name: str(dtype) for name, dtype in kept.dtypes.items()} == {
        "firm": "int64",
        "year": "int64",
        "log_revenue": "float64",
        "rd_intensity": "float64",
        "certified_year": "int64",
        "certified": "int64",
        "district": "category",
    }
    assert kept["district"].tolist() == ["yuyao", "cixi", "haishu", "cixi", "haishu", "yuyao"]


def test_missing_whole_numbers_make_a_float_column() -> None:
    kept = panel(frame(certified=pd.array([0, 1, None, 0, 0, 0], dtype="Int64"))).frame
    assert kept["certified"].dtype == "float64"
    assert np.isnan(kept["certified"][2])


def test_texts_that_read_as_numbers_are_numbers() -> None:
    kept = panel(frame(log_revenue=["8.0", "8.1", "7.5", None, "9", "9.2"])).frame
    np.testing.assert_array_equal(kept["log_revenue"], frame()["log_revenue"])


def test_identifiers_are_numbers_only_if_nothing_is_lost() -> None:
    assert panel(frame(firm=["1", "1", "2", "2", "3", "3"])).frame["firm"].dtype == "int64"
    assert panel(frame(firm=[1.0, 1.0, 2.0, 2.0, 3.0, 3.0])).frame["firm"].dtype == "int64"
    zeros = panel(frame(firm=["01", "01", "2", "2", "3", "3"])).frame["firm"]
    assert zeros.tolist() == ["01", "01", "2", "2", "3", "3"]


def test_changing_the_frame_does_not_change_the_panel() -> None:
    given_frame = frame()
    kept = panel(given_frame)
    before = kept.content_hash()
    given_frame.loc[0, "log_revenue"] = 1.0
    view = kept.frame
    view.loc[0, "log_revenue"] = 2.0
    view["extra"] = 1
    assert kept.content_hash() == before
    assert "extra" not in kept.frame
    with pytest.raises(dataclasses.FrozenInstanceError):
        kept.source = "other"  # type: ignore[misc]


def test_summary_counts_and_never_shows_a_row() -> None:
    kept = panel(frame(log_revenue=[8.123456] * 6))
    text = kept.summary()
    assert text == str(kept) == repr(kept)
    assert "observed" in text and "2019–2020 (2)" in text
    for shown in (text, kept._repr_html_()):
        assert "8.12" not in shown and "cixi" not in shown
    simulated, _ = simulate_ningbo(1, firms=2500)
    assert "SIMULATED" in simulated.summary() and "SIMULATED" in simulated._repr_html_()


def test_flow_starts_with_what_was_read() -> None:
    step = panel().flow.steps[0]
    assert (step.rule, step.firms, step.rows) == ("rows_read", 3, 6)


def test_panel_can_be_pickled() -> None:
    simulated, truth = simulate_ningbo(1, firms=2500)
    copied = pickle.loads(pickle.dumps(simulated))
    assert copied.content_hash() == simulated.content_hash()
    assert copied.truth.average("log_revenue") == truth.average("log_revenue")
    assert copied.parameters == simulated.parameters


# --- what it refuses -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "what", "first"),
    [
        ({"firm": [1, 1, None, 2, 3, 3]}, "1 row of firm: missing", "row 3"),
        ({"firm": ["1", "1", " ", "2", "3", "3"]}, "1 row of firm: missing", "row 3"),
        ({"firm": [1, 1, 2.5, 2, 3, 3]}, "1 row of firm: not a whole number or a text", "row 3"),
        ({"year": [2019, 2020, None, 2020, 2019, 2020]}, "1 row of year: missing", "row 3"),
        ({"year": [2019, 2020, 2019.5, 2020, 2019, 2020]}, "1 row of year: not whole numbers", "row 3"),
        ({"year": [2019, 2020, 20190, 2020, 2019, 2020]}, "1 row of year: outside 1949 to 2100", "row 3"),
        ({"log_revenue": [8, "n/a", 7, "—", 9, 9]}, "2 rows of log_revenue: not finite numbers", "row 2, row 4"),
        ({"log_revenue": ["1_0", "8", "7", "7", "9", "9"]}, "1 row of log_revenue: not finite numbers", "row 1"),
        ({"log_revenue": [8, -np.inf, 7, 7, 9, 9]}, "1 row of log_revenue: not finite numbers", "row 2"),
        ({"log_revenue": pd.date_range("2020", periods=6)}, "6 rows of log_revenue: not finite", "row 1, row 2, row 3"),
        ({"rd_intensity": [3, 3, -1, -1, 101, 101]}, "4 rows of rd_intensity: outside 0 to 100", "row 3, row 4, row 5"),
        (
            {"certified_year": [2018, 2018, 0, 0, 0, 0]},
            "2 rows of certified_year: outside 2019 to 2100 (or 0)",
            "row 1",
        ),
        ({"certified": [0, 2, 0, 0, 0, 0]}, "1 row of certified: neither 0 nor 1", "row 2"),
        ({"district": ["cixi", "cixi", "yuyao", "yuyao", "jiangdong", "haishu"]}, "not a declared category", "row 5"),
        (
            {"year": [2019, 2019, 2019, 2020, 2020, 2020]},
            "2 firms have more than one row for the same year",
            "row 1, row 2",
        ),
        ({"certified_year": [2020, 2021, 0, 0, 0, 0]}, "1 firm has more than one value of certified_year", "row 2"),
        (
            {"district": ["cixi", "yuyao", "cixi", "cixi", "cixi", "haishu"]},
            "2 firms have more than one value",
            "row 2",
        ),
        ({"log_revenu": [1.0] * 6}, "Column 'log_revenu' is not in the dictionary", "did you mean 'log_revenue'"),
    ],
)
def test_refuses(changes: dict[str, Any], what: str, first: str) -> None:
    text = refusal(frame(**changes))
    assert what in text
    assert first in text
    assert "problems" not in text  # this and nothing else


def test_missing_values_contradict_no_constant() -> None:
    assert panel(frame(rd_intensity=[None, 3.5, 4.0, None, 0.0, 0.0])).n_rows == 6


def test_missing_columns_and_rows() -> None:
    assert "Column firm is missing" in refusal(frame().drop(columns="firm"))
    assert "Column year is missing" in refusal(frame().drop(columns="year"))
    assert "The panel has no rows" in refusal(frame().iloc[:0])
    doubled = frame()
    doubled.columns = ["firm", "year", "log_revenue", "log_revenue", "certified_year", "certified", "district"]
    assert "Column log_revenue occurs 2 times" in refusal(doubled)


def test_all_problems_at_once_by_row_and_never_by_value() -> None:
    text = refusal(
        frame(
            year=[2019, 2019, 2019, 2020, 2019, 2020],
            log_revenue=["8", "secret", "7", "7", "9", "9"],
            rd_intensity=[3, 3, 777, 777, 0, 0],
            district=["cixi", "cixi", "yuyao", "hidden", "haishu", "haishu"],
            log_employmnt=[1.0] * 6,
        )
    )
    assert text.startswith("5 problems")
    assert "row 1 is the first row of data" in text
    for value in ("secret", "777", "hidden"):
        assert value not in text


def test_data_kind_has_no_default_and_no_other_value() -> None:
    with pytest.raises(TypeError):
        FirmPanel(frame(), source="firms")  # type: ignore[call-arg]
    with pytest.raises(DataError, match="did you mean 'observed'"):
        FirmPanel(frame(), data_kind="observd", source="firms")  # type: ignore[arg-type]


def test_truth_belongs_to_simulated_rows_only() -> None:
    data = frame()
    truth = Truth.from_cohort(data["firm"].to_numpy(), data["year"].to_numpy(), np.full(6, 2020), {"log_revenue": np.zeros(6)})
    with pytest.raises(DataError, match="no known truth"):
        FirmPanel(data, data_kind="observed", source="firms", truth=truth)
    with pytest.raises(DataError, match="not aligned"):
        FirmPanel(data.iloc[::-1], data_kind="simulated", source="firms", truth=truth)


# --- dictionary ------------------------------------------------------------------------------------------------------


def test_every_column_is_named_in_both_languages() -> None:
    dictionary = load_dictionary()
    for column in dictionary.columns.values():
        assert column.label.zh and column.label.en
        assert (column.unit is not None) == (column.type in ("integer", "float"))
    assert dictionary["log_revenue"].unit is not None
    assert dictionary["log_revenue"].unit.logarithm_of == "ten_thousand_yuan"
    assert dictionary["district"].categories["cixi"].zh == "慈溪市"
    assert dictionary["certified_year"].special_values[0].text("en") == "never certified"
    with pytest.raises(DesignError, match="did you mean 'log_revenue'"):
        dictionary["log_revenu"]


def test_a_project_adds_columns_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "dictionary.toml").write_text(
        '[columns.patents]\ntype = "integer"\nunit = "person"\nminimum = 0\nzh = "专利"\nen = "patents"\n',
        encoding="utf-8",
    )
    dictionary = load_dictionary(tmp_path)
    assert dictionary["patents"].minimum == 0
    assert "log_revenue" in dictionary
    (tmp_path / "firms.csv").write_text("firm,year,patents\n1,2020,3\n", encoding="utf-8")
    assert read_panel(tmp_path / "firms.csv", "observed", root=tmp_path).columns == ("firm", "year", "patents")


def test_all_faults_of_a_dictionary_are_raised_together(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "dictionary.toml").write_text(
        '[columns.a]\ntype = "flot"\nunit = "yr"\nzh = "甲"\n[columns.b]\ntype = "flag"\nzh = "乙"\nen = "b"\nmin = 0\n',
        encoding="utf-8",
    )
    with pytest.raises(DataError) as caught:
        load_dictionary(tmp_path)
    for part in ("did you mean 'float'", "unit 'yr' is not declared", "en is missing", "min is not a known key"):
        assert part in str(caught.value)


# --- fingerprint -----------------------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(order=st.permutations(range(6)), columns=st.permutations(range(7)))
def test_fingerprint_ignores_order(order: list[int], columns: list[int]) -> None:
    assert panel(frame().iloc[order, columns]).content_hash() == panel().content_hash()


@settings(max_examples=30, deadline=None)
@given(row=st.integers(0, 5), value=st.floats(-20, 20))
def test_fingerprint_notices_every_change(row: int, value: float) -> None:
    changed = frame()
    same = np.isclose(float(changed["log_revenue"].to_numpy()[row]), value, rtol=1e-11, atol=0)
    changed.loc[row, "log_revenue"] = value
    assert (panel(changed).content_hash() == panel().content_hash()) == same


def test_fingerprint_ignores_storage_but_not_names() -> None:
    reference = panel().content_hash()
    assert panel(frame(firm=["1", "1", "2", "2", "3", "3"])).content_hash() == reference
    assert panel(frame(district=pd.Categorical(frame()["district"]))).content_hash() == reference
    assert panel(frame().drop(columns="certified")).content_hash() != reference
    assert panel(frame(firm=["A", "A", "B", "B", "C", "C"])).content_hash() != reference
    # the last bit of a parsed number does not count; zero has no sign
    nudged = frame(log_revenue=np.nextafter(frame()["log_revenue"], np.inf), rd_intensity=[3.5, 3.5, 4, 4, -0.0, 0])
    assert panel(nudged).content_hash() == reference


# --- files -----------------------------------------------------------------------------------------------------------


def test_parquet_keeps_everything(tmp_path: Path) -> None:
    simulated, truth = simulate_ningbo(1, firms=2500)
    written = simulated.write(tmp_path / "deeper" / "panel.parquet")
    again = read_panel(written)
    assert again.frame.equals(simulated.frame)
    assert (again.data_kind, again.source, again.flow) == ("simulated", "ningbo_simulated", simulated.flow)
    assert again.parameters == simulated.parameters
    assert again.content_hash() == simulated.content_hash()
    assert again.truth is not None
    assert list(again.truth.starts) == list(truth.starts) and again.truth.outcomes == truth.outcomes
    for name, start in truth.starts.items():
        np.testing.assert_array_equal(again.truth.starts[name], start)
    for outcome, effect in truth.effects.items():
        np.testing.assert_array_equal(again.truth.effects[outcome], effect)
        assert list(again.truth.parts[outcome]) == list(truth.parts[outcome])
        for part, values in truth.parts[outcome].items():
            np.testing.assert_array_equal(again.truth.parts[outcome][part], values)
    assert [path.name for path in written.parent.iterdir()] == ["panel.parquet"]


def test_parquet_keeps_the_districts_of_further_cities(tmp_path: Path) -> None:
    """No project declares them; the file says what its keys are, and a project that declares them has the last word."""
    two, _ = simulate_ningbo(1, dataclasses.replace(SCENARIOS["null"], cities=2), firms=2500)
    written = two.write(tmp_path / "panel.parquet")
    again = read_panel(written)
    assert again.frame.equals(two.frame)
    assert again.dictionary["district"].categories["c02_cixi"].en == "Cixi of city 2"
    assert "c02_cixi" not in load_dictionary()["district"].categories
    assert read_panel(again.write(tmp_path / "again.parquet")).content_hash() == two.content_hash()
    with pytest.raises(DataError, match="not a declared category"):
        FirmPanel(two.frame, data_kind="simulated", source="firms")


def test_parquet_of_the_first_version_is_read(tmp_path: Path) -> None:
    """It knew one start, no parts and no keys of categories."""
    data = frame(log_revenue=[8.0, 8.1, 7.5, 7.6, 9.0, 9.2])
    first = data.assign(**{"truth.cohort": [2020, 2020, *[NEVER] * 4], "truth.effect.log_revenue": [0.0, 0.1, 0, 0, 0, 0]})
    about = {"schema_version": 1, "data_kind": "simulated", "source": "firms", "flow": [], "parameters": {"seed": 1}}
    table = pa.Table.from_pandas(first, preserve_index=False).replace_schema_metadata({b"sme_eval": json.dumps(about).encode()})
    pq.write_table(table, tmp_path / "firms.parquet")
    old = read_panel(tmp_path / "firms.parquet")
    assert old.columns == tuple(data.columns)
    assert old.truth is not None
    assert list(old.truth.starts) == ["certified_year"]
    assert old.truth.average("log_revenue") == 0.1
    with pytest.raises(DesignError, match="ask for own or bundle"):
        old.truth.average("log_revenue", estimand="step")


def test_parquet_bytes_are_reproducible(tmp_path: Path) -> None:
    one = panel().write(tmp_path / "one.parquet").read_bytes()
    assert panel().write(tmp_path / "two.parquet").read_bytes() == one


def test_parquet_keeps_the_flow(tmp_path: Path) -> None:
    flow = SampleFlow().then("rows_read", firms=4, rows=8).then("firm_missing", firms=3, rows=6)
    kept = FirmPanel(frame(), data_kind="observed", source="firms", flow=flow)
    assert read_panel(kept.write(tmp_path / "firms.parquet")).flow == flow


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = panel().write(tmp_path / "firms.parquet")
    before = path.read_bytes()
    odd = FirmPanel(frame(), data_kind="observed", source="firms", parameters={"what": object()})
    with pytest.raises(DataError, match="cannot be stored"):
        odd.write(path)
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1
    with pytest.raises(DataError, match=r"written as \.parquet, \.csv or \.xlsx"):
        panel().write(tmp_path / "firms.xls")


def test_csv_gives_the_same_panel(tmp_path: Path) -> None:
    simulated, _ = simulate_ningbo(1, firms=2500)
    path = tmp_path / "firms.csv"
    simulated.frame.to_csv(path, index=False, encoding="utf-8-sig")
    again = read_panel(path, "simulated")
    assert again.content_hash() == simulated.content_hash()
    assert (again.source, again.truth) == ("firms", None)


def test_csv_rows_count_the_header(tmp_path: Path) -> None:
    path = tmp_path / "firms.csv"
    path.write_text("firm,year,log_revenue\n1,2019,8\n1,2020,secret\n\n2,2020,NA\n", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_panel(path, "observed")
    text = str(caught.value)
    assert "firms.csv, column log_revenue (row 1 is the header)" in text
    assert "1 row of log_revenue: not finite numbers" in text and "row 3" in text
    assert "1 row of firm: missing" in text and "row 4" in text  # the blank line
    assert "secret" not in text


def test_csv_needs_its_kind_and_the_message_says_how(tmp_path: Path) -> None:
    path = tmp_path / "firms.csv"
    path.write_text("firm,year\n1,2019\n", encoding="utf-8")
    with pytest.raises(DataError, match=r'pass data_kind="observed" or "simulated", or declare \[firms\]'):
        read_panel(path)
    foreign = tmp_path / "foreign.parquet"
    frame().to_parquet(foreign)
    with pytest.raises(DataError, match="not said whether"):
        read_panel(foreign)
    assert read_panel(foreign, "observed").source == "foreign"


def test_declared_source_gives_kind_and_checksum(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "firms.csv").write_text("firm,year\n1,2019\n", encoding="utf-8")
    right = read_panel(tmp_path / "firms.csv", "observed").content_hash()
    declaration = (
        '[firms]\ndata_kind = "observed"\ntitle = {{ zh = "企业", en = "firms" }}\nversion = "2024"\n'
        'licence = "internal"\ncitation = ["bureau"]\nholder = "bureau"\nlegal_basis = "law"\n'
        'permitted_use = "evaluation"\nchecksum = "sha256:{}"\n'
    )
    (tmp_path / "data" / "sources.toml").write_text(declaration.format(right), encoding="utf-8")
    assert read_panel(tmp_path / "firms.csv", root=tmp_path).data_kind == "observed"
    with pytest.raises(DataError, match="contradictory"):
        read_panel(tmp_path / "firms.csv", "simulated", root=tmp_path)
    (tmp_path / "data" / "sources.toml").write_text(declaration.format("0" * 64), encoding="utf-8")
    with pytest.raises(DataError, match="is not what was declared"):
        read_panel(tmp_path / "firms.csv", root=tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("firms.xls", b"PK", r"save it as \.xlsx, \.csv"),
        ("firms.xlsx", b"PK", "cannot be read as an Excel workbook"),
        ("firms.csv", b"", "The panel has no rows"),
        ("firms.csv", b"firm,year\n", "The panel has no rows"),
        ("firms.csv", "firm,year,district\n1,2019,慈溪\n".encode("gb18030"), "cannot be read as csv in UTF-8"),
        ("firms.csv", b"firm,year\n1,2019\n2,2019,7\n", "line 3"),
        ("firms.csv", b"firm,year\n1,2019,7\n2,2019,7\n", "header has 2 columns, the rows have 3"),
        ("firms.csv", b"firm,year,year\n1,2019,2019\n", "Column year occurs 2 times"),
        ("firms.parquet", b"nothing", "cannot be read as parquet"),
    ],
)
def test_unreadable_files(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_panel(tmp_path / name, "observed")
    with pytest.raises(DataError, match="does not exist"):
        read_panel(tmp_path / "absent.csv", "observed")


def test_kind_of_a_written_file_cannot_be_overruled(tmp_path: Path) -> None:
    simulated, _ = simulate_ningbo(1, firms=2500)
    path = simulated.write(tmp_path / "panel.parquet")
    with pytest.raises(DataError, match="argument says observed, file says simulated"):
        read_panel(path, "observed")


def test_newer_files_are_refused(tmp_path: Path) -> None:
    path = panel().write(tmp_path / "firms.parquet")
    table = pq.read_table(path)
    about = json.loads(table.schema.metadata[b"sme_eval"]) | {"schema_version": 99}
    pq.write_table(table.replace_schema_metadata({b"sme_eval": json.dumps(about).encode()}), path)
    with pytest.raises(DataError, match="newer version"):
        read_panel(path)
