"""What changed between two releases: differences, causes, what both disclose together, and the pages in both languages."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st

from sme_eval.briefing.difference import compare
from sme_eval.briefing.difference_cause import causes
from sme_eval.briefing.difference_page import render_difference
from sme_eval.briefing.difference_record import ReportDifference
from sme_eval.briefing.wording import load_wording
from sme_eval.cli import main
from sme_eval.errors import DataError, ParameterError
from sme_eval.evaluation.disclosure import WITHHELD, release
from sme_eval.evaluation.record import Evaluation
from sme_eval.results.unavailable import Unavailable
from sme_eval.runs.diff import DiffResult, compare_releases, diff
from sme_eval.runs.diff_disclosure import disclosure_flags
from sme_eval.runs.stamp import Stamp, digest
from tests import factories

GONE = Unavailable(WITHHELD)
KEY: Mapping[str, Any] = {
    "verb": "run",
    "parameters": {"outcome": "log_scrap", "level": 0.95, "reports": "reports"},
    "code": "c" * 64,
    "policy": "p" * 64,
    "recommendations": "r" * 64,
    "declarations": "d" * 64,
    "modules": {"stats/weights.py": "whole " + "a" * 64, "stats/tails.py": "outside " + "b" * 64 + " " + "c" * 64},
    "helpers": "h" * 64,
    "lock": "l" * 64,
    "python": "3.11",
}


@pytest.fixture(autouse=True)
def _without_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cutting a font takes seconds per page."""
    monkeypatch.setattr("sme_eval.briefing.difference_page.with_web_font", lambda page: page)


def moved(record: Evaluation, estimate: float = -0.1) -> Evaluation:
    """The record with another main estimate."""
    old = record.headline
    assert isinstance(old.std_error, float)
    new = factories.effect(old.key, estimate, old.std_error, outcome=old.outcome, n_firms=old.n_firms)
    return replace(record, headline=new)


def sized(record: Evaluation, n_firms: int) -> Evaluation:
    """The record with another number of firms behind the main estimate, and so many treated as before."""
    return replace(record, headline=replace(record.headline, n_firms=n_firms))


def origin(record: Evaluation, **changes: Any) -> Evaluation:
    return replace(record, provenance=replace(record.provenance, **changes))


def report(old: Evaluation, new: Evaluation, threshold: float = 0.5) -> ReportDifference:
    return compare(old, new, threshold=threshold, causes=causes(old, new))


def write(folder: Path, *records: Evaluation, key: Mapping[str, Any] | None = None) -> Path:
    for record in records:
        path = record.write(folder)
        if key is not None and record.audience == "internal":
            place = f"internal/{record.slug}/evaluation.json"
            Stamp(name=record.name, slug=record.slug, estimation=key, estimated={place: digest(path)}).write(folder)
    return folder


def compared(
    tmp_path: Path, old: Evaluation, new: Evaluation, **keys: Mapping[str, Any] | None
) -> tuple[DiffResult, dict[str, str]]:
    """The result and the texts of both pages."""
    a = write(tmp_path / "old", old, key=keys.get("old_key", KEY))
    b = write(tmp_path / "new", new, key=keys.get("new_key", KEY))
    result = diff(a, b)
    return result, {language: page_text(b / f"difference.{language}.html") for language in ("zh", "en")}


def page_text(path: Path) -> str:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser").get_text()


def shown(html: str) -> set[str]:
    """Every value that stands on a page."""
    return {str(tag["value"]) for tag in BeautifulSoup(html, "html.parser").find_all("data")}


# --- what differs ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("record", [factories.observed(), factories.simulated(), release(factories.simulated())])
def test_a_record_and_itself_do_not_differ(record: Evaluation) -> None:
    found = report(record, record)
    assert found.status == "same" and not found.differs and found.n_numbers == 0


def test_the_threshold_decides_what_has_moved() -> None:
    old = factories.observed()
    new = origin(moved(old, -0.2518 + 0.6 * 0.1514), data_hash="x")
    assert [effect.change for effect in report(old, new).effects] == ["moved"]
    quiet = report(old, new, threshold=0.7)
    assert quiet.effects == () and quiet.n_small == 1 and quiet.status == "small" and not quiet.differs


