"""Where the project's files are found, and which one wins."""

from pathlib import Path

import pytest

from sme_eval import resources
from sme_eval.errors import DataError, ParameterError


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package folder as a wheel installs it; returns the folder of its resources."""
    folder = tmp_path / "site-packages" / "sme_eval"
    packaged = folder / "_resources"
    (packaged / "policies").mkdir(parents=True)
    (packaged / "policies" / "certification.toml").write_text("packaged")
    (packaged / "policies" / "rewards.toml").write_text("packaged")
    (packaged / "dictionary.toml").write_text("packaged")
    monkeypatch.setattr(resources, "_PACKAGE", folder)
    return packaged


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "data" / "policies").mkdir(parents=True)
    (folder / "data" / "policies" / "rewards.toml").write_text("own")
    (folder / "data" / "dictionary.toml").write_text("own")
    return folder


def test_editable_install_falls_back_to_the_repository(tmp_path: Path) -> None:
    repository = Path(resources.__file__).resolve().parents[1]
    assert resources.resource_path("dictionary.toml", tmp_path) == repository / "data" / "dictionary.toml"
    assert resources.resource_path("notebooks", tmp_path) == repository / "notebooks"


def test_repository_as_project_is_one_layer() -> None:
    repository = Path(resources.__file__).resolve().parents[1]
    assert len(resources.resource_layers("dictionary.toml", repository)) == 1


def test_wheel_serves_any_folder(wheel: Path, tmp_path: Path) -> None:
    assert resources.resource_path("dictionary.toml", tmp_path) == wheel / "dictionary.toml"


def test_project_wins_over_wheel(wheel: Path, project: Path) -> None:
    assert resources.resource_path("dictionary.toml", project) == project / "data" / "dictionary.toml"
    assert resources.resource_layers("dictionary.toml", project)[0] == wheel / "dictionary.toml"


def test_working_folder_is_the_project(wheel: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    assert resources.resource_path("policies") == project / "data" / "policies"


def test_kernel_inside_notebooks_finds_its_project(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "notebooks").mkdir()
    monkeypatch.chdir(project / "notebooks")
    assert resources.project_folder() == project


def test_files_of_both_layers_by_name(wheel: Path, project: Path) -> None:
    files = resources.resource_files("policies", ".toml", project)
    assert {name: path.read_text() for name, path in files.items()} == {
        "certification.toml": "packaged",
        "rewards.toml": "own",
    }


def test_unknown_name_suggests(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="did you mean 'policies'"):
        resources.resource_path("policy", tmp_path)


def test_absent_resource_names_no_folder_of_this_machine(wheel: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="was not found") as caught:
        resources.resource_path("facts", tmp_path / "elsewhere")
    assert str(tmp_path) not in str(caught.value)
