"""Michigan job training grants: 157 manufacturing firms, 1987–1989, from the installed package `linearmodels`."""

from __future__ import annotations

from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sme_eval.errors import DataError, Problem
from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.panel.sources import find_source

if TYPE_CHECKING:
    import pandas as pd

SOURCE: Final = "jobtraining"
_COLUMNS: Final = {
    "fcode": "firm",
    "year": "year",
    "lscrap": "log_scrap",
    "hrsemp": "training_hours",
    "lsales": "log_sales",
    "lemploy": "log_employment",
    "grant": "grant",
    "grant_1": "grant_1",
    "d88": "d88",
    "d89": "d89",
    "union": "union",
}
"""Names of the file → names of the dictionary."""


def load_jobtraining() -> FirmPanel:
    """The observed panel of 157 firms × 3 years; 66 firms received a grant, 36 in 1988 and 30 in 1989.

    Outcomes are missing (NaN) where the survey has none: the scrap rate is known for 54 firms in all three years,
    hours of training in 390 firm-years, sales in 373, employment in 440. `first_grant` is the first year with a
    grant, 0 if there is none.

    A grant is for one year and no firm has two: `grant` is not absorbing, and reading `first_grant` as a cohort means
    "the grant and what follows it". `training_hours` are hours per *employee*: in every row they equal hours per
    trainee × trainees ÷ employees, although the file's own description calls them total hours per trainee.

    Raises
    ------
    DataError
        The package is not installed, or its file differs from the one declared in `data/sources.toml`.

    Sources
    -------
    Holzer, Block, Cheatham & Knott (1993), Industrial and Labor Relations Review 46(4), 625–636; Wooldridge, JTRAIN.
    """
    import pandas as pd

    frame = pd.read_csv(_published_file(), usecols=list(_COLUMNS))[list(_COLUMNS)].rename(columns=_COLUMNS)
    panel = FirmPanel(
        _with_first_grant(frame),
        data_kind="observed",
        source=SOURCE,
        parameters={"package": "linearmodels", "version": version("linearmodels")},
    )
    find_source(SOURCE).verify(panel.content_hash())
    return panel


def _published_file() -> Path:
    """The file that `linearmodels.datasets.jobtraining` loads, found without importing the package."""
    # Importing linearmodels takes seconds; the checksum notices if the file has moved on.
    spec = find_spec("linearmodels")
    folders = spec.submodule_search_locations if spec else None
    path = Path(folders[0], "datasets", "jobtraining", "jobtraining.csv.bz2") if folders else None
    if path is None or not path.is_file():
        raise DataError(
            Problem(
                what="The job training data were not found.",
                where="the installed package linearmodels",
                remedy=f"install {find_source(SOURCE).version}",
            )
        )
    return path


def _with_first_grant(frame: pd.DataFrame) -> pd.DataFrame:
    granted = frame["year"].where(frame["grant"] == 1)
    first = granted.groupby(frame["firm"]).transform("min")
    return frame.assign(first_grant=first.fillna(0).astype("int64"))
