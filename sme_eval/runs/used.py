"""Which of the package's modules a run depends on: whole where one of its functions ran, else only what stands outside functions.

A function that did not run made no number, so editing it makes no report stale; constants, classes and defaults count always.
"""

from __future__ import annotations

import ast
import builtins
import hashlib
import importlib.machinery
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, Final

PACKAGE: Final = Path(__file__).resolve().parents[1]
PREFIX: Final = "sme_eval."
AFTER_THE_RECORD: Final = ("briefing", "runs", "cli.py", "__main__.py", "__init__.py")
"""Rooms that only read records, and the list of public names; helpers of notebooks have a component of their own."""
_NOTED: Final = "__sme_eval_ran__"
_ran: set[str] = set()
_begun: list[bool] = []

Function = ast.FunctionDef | ast.AsyncFunctionDef


class _Noting(ast.NodeTransformer):
    """Puts a note of the module before the first statement of every function."""

    def __init__(self, inside: str) -> None:
        self._inside = inside

    def _function(self, node: Function) -> Function:
        self.generic_visit(node)
        note = ast.Expr(ast.Call(ast.Name(_NOTED, ast.Load()), [ast.Constant(self._inside)], []))
        after = int(ast.get_docstring(node, clean=False) is not None)
        ast.copy_location(note, node.body[0])
        node.body.insert(after, ast.fix_missing_locations(note))
        return node

    visit_FunctionDef = _function
    visit_AsyncFunctionDef = _function


class _Loader(SourceFileLoader):
    """Compiles from source, past the cache: cached code would carry the notes into other processes, or none into this one."""

    def get_code(self, fullname: str) -> CodeType:
        """The code of a module with its notes."""
        path = self.get_filename(fullname)
        tree = _Noting(_inside(Path(path))).visit(ast.parse(self.get_data(path), filename=path))
        code: CodeType = compile(tree, path, "exec", dont_inherit=True)
        return code


class _Finder:
    """Finds modules of the package as Python does and gives them the noting loader."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The spec of a module of this package, None for every other."""
        spec = PathFinder.find_spec(name, path, target) if name.startswith(PREFIX) else None
        if spec is None or not isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            return None
        spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


def begin() -> None:
    """Note from now on which modules' functions run; modules that were imported before count as whole."""
    if not _begun:
        _begun.append(True)
        setattr(builtins, _NOTED, _ran.add)
        _ran.update(_inside(path) for path in _loaded())
        sys.meta_path.insert(0, _Finder())


def used_modules() -> dict[str, str]:
    """Module → digest, of every module of the estimation that is loaded; all of them whole where nothing was noted."""
    found = {_inside(path): path for path in _loaded()}
    kept = {name: path for name, path in found.items() if name.split("/")[0] not in AFTER_THE_RECORD}
    return {name: _digest(path, whole=not _begun or name in _ran) for name, path in sorted(kept.items())}


def changed_modules(then: Mapping[str, Any]) -> tuple[str, ...]:
    """Those of `used_modules` that are no longer what they were."""
    return tuple(name for name, digest in then.items() if _now(PACKAGE / name, str(digest)) != digest)


def meaning(modules: Mapping[str, Any]) -> dict[str, str]:
    """What of `used_modules` can change a number: two runs with the same were made by the same code, whatever else was edited."""
    return {name: " ".join((str(digest).split(" ")[0], str(digest).split(" ")[-1])) for name, digest in modules.items()}


def _now(path: Path, then: str) -> str:
    kind, _, raw = then.partition(" ")
    if not path.is_file():
        return "missing"
    if kind == WHOLE:
        return _digest(path, whole=True)
    # The raw bytes are cheap to compare; only a module that was edited is parsed.
    same = raw.split(" ")[0] == _raw(path)
    return then if same or _outside(path) == raw.split(" ")[-1] else "changed"


WHOLE, OUTSIDE = "whole", "outside"


def _digest(path: Path, *, whole: bool) -> str:
    return f"{WHOLE} {_raw(path)}" if whole else f"{OUTSIDE} {_raw(path)} {_outside(path)}"


def _raw(path: Path) -> str:
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


def _outside(path: Path) -> str:
    """Digest of a module without the bodies of its functions and without docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [ast.Pass()]
        elif isinstance(node, ast.Module | ast.ClassDef) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def _loaded() -> list[Path]:
    files = [getattr(module, "__file__", None) for name, module in list(sys.modules.items()) if name.startswith(PREFIX[:-1])]
    paths = [Path(file).resolve() for file in files if file]
    return [path for path in paths if path.is_relative_to(PACKAGE) and path.suffix == ".py"]


def _inside(path: Path) -> str:
    return path.resolve().relative_to(PACKAGE).as_posix()
