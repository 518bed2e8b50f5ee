"""The environment of a worker: its kernel is this interpreter, and nothing is read from or written to the user's home."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Final

from sme_eval.runs.job import REPORT, STAGING

KERNEL: Final = "sme_eval_run"
_DROPPED: Final = ("PYTHONSTARTUP", "JUPYTER_CONFIG_PATH", "MPLBACKEND", STAGING, REPORT)
"""Settings of the user's sessions that would change a run."""


def worker_environment(scratch: Path) -> dict[str, str]:
    """Variables for a worker whose Jupyter and matplotlib files go below `scratch`.

    Numerical libraries get one thread unless the user's environment says otherwise: on the small matrices of an evaluation more
    threads wait for each other, and reports run side by side.
    """
    kernel = scratch / "share" / "kernels" / KERNEL
    kernel.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-m", "sme_eval.runs.kernel_process", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "Python 3 (ipykernel)", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    variables = {name: value for name, value in os.environ.items() if name not in _DROPPED}
    variables |= {
        "IPYTHONDIR": _folder(scratch, "ipython"),
        "JUPYTER_PATH": str(scratch / "share"),
        "JUPYTER_CONFIG_DIR": _folder(scratch, "config"),
        "JUPYTER_DATA_DIR": _folder(scratch, "data"),
        "JUPYTER_RUNTIME_DIR": _folder(scratch, "runtime"),
        "JUPYTER_PLATFORM_DIRS": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "PYTHONUTF8": "1",
    }
    variables.setdefault("MPLCONFIGDIR", _folder(scratch, "matplotlib"))
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        variables.setdefault(name, "1")
    return variables


def _folder(scratch: Path, name: str) -> str:
    folder = scratch / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return str(folder)
