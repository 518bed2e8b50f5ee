"""Panels in files: parquet keeps all that the package knows; csv (UTF-8) and Excel workbooks are for what others bring.

A parquet file carries under the metadata key `sme_eval` the data kind, the source, the sample flow and the
parameters and the keys of its categories, and as extra columns `truth.start.<start>`, `truth.effect.<outcome>` and
`truth.part.<outcome>.<part>` the truth of a simulated panel: one file, so that no panel loses its truth or its label.
Version 1 knew one start, `truth.cohort`, and no parts; such files are still read. A csv file or workbook holds the columns
and, in a further one, the data kind: its label survives any spreadsheet, its truth and flow are not kept.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast, get_args

from sme_eval.errors import DataError, Problem, raise_if_any
from sme_eval.panel.categories import with_categories
from sme_eval.panel.contract import Origin, conform
from sme_eval.panel.declarations import Label
from sme_eval.panel.delimited import read_delimited, unreadable
from sme_eval.panel.dictionary import Dictionary, load_dictionary
from sme_eval.panel.firm_panel import Contract, FirmPanel
from sme_eval.panel.headings import KIND
from sme_eval.panel.sample_flow import FlowStep, SampleFlow
from sme_eval.panel.sources import load_sources
from sme_eval.panel.truth import Truth
from sme_eval.panel.workbook import read_workbook
from sme_eval.terms import DataKind

if TYPE_CHECKING:
    import pandas as pd

_KEY: Final = b"sme_eval"
_SCHEMA_VERSION: Final = 2
_COHORT: Final = "truth.cohort"
_START: Final = "truth.start."
_EFFECT: Final = "truth.effect."
_PART: Final = "truth.part."
_MOST_ROWS: Final = 1_048_576
Content = tuple["pd.DataFrame", Mapping[str, Any], list[Problem]]
PlainReader = Callable[[Path, Dictionary], tuple["pd.DataFrame", list[Problem]]]


def write_panel(panel: FirmPanel, path: Path) -> Path:
    """Write `panel` to `path`; see `FirmPanel.write`."""
    writer = {".parquet": _write_parquet, ".csv": _write_csv, ".xlsx": _write_workbook}.get(path.suffix.lower())
    if writer is None:
        what = f"A panel is written as .parquet, .csv or .xlsx, not {path.suffix!r}."
        raise DataError(Problem(what=what, where=path.name))
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        writer(panel, path, unfinished)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def read_panel(
    path: Path | str, data_kind: DataKind | None = None, *, sheet: str = "", root: Path | str | None = None
) -> FirmPanel:
    """Read a panel from `.parquet`, `.csv` (UTF-8, with or without byte order mark) or `.xlsx` (one sheet).

    Headings of csv files and workbooks are the dictionary's names or labels, Chinese or English. `sheet` names the sheet of a
    workbook where several hold a panel. `data_kind` may be left out for files that the package wrote and for sources declared
    in `data/sources.toml` under the file's stem; nothing is ever guessed. `root` is the project folder whose dictionary and
    sources apply (default: the working folder).

    Raises
    ------
    DataError
        The file is missing, unreadable or of an unknown kind; the data kind is missing or contradicts what is
        declared; headings or cells are not plain, or the content breaks the contract of a panel (all violations at once,
        with row numbers), or it is not what the checksum of its declared source says.
    """
    path = Path(path)
    reader = _reader(path, sheet)
    dictionary = load_dictionary(root)
    frame, about, problems = reader(path, dictionary)
    declared = load_sources(root).get(path.stem)
    kinds: dict[str, DataKind | None] = {
        "argument": data_kind,
        "file": about.get("data_kind"),
        "sources.toml": declared.data_kind if declared else None,
    }
    ours = "source" in about
    frame, truth = _split_truth(frame) if ours else (frame, None)
    origin = Origin(path.name, header_rows=int(path.suffix.lower() != ".parquet"))
    contract = Contract(with_categories(dictionary, _categories(about)), origin)
    if problems:
        raise_if_any(DataError, [*problems, *_contract_problems(frame, contract)])
    panel = FirmPanel(
        frame,
        data_kind=_agreed_kind(path, kinds),
        source=str(about.get("source", path.stem)),
        flow=_flow(about),
        truth=truth,
        parameters=_with_tuples(cast(Mapping[str, object], about.get("parameters", {}))),
        contract=contract,
    )
    if declared and not ours:  # what the package wrote may be a selection of the source
        declared.verify(panel.content_hash())
    return panel


def _contract_problems(frame: pd.DataFrame, contract: Contract) -> tuple[Problem, ...]:
    """What the contract says of a frame that is refused anyway: a user hears of everything at once."""
    if not len(frame.columns):
        return ()
    try:
        conform(frame, contract.dictionary, contract.origin)
    except DataError as error:
        return error.problems
    return ()


def _reader(path: Path, sheet: str) -> Callable[[Path, Dictionary], Content]:
    """What reads a file of this ending: its columns, what it says about itself, and what is not plain in it."""
    suffix = path.suffix.lower()
    plain: dict[str, PlainReader] = {".csv": read_delimited, ".xlsx": partial(read_workbook, sheet=sheet)}
    if suffix not in plain and suffix != ".parquet":
        raise DataError(
            Problem(
                what=f"Files ending in {path.suffix!r} cannot be read as a panel.",
                where=path.name,
                remedy="save it as .xlsx, .csv (UTF-8) or .parquet",
            )
        )
    if sheet and suffix != ".xlsx":
        raise DataError(Problem(what=f"sheet is {sheet!r}.", where=path.name, remedy="only .xlsx files have sheets: leave it out"))
    if not path.is_file():
        raise DataError(Problem(what="The file does not exist.", where=path.name, remedy="check the name and the folder"))
    return _read_parquet if suffix == ".parquet" else partial(_read_plain, reader=plain[suffix])


def _read_plain(path: Path, dictionary: Dictionary, reader: PlainReader) -> Content:
    """A csv file or workbook; a column of the data kind, if there is one, speaks for the file and is no data."""
    frame, problems = reader(path, dictionary)
    if KIND not in frame.columns:
        return frame, {}, problems
    said = frame[KIND].dropna().astype(str).str.strip().unique()
    rest = frame.drop(columns=KIND)
    if len(said) == 1 and said[0] in get_args(DataKind) and not frame.loc[rest.notna().any(axis="columns"), KIND].isna().any():
        return rest, {"data_kind": said[0]}, problems
    what = f"Column {KIND} does not say one thing in every row."
    remedy = "write observed or simulated into every row, the same in all; simulated and observed firms are never mixed"
    return rest, {}, [*problems, Problem(what=what, where=path.name, remedy=remedy)]


# --- writing ---------------------------------------------------------------------------------------------------------


def _write_parquet(panel: FirmPanel, path: Path, target: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    frame = panel.frame.assign(**_truth_columns(panel.truth))
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata({_KEY: _metadata(panel, path)})
    pq.write_table(table, target)


def _write_csv(panel: FirmPanel, path: Path, target: Path) -> None:
    # With a byte order mark: without one Excel takes Chinese for something else.
    panel.frame.assign(**{KIND: panel.data_kind}).to_csv(target, index=False, encoding="utf-8-sig", lineterminator="\n")


def _write_workbook(panel: FirmPanel, path: Path, target: Path) -> None:
    from openpyxl import Workbook

    frame = panel.frame.assign(**{KIND: panel.data_kind})
    if len(frame) >= _MOST_ROWS:
        remedy = "write .csv or .parquet"
        raise DataError(Problem(what=f"A sheet holds fewer than {_MOST_ROWS:,} rows.", where=path.name, remedy=remedy))
    book = Workbook(write_only=True)
    sheet = book.create_sheet("panel")
    sheet.append(list(frame.columns))
    columns = [frame[name].astype(object).where(frame[name].notna(), None).tolist() for name in frame.columns]
    for row in zip(*columns, strict=True):
        sheet.append(row)
    book.save(target)


def _metadata(panel: FirmPanel, path: Path) -> bytes:
    about = {
        "schema_version": _SCHEMA_VERSION,
        "data_kind": panel.data_kind,
        "source": panel.source,
        "flow": [asdict(step) for step in panel.flow.steps],
        "categories": {
            name: [[key, label.zh, label.en] for key, label in panel.dictionary[name].categories.items()]
            for name in panel.columns
            if panel.dictionary[name].categories
        },
        "parameters": dict(panel.parameters),
    }
    try:
        return json.dumps(about, ensure_ascii=False, sort_keys=True, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise DataError(
            Problem(
                what="A parameter of the panel cannot be stored.",
                where=path.name,
                remedy="use texts, numbers, true or false, and lists of them",
            )
        ) from error


def _read_parquet(path: Path, dictionary: Dictionary) -> Content:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise unreadable(path, "parquet") from error
    about = json.loads((table.schema.metadata or {}).get(_KEY, b"{}"))
    if about.get("schema_version", 1) > _SCHEMA_VERSION:
        raise DataError(Problem(what="The file was written by a newer version.", where=path.name, remedy="update sme-eval"))
    return table.to_pandas(), about, []


def _truth_columns(truth: Truth | None) -> dict[str, Any]:
    """Column → (rows,) of a truth; none without one."""
    if truth is None:
        return {}
    starts = {_START + name: start for name, start in truth.starts.items()}
    effects = {_EFFECT + outcome: effect for outcome, effect in truth.effects.items()}
    parts = {f"{_PART}{outcome}.{part}": values for outcome, of in truth.parts.items() for part, values in of.items()}
    return starts | effects | parts


def _split_truth(frame: pd.DataFrame) -> tuple[pd.DataFrame, Truth | None]:
    """The panel's own columns, and the truth that was stored beside them, if any."""
    names = [str(name) for name in frame.columns]
    own = frame[[name for name in names if not name.startswith("truth.")]]
    starts = {name.removeprefix(_START): frame[name].to_numpy() for name in names if name.startswith(_START)}
    effects = {name.removeprefix(_EFFECT): frame[name].to_numpy() for name in names if name.startswith(_EFFECT)}
    parts: dict[str, dict[str, Any]] = {}
    for name in names:
        if name.startswith(_PART):
            outcome, _, part = name.removeprefix(_PART).rpartition(".")
            parts.setdefault(outcome, {})[part] = frame[name].to_numpy()
    if _COHORT in names:
        return own, Truth.from_cohort(frame["firm"].to_numpy(), frame["year"].to_numpy(), frame[_COHORT].to_numpy(), effects)
    if not starts:
        return frame, None
    return own, Truth(frame["firm"].to_numpy(), frame["year"].to_numpy(), starts, effects, parts)


