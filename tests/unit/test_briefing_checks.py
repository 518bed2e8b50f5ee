"""Checks on the page: a part per threat, verdicts first, figures and annexed tables after them, and what is drawn."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from sme_eval.briefing.compose import Composer, compose, page_blocks, speaker_of
from sme_eval.briefing.document import Block, Figure, Heading, Runs, Table, plain
from sme_eval.briefing.figures import draw_figures
from sme_eval.briefing.figures_checks import MOST_NAMED, check_axes
from sme_eval.briefing.render import render_briefing
from sme_eval.briefing.sections.check_cells import column_format, shown_columns
from sme_eval.briefing.sections.checks import THREATS, checks
from sme_eval.checks.protocol import Threat
from sme_eval.evaluation.disclosure import release
from sme_eval.evaluation.record import Evaluation
from sme_eval.evaluation.record_checks import CheckRecord, CheckTableRecord
from sme_eval.terms import LANGUAGES, Language
from tests import factories
from tests.unit.pages import html_numbers, pdf_numbers


def spoken(evaluation: Evaluation, language: Language) -> list[Block[Runs]]:
    composer = Composer(speaker_of(evaluation, language))
    return [composer.block(block) for block in checks(evaluation)]


def tables(evaluation: Evaluation, language: Language) -> dict[str, Table[Runs]]:
    """Annexed tables by what their summary names."""
    annexed = (block for block in spoken(evaluation, language) if isinstance(block, Table) and block.annex is not None)
    return {plain(table.annex or ()): table for table in annexed}


def texts(table: Table[Runs]) -> list[list[str]]:
    return [[plain(cell) for cell in row] for row in table.rows]


def drawn(evaluation: Evaluation, place: int, language: Language = "en") -> Axes:
    axes: Axes = Canvas().subplots()
    check_axes(axes, evaluation, place, speaker_of(evaluation, language))
    return axes


def place_of(evaluation: Evaluation, name: str) -> int:
    return next(n for n, check in enumerate(evaluation.checks) if check.name == name)


def test_threats_are_those_of_the_checks() -> None:
    assert get_args(Threat) == THREATS


def test_each_threat_has_its_part_in_the_order_of_the_page() -> None:
    blocks = checks(factories.simulated())
    said = [block.content[0].key for block in blocks if isinstance(block, Heading)]  # type: ignore[union-attr]
    assert said == ["checks.title", "threat.trends", "threat.comparison", "threat.heterogeneity", "threat.inference"]
    at = [n for n, block in enumerate(blocks) if isinstance(block, Heading) and block.level == 3]
    assert all(isinstance(blocks[n + 1], Table) for n in at)


def test_a_record_without_checks_has_no_part() -> None:
    assert checks(replace(factories.simulated(), checks=())) == []


def test_figures_come_only_where_a_check_has_one_and_before_its_annexed_table() -> None:
    blocks = checks(factories.simulated())
    names = [block.name for block in blocks if isinstance(block, Figure)]
    assert names == ["check_honest", "check_balance", "check_districts", "check_placebo"]
    for n, block in enumerate(blocks):
        if isinstance(block, Figure):
            following = blocks[n + 1]
            assert isinstance(following, Table) and following.annex is not None
    assert set(names) <= set(draw_figures(factories.simulated(), speaker_of(factories.simulated(), "en")))


def test_cells_follow_the_names_of_their_columns() -> None:
    table = tables(factories.simulated(), "en")["Show the values: districts"]
    assert [plain(name) for name in table.columns] == [
        "Item",
        "Estimate",
        "95% confidence interval",
        "p-value",
        "Treated firms",
        "kind",
    ]
    assert texts(table)[:2] == [
        ["Main estimate", "0.031", "[0.004, 0.058]", "0.028", "3,000", "all"],
        ["Haishu", "0.024", "[−0.019, 0.067]", "0.400", "1,700", "own"],
    ]


def test_what_is_missing_is_a_dash_with_its_reason() -> None:
    table = tables(factories.simulated(), "zh")["查看数值：honest"]
    assert texts(table)[-1] == ["2", "2.000", "—"]
    assert [plain(note) for note in table.notes] == ["“—”：无法给出（未估计）。"]


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("estimate", "coefficient"), ("share_kept", "share"), ("n_firms", "count"), ("percent_low", "percent"),
        ("p_value", "p_value"),
        ("effective_n", "count"), ("q_value", "p_value"), ("statistic", "statistic"), ("year", "year"), ("delta", "coefficient"),
    ],
)  # fmt: skip
def test_formats_follow_names(name: str, form: str) -> None:
    assert column_format(name) == form


def test_an_interval_is_one_column_only_where_both_ends_are() -> None:
    assert shown_columns(("bound", "conf_low", "conf_high")) == ("bound", "interval")
    assert shown_columns(("conf_low", "shift")) == ("conf_low", "shift")


@pytest.mark.parametrize("language", LANGUAGES)
def test_released_checks_print_alike_in_both_forms(language: Language) -> None:
    record = factories.simulated()
    districts = record.checks[place_of(record, "districts")]
    assert districts.table is not None
    few = tuple(replace(row, n_firms=8) if row.n_firms == 18 else row for row in districts.table.rows)
    few_check = replace(districts, table=replace(districts.table, rows=few))
    released = release(replace(record, checks=(few_check,)))
    briefing = render_briefing(released, language)
    assert pdf_numbers(briefing.pdf) == html_numbers(briefing.html)
    places = [plain(row[0]) for block in compose(released, language).blocks if isinstance(block, Table) for row in block.rows]
    assert {"zh": "districts；象山县", "en": "districts; Xiangshan"}[language] in places


def test_the_headline_is_first_and_marked() -> None:
    record = factories.simulated()
    place = place_of(record, "districts")
    check = record.checks[place]
    assert check.table is not None
    turned = replace(check, table=replace(check.table, rows=check.table.rows[::-1]))
    axes = drawn(replace(record, checks=(*record.checks[:place], turned)), place)
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["Main estimate", "Xiangshan", "Yinzhou", "Haishu"]
    assert axes.get_legend_handles_labels()[1] == ["main estimate"]


def test_many_rows_become_a_curve_without_names() -> None:
    rows = [factories.row("headline", 300, estimate=0.03, conf_low=0.0, conf_high=0.06)]
    rows += [factories.row(f"s{n}", 300, estimate=n / 1e3, conf_low=-0.1, conf_high=0.1) for n in range(MOST_NAMED)]
    table = CheckTableRecord(columns=("estimate", "conf_low", "conf_high"), rows=tuple(rows))
    check = CheckRecord(name="curve", threat="design", passed=None, reason="r", numbers={}, table=table, figure="intervals")
    record = replace(factories.simulated(), checks=(check,))
    axes = drawn(record, 0)
    points = np.asarray(axes.collections[1].get_offsets())
    assert len(points) == MOST_NAMED + 1 and (np.diff(points[:, 1]) >= 0).all()
    assert len([b for b in page_blocks(record) if isinstance(b, Table) and b.annex is not None and len(b.rows) == len(rows)]) == 1


def test_the_breakdown_and_the_original_are_marked() -> None:
    record = factories.simulated()
    labels = drawn(record, place_of(record, "honest")).get_legend_handles_labels()[1]
    assert labels == ["interval with the allowance", "interval without it", "interval reaches zero"]


def test_balance_has_its_threshold_lines() -> None:
    record = factories.simulated()
    lines = drawn(record, place_of(record, "balance")).get_lines()
    assert {round(float(np.asarray(line.get_xdata())[0]), 3) for line in lines} >= {-0.1, 0.0, 0.1}


def test_the_histogram_shows_every_bin_and_the_estimate() -> None:
    record = factories.simulated()
    axes = drawn(record, place_of(record, "placebo"))
    assert [patch.get_height() for patch in axes.patches] == [4, 31, 88, 190, 121, 53, 13]  # type: ignore[attr-defined]
    assert 0.031 in [round(float(np.asarray(line.get_xdata())[0]), 3) for line in axes.get_lines()]


def test_withheld_rows_are_drawn_empty() -> None:
    record = factories.simulated()
    few = release(replace(record, headline=replace(record.headline, n_treated=9)))
    for place, check in enumerate(few.checks):
        if check.figure is not None:
            axes = drawn(few, place)
            offsets = [np.asarray(c.get_offsets(), dtype=float) for c in axes.collections if len(np.asarray(c.get_offsets()))]
            assert all(np.isnan(o).any(axis=1).all() or math.isclose(float(np.nansum(np.abs(o))), 0.0) for o in offsets)
