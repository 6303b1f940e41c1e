"""The rollouts of a trial that its picture and the page show: of which series and channel, and from which start."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sweep.data.types import Array
from sweep.score.metrics import rollout_error, valid_steps

# Scales around the truth that an axis shows at most; our choice, so that the truth stays readable.
MARGIN = 1.5


@dataclass(frozen=True)
class Group:
    """A channel of a series: what one forecast in the ordinary sense is made of."""

    series: str | None  # None: one series, or series without names
    channel: str | None  # None: the data have one channel, or channels without names
    column: int  # of the channel in the arrays
    rows: tuple[int, ...]  # the starts of the series
    error: float  # rollout error of the group alone, by its own scale


@dataclass(frozen=True)
class ShownRollout:
    """A start of a group that is drawn."""

    role: str  # of the group among all: "median", "worst"; "" with one group
    start_role: (
        str  # of the start in its group: "best", "median", "worst"; "only" if there is one; "" for another
    )
    group: Group
    groups: int  # how many there are
    start: int
    valid: int  # valid steps of this channel alone


def groups_of(arrays: Mapping[str, Array], channels: Sequence[str]) -> list[Group]:
    """Return each target channel of each named series, the lowest error first.

    Args:
        arrays: of rollout.npz.
        channels: names of all channels, may be empty.
    """
    count = len(arrays["truth"])
    names = arrays.get("series_names")
    series: list[tuple[str | None, Array]] = [(None, np.arange(count))]
    if names is not None and len(set(names.tolist())) > 1:
        series = [(name, np.flatnonzero(names == name)) for name in dict.fromkeys(names.tolist())]
    columns = [int(column) for column in np.asarray(arrays.get("targets", [0])).reshape(-1)]
    groups = []
    for name, rows in series:
        for column in columns:
            channel = channels[column] if len(channels) > 1 and column < len(channels) else None
            error = rollout_error(*_part(arrays, rows, column), _block(arrays))
            groups.append(Group(name, channel, column, tuple(rows.tolist()), error))
    return sorted(groups, key=lambda group: group.error)


def shown_rollouts(arrays: Mapping[str, Array], groups: Sequence[Group]) -> list[ShownRollout]:
    """Return at most three rollouts to draw, the best first.

    Of one group: the starts with the most, the median and the fewest valid steps. Of several: the median group by
    its median start, and the worst group by its median and its worst start.

    Args:
        arrays: of rollout.npz.
        groups: lowest error first, at least one.
    """
    if len(groups) == 1:
        return _starts(arrays, groups[0], "", 1, ("best", "median", "worst"))
    median, worst = groups[(len(groups) - 1) // 2], groups[-1]
    count = len(groups)
    return [
        *_starts(arrays, median, "median", count, ("median",)),
        *_starts(arrays, worst, "worst", count, ("median", "worst")),
    ]


def all_starts(arrays: Mapping[str, Array], group: Group) -> list[ShownRollout]:
    """Return every start of a group: the median, the worst and the best one, then the others in order.

    Args:
        arrays: of rollout.npz.
        group: whose starts.
    """
    named = _starts(arrays, group, "", 1, ("median", "worst", "best"))
    taken = {shown.start for shown in named}
    valid = _valid(arrays, group)
    others = [
        ShownRollout("", "", group, 1, row, int(steps))
        for row, steps in zip(group.rows, valid, strict=True)
        if row not in taken
    ]
    return [*named, *others]


def rollout_limits(truth: Array, forecast: Array, scale: float) -> tuple[float, float]:
    """Return the limits of an axis that keep the truth readable: at most MARGIN scales around it.

    Args:
        truth: finite values, past ones too.
        forecast: values that may not be finite.
        scale: of the errors, > 0.
    """
    finite = forecast[np.isfinite(forecast)]
    floor, ceiling = truth.min() - MARGIN * scale, truth.max() + MARGIN * scale
    low = max(floor, min(truth.min(), finite.min(initial=np.inf)))
    high = min(ceiling, max(truth.max(), finite.max(initial=-np.inf)))
    pad = 0.06 * (high - low) or 1.0
    return float(low - pad), float(high + pad)


def baseline_of(arrays: Mapping[str, Array], baseline: Mapping[str, Array]) -> tuple[str, Array] | None:
    """Return name and forecasts (start, step, channel) of the best baseline, None if they are of other starts.

    Args:
        arrays: of rollout.npz.
        baseline: of baseline.npz, may be empty.
    """
    if not baseline or baseline["forecast"].shape != arrays["truth"].shape:
        return None
    if not np.array_equal(baseline["last"], arrays["past"][:, -1]):
        return None
    return str(baseline["name"]), baseline["forecast"]


def _starts(
    arrays: Mapping[str, Array], group: Group, role: str, groups: int, wanted: Sequence[str]
) -> list[ShownRollout]:
    rows, valid = np.asarray(group.rows), _valid(arrays, group)
    order = np.argsort(valid, kind="stable")
    if len(order) == 1:
        picks = {"only": 0}
    else:
        places = {"best": order[-1], "median": order[(len(order) - 1) // 2], "worst": order[0]}
        picks = {name: int(places[name]) for name in wanted}
        if len(order) == 2:  # the median start is the worst one
            picks = {name: place for name, place in picks.items() if name != "median" or len(picks) == 1}
    return [
        ShownRollout(role, name, group, groups, int(rows[place]), int(valid[place]))
        for name, place in picks.items()
    ]


def _valid(arrays: Mapping[str, Array], group: Group) -> Array:
    """Return (start of the group,), the valid steps of its channel; as they were scored if it is the only one."""
    rows = np.asarray(group.rows)
    if len(np.asarray(arrays.get("targets", [0])).reshape(-1)) == 1:
        scored: Array = np.asarray(arrays["valid_steps"]).reshape(-1)[rows]
        return scored
    steps: Array = valid_steps(*_part(arrays, rows, group.column), _block(arrays))
    return steps


def _part(arrays: Mapping[str, Array], rows: Array, column: int) -> tuple[Array, Array, Array]:
    """Return forecast, truth and scale of some starts of a channel, each with one channel."""
    forecast, truth = (np.asarray(arrays[name], float)[rows][..., [column]] for name in ("forecast", "truth"))
    return forecast, truth, np.asarray(arrays["scale"], float)[rows][:, [column]]


def _block(arrays: Mapping[str, Array]) -> int:
    return int(np.asarray(arrays["block"]).reshape(-1)[0])
