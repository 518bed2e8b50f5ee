"""The page of a difference in one language: a summary, the risk of disclosure, then report by report what changed and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sme_eval.evaluation.plain import to_plain
from sme_eval.terms import Language

from .compose import Composer
from .difference_record import Difference, ReportDifference
from .document import Callout, Heading, Items, Paragraph, Phrase, Piece, Say, Table, Value
from .html_writer import HTML_LANGUAGES, OTHER, environment, stylesheet, with_web_font
from .pointers import pointer
from .sections.common import Blocks
from .speaker import Speaker
from .wording import load_wording

QUIET: Final = ("same", "same_numbers", "small")
"""Reports that stand in the summary only."""
LABELS: Final = ("skip", "other_language", "other_language_code", "table")


def page_name(language: Language) -> str:
    """File name of the page."""
    return f"difference.{language}.html"


def render_difference(difference: Difference, language: Language) -> str:
    """The page: self-contained, every number a reference into the difference."""
    speaker = Speaker(_plain(difference), load_wording(language))
    composer = Composer(speaker)
    blocks = [composer.block(block) for block in _blocks(difference)]
    page = environment().get_template("difference.html")
    html = page.render(
        title=speaker.runs((Say("diff.title"),)),
        status=speaker.runs((Say("diff.status_line"),)),
        blocks=blocks,
        labels={
            **{name: speaker.wording.plain(f"frame.{name}") for name in LABELS},
            "footer": speaker.wording.plain("diff.footer"),
        },
        lang=HTML_LANGUAGES[language],
        style=stylesheet(),
        other_page=page_name(OTHER[language]),
    )
    return with_web_font(html.strip() + "\n")


def _plain(difference: Difference) -> Mapping[str, Any]:
    """What the page refers to: the difference and how much there is of everything."""
    plain: dict[str, Any] = to_plain(difference)
    for report in plain["reports"]:
        report["n_effects"] = len(report["effects"])
    reports = difference.reports
    counts = {
        "reports": len(reports),
        "differing": sum(report.differs for report in reports),
        "unchanged": sum(not report.differs for report in reports),
        "unexplained": sum(report.status == "unexplained" for report in reports),
        "flags": len(difference.flags),
        "only_old": len(difference.only_old),
        "only_new": len(difference.only_new),
    }
    return {**plain, "counts": counts}


def _blocks(difference: Difference) -> Blocks:
    blocks: Blocks = []
    kinds = {one.data_kind for one in difference.reports}
    kinds |= {one.data_kind for one in (*difference.only_old, *difference.only_new)}
    if "simulated" in kinds:
        blocks.append(_warning("banner.title", Say("diff.simulated")))
    blocks.append(_summary(difference))
    if difference.reports:
        blocks += [Heading((Say("diff.overview"),), anchor="overview"), _overview(difference)]
    blocks += _disclosure(difference)
    for n, report in enumerate(difference.reports):
        if report.status not in QUIET:
            blocks += _report(report, pointer("reports", n))
    blocks += _only(difference)
    how = ("measure", "cause", "disclosure", "hidden")
    return [*blocks, Heading((Say("diff.how.title"),), anchor="how"), Items(tuple((Say(f"diff.how.{name}"),) for name in how))]


def _warning(title: str, *bodies: Piece) -> Callout[Phrase]:
    return Callout(role="simulated", title=(Say(title),), blocks=tuple(Paragraph((body,)) for body in bodies))


def _summary(difference: Difference) -> Callout[Phrase]:
    lines: list[Phrase] = [(Say("diff.compared"),)]
    if difference.only_old or difference.only_new:
        lines.append((Say("diff.unpaired"),))
    if any(report.status == "unexplained" for report in difference.reports):
        lines.append((Say("diff.alarm"),))
    examined = "diff.no_risk" if difference.n_examined else "diff.not_examined"
    lines.append((Say("diff.risk" if difference.flags else examined),))
    first = "diff.some" if difference.differs else "diff.none"
    return Callout(role="claim", title=(Say("diff.summary"),), blocks=(Paragraph((Say(first),), role="claim"), Items(tuple(lines))))


def _overview(difference: Difference) -> Table[Phrase]:
    rows = []
    for n, report in enumerate(difference.reports):
        at = pointer("reports", n)
        because: Phrase = _listed([Say(f"diff.cause.{cause.kind}") for cause in report.causes]) or (Say("diff.no_cause"),)
        status: Phrase = (Say(f"diff.status.{report.status}", at=at),)
        rows.append(
            ((Say("diff.report", at=at),), (Say("diff.kind", at=at),), status, because, (Value(at + "/n_effects", "count"),))
        )
    columns = ("report", "kind", "status", "cause", "effects")
    return Table(
        caption=(Say("diff.caption.overview"),),
        columns=tuple((Say(f"diff.column.{name}"),) for name in columns),
        rows=tuple(rows),
        layout="words",
    )


def _listed(pieces: list[Say]) -> Phrase:
    """Pieces one after the other, set apart as the language does."""
    listed: list[Piece] = []
    for piece in pieces:
        listed += [Say("diff.comma"), piece] if listed else [piece]
    return tuple(listed)


def _disclosure(difference: Difference) -> Blocks:
    if not difference.flags:
        return []
    rows: list[tuple[Phrase, ...]] = []
    for n, flag in enumerate(difference.flags):
        at = pointer("flags", n)
        row = at + pointer("row")
        place: Phrase = (Say(f"place.{flag.place}", at=row, otherwise=(f"diff.place.{flag.place}", "diff.place.record")),)
        if flag.place == "check":
            place = (Say(f"check.{flag.row['name']}", at=row, otherwise=("check.other",)), *_check_row(flag.row, row))
        rows.append(
            (place, (Say(f"diff.rule.{flag.rule}"),), (Value(at + "/old_slug", "text"),), (Value(at + "/new_slug", "text"),))
        )
    table: Table[Phrase] = Table(
        caption=(Say("diff.caption.disclosure"),),
        columns=tuple((Say(f"diff.column.{name}"),) for name in ("place", "rule", "old_slug", "new_slug")),
        rows=tuple(rows),
        layout="words",
    )
    title: Heading[Phrase] = Heading((Say("diff.disclosure"),), anchor="disclosure")
    return [title, _warning("diff.risk_title", Say("diff.risk_body")), table]


def _check_row(row: Mapping[str, Any], at: str) -> Phrase:
    """The row of a check's table, where the cell is one of a row."""
    if "label" in row:
        return (Say("diff.comma"), Say("checks.row_label", at=at))
    if "key" in row:
        keys = (f"row.{row['name']}.{row['key']}", "checks.row_key")
        return (Say("diff.comma"), Say(keys[0], at=at, otherwise=keys[1:]))
    return ()