def _categories(about: Mapping[str, Any]) -> dict[str, dict[str, Label]]:
    """The keys of the panel's categories, as its dictionary had them when it was written."""
    return {name: {key: Label(zh, en) for key, zh, en in keys} for name, keys in about.get("categories", {}).items()}


def _agreed_kind(path: Path, kinds: Mapping[str, DataKind | None]) -> DataKind:
    """The one kind that was said anywhere."""
    said = {place: kind for place, kind in kinds.items() if kind is not None}
    if len(set(said.values())) == 1:
        return next(iter(said.values()))
    if said:
        text = ", ".join(f"{place} says {kind}" for place, kind in said.items())
        raise DataError(Problem(what="The data kind is contradictory.", where=f"{path.name}: {text}", remedy="correct one"))
    raise DataError(
        Problem(
            what="It is not said whether the data are observed or simulated.",
            where=path.name,
            remedy=f'pass data_kind="observed" or "simulated", or declare [{path.stem}] in data/sources.toml; '
            "on the command line: --set data_kind=observed",
        )
    )


def _flow(about: Mapping[str, Any]) -> SampleFlow | None:
    return SampleFlow(tuple(FlowStep(**step) for step in about["flow"])) if "flow" in about else None


def _with_tuples(parameters: Mapping[str, object]) -> dict[str, object]:
    """JSON knows no tuples; parameters are written with them and compared after reading."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in parameters.items()}
