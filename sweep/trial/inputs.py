"""The inputs of a trial: its data, training windows and rollout tasks, each made once per process."""

import functools
import json
from pathlib import Path

import torch

from sweep.config.data_section import DataConfig
from sweep.config.sections import ScoreConfig
from sweep.config.trial import TrialConfig
from sweep.data import Data, Starts, WindowSource, load, window_source
from sweep.data.coding import coding_from_document
from sweep.diagnosis.facts import DataFacts, facts_of
from sweep.score import Task

DTYPES = {"float32": torch.float32, "float64": torch.float64}


_given: dict[tuple[str, str], Data] = {}  # by settings; of a process that cannot read the files


def give_data(data: DataConfig, score: ScoreConfig, loaded: Data) -> None:
    """Keep data for the trials of this process, which then reads no file for these settings."""
    _given.clear()  # of an earlier study
    _given[data.model_dump_json(), score.model_dump_json()] = loaded


def load_data(data: DataConfig, score: ScoreConfig) -> Data:
    """Return the data of a study, loaded once per process."""
    return _load(data.model_dump_json(), score.model_dump_json(), None)


def data_of(config: TrialConfig) -> Data:
    """Return the data of a trial, loaded once per process: those of its study, or all of them for training."""
    return _load(*_data_key(config))


def data_read_anew(config: TrialConfig) -> Data:
    """Return the data of a training on all data; their file may have grown since this process read it."""
    return _loaded(*_data_key(config))


def with_fingerprint(config: TrialConfig) -> TrialConfig:
    """Return the configuration of a training on all data with their fingerprint, which the training checks."""
    assert config.fitted is not None
    fingerprint = data_read_anew(config).fingerprint
    return config.model_copy(update={"fitted": config.fitted.model_copy(update={"fingerprint": fingerprint})})


def _data_key(config: TrialConfig) -> tuple[str, str, str | None]:
    """Return `data` and `score` as JSON, and the coding and fingerprint of a training on all data; None for a trial."""
    fitted = config.fitted
    whole = None if fitted is None else json.dumps([fitted.coding, fitted.fingerprint])
    return config.data.model_dump_json(), config.score.model_dump_json(), whole


def _loaded(data: str, score: str, whole: str | None) -> Data:
    """Return the data.

    Args:
        data: the section as JSON.
        score: the section as JSON.
        whole: for a training on all data the document of a coding, or null for that of the data, and the fingerprint,
            as JSON; None: a trial.
    """
    coding = None if whole is None else json.loads(whole)[0]
    return load(
        DataConfig.model_validate_json(data),
        ScoreConfig.model_validate_json(score),
        Path(),
        whole=whole is not None,
        coding=None if coding is None else coding_from_document(coding),
    )


_read = functools.lru_cache(maxsize=4)(_loaded)


def _load(data: str, score: str, whole: str | None) -> Data:
    given = _given.get((data, score)) if whole is None else None
    return _read(data, score, whole) if given is None else given


def data_facts(config: TrialConfig) -> DataFacts:
    """Return the facts about a trial's data, computed once per process."""
    return _facts(config.data.model_dump_json(), config.score.model_dump_json())


@functools.lru_cache(maxsize=4)
def _facts(data: str, score: str) -> DataFacts:
    return facts_of(_load(data, score, None))


def windows_of(config: TrialConfig, data: Data) -> WindowSource:
    """Return the training windows of a trial from data that are loaded already."""
    training = config.training
    return window_source(data, training.window, training.precision, training.window_stride)


def training_windows(config: TrialConfig) -> WindowSource:
    """Return the training windows of a trial, made once per process."""
    training = config.training
    return _windows(*_data_key(config), training.window, training.precision, training.window_stride)


@functools.lru_cache(maxsize=8)
def _windows(
    data: str, score: str, whole: str | None, window: int, precision: str, stride: int
) -> WindowSource:
    return window_source(_load(data, score, whole), window, precision, stride)


@functools.lru_cache(maxsize=4)
def _task(data: str, score: str, part: str, dtype: torch.dtype, device: str) -> Task:
    whole = _load(data, score, None)
    starts: Starts = getattr(whole, part)
    return Task(whole, starts, dtype, device)


def validation_task(config: TrialConfig) -> Task:
    """Return the validation starts, encoded for a trial once per process."""
    return _task_of(config, "validation")


def locked_task(config: TrialConfig) -> Task:
    """Return the locked test starts, encoded for a trial once per process."""
    return _task_of(config, "test")


def _task_of(config: TrialConfig, part: str) -> Task:
    data, score = config.data.model_dump_json(), config.score.model_dump_json()
    return _task(data, score, part, DTYPES[config.training.precision], config.device)
