"""Finds the project's files: declared policies, facts, rules, notebooks, the dictionary of columns, the list of sources.

Two layers. A *project folder* (the working folder, the folder above it when one works inside `notebooks/`, or a given
root) holds what a bureau declared for itself; the *packaged* layer holds what the package ships:
`sme_eval/_resources/` when it was installed from a wheel, the repository itself in an editable install. A project's
file wins over the packaged one of that name.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal, get_args

from sme_eval.errors import DataError, ParameterError, Problem, suggestion

ResourceName = Literal[
    "policies", "facts", "rules", "rewards", "recommendations", "notebooks", "districts.toml", "dictionary.toml", "sources.toml"
]  # fmt: skip
RESOURCE_NAMES: Final[tuple[ResourceName, ...]] = get_args(ResourceName)

_PACKAGE: Final = Path(__file__).resolve().parent
_WHEEL_FOLDER: Final = "_resources"


def project_folder(root: Path | str | None = None) -> Path:
    """The folder whose files win: `root`, else the working folder (or its parent, seen from inside `notebooks/`)."""
    if root is not None:
        return Path(root).resolve()
    here = Path.cwd()
    # JupyterLab starts a kernel in the folder of its notebook; the project is then one step up.
    if here.name == "notebooks" and not (here / "data").is_dir() and (here.parent / "data").is_dir():
        return here.parent
    return here


def resource_layers(name: str, root: Path | str | None = None) -> tuple[Path, ...]:
    """Every existing place of `name`, weakest first: the packaged copy, then the project's (once, if the same).

    Raises
    ------
    ParameterError
        `name` is not one of `RESOURCE_NAMES`.
    """
    inside = _inside_project(name)
    wheel = _PACKAGE / _WHEEL_FOLDER
    packaged = wheel / name if wheel.is_dir() else _PACKAGE.parent / inside
    own = project_folder(root) / inside
    layers = (packaged,) if packaged == own else (packaged, own)
    return tuple(path for path in layers if path.exists())


def resource_path(name: str, root: Path | str | None = None) -> Path:
    """The file or folder `name` that wins.

    Raises
    ------
    ParameterError
        `name` is not one of `RESOURCE_NAMES`.
    DataError
        Neither the project nor the package has it.
    """
    layers = resource_layers(name, root)
    if not layers:
        raise DataError(
            Problem(
                what=f"{_inside_project(name)} was not found.",
                where="neither in the project folder nor in the installed package",
                remedy="work in the project's folder, or install sme-eval again",
            )
        )
    return layers[-1]


def resource_files(name: str, ending: str, root: Path | str | None = None) -> dict[str, Path]:
    """Files of folder `name` with that `ending` (".toml"), by name, sorted; a project's file replaces its namesake."""
    found: dict[str, Path] = {}
    for folder in resource_layers(name, root):
        found.update({path.name: path for path in folder.glob(f"*{ending}")})
    return dict(sorted(found.items()))


def _inside_project(name: str) -> Path:
    """Where `name` lies in a project folder and in the repository."""
    if name not in RESOURCE_NAMES:
        raise ParameterError(Problem(what=f"There is no resource {name!r}.", remedy=suggestion(name, RESOURCE_NAMES)))
    return Path(name) if name == "notebooks" else Path("data") / name
