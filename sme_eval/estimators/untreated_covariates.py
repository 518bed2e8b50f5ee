"""The model of the outcome without treatment for a sample or its moments, with the sample's covariates × year if it has any."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sme_eval.moments.moments import Moments
from sme_eval.panel.sample import Sample
from sme_eval.stats.arrays import BoolArray, FloatArray, sealed
from sme_eval.stats.firm_blocks import CHUNK, FirmBlocks

from .firm_and_year import NOT_IDENTIFIED
from .protocol import as_moments
from .two_way_covariates import CELL, firms_by_cell
from .untreated_model import UntreatedModel
from .year_effects import YearEffectsBy, effects_of, labels_of


def untreated_model(data: Sample | Moments, year_effects_by: YearEffectsBy, estimator: str) -> UntreatedModel:
    """Fit the model; IdentificationError if no treated firm-year can be imputed.

    Whether a firm-year can be imputed may depend on the firm's own covariates. So those that cannot are taken out of the sample,
    which leaves the untreated ones as they are, and the cells are made again.
    """
    labels, by = labels_of(year_effects_by), effects_of(year_effects_by)
    if not isinstance(data, Sample) or not data.names.covariates:
        return UntreatedModel.of(as_moments(data, labels, estimator), by)
    covariates = data.names.covariates
    table, firms = _table_and_firms(data, labels, estimator)
    model = UntreatedModel.of(table, by, firms, covariates)
    gone = _undetermined(model, firms)
    if not gone.any():
        return model
    rest = replace(data, outcome=sealed(np.where(gone, np.nan, data.outcome)))
    table, firms = _table_and_firms(rest, labels, estimator)
    left = UntreatedModel.of(table, by, firms, covariates)
    return replace(left, times=model.times, lost=left.lost + int(gone.sum()))


def _table_and_firms(data: Sample, labels: tuple[str, ...], estimator: str) -> tuple[Moments, FirmBlocks]:
    """The table, its cells numbered, and the firms sorted by these."""
    moments = as_moments(replace(data, names=replace(data.names, covariates=())), labels, estimator)
    numbered = {**moments.labels, CELL: np.arange(len(moments.n_firms))}
    return replace(moments, labels=numbered), firms_by_cell(data, labels)


def _undetermined(model: UntreatedModel, firms: FirmBlocks) -> BoolArray:
    """Treated firm-years (firms, T) of the sample whose counterfactual the untreated ones do not determine."""
    moments, gone = model.moments, np.zeros(firms.outcome.shape, dtype=bool)
    wanted = moments.observed & moments.treated
    for here, lean in model.design.leaning():
        doubtful = wanted[here] & (np.abs(lean).max(axis=(2, 3), initial=0.0) >= NOT_IDENTIFIED)
        for k in np.flatnonzero(doubtful.any(axis=1)):
            block, years = int(moments.labels[CELL][here][k]), np.flatnonzero(doubtful[k])
            for begin in range(int(firms.start[block]), int(firms.start[block + 1]), CHUNK):
                some = slice(begin, min(begin + CHUNK, int(firms.start[block + 1])))
                gone[np.ix_(firms.order[some], years)] = _leans(lean[k, years], firms.design[:, some])
    return gone


def _leans(lean: FloatArray, design: FloatArray) -> BoolArray:
    """Which years of firms with covariates (p, n) lean on null directions, (n, t), from (t, 1 + p, r)."""
    total = lean[:, 0] + np.einsum("an,tar->ntr", design, lean[:, 1:])
    scale = np.maximum(1.0, np.abs(design).max(axis=0))[:, None]
    return np.asarray(np.abs(total).max(axis=2) >= NOT_IDENTIFIED * scale)
