"""The lazy window, its stub, and what importing costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import sme_eval as sme

PACKAGE = Path(sme.__file__).parent
HEAVY = ("pandas", "scipy", "matplotlib", "seaborn", "statsmodels", "linearmodels", "pyfixest", "sklearn", "pyarrow", "papermill")


def stub_names() -> dict[str, str]:
    """Public name → module, as the stub declares it."""
    found = {}
    for node in ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            found |= {a.asname or a.name: (node.module or "").removeprefix("sme_eval.") for a in node.names}
    return found


def test_stub_and_window_declare_the_same() -> None:
    assert stub_names() == sme._HOME


def test_every_name_loads_and_has_a_docstring() -> None:
    for name in sme.__all__:
        value = getattr(sme, name)
        if callable(value):
            assert value.__doc__, name


def test_import_is_light() -> None:
    """No heavy library loads with the package; a wall-clock bound would measure the machine instead."""
    code = f"import sys, sme_eval; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
