"""Policy files: the packaged ones, and every way to get one wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

import sme_eval as sme
from sme_eval.policies.policy import find_policy
from sme_eval.simulate.scenario import BATCHES

PACKAGED = Path(__file__).parents[2] / "data" / "policies"


def write(tmp_path: Path, change: tuple[str, str], name: str = "certification") -> Path:
    text = (PACKAGED / f"{name}.toml").read_text(encoding="utf-8")
    assert change[0] in text
    (tmp_path / f"{name}.toml").write_text(text.replace(*change), encoding="utf-8")
    return tmp_path


def test_packaged_policies() -> None:
    policies = sme.load_policies()
    assert {"certification", "training_grants"} <= set(policies)
    assert policies["certification"].main_outcome == "log_revenue"
    assert "little giant" in policies["certification"].summary()


def test_batches_are_those_of_the_letter() -> None:
    """283 = 5 + 50 + 127 + 101, in the policy file and in the simulation."""
    numbers = sme.load_policies()["certification"].numbers
    batches = [numbers[f"batch_{n}"] for n in ("first", "second", "third", "fourth")]
    assert batches == [5, 50, 127, 101] == list(BATCHES.values())
    assert sum(batches) == 283 == numbers["certified"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('instrument = "certification"', 'instrument = "certificate"'), "did you mean 'certification'"),
        (("[numbers]", "[number]"), "number is not a known key.*\n.*\n.*did you mean 'numbers'"),
        (('"not_yet_treated", "never_treated"]', '"not_yet"]'), "comparison 'not_yet' is not known"),
        (("smallest_effect = 0.03", "smallest_effect = 0"), "smallest_effect is missing or not positive"),
        (('name = "certification"\n', 'name = "certificate"\n'), "name the file after the policy"),
        (('label = { zh = "专精特新“小巨人”企业认定", en', 'label = { cn = "专精特新“小巨人”企业认定", en'), "zh is missing"),
        (("[treatment]", "[treatments]"), r"5 problems|\[treatment\] is missing"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    with pytest.raises(sme.DesignError, match=message) as caught:
        sme.load_policies(write(tmp_path, change))
    assert caught.value.exit_code == 11
    assert "certification.toml" in str(caught.value)


def test_all_mistakes_of_all_files_at_once(tmp_path: Path) -> None:
    write(tmp_path, ("[numbers]", "[number]"))
    write(tmp_path, ('instrument = "reward"', 'instrument = "prize"'), "training_grants")
    with pytest.raises(sme.DesignError) as caught:
        sme.load_policies(tmp_path)
    assert {"certification.toml", "training_grants.toml"} <= set(str(caught.value).split())


def test_unknown_policy_and_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(sme.DesignError, match="did you mean 'certification'"):
        find_policy("certifcation")
    with pytest.raises(sme.DesignError, match="No policy file"):
        sme.load_policies(tmp_path)


def test_a_broken_file_is_a_data_error(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text("name = ", encoding="utf-8")
    with pytest.raises(sme.DataError, match="not valid TOML"):
        sme.load_policies(tmp_path)
