"""Taking a study's networks home: a folder that forecasts without sweep."""

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

from sweep.config.data_section import DataConfig
from sweep.config.engines import TORCH
from sweep.data.types import Data
from sweep.forecast.after import study_recording
from sweep.forecast.export import Columns, Written, write_export
from sweep.forecast.export.card import step_of
from sweep.forecast.export.last_rows import last_rows
from sweep.forecast.export.origin import origin_of
from sweep.forecast.measured import measured_for
from sweep.forecast.networks import Source, ensemble_of, networks_of
from sweep.study.open_study import open_study, require_same_data
from sweep.trial.inputs import data_read_anew


def export(
    study: str = "sine",
    place: str | Path = "forecaster",
    *,
    trial: int | None = None,
    fitted: bool = False,
    results: str | Path = "results",
) -> Written:
    """Write the networks of a stored study to a folder: weights, card, scripts that need no sweep, and ONNX.

    Args:
        study: its name.
        place: the folder; new, empty, or an earlier export, which is replaced.
        trial: its number; None: the configuration that the study names, with its networks on fresh seeds.
        fitted: whether to take the networks of its latest fit on all data (`sweep.fit`), which are not scored.
        results: folder of all studies.

    Raises:
        SweepError: there are no such networks, the data have changed, a package is missing, or the folder is
            something else.
    """
    opened = open_study(study, results, stored=True)
    source = networks_of(opened.folder, trial, fitted)
    config = source.trainings[0][0]
    data = opened.data if config.fitted is None else data_read_anew(config)
    if config.fitted is None:  # a fit stores the coding of its own data
        require_same_data(opened.folder, data.fingerprint)
    recorded = data.recorded
    ensemble, columns = ensemble_of(_by_torch(source), data), columns_of(data, config.data)
    recording, _ = study_recording(config.data, config.score)
    return write_export(
        Path(place),
        ensemble,
        config.model,
        origin_of(opened.folder, source, data),
        columns=columns,
        step=None if recorded is None else step_of(recorded.step, recorded.step_seconds),
        seeds=[training.seed for training, _ in source.trainings],
        intervals=measured_for(opened.folder, source),
        rows=last_rows(recording, ensemble.coding, config.data, columns),
    )


def _by_torch(source: Source) -> Source:
    """Return the networks without the engine that trained them, which this machine may not have."""
    trainings = tuple(
        (config.model_copy(update={"engine": TORCH}), weights) for config, weights in source.trainings
    )
    return replace(source, trainings=trainings)


def columns_of(data: Data, config: DataConfig) -> Columns:
    """Return the columns of series and times of a study's file: those that are set, or as they were recognised."""
    recognised: dict[str, Any] = {}
    for fact in () if data.recorded is None else data.recorded.facts:
        if fact.name in ("time", "ids"):
            recognised |= tomllib.loads(fact.key)
    dated = data.recorded is not None and data.recorded.step_seconds is not None
    return Columns(
        series=recognised.get("id_column", config.id_column),
        time=recognised.get("time_column", config.time_column) if dated else "",
    )
