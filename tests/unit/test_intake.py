"""Declared sources and the panels they give."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from sme_eval.errors import DataError, ParameterError
from sme_eval.intake import jobtraining, open_source
from sme_eval.intake.jobtraining import load_jobtraining
from sme_eval.panel.sources import find_source, load_sources


def test_jobtraining_has_its_published_counts() -> None:
    panel = load_jobtraining()
    frame = panel.frame
    assert (panel.n_firms, panel.n_rows, panel.years) == (157, 471, (1987, 1988, 1989))
    assert panel.data_kind == "observed"
    assert panel.truth is None
    firms = frame.drop_duplicates("firm")
    assert (firms["first_grant"] > 0).sum() == 66
    assert firms["first_grant"].value_counts().to_dict() == {0: 91, 1988: 36, 1989: 30}


def test_jobtraining_keeps_missing_outcomes() -> None:
    known = load_jobtraining().frame[["log_scrap", "training_hours", "log_sales", "log_employment"]].notna().sum()
    assert known.to_dict() == {"log_scrap": 162, "training_hours": 390, "log_sales": 373, "log_employment": 440}


def test_a_grant_is_for_one_year() -> None:
    frame = load_jobtraining().frame
    assert frame.groupby("firm")["grant"].sum().max() == 1
    lagged = frame.groupby("firm")["grant"].shift(fill_value=0)
    assert (frame["grant_1"] == lagged).all()
    granted = frame[frame["grant"] == 1]
    assert (granted["first_grant"] == granted["year"]).all()
    assert not frame.loc[frame["first_grant"] == 0, "grant"].any()


def test_values_are_the_published_ones_and_hours_are_per_employee() -> None:
    """The file's description says hours ÷ trainees; the values say otherwise."""
    from linearmodels.datasets import jobtraining as published

    raw = published.load()
    np.testing.assert_array_equal(load_jobtraining().frame["log_scrap"], raw["lscrap"])
    known = raw["hrsemp"].notna()
    expected = (raw["tothrs"] * raw["totrain"] / raw["employ"])[known]
    # Six significant digits were published.
    np.testing.assert_allclose(load_jobtraining().frame["training_hours"][known], expected, rtol=1e-5)


def test_changed_content_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    other = dataclasses.replace(find_source("jobtraining"), checksum="sha256:" + "0" * 64)
    monkeypatch.setattr(jobtraining, "find_source", lambda name: other)
    with pytest.raises(DataError, match="is not what was declared"):
        load_jobtraining()


def test_open_source_gives_the_same_panel() -> None:
    assert open_source("jobtraining").content_hash() == load_jobtraining().content_hash()
    simulated = open_source("ningbo_simulated", seed=3, scenario="null", firms=2500)
    assert simulated.data_kind == "simulated"
    assert simulated.truth is not None
    assert simulated.parameters["seed"] == 3


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("jobtrainng", {}, "did you mean 'jobtraining'"),
        ("jobtraining", {"seed": 1}, "takes no parameters"),
        ("ningbo_simulated", {"seed": 1, "scenaro": "null"}, "did you mean 'scenario'"),
        ("ningbo_simulated", {}, "needs the parameter 'seed'"),
    ],
)
def test_open_source_refuses(name: str, parameters: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        open_source(name, **parameters)


def test_every_observed_source_says_whose_it_is() -> None:
    sources = load_sources()
    assert set(sources) >= {"jobtraining", "ningbo_simulated"}
    for source in sources.values():
        if source.data_kind == "observed":
            assert all((source.holder, source.legal_basis, source.permitted_use, source.checksum, source.citation))
        else:
            assert not source.holder


def test_all_faults_of_a_list_of_sources_are_raised_together(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "sources.toml").write_text(
        '[firms]\ndata_kind = "observd"\ntitle = { zh = "企业" }\nversion = "1"\nlicense = "internal"\n',
        encoding="utf-8",
    )
    with pytest.raises(DataError) as caught:
        load_sources(tmp_path)
    text = str(caught.value)
    for part in ("did you mean 'observed'", "en is missing", "did you mean 'licence'", "holder is missing"):
        assert part in text