def test_a_changed_sign_counts_however_small() -> None:
    old = moved(factories.observed(), 0.01)
    (effect,) = report(old, moved(old, -0.01)).effects
    assert effect.change == "sign" and effect.points is not None


def test_effects_that_come_or_go() -> None:
    old = factories.observed()
    without = replace(old, alternatives=())
    assert [e.change for e in report(old, without).effects] == ["disappeared"]
    assert [e.change for e in report(without, old).effects] == ["appeared"]
    nothing = Unavailable("not estimated")
    untold = replace(old, headline=replace(old.headline, estimate=nothing, percent=None))
    assert [e.change for e in report(old, untold).effects] == ["missing"]
    assert [e.change for e in report(untold, old).effects] == ["given"]


def test_a_wider_interval_is_a_difference() -> None:
    old = factories.observed()
    wide = replace(old.headline, conf_low=-0.7, conf_high=0.3)
    assert [e.change for e in report(old, replace(old, headline=wide)).effects] == ["interval"]


def test_mechanisms_are_found_again_by_their_outcome() -> None:
    old = factories.observed()
    other = replace(old.mechanisms[0], estimator=factories.TWFE)
    assert report(old, replace(old, mechanisms=(other,))).effects == ()


def test_claim_caveats_checks_and_sizes() -> None:
    old = factories.observed()
    claim = replace(old.claim, kind="suggestive", direction="decrease", caveats=("small_cohorts", "few_clusters"))
    checks = (replace(old.checks[0], passed=True), *old.checks[2:])
    flow = (*old.sample_flow[:-1], replace(old.sample_flow[-1], firms=30, rows=90))
    found = report(old, replace(old, claim=claim, checks=checks, sample_flow=flow))
    assert {aspect.name for aspect in found.aspects} == {"kind", "direction"} and found.strength == "stronger"
    assert found.caveats_gained == ("few_clusters",) and found.caveats_lost == ("trends_untestable", "future_shocks")
    assert [(c.name, c.old, c.new) for c in found.checks] == [("trends", "informative", "passed"), ("clusters", "passed", "absent")]
    assert [(s.name, s.old, s.new) for s in found.sizes] == [("firms", 54, 30), ("rows", 162, 90)]


def test_kind_of_data_and_audience() -> None:
    old = factories.observed()
    found = report(old, replace(old, data_kind="simulated", audience="release"))
    assert {aspect.name for aspect in found.aspects} == {"data_kind", "audience"}
    assert [cause.kind for cause in found.causes] == ["audience"]


estimates = st.floats(-2, 2).filter(lambda x: abs(x) > 1e-3)


@settings(max_examples=40, deadline=None)
@given(a=estimates, b=estimates, threshold=st.floats(0, 3))
def test_a_difference_reversed_is_the_reverse(a: float, b: float, threshold: float) -> None:
    one, two = moved(factories.observed(), a), moved(factories.observed(), b)
    assert report(one, one, threshold).effects == ()
    there, back = report(one, two, threshold).effects, report(two, one, threshold).effects
    assert [e.change for e in there] == [e.change for e in back]
    for x, y in zip(there, back, strict=True):
        assert (x.old, x.new) == (y.new, y.old)
        assert isinstance(x.shift, float) and isinstance(y.shift, float) and x.shift == pytest.approx(-y.shift)


# --- why -------------------------------------------------------------------------------------------------------------

