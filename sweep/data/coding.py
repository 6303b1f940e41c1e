"""The coding of a study's data: all that is needed to feed its networks with new data and to read their output."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sweep.config.data_section import DataConfig
from sweep.config.errors import DataError
from sweep.data.calendar import CALENDARS, calendar_of_times
from sweep.data.codec import ScalingCodec
from sweep.data.recording import Recording
from sweep.data.transforms import build_transforms
from sweep.data.types import Array, Data, InputScaling


@dataclass(frozen=True)
class Coding:
    """Names, transforms, scaling and known inputs of a study's data; plain values and arrays."""

    channels: tuple[str, ...]
    targets: tuple[int, ...]  # indices of the scored channels
    transforms: tuple[str, ...]
    season: int | None  # lag of a seasonal difference
    mean: Array  # (training series + 1, channel), after the transforms; the last row: all series together
    std: Array  # same shape, > 0
    series: tuple[str, ...]  # names by row of the statistics, without the last; empty: series have no names
    calendar: tuple[str, ...]
    known: tuple[str, ...]  # inputs from outside, in the order in which the network reads them
    static: tuple[str, ...]  # those of them that are constant in each series
    inputs: InputScaling
    warmup: int  # true steps before a forecast
    step_seconds: float | None  # None: the data have no dates

    @property
    def codec(self) -> ScalingCodec:
        """Return the conversion of data units to model units and back."""
        return ScalingCodec(build_transforms(self.transforms, self.season), self.mean, self.std)

    @property
    def past_steps(self) -> int:
        """Return the true steps that a forecast needs: the warm-up and what the transforms consume."""
        return self.warmup + self.codec.lag

    @property
    def width(self) -> int:
        """Return the width of a network's input: channels, waves of the calendar, inputs from outside."""
        return len(self.channels) + 2 * len(self.calendar) + len(self.known)

    def row_of(self, name: str) -> int:
        """Return the row of statistics of a series: its own if it was trained on, else that of all series, -1.

        Without names there is one row of its own for a single series.
        """
        if name in self.series:
            return self.series.index(name)
        return 0 if not self.series and len(self.mean) == 2 else -1

    def known_inputs(self, times: Array | None, values: Array) -> Array:
        """Return the known inputs of a network, (time, feature): the calendar, then the scaled inputs from outside.

        Args:
            times: (time,), datetime64[ns]; None only without a calendar.
            values: (time, input), data units.

        Raises:
            DataError: the calendar has no times.
        """
        if not self.calendar:
            return self.inputs.scaled(values)
        if times is None:
            raise DataError(f"data.calendar = {list(self.calendar)} needs times, and these data have none")
        waves = calendar_of_times(self.calendar, pd.DatetimeIndex(times))
        return np.concatenate([waves, self.inputs.scaled(values)], axis=1)

    def document(self) -> dict[str, Any]:
        """Return the coding as plain values for JSON; float64 numbers keep all their digits."""
        return {
            "channels": list(self.channels),
            "targets": list(self.targets),
            "transforms": list(self.transforms),
            "season": self.season,
            "mean": self.mean.tolist(),
            "std": self.std.tolist(),
            "series": list(self.series),
            "calendar": list(self.calendar),
            "known": list(self.known),
            "static": list(self.static),
            "input_mean": self.inputs.mean.tolist(),
            "input_scale": self.inputs.scale.tolist(),
            "warmup": self.warmup,
            "step_seconds": self.step_seconds,
        }


def coding_of(data: Data, config: DataConfig) -> Coding:
    """Return the coding of a study's data.

    Args:
        data: that were loaded with these settings.
        config: the `[data]` section.
    """
    codec, scaling = data.codec, data.input_scaling
    if not isinstance(codec, ScalingCodec) or scaling is None:
        raise TypeError("wanted data that were loaded from a source or a file")
    return Coding(
        channels=data.channels,
        targets=data.targets,
        transforms=config.transforms,
        season=config.season,
        mean=codec.mean,
        std=codec.std,
        series=data.trained_series,
        calendar=config.calendar,
        known=data.known,
        static=config.static,
        inputs=scaling,
        warmup=data.validation.past.shape[1] - codec.lag,
        step_seconds=None if data.recorded is None else data.recorded.step_seconds,
    )


def require_shape(coding: Coding, recording: Recording, step_seconds: float | None) -> None:
    """Refuse data of another shape than those of a coding.

    Args:
        coding: of the networks that are to be fed.
        recording: the data.
        step_seconds: of the data; None if they have no dates.

    Raises:
        DataError: the channels, the inputs or the steps differ.
    """
    for word, wanted, given in (
        ("channels", coding.channels, recording.channels),
        ("known inputs", coding.known, recording.known),
    ):
        if wanted != given:
            raise DataError(
                f"{recording.name}: wanted the {word} {', '.join(wanted) or 'none'}, got {', '.join(given) or 'none'}: "
                "give data with the same columns"
            )
    own = coding.step_seconds
    if own is not None and step_seconds is not None and not math.isclose(own, step_seconds, rel_tol=0.01):
        raise DataError(
            f"{recording.name}: wanted steps of {own:g} s, as those of the networks' data, got {step_seconds:g} s: "
            "give data of the same step"
        )


def coding_from_document(document: Mapping[str, Any]) -> Coding:
    """Return the coding that `Coding.document` described.

    Args:
        document: of the form of coding.json (`sweep.store.forms`).

    Raises:
        UnknownName: a transform or a calendar input does not exist.
        DataError: a season is missing, or no transform uses it.
    """
    width = len(document["channels"])
    for name in document["calendar"]:
        CALENDARS[name]
    build_transforms(document["transforms"], document["season"])
    return Coding(
        channels=tuple(document["channels"]),
        targets=tuple(document["targets"]),
        transforms=tuple(document["transforms"]),
        season=document["season"],
        mean=np.asarray(document["mean"], dtype=np.float64).reshape(-1, width),
        std=np.asarray(document["std"], dtype=np.float64).reshape(-1, width),
        series=tuple(document["series"]),
        calendar=tuple(document["calendar"]),
        known=tuple(document["known"]),
        static=tuple(document["static"]),
        inputs=InputScaling(
            np.asarray(document["input_mean"], dtype=np.float64),
            np.asarray(document["input_scale"], dtype=np.float64),
        ),
        warmup=int(document["warmup"]),
        step_seconds=document["step_seconds"],
    )
