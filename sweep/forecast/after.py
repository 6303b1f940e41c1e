"""The starts from which series are forecast beyond their ends: tasks without a truth."""

from collections.abc import Sequence

import numpy as np

from sweep.config.data_section import DataConfig
from sweep.config.sections import HORIZON, ScoreConfig
from sweep.data import SOURCES, Starts
from sweep.data.coding import Coding
from sweep.data.future import Future
from sweep.data.load import recorded
from sweep.data.recording import Need, Recording
from sweep.data.starts import Level
from sweep.data.types import Array


def starts_after(futures: Sequence[Future], coding: Coding, steps: int, level: Level | None = None) -> Starts:
    """Return the starts at the ends of series; their truth is NaN, and no error can be computed from them.

    Args:
        futures: at least one.
        coding: of the forecaster.
        steps: to forecast.
        level: means and spreads of the training data, in the rows of the coding; None: networks forecast, which read
            none, and they are NaN.

    Raises:
        DataError: the coding has a calendar, and a series has no dates.
    """
    rows = np.array([one.row for one in futures])
    past = np.stack([one.past[-coding.past_steps :] for one in futures])
    shape = (len(futures), steps, past.shape[2])
    unknown = np.full((len(futures), past.shape[2]), np.nan)
    mean, std = (unknown, unknown) if level is None else (level.mean[rows], level.std[rows])
    return Starts(
        past=past,
        truth=np.full(shape, np.nan),
        mean=mean,
        std=std,
        scale=std,
        scale_from=np.full(std.shape, ""),
        exact=np.zeros(std.shape, dtype=bool),
        series=rows,
        owner=np.arange(len(futures)),
        position=np.array([len(one.past) for one in futures]),
        known=np.stack([_known(one, coding, steps) for one in futures]),
        n_eff=len(futures),
    )


def study_recording(config: DataConfig, score: ScoreConfig) -> tuple[Recording, list[int] | None]:
    """Return the series of a study's data as recorded, and the row of statistics of each where it follows their order.

    A source makes series for validation and test alone, which are left out.

    Args:
        config: the `[data]` section.
        score: the `[score]` section.

    Raises:
        DataError: the data cannot be read.
    """
    need = Need(score.warmup, score.horizon or HORIZON, score.starts)
    recording, _ = recorded(config, need)
    if config.source is None or not SOURCES[config.source].makes_parts:
        return recording, None
    series = tuple(one for one in recording.series if one.ends is not None and one.ends[0] > 0)
    recording = Recording(recording.name, recording.channels, series, recording.known)
    return recording, list(range(len(series)))


def _known(future: Future, coding: Coding, steps: int) -> Array:
    """Return the known inputs of a network for the warm-up and the steps to forecast, (warmup + steps, feature)."""
    whole = coding.known_inputs(future.times.local, future.inputs)
    return whole[len(whole) - coding.warmup - steps :]