def _report(report: ReportDifference, at: str) -> Blocks:
    blocks: Blocks = [Heading((Say("diff.report", at=at),), anchor=f"report-{at.rsplit('/', 1)[-1]}")]
    blocks.append(Paragraph((Say("diff.report_line", at=at),), role="label"))
    if report.status == "unexplained":
        blocks.append(_warning("diff.unexplained_title", Say("diff.unexplained", at=at)))
    else:
        causes = _listed([Say(f"diff.cause.{cause.kind}") for cause in report.causes])
        blocks.append(Paragraph((Say("diff.because"), *causes, Say("diff.stop"))))
    if report.status == "several":
        blocks.append(Paragraph((Say("diff.several"),)))
    if not report.stamped:
        blocks.append(Paragraph((Say("diff.not_stamped"),), role="note"))
    for part in (_claim, _effects, _checks, _sizes, _components):
        blocks += part(report, at)
    return blocks


def _claim(report: ReportDifference, at: str) -> Blocks:
    rows = []
    for n, aspect in enumerate(report.aspects):
        where = at + pointer("aspects", n)
        rows.append(tuple((Say(f"diff.{part}.{aspect.name}", at=where),) for part in ("aspect", "old", "new")))
    blocks: Blocks = [_table(report, at, "claim", ("aspect", "old", "new"), rows, "words")] if rows else []
    if report.strength:
        blocks.append(Paragraph((Say(f"diff.{report.strength}"),)))
    for name, caveats in (("gained", report.caveats_gained), ("lost", report.caveats_lost)):
        if caveats:
            blocks.append(Paragraph((Say(f"diff.caveats_{name}"),), role="label"))
            blocks.append(Items(tuple((_caveat(key),) for key in caveats)))
    return blocks


def _caveat(key: str) -> Say:
    return Say(f"caveat.{key}", otherwise=("caveat.other_check" if key.startswith("check_") else "caveat.other",))


