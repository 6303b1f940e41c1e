"""The inputs of a trial: its data, training windows and rollout tasks, each made once per process."""

import functools
from pathlib import Path

import torch

from sweep.config.data_section import DataConfig
from sweep.config.sections import ScoreConfig
from sweep.config.trial import TrialConfig
from sweep.data import Data, Starts, WindowSource, load, window_source
from sweep.diagnosis.facts import DataFacts, facts_of
from sweep.score import Task

DTYPES = {"float32": torch.float32, "float64": torch.float64}


_given: dict[tuple[str, str], Data] = {}  # by settings; of a process that cannot read the files


def give_data(data: DataConfig, score: ScoreConfig, loaded: Data) -> None:
    """Keep data for the trials of this process, which then reads no file for these settings."""
    _given.clear()  # of an earlier study
    _given[data.model_dump_json(), score.model_dump_json()] = loaded


def load_data(data: DataConfig, score: ScoreConfig) -> Data:
    """Return the data of a trial, loaded once per process."""
    return _load(data.model_dump_json(), score.model_dump_json())


def _load(data: str, score: str) -> Data:
    given = _given.get((data, score))
    return _read(data, score) if given is None else given


@functools.lru_cache(maxsize=4)
def _read(data: str, score: str) -> Data:
    return load(DataConfig.model_validate_json(data), ScoreConfig.model_validate_json(score), Path())


def data_facts(config: TrialConfig) -> DataFacts:
    """Return the facts about a trial's data, computed once per process."""
    return _facts(config.data.model_dump_json(), config.score.model_dump_json())


@functools.lru_cache(maxsize=4)
def _facts(data: str, score: str) -> DataFacts:
    return facts_of(_load(data, score))


def windows_of(config: TrialConfig, data: Data) -> WindowSource:
    """Return the training windows of a trial from data that are loaded already."""
    training = config.training
    return window_source(data, training.window, training.precision, training.window_stride)


def training_windows(config: TrialConfig) -> WindowSource:
    """Return the training windows of a trial, made once per process."""
    training = config.training
    data, score = config.data.model_dump_json(), config.score.model_dump_json()
    return _windows(data, score, training.window, training.precision, training.window_stride)


@functools.lru_cache(maxsize=8)
def _windows(data: str, score: str, window: int, precision: str, stride: int) -> WindowSource:
    return window_source(_load(data, score), window, precision, stride)


@functools.lru_cache(maxsize=4)
def _task(data: str, score: str, part: str, dtype: torch.dtype, device: str) -> Task:
    whole = _load(data, score)
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
