"""From declared sources to firm panels: one reader per source."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Final

from sme_eval.errors import ParameterError, Problem, raise_if_any, suggestion
from sme_eval.panel.firm_panel import FirmPanel

__all__ = ["open_source"]


def open_source(name: str, **parameters: object) -> FirmPanel:
    """Open the panel of a declared source: "jobtraining" (no parameters) or "ningbo_simulated" (see `simulate_ningbo`).

    Raises
    ------
    ParameterError
        The source or a parameter is unknown, a parameter is missing, or its value is refused.
    DataError
        The content of an observed source is not what `data/sources.toml` declares.
    """
    if name not in _READERS:
        raise ParameterError(Problem(what=f"There is no source {name!r} to open.", remedy=suggestion(name, tuple(_READERS))))
    reader = _READERS[name]()
    _require_parameters(name, reader, parameters)
    return reader(**parameters)


def _require_parameters(name: str, reader: Callable[..., FirmPanel], parameters: Mapping[str, object]) -> None:
    known = inspect.signature(reader).parameters
    remedy = "it takes no parameters" if not known else ""
    problems = [
        Problem(what=f"Source {name!r} has no parameter {given!r}.", remedy=remedy or suggestion(given, tuple(known)))
        for given in parameters
        if given not in known
    ]
    problems += [
        Problem(what=f"Source {name!r} needs the parameter {key!r}.", remedy=f"pass {key}=…")
        for key, parameter in known.items()
        if parameter.default is parameter.empty and key not in parameters
    ]
    raise_if_any(ParameterError, problems)


def _jobtraining() -> Callable[..., FirmPanel]:
    from sme_eval.intake.jobtraining import load_jobtraining

    return load_jobtraining


def _ningbo_simulated() -> Callable[..., FirmPanel]:
    from sme_eval.intake.ningbo_simulated import load_ningbo_simulated

    return load_ningbo_simulated


_READERS: Final[Mapping[str, Callable[[], Callable[..., FirmPanel]]]] = {
    "jobtraining": _jobtraining,
    "ningbo_simulated": _ningbo_simulated,
}
"""Source → what imports its reader; a reader is imported only when it is used."""