def _effects(report: ReportDifference, at: str) -> Blocks:
    rows = []
    in_percent = any(effect.points is not None for effect in report.effects)
    for n, effect in enumerate(report.effects):
        where = at + pointer("effects", n)
        name: list[Say] = [Say(f"diff.group.{effect.group}", at=where)]
        if effect.group == "alternative":
            name = [Say(f"estimator.{effect.estimator}", at=where, otherwise=("diff.group.alternative",))]
            name += [Say("diff.compared_with", at=where)] if effect.comparison else []
            name += [Say("diff.role", at=where)] if effect.role else []
        values: list[Phrase] = [(Say(f"diff.{side}.{_number_form(effect, side)}", at=where),) for side in ("old", "new")]
        points: list[Phrase] = [(Value(where + "/points", "decimals_1"),)] if in_percent else []
        what: Phrase = (Say(f"diff.change.{effect.change}"),)
        rows.append((_listed(name), *values, *points, (Value(where + "/shift", "statistic"),), what))
    columns = ("effect", "old", "new", *(("points",) if in_percent else ()), "shift", "change")
    notes: list[Phrase] = [(Say("diff.note.effects"),)]
    notes += [(Say("diff.note.alike"),)] if any(effect.alike for effect in report.effects) else []
    notes += [(Say("diff.note.small", at=at),)] if report.n_small else []
    if not rows:
        return [Paragraph((Say("diff.note.small", at=at),), role="note")] if report.n_small else []
    return [_table(report, at, "effects", columns, rows, "numbers", tuple(notes))]


def _number_form(effect: Any, side: str) -> str:
    return "percent" if isinstance(getattr(effect, f"percent_{side}"), float) else "coefficient"


def _checks(report: ReportDifference, at: str) -> Blocks:
    rows = []
    for n, check in enumerate(report.checks):
        where = at + pointer("checks", n)
        name: Phrase = (Say(f"check.{check.name}", at=where, otherwise=("check.other",)),)
        rows.append((name, (Say("diff.old.verdict", at=where),), (Say("diff.new.verdict", at=where),)))
    return [_table(report, at, "checks", ("check", "old", "new"), rows, "words")] if rows else []


def _sizes(report: ReportDifference, at: str) -> Blocks:
    rows = []
    for n, size in enumerate(report.sizes):
        where = at + pointer("sizes", n)
        name: Phrase = (Say(f"diff.size.{size.name}", at=where),)
        rows.append((name, (Value(where + "/old", "count"),), (Value(where + "/new", "count"),)))
    return [_table(report, at, "sizes", ("size", "old", "new"), rows, "words")] if rows else []


def _components(report: ReportDifference, at: str) -> Blocks:
    rows: list[tuple[Phrase, ...]] = []
    for n, cause in enumerate(report.causes):
        for m, detail in enumerate(cause.details):
            where = at + pointer("causes", n, "details", m)
            name: Phrase = (Say(f"diff.component.{detail.name}", at=where, otherwise=("diff.component.other",)),)
            values: list[Phrase] = [_said(detail.name, detail.form, side, where) for side in ("old", "new")]
            rows.append((name, (Say(f"diff.cause.{cause.kind}"),), *values))
    return [_table(report, at, "components", ("component", "belongs", "old", "new"), rows, "words")] if rows else []


def _said(name: str, form: str, side: str, where: str) -> Phrase:
    if form == "value":
        return (Say(f"diff.{side}.{name}", at=where, otherwise=(f"diff.{side}.value",)),)
    return (Value(where + pointer(side), "hash"),) if form == "digest" else (Say(f"diff.{side}.said"),)


def _table(
    report: ReportDifference,
    at: str,
    name: str,
    columns: tuple[str, ...],
    rows: list[Any],
    layout: Any,
    notes: tuple[Phrase, ...] = (),
) -> Table[Phrase]:
    return Table(
        caption=(Say(f"diff.caption.{name}", at=at),),
        columns=tuple((Say(f"diff.column.{column}"),) for column in columns),
        rows=tuple(rows),
        layout=layout,
        notes=notes,
    )


def _only(difference: Difference) -> Blocks:
    blocks: Blocks = []
    for name, listed in (("only_old", difference.only_old), ("only_new", difference.only_new)):
        if listed:
            items = tuple((Say("diff.listed", at=pointer(name, n)),) for n in range(len(listed)))
            blocks += [Heading((Say(f"diff.{name}"),), anchor=name.replace("_", "-")), Items(items)]
    return blocks
