"""Regression tables and coefficient plots: one set of cells in every format, read from the results' own specifications."""

from __future__ import annotations

import csv
import dataclasses
import re
import string
from pathlib import Path

import docx
import matplotlib
import numpy as np
import pandas as pd
import pytest
import typst
from docx.oxml.ns import qn

import sme_eval as sme
from sme_eval.results import table_text
from sme_eval.results.table_text import DASH, STARS, TEXTS, star_legend, stars_for
from sme_eval.terms import LANGUAGES
from tests.unit.table_readers import html_cells, latex_cells, latex_plain, typst_cells, word_cells
from tests.unit.test_moments import frame, make

matplotlib.use("Agg")
OVERALL = "average effect per treated firm and year"
NAMES = ["no lag", "lag, classical", "C&S_50%", "[IV] #1 {a}"]
OWN_NOTE = 'own: 50% & $5 #1 a_b {c} ~ ^ \\ "d" <e> [f] *g* `h` @i'


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    frame = sme.open_source("jobtraining").frame
    first = frame[frame["grant"] > 0].groupby("firm")["year"].min()
    return frame.assign(cohort=frame["firm"].map(first).fillna(0).astype(int), south=frame["firm"] % 2)


def sample_of(data: pd.DataFrame, **options: object) -> sme.Sample:
    return sme.Sample.from_frame(data, firm="firm", year="year", outcome="log_scrap", **options)


@pytest.fixture(scope="module")
def fits(data: pd.DataFrame) -> list[object]:
    sample = sample_of(data, columns=("grant", "grant_1", "training_hours"))
    return [
        sme.PanelRegression(regressors=("grant",)).fit(sample),
        sme.PanelRegression(regressors=("grant", "grant_1"), covariance="classical").fit(sample),
        sme.CallawaySantAnna(panel="pairs").fit(sample_of(data, cohort="cohort")),
        sme.InstrumentalVariables(endogenous=("training_hours",), instruments=("grant",)).fit(sample),
    ]


@pytest.fixture(scope="module")
def table(fits: list[object]) -> sme.RegressionTable:
    return sme.regression_table(fits, NAMES, stars=True, notes=[OWN_NOTE], data_kind="simulated")


@pytest.fixture(scope="module")
def chinese(fits: list[object]) -> sme.RegressionTable:
    terms = {"grant": "获得补助", OVERALL: "平均处理效应"}
    return sme.regression_table(fits, ["甲", "乙", "丙", "丁"], terms=terms, statistic="interval", language="zh", caption="表")


def expected(table: sme.RegressionTable) -> list[list[str]]:
    frame = table.to_frame()
    labels = [row.label for block in table.blocks for row in block]
    return [
        ["", *(head.plain for head in table.heads)],
        *([label, *row] for label, row in zip(labels, frame.to_numpy(), strict=True)),
    ]


