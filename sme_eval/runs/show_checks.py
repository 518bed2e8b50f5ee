"""What the notebooks about one question show of a record: checks with their tables and drawings, and the specification curve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sme_eval.evaluation.record import Evaluation
from sme_eval.evaluation.record_checks import CheckRecord
from sme_eval.terms import Language

from .drawing import Drawing, drawing

if TYPE_CHECKING:
    import pandas as pd

NO_CURVE: Final = "the policy declares no specification curve for this outcome"
_RESULTS: Final = {True: "passed", False: "failed", None: "for information"}


def checks_table(evaluation: Evaluation, threat: str | None = None, language: Language = "en") -> pd.DataFrame:
    """Every check, or those of one threat: its result and its reason in words."""
    import pandas as pd

    from sme_eval.briefing.compose import speaker_of
    from sme_eval.briefing.document import Say, plain
    from sme_eval.briefing.pointers import pointer

    speaker, rows = speaker_of(evaluation, language), []
    for n, check in enumerate(evaluation.checks):
        if threat in (None, check.threat):
            at = pointer("checks", n)
            name = plain(speaker.runs((Say(f"check.{check.name}", at=at, otherwise=("check.other",)),)))
            why = plain(speaker.runs((Say(f"reason.{check.reason}", at=at, otherwise=("reason.other",)),)))
            rows.append({"check": name, "name": check.name, "result": _RESULTS[check.passed], "why": why})
    if not rows:
        return pd.DataFrame({"note": [f"no check of {threat} was asked"]})
    return pd.DataFrame(rows).set_index("check")


def check_table(evaluation: Evaluation, name: str) -> pd.DataFrame:
    """The table behind one check; a note where the check was not asked or has none."""
    import pandas as pd

    check = _check(evaluation, name)
    if check is None or check.table is None:
        return pd.DataFrame({"note": [f"the check {name!r} " + ("was not asked here" if check is None else "has no table")]})
    columns = {c: [_shown(row.values[c]) for row in check.table.rows] for c in check.table.columns}  # noqa: PD011  no frame
    names = [row.key if row.label is None else row.label.en for row in check.table.rows]
    return pd.DataFrame(columns, index=pd.Index(names, name="row"))


def plot_check(evaluation: Evaluation, name: str, language: Language = "en") -> Drawing | str:
    """The drawing of one check, as the briefing has it; a note where there is none."""
    found = drawing(evaluation, f"check_{name}", language, f"as the check {name.replace('_', ' ')} sees it")
    return f"the check {name!r} has no drawing here" if found is None else found


def plot_curve(evaluation: Evaluation, language: Language = "en") -> Drawing | str:
    """The specification curve, as the briefing draws it; a note where the policy declares none."""
    found = drawing(evaluation, "curve", language, "under every defended combination of choices, by size")
    return NO_CURVE if found is None else found


def curve_table(evaluation: Evaluation) -> pd.DataFrame:
    """The joint inference about the curve, then the share of the estimates' variance that each choice explains."""
    import pandas as pd

    found = evaluation.curve
    if found is None:
        return pd.DataFrame({"note": [NO_CURVE]})
    rows: list[dict[str, Any]] = [
        {"what": "defended specifications", "value": found.n_defended},
        {"what": "that many independent ones", "value": _shown(found.effective)},
        {"what": "lowest estimate", "value": _shown(found.lowest)},
        {"what": "highest estimate", "value": _shown(found.highest)},
        {"what": "median estimate", "value": _shown(found.median), "p_value": _shown(found.median_p)},
        {"what": "share significant", "value": _shown(found.share_significant), "p_value": _shown(found.share_p)},
        {"what": "average Z (Stouffer)", "value": _shown(found.stouffer), "p_value": _shown(found.stouffer_p)},
    ]
    rows += [{"what": f"spread by {d.label.en}", "value": _shown(d.share)} for d in found.dimensions]
    return pd.DataFrame(rows).set_index("what").round(4)


def _check(evaluation: Evaluation, name: str) -> CheckRecord | None:
    return next((check for check in evaluation.checks if check.name == name), None)


def _shown(value: Any) -> Any:
    """A value as a table shows it: NaN for what cannot be given."""
    return value if value is None or isinstance(value, str | bool | int) else float(value)
