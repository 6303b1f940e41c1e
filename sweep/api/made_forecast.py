"""A forecast of what comes after the end of data: numbers with their times and intervals, as a table and a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sweep.config.text import plural

if TYPE_CHECKING:
    from sweep.report.plots.picture import Picture

Array = np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class Forecast:
    """The forecast of every series; values that are not finite are kept and named in `notes`."""

    study: str
    values: Array  # (series, step, channel), data units
    times: tuple[
        pd.Index, ...
    ]  # (step,) of each series: dates, with their zone where it is known; or numbers
    names: tuple[str, ...]  # of the series; one empty name where the series has none
    channels: tuple[str, ...]
    targets: tuple[str, ...]  # channels that the study scores
    levels: tuple[int, ...]  # percent, of the intervals that there are
    low: Mapping[
        int, Array
    ]  # by level, as `values`; NaN beyond the steps that were calibrated, possibly infinite
    high: Mapping[int, Array]
    forecaster: Mapping[str, Any]  # docs/forecast.md
    verdict: str  # of the study
    coverage: tuple[
        Mapping[str, Any], ...
    ]  # what the intervals of a level cover of the locked test (docs/report.md)
    left_out: Mapping[str, str]  # reason by name of a series that is not forecast
    notes: tuple[str, ...]  # among them why an interval is missing
    past: tuple[Array, ...]  # (time, channel) of each series: its last true values, data units
    past_times: tuple[pd.Index, ...]  # (time,)
    known: tuple[str, ...]  # inputs from outside
    inputs: tuple[Array, ...]  # (time + step, input) of each series, data units

    def __repr__(self) -> str:
        count, steps, width = self.values.shape
        sizes = f"{plural(count, 'series', 'series')}, {plural(steps, 'step')}, {plural(width, 'channel')}"
        return f"<Forecast of {self.study}: {sizes}. {self.forecaster['text']}>"

    @property
    def steps(self) -> int:
        """Return the number of steps."""
        return int(self.values.shape[1])

    @cached_property
    def frame(self) -> pd.DataFrame:
        """Return a row per series, step and channel: `series`, `time`, `step`, `channel`, `value`, low and high ends.

        The ends of the 90 % interval are `low_90` and `high_90`. Times with a zone are dates with it; where series have
        times of different kinds, they are texts.
        """
        count, steps, width = self.values.shape
        times = [one.repeat(width) for one in self.times]
        columns: dict[str, Any] = {
            "series": np.repeat(np.asarray(self.names, dtype=object), steps * width),
            "time": times[0].append(times[1:]),
            "step": np.tile(np.repeat(np.arange(1, steps + 1), width), count),
            "channel": np.tile(np.asarray(self.channels, dtype=object), count * steps),
            "value": self.values.reshape(-1),
        }
        for level in self.levels:
            columns[f"low_{level}"] = self.low[level].reshape(-1)
            columns[f"high_{level}"] = self.high[level].reshape(-1)
        return pd.DataFrame(columns)

    def document(self) -> dict[str, Any]:
        """Return the forecast as plain values for JSON (docs/forecast.md); numbers that are not finite are None."""
        return {
            "study": self.study,
            "steps": self.steps,
            "forecaster": dict(self.forecaster),
            "verdict": self.verdict,
            "channels": list(self.channels),
            "targets": list(self.targets),
            "levels": list(self.levels),
            "coverage": [dict(one) for one in self.coverage],
            "series": [
                {
                    "name": name,
                    "times": _texts(self.times[index]),
                    "values": self._by_channel(self.values[index]),
                    "low": {str(level): self._by_channel(self.low[level][index]) for level in self.levels},
                    "high": {str(level): self._by_channel(self.high[level][index]) for level in self.levels},
                }
                for index, name in enumerate(self.names)
            ],
            "left_out": [{"name": name, "reason": reason} for name, reason in self.left_out.items()],
            "notes": list(self.notes),
        }

    def plot(self) -> Picture:
        """Return a picture of the first series: past, forecast and intervals, a PNG that has `save(path)`."""
        from sweep.report.plots.forecast import PanelData, draw_forecast  # here: numbers need no matplotlib
        from sweep.report.plots.picture import Picture

        chosen = [self.channels.index(name) for name in self.targets]
        panels = [
            PanelData(
                title=" · ".join(part for part in (self.names[index], self.channels[channel]) if part),
                past=self.past[index][:, channel],
                forecast=self.values[index, :, channel],
                intervals={
                    level: (self.low[level][index, :, channel], self.high[level][index, :, channel])
                    for level in self.levels
                },
                times=_texts(self.past_times[index].append(self.times[index])),
                inputs={name: self.inputs[index][:, column] for column, name in enumerate(self.known)},
            )
            for index in range(len(self.names))
            for channel in chosen
        ]
        head = f"{self.study}: {self.steps} steps ahead"
        return Picture(draw_forecast(panels, head, str(self.forecaster["text"])))

    def _by_channel(self, values: Array) -> dict[str, list[float | None]]:
        """Return (step, channel) as a list by channel, None where a number is not finite."""
        return {
            name: [float(value) if np.isfinite(value) else None for value in values[:, index]]
            for index, name in enumerate(self.channels)
        }


def _texts(times: pd.Index) -> list[Any]:
    """Return times for JSON: dates as ISO 8601 without what is 0 in all of them, numbers as they are."""
    if not isinstance(times, pd.DatetimeIndex):
        return [value.item() if hasattr(value, "item") else value for value in times]
    if times.tz is None and (times == times.normalize()).all():
        return [str(one) for one in times.strftime("%Y-%m-%d")]
    return [one.isoformat(sep=" ") for one in times]
