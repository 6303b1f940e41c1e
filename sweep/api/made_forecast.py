"""A forecast of what comes after the end of data: numbers with their times and intervals, as a table and a picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sweep.config.errors import UnknownName
from sweep.config.registry import nearest
from sweep.config.text import plural

if TYPE_CHECKING:
    from sweep.report.plots.forecast import PanelData
    from sweep.report.plots.picture import Picture

Array = np.ndarray
Pair = tuple[int, int]  # indices of a series and a channel

MOST_PANELS = 4  # of a picture; our choice: more are too small to read


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
    errors: Mapping[
        tuple[str | None, str | None], float
    ]  # of the forecaster's rollouts on validation, by series and channel; None: of all; empty: unknown

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

    def plot(self, *, series: str | None = None, channel: str | None = None) -> Picture:
        """Return a picture of past, forecast and intervals, a PNG that has `save(path)`.

        Of more than a few series and channels it shows the median and the worst one by the rollout error on validation,
        or the first ones where that is unknown.

        Args:
            series: name of the only series to show; None: any.
            channel: name of the only channel to show; None: those that the study scores.

        Raises:
            UnknownName: there is no such series or channel.
        """
        from sweep.report.plots.forecast import draw_forecast  # here: numbers need no matplotlib
        from sweep.report.plots.picture import Picture

        shown, note = chosen_pairs(self.pairs(series, channel), self._error)
        panels = [self._panel(*one) for one in shown]
        head = f"{self.study}: {self.steps} steps ahead"
        return Picture(draw_forecast(panels, head, str(self.forecaster["text"]), note))

    def pairs(self, series: str | None = None, channel: str | None = None) -> list[Pair]:
        """Return the indices of each series and channel, or those of one name; by default of the scored channels.

        Raises:
            UnknownName: there is no such series or channel.
        """
        names = self.targets if channel is None else (channel,)
        for word, wanted, known in (("series", series, self.names), ("channel", channel, self.channels)):
            if wanted is not None and wanted not in known:
                raise UnknownName(
                    f"no {word} named {wanted!r}.{nearest(wanted, known)} Known: {', '.join(known) or 'none'}"
                )
        return [
            (index, self.channels.index(one))
            for index, name in enumerate(self.names)
            for one in names
            if series in (None, name)
        ]

    def _error(self, pair: Pair) -> float | None:
        name, channel = self.names[pair[0]], self.channels[pair[1]]
        keys = ((name, channel), (name, None), (None, channel))
        return next((self.errors[key] for key in keys if key in self.errors), None)

    def _panel(self, pair: Pair, role: str) -> PanelData:
        from sweep.report.plots.forecast import PanelData  # here: numbers need no matplotlib

        index, channel = pair
        title = " · ".join(part for part in (self.names[index], self.channels[channel]) if part)
        return PanelData(
            title=f"{title}: {role}" if role else title,
            past=self.past[index][:, channel],
            forecast=self.values[index, :, channel],
            intervals={
                level: (self.low[level][index, :, channel], self.high[level][index, :, channel])
                for level in self.levels
            },
            times=_texts(self.past_times[index].append(self.times[index])),
            inputs={name: self.inputs[index][:, column] for column, name in enumerate(self.known)},
        )

    def _by_channel(self, values: Array) -> dict[str, list[float | None]]:
        """Return (step, channel) as a list by channel, None where a number is not finite."""
        return {
            name: [float(value) if np.isfinite(value) else None for value in values[:, index]]
            for index, name in enumerate(self.channels)
        }


def chosen_pairs(
    pairs: Sequence[Pair], error: Callable[[Pair], float | None]
) -> tuple[list[tuple[Pair, str]], str]:
    """Return the series and channels that a picture shows, each with its role among all, and a note about the others.

    Args:
        pairs: all of them, as indices of series and channel.
        error: of the rollouts on validation; None: unknown.
    """
    if len(pairs) <= MOST_PANELS:
        return [(pair, "") for pair in pairs], ""
    scored = sorted((value, pair) for pair in pairs if (value := error(pair)) is not None)
    if not scored:
        rest = plural(len(pairs) - MOST_PANELS, "more channel")
        return [(pair, "") for pair in pairs[:MOST_PANELS]], f"and {rest} of series"
    median, worst = scored[(len(scored) - 1) // 2][1], scored[-1][1]
    roles = [(median, f"median of {len(scored)}"), (worst, f"worst of {len(scored)}")]
    shown = roles if median != worst else roles[1:]
    return shown, f"{len(shown)} of {len(pairs)}, by the rollout error on validation"


def _texts(times: pd.Index) -> list[Any]:
    """Return times for JSON: dates as ISO 8601 without what is 0 in all of them, numbers as they are."""
    if not isinstance(times, pd.DatetimeIndex):
        return [value.item() if hasattr(value, "item") else value for value in times]
    if times.tz is None and (times == times.normalize()).all():
        return [str(one) for one in times.strftime("%Y-%m-%d")]
    return [one.isoformat(sep=" ") for one in times]