USED = {**KEY["modules"], "stats/weights.py": "whole " + "d" * 64}
CHANGES: Mapping[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "data": ({"data_hash": "sha256:" + "1a" * 32}, {}),
    "code": ({"modules_hash": "sha256:" + "2b" * 32}, {"modules": USED}),
    "dependency": ({"libraries": {"numpy": "2.5.0", "pandas": "3.1.1", "scipy": "1.17.1"}}, {}),
    "parameters": ({}, {"parameters": {**KEY["parameters"], "level": 0.9}}),
    "policy": ({}, {"policy": "q" * 64}),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_one_component_is_named_as_the_cause(kind: str, tmp_path: Path) -> None:
    provenance, key = CHANGES[kind]
    old = factories.observed()
    result, pages = compared(tmp_path, old, origin(moved(old), **provenance), new_key={**KEY, **key})
    assert result.exit_code == 17 and f"({kind})" in result.text
    for language, text in pages.items():
        wording = load_wording(language)  # type: ignore[arg-type]
        because = wording.plain("diff.because") + wording.plain(f"diff.cause.{kind}") + wording.plain("diff.stop")
        assert because in text and wording.plain("diff.several") not in text


def test_several_causes_cannot_be_told_apart(tmp_path: Path) -> None:
    old = factories.observed()
    changed = origin(moved(old), **CHANGES["data"][0], **CHANGES["code"][0])
    result, pages = compared(tmp_path, old, changed, new_key={**KEY, **CHANGES["code"][1]})
    assert result.exit_code == 17 and "(data, code)" in result.text
    assert "数据、代码。" in pages["zh"] and "无法区分各自的作用" in pages["zh"] and "用新版代码重新评估旧版数据" in pages["zh"]
    assert "data, code." in pages["en"] and "cannot tell their parts" in pages["en"]


def test_code_that_the_runs_did_not_use_is_no_cause(tmp_path: Path) -> None:
    """The body of a function that neither run called was edited: the numbers moved for another reason."""
    old = factories.observed()
    edited = {**KEY["modules"], "stats/tails.py": "outside " + "e" * 64 + " " + "c" * 64}
    result, _ = compared(tmp_path, old, origin(moved(old), **CHANGES["code"][0]), new_key={**KEY, "modules": edited})
    assert result.exit_code == 17 and "UNEXPLAINED" in result.text


def test_numbers_that_change_without_a_cause_are_an_alarm(tmp_path: Path) -> None:
    old = factories.observed()
    result, pages = compared(tmp_path, old, moved(old, -0.2519))
    assert result.exit_code == 17 and "UNEXPLAINED" in result.text
    assert "原因不明" in pages["zh"] and "An unexplained change" in pages["en"]


def test_a_cause_without_a_change_is_the_same_numbers(tmp_path: Path) -> None:
    old = factories.observed()
    result, pages = compared(tmp_path, old, origin(old, **CHANGES["code"][0]), new_key={**KEY, **CHANGES["code"][1]})
    assert result.exit_code == 0 and "same numbers (code)" in result.text
    assert "数字相同" in pages["zh"] and "same numbers" in pages["en"]


def test_the_seed_belongs_to_the_data(tmp_path: Path) -> None:
    old = factories.simulated()
    new = origin(moved(old, 0.2), data_hash="y", data_parameters={**old.provenance.data_parameters, "seed": 2})
    keys = [{**KEY, "parameters": {"outcome": "log_revenue", "seed": seed}} for seed in (1, 2)]
    result, pages = compared(tmp_path, old, new, old_key=keys[0], new_key=keys[1])
    assert "(data)" in result.text and "随机种子" in pages["zh"] and "Random seed" in pages["en"]
    assert "方法演示" not in pages["zh"] and "仅演示方法" in pages["zh"]


def test_a_design_and_a_policy_that_changed_are_seen_without_stamps() -> None:
    old = factories.observed()
    design = replace(old, design=replace(old.design, comparison="not_yet_treated", hash="z"))
    (cause,) = causes(old, design)
    assert cause.kind == "parameters" and [d.name for d in cause.details] == ["comparison"]
    policy = replace(old, policy=replace(old.policy, published_counts=(1,)))
    assert [cause.kind for cause in causes(old, policy)] == ["policy"]


def test_a_stamp_of_another_record_is_not_believed(tmp_path: Path) -> None:
    old = factories.observed()
    a, b = write(tmp_path / "a", old, key=KEY), write(tmp_path / "b", old, key={**KEY, "policy": "q"})
    moved(old).write(b)  # the record was replaced, its stamp was not
    (found,) = compare_releases(a, b).reports
    assert not found.stamped and found.causes == () and found.status == "unexplained"


# --- which reports ---------------------------------------------------------------------------------------------------


def test_reports_of_one_release_only_are_listed(tmp_path: Path) -> None:
    a = write(tmp_path / "a", factories.observed())
    b = write(tmp_path / "b", factories.simulated())
    result = diff(a, b, output=tmp_path / "pages")
    assert result.exit_code == 17
    assert "only in the old release" in result.text and "only in the new release" in result.text
    text = page_text(tmp_path / "pages" / "difference.zh.html")
    assert "没有两版都有发布稿的报告" in text
    assert "仅见于旧版的报告" in text and "仅见于新版的报告" in text
    assert diff(a, a, output=tmp_path / "pages").exit_code == 0


def test_records_and_their_folders_can_be_named(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a", factories.observed()), write(tmp_path / "b", moved(factories.observed()))
    inside = Path("internal") / factories.observed().slug
    for old, new in ((a / inside, b / inside), (a / inside / "evaluation.json", b)):
        assert diff(old, new, output=tmp_path / "pages").exit_code == 17


def test_an_internal_record_stands_for_its_released_copy(tmp_path: Path) -> None:
    record = factories.simulated()
    a = write(tmp_path / "a", record, release(record))
    assert [one.audience for one in compare_releases(a, a).reports] == ["internal"]


def test_everything_that_cannot_be_read_is_told_at_once(tmp_path: Path) -> None:
    broken = write(tmp_path / "b", factories.observed(), factories.simulated())
    for path in broken.rglob("evaluation.json"):
        path.write_text("{", encoding="utf-8")
    with pytest.raises(DataError) as error:
        diff(tmp_path / "nowhere", broken, output=tmp_path)
    assert len(error.value.problems) == 3 and str(tmp_path) not in str(error.value)
    with pytest.raises(ParameterError):
        diff(broken, broken, threshold="much")


def test_the_verb_and_its_exit_codes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = write(tmp_path / "a", factories.observed()), write(tmp_path / "b", moved(factories.observed()))
    pages = ["--output", str(tmp_path / "pages")]
    assert main(["diff", str(a), str(a), *pages]) == 0
    assert main(["diff", str(a), str(b), *pages]) == 17
    assert main(["diff", str(a), str(tmp_path / "c"), *pages]) == 10
    assert "no evaluation record" in capsys.readouterr().err


# --- what both disclose ----------------------------------------------------------------------------------------------


def released(record: Evaluation) -> Evaluation:
    return replace(record, audience="release")


def risk(tmp_path: Path, old: Evaluation, new: Evaluation, rule: str, *numbers: float) -> None:
    """The flag, its exit code, and that none of the numbers stands on a page or in the text."""
    flags = disclosure_flags(old, new)
    assert rule in {flag.rule for flag in flags}
    plain = json.dumps([flag.row for flag in flags], ensure_ascii=False, default=str)
    result, _ = compared(tmp_path, old, new)
    assert result.exit_code == 15 and f"DISCLOSURE {rule}" in result.text
    for language in ("zh", "en"):
        html = (tmp_path / "new" / f"difference.{language}.html").read_text(encoding="utf-8")
        values = shown(html)
        for number in numbers:
            assert str(number) not in values and not re.search(rf"(?<![\d.]){re.escape(str(number))}(?![\d.])", plain)
            assert not re.search(rf"(?<![\d.]){re.escape(str(number))}(?![\d.])", BeautifulSoup(html, "html.parser").get_text())


def test_a_count_withheld_once_and_given_once(tmp_path: Path) -> None:
    old = released(factories.observed())
    hidden = replace(old, headline=replace(old.headline, n_treated=GONE))
    risk(tmp_path, old, hidden, "withheld", 27)
    elsewhere = origin(hidden, data_hash="other")
    assert disclosure_flags(old, elsewhere) == ()


def test_an_estimate_withheld_once_and_given_once(tmp_path: Path) -> None:
    old = released(factories.observed())
    first, last = old.cohort_map.cohorts
    hidden = replace(old, cohort_map=replace(old.cohort_map, cohorts=(first, replace(last, estimate=GONE))))
    risk(tmp_path, hidden, old, "withheld", 0.021)
    headline = replace(old.headline, estimate=GONE, percent=None)
    risk(tmp_path / "headline", replace(old, headline=headline), old, "withheld", -0.2518, -0.252)


def test_two_counts_that_differ_by_few_firms(tmp_path: Path) -> None:
    old = released(factories.observed())
    flow = (*old.sample_flow[:-1], replace(old.sample_flow[-1], firms=51, rows=153))
    risk(tmp_path, old, replace(old, sample_flow=flow), "few_apart", 54, 51, 162, 153)
    far = (*old.sample_flow[:-1], replace(old.sample_flow[-1], firms=44))
    assert disclosure_flags(old, replace(old, sample_flow=far)) == ()


def test_estimates_for_populations_that_differ_by_few_firms(tmp_path: Path) -> None:
    old = released(factories.observed())
    new = sized(moved(old, -0.5555), 59)
    risk(tmp_path, old, new, "alike", 54, 59, -0.2518, -0.5555, -0.252, -0.556)
    assert {flag.rule for flag in disclosure_flags(old, sized(moved(old), 64))} == set()


def test_cells_of_checks_and_counts_that_are_public() -> None:
    old = released(factories.simulated())
    rows = tuple(
        replace(row, values={**row.values, "n_treated": 1704}) if row.key == "Haishu" else row
        for check in old.checks
        if check.name == "districts" and check.table is not None
        for row in check.table.rows
    )
    new = replace(
        old,
        checks=tuple(
            replace(check, table=replace(check.table, rows=rows))
            if check.name == "districts" and check.table is not None
            else check
            for check in old.checks
        ),
    )
    (flag,) = [flag for flag in disclosure_flags(old, new) if flag.rule == "few_apart"]
    assert flag.place == "check" and flag.row["name"] == "districts"
    public = [replace(one, policy=replace(one.policy, published_counts=(1700, 1704))) for one in (old, new)]
    assert disclosure_flags(*public) == ()


def test_a_step_told_alone_and_told_together() -> None:
    record = factories.observed()
    flow = factories._flow(((157, 471), (62, 186), (57, 171)))
    whole = replace(record, sample_flow=flow)
    together = release(whole)
    assert len(together.sample_flow) < len(flow)
    alone = replace(together, sample_flow=flow, withheld=())
    assert "sample_flow" in {flag.place for flag in disclosure_flags(together, alone)}


def test_internal_records_are_not_asked_about_disclosure() -> None:
    old = factories.observed()
    assert disclosure_flags(old, sized(old, 55)) == ()


def test_internal_pages_do_not_show_small_differences_either(tmp_path: Path) -> None:
    old = factories.observed()
    result, _ = compared(tmp_path, old, sized(moved(old, -0.5555), 59))
    assert result.exit_code == 17
    for language in ("zh", "en"):
        assert {"54", "59", "-0.5555"}.isdisjoint(shown((tmp_path / "new" / f"difference.{language}.html").read_text("utf-8")))


# --- the pages -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_digit_of_a_page_is_a_reference(language: Any, tmp_path: Path) -> None:
    old = factories.simulated()
    new = replace(origin(moved(old, -0.3), **CHANGES["data"][0], **CHANGES["code"][0]), checks=old.checks[1:])
    a, b = write(tmp_path / "a", old, release(old)), write(tmp_path / "b", new, release(sized(new, 5995)), factories.observed())
    found = compare_releases(a, b)
    html = render_difference(found, language)
    assert not re.search(r"https?://|<script", html) and str(tmp_path) not in html
    page = BeautifulSoup(html, "html.parser")
    for tag in page.find_all(["data", "style"]):
        tag.decompose()
    assert page.body is not None and not re.search(r"\d", page.body.get_text())
