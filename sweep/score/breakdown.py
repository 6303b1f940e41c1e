"""Scores of a rollout by series and by channel: where the pooled rollout error comes from."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sweep.config.breakdown import Breakdown, GroupScores
from sweep.data.trivial import trivial_forecasts
from sweep.data.types import Array, Data, Starts
from sweep.score.comparisons import EXACT, skill
from sweep.score.metrics import Objective, block_length, valid_steps
from sweep.score.objectives import objective_of

# Most scores by series and channel at once; of more, only those by series and those by channel are computed. A bound on
# time and on the size of records.
CELLS_MOST = 1024


@dataclass(frozen=True)
class Group:
    """Some starts and target channels, and the best trivial forecast of them."""

    series: str | None
    channel: str | None
    rows: Array  # indices of the starts
    columns: tuple[int, ...]  # indices of the channels
    trivial_error: float
    exact: bool  # whether that forecast is right to rounding


def breakdown_of(data: Data, starts: Starts, forecast: Array) -> Breakdown | None:
    """Return the scores of a forecast by series and by channel; None with one scored series and one target channel.

    Args:
        data: of the study.
        starts: its validation or test starts.
        forecast: (start, step, channel), data units; inf and NaN allowed.
    """
    names = tuple(data.channels[channel] for channel in data.targets)
    block = block_length(data.period, starts.truth.shape[1])
    return breakdown(
        forecast, starts, data.targets, block, objective_of(data.objective), names, data.series_names
    )


def breakdown(
    forecast: Array,
    starts: Starts,
    targets: tuple[int, ...],
    block: int,
    objective: Objective,
    target_names: tuple[str, ...],
    series_names: tuple[str, ...] = (),
) -> Breakdown | None:
    """Return the scores by series and by channel; None with one scored series and one target channel.

    Series count if they have names; only those that hold starts do. The mean of the default objective over series,
    each weighted by its starts, is the pooled rollout error, and so is its mean over channels.

    Args:
        forecast: (start, step, channel), data units; inf and NaN allowed.
        starts: what was forecast.
        targets: indices of the scored channels.
        block: steps of a block, from `block_length`.
        objective: the study's.
        target_names: of the scored channels.
        series_names: by `starts.owner`; empty: series have no names.
    """
    groups = _groups(starts, targets, block, objective, target_names, series_names)
    by_series, by_channel, cells = (
        tuple(_scores(group, forecast, starts, block, objective) for group in part) for part in groups
    )
    return Breakdown(by_series, by_channel, cells) if by_series or by_channel else None


def _scores(group: Group, forecast: Array, starts: Starts, block: int, objective: Objective) -> GroupScores:
    values, truth, scale = _chosen(group.rows, group.columns, forecast, starts)
    error = objective(values, truth, scale, block)
    return GroupScores(
        series=group.series,
        channel=group.channel,
        starts=len(group.rows),
        rollout_error=error,
        valid_steps=float(np.median(valid_steps(values, truth, scale, block))),
        trivial_error=group.trivial_error,
        trivial_skill=None if group.exact else skill(error, group.trivial_error),
    )


def _chosen(
    rows: Array, columns: Sequence[int], forecast: Array, starts: Starts
) -> tuple[Array, Array, Array]:
    """Return forecast, truth and scale of some starts and channels."""
    place = np.ix_(rows, np.arange(forecast.shape[1]), np.asarray(columns))
    return forecast[place], starts.truth[place], starts.scale[np.ix_(rows, np.asarray(columns))]


@functools.lru_cache(maxsize=8)
def _groups(
    starts: Starts,
    targets: tuple[int, ...],
    block: int,
    objective: Objective,
    target_names: tuple[str, ...],
    series_names: tuple[str, ...],
) -> tuple[tuple[Group, ...], tuple[Group, ...], tuple[Group, ...]]:
    """Return the groups by series, by channel, and by both, computed once per process."""
    trivial = trivial_forecasts(starts.past, starts.mean, starts.truth.shape[1])

    def group(series: str | None, channel: str | None, rows: Array, columns: tuple[int, ...]) -> Group:
        errors = [objective(*_chosen(rows, columns, values, starts), block) for values in trivial.values()]
        exact = min(errors) < EXACT or bool(starts.exact[np.ix_(rows, np.asarray(columns))].all())
        return Group(series, channel, rows, columns, min(errors), exact)

    everyone = np.arange(len(starts.truth))
    owners = np.unique(starts.owner).tolist() if series_names else []
    series = [(series_names[owner], np.flatnonzero(starts.owner == owner)) for owner in owners]
    series = series if len(series) > 1 else []
    channels = list(zip(target_names, targets, strict=True)) if len(targets) > 1 else []
    cells = (
        [(name, title, rows, column) for name, rows in series for title, column in channels]
        if len(series) * len(channels) <= CELLS_MOST
        else []
    )
    return (
        tuple(group(name, None, rows, targets) for name, rows in series),
        tuple(group(None, title, everyone, (column,)) for title, column in channels),
        tuple(group(name, title, rows, (column,)) for name, title, rows, column in cells),
    )