@pytest.mark.parametrize("which", ["table", "chinese"])
def test_every_format_shows_the_same_cells(which: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    table = request.getfixturevalue(which)
    wanted = expected(table)
    assert len(wanted) == 1 + len(table.to_frame())
    assert html_cells(table.to_html()) == wanted
    assert typst_cells(table.to_typst(), tmp_path) == wanted
    assert word_cells(table.to_docx(tmp_path / "table.docx")) == wanted
    if which == "table":
        assert latex_cells(table.to_latex()) == wanted
    rows = list(csv.reader((tmp_path / table.write(tmp_path / "t.csv")).open(encoding="utf-8-sig", newline="")))
    assert [["", *rows[0][1:]], *rows[1 : len(wanted)]] == wanted
    assert rows[0][0] == table.caption


def test_cells_are_the_numbers_of_the_results(fits: list[object], table: sme.RegressionTable) -> None:
    frame = table.to_frame()
    without, lag, group_time, instrumental = fits
    overall = group_time.aggregate("simple").overall
    for column, estimate in zip(NAMES, (without["grant"], lag["grant"], overall, instrumental["training_hours"]), strict=True):
        assert frame.loc[(estimate.term, "estimate"), column] == f"{estimate.estimate:.4f}{stars_for(estimate.p_value)}"
        assert frame.loc[(estimate.term, "std_error"), column] == f"({estimate.std_error:.4f})"
    assert frame.loc[("grant_1", "estimate")].tolist() == ["", f"{lag['grant_1'].estimate:.4f}**", "", ""]
    assert frame.loc[("", "n_observations")].tolist() == ["162", "162", "162", "139"]
    assert frame.loc[("", "n_firms")].tolist() == ["54", "54", "54", "47"]
    assert frame.loc[("", "effective_f"), NAMES[3]] == f"{instrumental.first_stage.effective_f:.4f}"
    assert frame.loc[("", "r_squared_within"), NAMES[1]] == f"{lag.r_squared_within:.4f}"
    assert frame.loc[("", "n_treated"), NAMES[2]] == str(overall.n_treated)
    assert not frame.isin(["nan", "(nan)", "[nan, nan]"]).any(axis=None)


def test_effects_and_clusters_are_read_from_the_specification(data: pd.DataFrame) -> None:
    frame = data.assign(block=data["firm"] // 3000)
    sample = sample_of(frame, columns=("grant", "south", "d88"), cluster="block")
    treated = sample_of(frame, cohort="cohort", columns=("south",))
    regress = {"regressors": ("grant",)}
    fits = {
        "two-way": sme.PanelRegression(**regress).fit(sample),
        "interacted": sme.PanelRegression(**regress, effects=("firm", ("south", "year"))).fit(sample),
        "none": sme.PanelRegression(**regress, effects=(), covariance="robust").fit(sample),
        "by south": sme.TwoWayFixedEffects(year_effects_by="south").fit(treated),
        "triple": sme.TripleDifference(eligible="south").fit(treated),
    }
    table = sme.regression_table(list(fits.values()), list(fits)).to_frame()
    wanted = {
        "firm": ["yes", "yes", "no", "yes", "yes"],
        "year": ["yes", "no", "no", "no", "no"],
        "south × year": ["no", "yes", "no", "yes", "yes"],
        "cohort × year": ["no", "no", "no", "no", "yes"],
    }
    for effect, cells in wanted.items():
        assert table.loc[("", f"effects: {effect}")].tolist() == cells, effect
    clusters = table.loc[("", "cluster")].tolist()
    assert [clusters[n] for n in (0, 1, 3, 4)] == ["block", "block", "firm", "firm"]
    note = int(re.fullmatch(rf"{DASH} \[(\d+)\]", clusters[2])[1])
    assert table.attrs["notes"][note - 1] == "heteroskedasticity-robust (HC1) errors, not clustered"
    assert table.loc[("", "n_clusters"), "none"] == f"{DASH} [{note}]"
    assert table.loc[("", "n_clusters"), "two-way"] == str(frame.dropna(subset="log_scrap")["block"].nunique())


def test_firm_and_year_are_named_so_whatever_the_sample_calls_them(data: pd.DataFrame) -> None:
    renamed = data.rename(columns={"firm": "code", "year": "t"})
    sample = sme.Sample.from_frame(renamed, firm="code", year="t", outcome="log_scrap", columns=("grant", "south"))
    fit = sme.PanelRegression(regressors=("grant",), effects=("code", ("south", "t")), covariance="classical").fit(sample)
    basis = fit.effects.basis
    assert (basis.effects, basis.cluster, basis.covariance) == (("firm", "south × year"), "", "classical")
    labels = [row.label for row in sme.regression_table([fit]).specification]
    assert labels[1:3] == ["Firm effects", "South × year effects"]
    assert [row.label for row in sme.regression_table([fit], language="zh").specification][1:3] == [
        "企业固定效应",
        "south × 年份固定效应",
    ]


def test_numbers_have_real_minus_signs(table: sme.RegressionTable, tmp_path: Path) -> None:
    number = table.to_frame().loc[("grant", "estimate"), NAMES[1]]
    assert number.startswith("-")
    proper = number.replace("-", "−")
    [grid] = docx.Document(str(table.to_docx(tmp_path / "t.docx"))).tables
    assert proper in table.to_html() and proper in table.to_typst() and grid.rows[1].cells[2].text == proper
    assert f"${number.rstrip('*')}^{{*}}$" in table.to_latex()


def test_a_missing_number_is_a_dash_with_its_reason(fits: list[object]) -> None:
    reason = sme.Unavailable("no such firms")
    counts = {"n_firms": 0, "n_observations": 0, "n_clusters": 50, "convention": ""}
    missing = sme.Estimate(term="x", estimate=reason, std_error=reason, **counts)
    table = sme.regression_table([fits[0], missing, fits[2]], ["known", "missing", "group-time"], stars=True)
    frame = table.to_frame()
    for name, words in (("missing", "not stated"), ("group-time", "changes between years")):
        number = int(re.fullmatch(rf"{DASH} \[(\d+)\]", frame.loc[("", "effects: firm"), name])[1])
        assert words in table.notes[number - 1]
    for row in (("x", "estimate"), ("x", "std_error")):
        number = int(re.fullmatch(rf"{DASH} \[(\d+)\]", frame.loc[row, "missing"])[1])
        assert table.notes[number - 1] == "no such firms"
    assert "nan" not in str(table).lower()
    marks = {mark for block in table.blocks for row in block for cell in row.cells for mark in cell.marks}
    marks |= {mark for head in table.heads for mark in head.marks}
    assert marks == set(range(1, len(table.notes) + 1))
    assert len(set(table.notes)) == len(table.notes)
    assert all(cell.marks for block in table.blocks for row in block for cell in row.cells if cell.text == DASH)


def test_each_distinct_convention_is_one_note(data: pd.DataFrame) -> None:
    sample = sample_of(data, columns=("grant", "d88"))
    twice = [sme.PanelRegression(regressors=("grant",)).fit(sample) for _ in range(2)]
    one, two = sme.regression_table(twice).heads
    assert one.marks == two.marks == (1,)
    assert sme.regression_table(twice).notes[0] == twice[0].effects.basis.convention


def test_stars_and_their_legend_come_from_one_constant(fits: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    assert STARS == ((0.01, "***"), (0.05, "**"), (0.10, "*"))
    assert [stars_for(p) for p in (0.0, 0.0099, 0.01, 0.05, 0.0999, 0.1, 1.0, np.nan)] == ["***", "***", "**", "*", "*", "", "", ""]
    plain = sme.regression_table(fits)
    assert "*" not in plain.summary() and "*" not in plain.to_html()
    monkeypatch.setattr(table_text, "STARS", ((0.5, "*****"),))
    changed = sme.regression_table(fits, stars=True)
    assert changed.remarks[-1] == "Stars: ***** p < 0.5." == star_legend("en")
    assert changed.to_frame().loc[("grant", "estimate"), "(1)"].endswith("*****")


def test_simulated_data_are_named_in_every_format(table: sme.RegressionTable, tmp_path: Path) -> None:
    words = "simulated data: no finding"
    assert words in table.caption
    for suffix in (".html", ".tex", ".typ", ".csv"):
        assert words in table.write(tmp_path / f"t{suffix}").read_text(encoding="utf-8")
    document = docx.Document(str(table.write(tmp_path / "t.docx")))
    assert words in document.paragraphs[0].text == document.core_properties.title
    assert words in table.summary() and words in table._repr_html_()


def test_observed_data_carry_no_such_words(fits: list[object]) -> None:
    assert "simulated" not in sme.regression_table(fits, data_kind="observed").to_html()


def test_latex_is_balanced_and_escaped(table: sme.RegressionTable) -> None:
    text = table.to_latex()
    opened: list[str] = []
    for command, name in re.findall(r"\\(begin|end)\{(\w+)\}", text):
        if command == "begin":
            opened.append(name)
        else:
            assert opened.pop() == name
    assert not opened
    bare = re.sub(r"\\[\\{}$%&#_]", "", text)
    assert bare.count("{") == bare.count("}") and bare.count("$") % 2 == 0
    columns = re.search(r"\\begin\{tabular\}\{(\w+)\}", text)[1]
    body = bare.split(r"\toprule")[1].split(r"\bottomrule")[0]
    rows = [line for line in body.splitlines() if "&" in line]
    assert len(rows) == 1 + len(table.to_frame())
    assert {line.count("&") + 1 for line in rows} == {len(columns)} == {1 + len(NAMES)}
    assert not re.search(r"(?<!\\)[#%]", text.partition("\n")[2].replace(r"\\", ""))
    assert "_" not in bare.replace(r"\begin", "") and "²" not in text and "−" not in text
    note = next(line for line in text.splitlines() if line.startswith("own:"))
    assert latex_plain(note.removesuffix(r"\par")).replace(r"\textquotedbl{}", '"') == OWN_NOTE
    assert [text.count(rule) for rule in (r"\toprule", r"\midrule", r"\bottomrule")] == [1, 2, 1]


def test_typst_compiles_and_reads_nothing_as_markup(table: sme.RegressionTable, tmp_path: Path) -> None:
    import pypdfium2

    source = tmp_path / "table.typ"
    source.write_text("#set page(width: 30cm, height: 30cm)\n" + table.to_typst(), encoding="utf-8")
    pages = pypdfium2.PdfDocument(typst.compile(str(source), format="pdf"))
    text = " ".join("".join(page.get_textpage().get_text_bounded() for page in pages).replace("−", "-").split())
    assert OWN_NOTE in text.replace("“", '"').replace("”", '"')
    for number in re.findall(r"\(?-?\d\.\d{4}\)?\**", " ".join(table.to_frame().to_numpy().ravel())):
        assert number in text, number


def test_word_is_a_real_table_with_a_chinese_font(table: sme.RegressionTable, tmp_path: Path) -> None:
    document = docx.Document(str(table.to_docx(tmp_path / "t.docx")))
    for name in ("Normal", "Caption"):
        assert document.styles[name].element.rPr.rFonts.get(qn("w:eastAsia")) == "宋体"
    order = [child.tag for child in document.element.body][: 3 + len(table.notes)]
    assert order == [qn("w:p"), qn("w:tbl"), *[qn("w:p")] * (1 + len(table.notes))]
    assert document.paragraphs[0].style.name == "Caption"
    notes = [paragraph.text for paragraph in document.paragraphs[1:]]
    assert notes == [*(f"{n} {text}" for n, text in enumerate(table.notes, start=1)), *table.remarks]
    assert not document.inline_shapes
    [grid] = document.tables
    ruled = [n for n, row in enumerate(grid.rows) if row._tr.findall(f".//{qn('w:bottom')}")]
    assert ruled == [0, len(table.coefficients), len(grid.rows) - 1]
    assert grid.rows[0]._tr.findall(f".//{qn('w:tblHeader')}")


def test_a_wide_word_table_turns_the_page(fits: list[object], tmp_path: Path) -> None:
    path = sme.regression_table([fits[0]] * 7).to_docx(tmp_path / "t.docx")
    section = docx.Document(str(path)).sections[0]
    assert section.page_width > section.page_height


@pytest.mark.parametrize("name", ["table.pdf", "table", "table.htm"])
def test_other_suffixes_are_refused(table: sme.RegressionTable, tmp_path: Path, name: str) -> None:
    with pytest.raises(sme.DesignError, match=r"suffix|cannot be written"):
        table.write(tmp_path / name)
    assert not (tmp_path / name).exists()


def test_all_problems_are_said_at_once(fits: list[object]) -> None:
    choices = {"decimals": -1, "statistic": "t", "language": "fr", "data_kind": "real", "terms": ["grants"]}
    with pytest.raises(sme.DesignError) as caught:
        sme.regression_table([*fits, 3.0], ["a", "a"], **choices)
    text = str(caught.value)
    for part in (
        "decimals",
        "statistic",
        "language",
        "data_kind",
        "2 names for 5",
        "one name",
        "is a float",
        "did you mean 'grant'",
    ):
        assert part in text, part
    with pytest.raises(sme.DesignError, match="no result to show"):
        sme.regression_table([])
    with pytest.raises(sme.DesignError, match="is empty"):
        sme.regression_table(fits, terms=[])


def test_terms_keep_order_and_name(fits: list[object]) -> None:
    table = sme.regression_table(fits[:2], terms={"grant_1": "a year ago", "grant": "now"})
    assert [row.label for row in table.coefficients] == ["a year ago", "", "now", ""]
    assert [row.term for row in sme.regression_table(fits[:2], terms=["grant_1"]).coefficients] == ["grant_1"] * 2


def test_statistics_below_the_estimates(fits: list[object]) -> None:
    one = fits[0]["grant"]
    cell = {
        kind: sme.regression_table(fits[:1], statistic=kind, decimals=2).to_frame().loc[("grant", kind), "(1)"]
        for kind in ("interval", "p_value", "std_error")
    }
    assert cell["interval"] == f"[{one.conf_low:.2f}, {one.conf_high:.2f}]"
    assert cell["p_value"] == f"p = {one.p_value:.2f}"
    assert cell["std_error"] == f"({one.std_error:.2f})"
    sure = dataclasses.replace(one, std_error=1e-6, estimate=-1e-9)
    assert sme.regression_table([sure], decimals=3).to_frame().iloc[0, 0] == "0.000", "no negative zero"
    certain = dataclasses.replace(one, std_error=1e-6)
    assert sme.regression_table([certain], statistic="p_value").to_frame().iloc[1, 0] == "p < 0.0001"


def test_intervals_name_every_level(data: pd.DataFrame) -> None:
    sample = sample_of(data, columns=("grant",))
    fits = [sme.PanelRegression(regressors=("grant",), level=level).fit(sample) for level in (0.95, 0.9)]
    assert sme.regression_table(fits, statistic="interval").remarks == ("95%, 90% intervals in brackets.",)


def test_event_times_can_be_asked_for() -> None:
    study = sme.EventStudyRegression().fit(make(frame()))
    table = sme.regression_table([study], ["study"], terms=["event time -1", "event time 0"])
    cells = table.to_frame()["study"]
    assert cells[("event time -1", "estimate")] == "0.0000"
    assert table.notes[int(cells[("event time -1", "std_error")].strip(f"{DASH} []")) - 1] == "reference, fixed at zero"
    assert cells[("event time 0", "estimate")] == f"{study.to_frame().set_index('event_time').loc[0, 'estimate']:.4f}"


def test_instruments_that_allow_no_effective_f(data: pd.DataFrame) -> None:
    sample = sample_of(data, columns=("grant", "grant_1", "training_hours", "log_sales"))
    two = sme.InstrumentalVariables(endogenous=("training_hours", "log_sales"), instruments=("grant", "grant_1")).fit(sample)
    table = sme.regression_table([two])
    cell = table.to_frame().loc[("", "effective_f"), "(1)"]
    assert table.notes[int(cell.strip(f"{DASH} []")) - 1] == two.first_stage.effective_f.reason


def test_printing_is_aligned_in_both_languages(table: sme.RegressionTable, chinese: sme.RegressionTable) -> None:
    from unicodedata import east_asian_width

    for own in (table, chinese):
        assert str(own) == own.summary()
        lines = own.summary().splitlines()
        rules = [n for n, line in enumerate(lines) if set(line) == {"-"}]
        assert len(rules) == 4
        last = own.heads[-1].plain
        ends = [line for line in lines[rules[0] : rules[-1] + 1] if line.endswith(last) or set(line) == {"-"}]
        assert len(ends) == 5
        widths = {sum(2 if east_asian_width(c) in "WF" else 1 for c in line) for line in ends}
        assert len(widths) == 1
    assert table._repr_html_() == table.to_html()


def test_both_languages_have_the_same_texts() -> None:
    assert set(TEXTS) == set(LANGUAGES)
    assert TEXTS["en"].keys() == TEXTS["zh"].keys()
    for key, english in TEXTS["en"].items():
        fields = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in (english, TEXTS["zh"][key])]
        assert fields[0] == fields[1], key
        assert TEXTS["zh"][key] != english, key


def test_models_are_dodged_where_they_share_a_term(fits: list[object]) -> None:
    axes = sme.coefficient_plot(fits[:2], ["no lag", "lag"], data_kind="simulated")
    assert [text.get_text() for text in axes.get_yticklabels()] == ["grant", "grant_1"]
    heights = [set(container.lines[0].get_ydata()) for container in axes.containers]
    assert not heights[0] & heights[1]
    values = [container.lines[0].get_xdata().tolist() for container in axes.containers]
    assert values == [fit.effects.estimate.tolist() for fit in fits[:2]]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["no lag", "lag"]
    assert axes.get_title(loc="left") == "simulated data: no finding"
    [bars] = [container.lines[2][0] for container in axes.containers[:1]]
    low, high = bars.get_segments()[0][:, 0]
    assert (low, high) == pytest.approx((fits[0]["grant"].conf_low, fits[0]["grant"].conf_high))


def test_the_label_of_simulated_data_is_in_the_pixels(fits: list[object]) -> None:
    def pixels(kind: str | None) -> np.ndarray:
        canvas = sme.coefficient_plot(fits[:1], data_kind=kind, axes=matplotlib.figure.Figure().subplots()).figure.canvas
        agg = matplotlib.backends.backend_agg.FigureCanvasAgg(canvas.figure)
        agg.draw()
        return np.asarray(agg.buffer_rgba())[..., 0]

    observed, simulated = pixels("observed"), pixels("simulated")
    assert (observed == pixels(None)).all()
    assert (simulated < 128).sum() > (observed < 128).sum() + 100


def test_models_of_one_term_each_have_their_own_line() -> None:
    sample = make(frame())
    results = [sme.TwoWayFixedEffects().fit(sample), sme.CallawaySantAnna(panel="pairs").fit(sample)]
    axes = sme.coefficient_plot(results, ["TWFE", "CS"])
    assert [text.get_text().splitlines()[0] for text in axes.get_yticklabels()] == ["TWFE", "CS"]
    assert axes.get_legend() is None
    assert len(sme.coefficient_plot(results).get_yticklabels()) == 2


def test_a_missing_estimate_is_named_in_the_plot(fits: list[object]) -> None:
    reason = sme.Unavailable("no such firms")
    missing = dataclasses.replace(fits[0]["grant"], estimate=reason, std_error=reason)
    axes = sme.coefficient_plot([fits[0], missing], ["known", "missing"])
    assert [text.get_text().strip() for text in axes.texts] == ["not available"]
    with pytest.raises(sme.DesignError, match="no result to show"):
        sme.coefficient_plot([])
