"""Panels in files: parquet for what the package writes, csv (UTF-8) for what others bring.

A parquet file carries under the metadata key `sme_eval` the data kind, the source, the sample flow and the
parameters and the keys of its categories, and as extra columns `truth.start.<start>`, `truth.effect.<outcome>` and
`truth.part.<outcome>.<part>` the truth of a simulated panel: one file, so that no panel loses its truth or its label.
Version 1 knew one start, `truth.cohort`, and no parts; such files are still read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from sme_eval.errors import DataError, Problem
from sme_eval.panel.categories import with_categories
from sme_eval.panel.contract import Origin
from sme_eval.panel.declarations import Label
from sme_eval.panel.dictionary import Dictionary, load_dictionary
from sme_eval.panel.firm_panel import Contract, FirmPanel
from sme_eval.panel.sample_flow import FlowStep, SampleFlow
from sme_eval.panel.sources import load_sources
from sme_eval.panel.truth import Truth
from sme_eval.terms import DataKind

if TYPE_CHECKING:
    import pandas as pd

_KEY: Final = b"sme_eval"
_SCHEMA_VERSION: Final = 2
_COHORT: Final = "truth.cohort"
_START: Final = "truth.start."
_EFFECT: Final = "truth.effect."
_PART: Final = "truth.part."
_TEXT_TYPES: Final = ("identifier", "category")
_MISSING: Final = ("", "NA", "NaN", "nan")
"""What statistical programs write for a missing number; words for "missing" are a matter of intake, not of this."""


def write_panel(panel: FirmPanel, path: Path) -> Path:
    """Write `panel` to `path`; see `FirmPanel.write`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if path.suffix.lower() != ".parquet":
        raise DataError(Problem(what=f"A panel is written as .parquet, not {path.suffix!r}.", where=path.name))
    frame = panel.frame.assign(**_truth_columns(panel.truth))
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata({_KEY: _metadata(panel, path)})
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        pq.write_table(table, unfinished)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def read_panel(path: Path | str, data_kind: DataKind | None = None, *, root: Path | str | None = None) -> FirmPanel:
    """Read a panel from `.parquet` or `.csv` (UTF-8, with or without byte order mark).

    `data_kind` may be left out for files that the package wrote and for sources declared in `data/sources.toml` under
    the file's stem; nothing is ever guessed. `root` is the project folder whose dictionary and sources apply
    (default: the working folder).

    Raises
    ------
    DataError
        The file is missing, unreadable or of an unknown kind; the data kind is missing or contradicts what is
        declared; the content breaks the contract of a panel (all violations at once, with row numbers), or it is not
        what the checksum of its declared source says.
    """
    path = Path(path)
    reader = _reader(path)
    dictionary = load_dictionary(root)
    frame, about = reader(path, dictionary)
    declared = load_sources(root).get(path.stem)
    kinds: dict[str, DataKind | None] = {
        "argument": data_kind,
        "file": about.get("data_kind"),
        "sources.toml": declared.data_kind if declared else None,
    }
    dictionary = with_categories(dictionary, _categories(about))
    origin = Origin(path.name, header_rows=int(path.suffix.lower() == ".csv"))
    frame, truth = _split_truth(frame) if about else (frame, None)
    panel = FirmPanel(
        frame,
        data_kind=_agreed_kind(path, kinds),
        source=str(about.get("source", path.stem)),
        flow=_flow(about),
        truth=truth,
        parameters=_with_tuples(cast(Mapping[str, object], about.get("parameters", {}))),
        contract=Contract(dictionary, origin),
    )
    if declared and not about:  # what the package wrote may be a selection of the source
        declared.verify(panel.content_hash())
    return panel


def _reader(path: Path) -> Callable[[Path, Dictionary], tuple[pd.DataFrame, Mapping[str, Any]]]:
    """What reads a file of this ending: its columns and what it says about itself."""
    readers = {".parquet": _read_parquet, ".csv": _read_csv}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise DataError(
            Problem(
                what=f"Files ending in {path.suffix!r} cannot be read as a panel.",
                where=path.name,
                remedy="save it as .csv (UTF-8) or .parquet",
            )
        )
    if not path.is_file():
        raise DataError(Problem(what="The file does not exist.", where=path.name, remedy="check the name and the folder"))
    return reader


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


def _read_parquet(path: Path, dictionary: Dictionary) -> tuple[pd.DataFrame, Mapping[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, "parquet") from error
    about = json.loads((table.schema.metadata or {}).get(_KEY, b"{}"))
    if about.get("schema_version", 1) > _SCHEMA_VERSION:
        raise DataError(Problem(what="The file was written by a newer version.", where=path.name, remedy="update sme-eval"))
    return table.to_pandas(), about


def _read_csv(path: Path, dictionary: Dictionary) -> tuple[pd.DataFrame, Mapping[str, Any]]:
    import pandas as pd

    try:
        names = _csv_header(path)
        return _csv_rows(path, names, dictionary).set_axis(names, axis="columns"), {}
    except pd.errors.EmptyDataError:
        return pd.DataFrame(columns=["firm", "year"]), {}
    except UnicodeDecodeError as error:
        raise _unreadable(path, "csv in UTF-8") from error
    except pd.errors.ParserError as error:
        raise _unreadable(path, "csv", str(error).strip()) from error


def _csv_header(path: Path) -> list[str]:
    """Names as they stand: repeated ones must be seen, not renamed."""
    import pandas as pd

    head = pd.read_csv(path, encoding="utf-8-sig", header=None, nrows=1, dtype=str, keep_default_na=False)
    return [str(name).strip() for name in head.iloc[0]]


def _csv_rows(path: Path, names: list[str], dictionary: Dictionary) -> pd.DataFrame:
    """Everything below the header, columns numbered; blank lines stay, so that row numbers are those of the file."""
    import pandas as pd

    texts = [n for n, name in enumerate(names) if name in dictionary and dictionary[name].type in _TEXT_TYPES]
    options: dict[str, Any] = {
        "dtype": dict.fromkeys(texts, str),
        "na_values": {n: [""] if n in texts else list(_MISSING) for n in range(len(names))},
    }
    frame: pd.DataFrame = pd.read_csv(
        path,
        encoding="utf-8-sig",
        header=None,
        skiprows=1,
        skip_blank_lines=False,
        keep_default_na=False,
        low_memory=False,
        **options,
    )
    if frame.shape[1] != len(names):
        raise pd.errors.ParserError(f"the header has {len(names)} columns, the rows have {frame.shape[1]}")
    return frame


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
            remedy=f'pass data_kind="observed" or "simulated", or declare [{path.stem}] in data/sources.toml',
        )
    )


def _flow(about: Mapping[str, Any]) -> SampleFlow | None:
    return SampleFlow(tuple(FlowStep(**step) for step in about["flow"])) if "flow" in about else None


def _with_tuples(parameters: Mapping[str, object]) -> dict[str, object]:
    """JSON knows no tuples; parameters are written with them and compared after reading."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in parameters.items()}


def _unreadable(path: Path, form: str, detail: str = "") -> DataError:
    return DataError(
        Problem(
            what=f"The file cannot be read as {form}.",
            where=f"{path.name}: {detail}" if detail else path.name,
            remedy="save it again as CSV UTF-8 or parquet",
        )
    )
