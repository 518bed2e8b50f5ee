"""What an installation gets: environment.yml says what pyproject.toml says, and the wheel carries the resources."""

import importlib.util
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from types import ModuleType

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("environment_generator", ROOT / "tools" / "environment.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_environment_file_is_what_pyproject_generates(generator: ModuleType) -> None:
    expected = generator.render((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert (ROOT / "environment.yml").read_text(encoding="utf-8") == expected, "out of date: run make environment"


def test_every_runtime_dependency_is_in_exactly_one_section(generator: ModuleType) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    listed = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    pip = next(entry["pip"] for entry in listed if isinstance(entry, dict))
    conda = [entry for entry in listed if isinstance(entry, str)]
    for name, bounds in map(generator.split, project["dependencies"]):
        line, other = (pip, conda) if name in generator.NOT_ON_CONDA_FORGE else (conda, pip)
        assert generator.RENAMED.get(name, name) + bounds in line
        assert name + bounds not in other


def test_python_bounds_are_those_of_the_package(generator: ModuleType) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"  - python{project['requires-python']}\n" in (ROOT / "environment.yml").read_text(encoding="utf-8")


def test_a_requirement_that_conda_cannot_read_is_refused_in_one_line(generator: ModuleType) -> None:
    with pytest.raises(SystemExit, match="extras or a marker"):
        generator.split("ibis-framework[duckdb]>=10")


def test_the_wheel_carries_the_resources_where_the_code_looks(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    declared = [path for folder in ("policies", "facts", "rules") for path in (ROOT / "data" / folder).glob("[!.]*")]
    expected = {f"{path.parent.name}/{path.name}" for path in declared} | {"dictionary.toml", "sources.toml"}
    expected |= {f"rewards/{path.name}" for path in (ROOT / "data" / "rewards").glob("[!.]*")} | {"districts.toml"}
    expected |= {f"notebooks/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb")}
    inside = {name.removeprefix("sme_eval/_resources/") for name in packed if name.startswith("sme_eval/_resources/")}
    assert inside == expected, "not what sme_eval/resources.py will look for"
    assert "sme_eval/py.typed" in packed
    assert not any(name.startswith(("tests/", "tools/", "data/", "reports/")) for name in packed)
