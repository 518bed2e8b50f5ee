"""A notebook through papermill, inside a worker: every cell runs and ends well, or the run fails in plain words."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from sme_eval.errors import Problem, RunError, SmeEvalError
from sme_eval.runs.job import CELL, Job, error_class
from sme_eval.runs.kernel import KERNEL
from sme_eval.runs.keys import notebook_path, read_notebook, source

DEADLINE_SECONDS: Final = 1800
"""For one run; a repetition of a thousand panels takes about two minutes."""
KERNEL_START_SECONDS: Final = 120


class _Ticker(logging.Handler):
    """Calls `tick` whenever papermill has done a cell, and knows the number of the last one that it began."""

    def __init__(self, tick: Callable[[], None]) -> None:
        super().__init__(logging.INFO)
        self._tick = tick
        self.current = 0

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if found := re.match(r"Executing Cell (\d+)-", message):
            self.current = int(found[1])
        elif message.startswith("Ending Cell"):
            self._tick()


def execute_notebook(job: Job, target: Path, tick: Callable[[], None]) -> None:
    """Run the notebook of `job` and leave the executed copy at `target`.

    Raises
    ------
    SmeEvalError
        A cell failed: the error of this package that it raised, else `RunError`; with the cell and the command to run it again.
    """
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    logger = logging.getLogger("papermill")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    ticker = _Ticker(tick)
    logger.addHandler(ticker)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        papermill.execute_notebook(
            notebook_path(job.name),
            target,
            parameters=dict(job.parameters),
            kernel_name=KERNEL,
            progress_bar=False,
            log_output=True,
            start_timeout=KERNEL_START_SECONDS,
            execution_timeout=DEADLINE_SECONDS,
        )
    except PapermillExecutionError as error:
        raise _cell_failure(job, error) from None
    except CellTimeoutError:
        raise _stopped(job, target, ticker.current, f"took longer than {DEADLINE_SECONDS // 60} minutes") from None
    except DeadKernelError:
        raise _stopped(job, target, ticker.current, "lost its kernel (often: not enough memory)") from None
    _require_complete(job, target)


def _cell_failure(job: Job, error: Any) -> SmeEvalError:
    kind = error_class(error.ename)
    own = kind.__name__ == error.ename
    what = str(error.evalue) if own else f"Notebook {job.name} stopped: {error.ename}: {error.evalue}"
    failure = kind(_problem(job, what, error.source))
    failure.__notes__ = ["\n".join(error.traceback)]
    return failure


def _problem(job: Job, what: str, cell: str) -> Problem:
    """The failure with the cell's first line that matters, and the command that repeats it."""
    return Problem(what=f"{what}{CELL}notebooks/{job.name}.ipynb: {_gist(cell)}", remedy=f"then again: {job.command}")


def _gist(cell: str) -> str:
    """A cell in one line: its last statement, where its failure most often lies."""
    lines = [line for line in cell.splitlines() if line.strip() and not line.startswith((" ", ")", "#"))]
    return lines[-1] if lines else "an empty cell"


def _stopped(job: Job, target: Path, number: int, how: str) -> RunError:
    """A run that was cut short in its cell `number`: papermill saves that cell as completed, so its status says nothing."""
    cells = _cells(target)
    where = source(cells[number - 1]) if 0 < number <= len(cells) else ""
    return RunError(_problem(job, f"Notebook {job.name} {how}.", where))


def _require_complete(job: Job, target: Path) -> None:
    """The statuses that papermill keeps are not enough: a cell that was cut short is saved as completed."""
    for cell in _cells(target):
        outputs = cell.get("outputs", [])
        failed = any(output.get("output_type") == "error" for output in outputs)
        if cell["cell_type"] == "code" and source(cell).strip() and (failed or cell.get("execution_count") is None):
            raise RunError(_problem(job, f"Notebook {job.name} did not finish.", source(cell)))


def _cells(path: Path) -> list[Mapping[str, Any]]:
    return list(read_notebook(path)["cells"]) if path.exists() else []
