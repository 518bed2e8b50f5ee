"""A bundle's page: no size where the data cannot tell, empty lanes where nothing separates, no way back to a small arm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import sme_eval as sme
from sme_eval.briefing.compose import compose, speaker_of
from sme_eval.briefing.document import Items, Paragraph, Reference, Runs, Table, plain
from sme_eval.briefing.figures_bundle import _frame
from sme_eval.briefing.render import render_briefing
from sme_eval.evaluation.bundle import _sum_label
from sme_eval.evaluation.disclosure import require_released
from sme_eval.evaluation.record_sections import BundleRecord, PartRecord
from sme_eval.panel.firm_panel import Contract, FirmPanel
from sme_eval.results.unavailable import Unavailable
from sme_eval.terms import LANGUAGES, Language
from tests.unit.pages import html_numbers, pdf_numbers


@cache
def separated() -> sme.Evaluation:
    panel, _ = sme.simulate_ningbo(seed=1)
    return sme.evaluate(sme.Design.from_policy(sme.load_policies()["bundle"]), panel)


@cache
def mixed() -> sme.Evaluation:
    """Every stated dose is the same: certificate and cash always come together."""
    panel, _ = sme.simulate_ningbo(seed=1)
    frame = panel.frame.copy()
    frame.loc[frame["reward_dose"] == 100, "reward_dose"] = 50.0
    same = FirmPanel(frame, data_kind="simulated", source=panel.source, truth=panel.truth, contract=Contract(panel.dictionary))
    policy = sme.load_policies()["bundle"]
    policy = replace(policy, arms=tuple(arm for arm in policy.arms if arm.name != "lg_high"))
    return sme.evaluate(sme.Design.from_policy(policy), same)


def bundle_of(evaluation: sme.Evaluation) -> BundleRecord:
    assert evaluation.bundle is not None
    return evaluation.bundle


def pointers(evaluation: sme.Evaluation) -> dict[str, PartRecord]:
    found = bundle_of(evaluation)
    return {f"/bundle/{kind}/{n}": part for kind in ("parts", "sums") for n, part in enumerate(getattr(found, kind))}


def spoken(evaluation: sme.Evaluation, language: Language) -> Iterator[Runs]:
    """Everything that the page says in words or cells."""
    for block in compose(evaluation, language).blocks:
        match block:
            case Paragraph():
                yield block.content
            case Items():
                yield from block.items
            case Table():
                yield from (cell for row in block.rows for cell in row)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_size_is_named_where_the_data_cannot_tell(language: Language) -> None:
    evaluation = separated()
    coarse = {where for where, part in pointers(evaluation).items() if not part.readable}
    assert {where.rsplit("/", 1)[0] for where in coarse} == {"/bundle/parts"} and len(coarse) == 3
    printed = {run.pointer for runs in spoken(evaluation, language) for run in runs if isinstance(run, Reference)}
    sizes = ("estimate", "conf_low", "conf_high", "percent/estimate", "percent/conf_low", "percent/conf_high")
    assert printed & {f"{where}/{name}" for where in coarse for name in sizes} == set()
    readable = {where for where, part in pointers(evaluation).items() if part.readable}
    assert {f"{where}/estimate" for where in readable} <= printed


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_cannot_be_separated_is_an_empty_lane_with_words(language: Language) -> None:
    evaluation = mixed()
    found = bundle_of(evaluation)
    [vector] = found.null_vectors
    assert found.rank == 4 and set(vector) == {"certificate", "cash", "unnamed_cash"}
    lanes = _frame(found, speaker_of(evaluation, language))
    empty = lanes[lanes["state"] == "inseparable"]
    assert len(empty) == 3 and empty["estimate"].isna().all()
    assert set(empty["text"]) == {{"zh": "无法分开", "en": "cannot be separated"}[language]}
    told = [part for part in (*found.sums, *found.parts) if part.readable]
    assert {part.name for part in told} >= {"certificate_with_cash", "credit", "srdi"}
    labels = [getattr(part.label, language) for part in found.parts if part.name in vector]
    assert any(all(label in plain(runs) for label in labels) for runs in spoken(evaluation, language))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("make", [separated, mixed])
def test_the_page_prints_alike_in_both_forms(make: object, language: Language) -> None:
    assert callable(make)
    briefing = render_briefing(make(), language)
    assert "bundle" in briefing.figures
    assert pdf_numbers(briefing.pdf) == html_numbers(briefing.html)


def with_small(name: str) -> sme.Evaluation:
    evaluation = separated()
    arms = tuple(replace(arm, n_treated=9) if arm.name == name else arm for arm in bundle_of(evaluation).arms)
    return replace(evaluation, bundle=replace(bundle_of(evaluation), arms=arms))


def equations(found: BundleRecord) -> tuple[list[list[float]], list[float]]:
    """Every equation that the numbers of a record give about its parts."""
    names = [part.name for part in found.parts]
    left, right = [], []
    for arm in found.arms:
        row = [arm.exposures[name] for name in names]
        if not any(isinstance(value, Unavailable) for value in (arm.estimate, *row)):
            left.append([float(value) for value in row])
            right.append(float(arm.estimate))
    for part in (*found.parts, *found.sums):
        if not isinstance(part.estimate, Unavailable):
            left.append([part.weights.get(name, 0.0) for name in names])
            right.append(part.estimate)
    return left, right


def test_withheld_parts_cannot_be_solved_for() -> None:
    """Arms hold small amounts of every part, and a record has twelve digits: solving is enough where the amounts are told."""
    whole, released = with_small("lg_high"), sme.release(with_small("lg_high"))
    names = [part.name for part in bundle_of(whole).parts]
    hidden = [n for n, part in enumerate(bundle_of(released).parts) if isinstance(part.estimate, Unavailable)]
    assert {names[n] for n in hidden} == {"certificate", "cash", "unnamed_cash"}
    assert np.linalg.matrix_rank(equations(bundle_of(whole))[0]) == len(names)
    left, right = equations(bundle_of(released))
    assert np.linalg.matrix_rank(left) < len(names)
    solved = np.linalg.lstsq(np.array(left), np.array(right), rcond=None)[0]
    truth = np.array([float(part.estimate) for part in bundle_of(whole).parts])
    assert (np.abs(solved - truth)[hidden] > 0.005).all()


def test_counts_of_arms_do_not_give_a_small_one_back() -> None:
    released = sme.release(with_small("lg_high"))
    assert all(isinstance(arm.n_treated, Unavailable) for arm in bundle_of(released).arms)
    require_released(sme.Evaluation.from_json(released.to_json()))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_weights_of_a_sum_are_references(language: Language) -> None:
    found = bundle_of(mixed())
    one = replace(found.sums[0], weights={"credit": 1.0, "certificate": -0.25})
    label = _sum_label(one.weights, {part.name: part.label for part in found.parts})
    weighted = replace(mixed(), bundle=replace(found, sums=(replace(one, label=label),)))
    assert not any(character.isdigit() for character in label.zh + label.en)
    said = [run for runs in spoken(weighted, language) for run in runs if isinstance(run, Reference)]
    assert {"/bundle/sums/0/weights/credit", "/bundle/sums/0/weights/certificate"} <= {run.pointer for run in said}
