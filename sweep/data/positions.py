"""The positions at which rollouts start: jittered, all different, spread over the series."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sweep.data.types import Array

JITTER_SEED = 0  # fixed, so that the tasks of a study are the same in every run
JITTER_SHARE = 0.5  # of the spacing; our choice: even spacing aliases with seasons, full jitter overlaps more


@dataclass(frozen=True)
class Places:
    """Where the rollouts of a part begin, and how long they are."""

    piece: Array  # (start,): index
    position: Array  # (start,): step of its piece at which the forecast begins
    horizon: int


def spread(total: int, capacities: Sequence[int]) -> Array:
    """Return how many of `total` each place takes, as evenly as the capacities allow, (place,).

    If fewer are left than places have room, evenly spaced places take one each.
    """
    room = np.asarray(capacities, dtype=np.int64).copy()
    counts = np.zeros(len(room), dtype=np.int64)
    left = min(total, int(room.sum()))
    while left > 0:
        open_places = np.flatnonzero(room)
        if left < len(open_places):
            open_places = open_places[(np.arange(left) * 2 + 1) * len(open_places) // (2 * left)]
        share = min(max(left // len(open_places), 1), int(room[open_places].min()))
        counts[open_places] += share
        room[open_places] -= share
        left -= share * len(open_places)
    return counts


def spread_apart(total: int, firsts: Sequence[int], lasts: Sequence[int], horizon: int) -> Array:
    """Return how many starts each series gets: first starts that do not overlap, then starts that differ.

    Args:
        total: starts wanted.
        firsts: first possible position in each series.
        lasts: last possible position, inclusive; below the first if there is none.
        horizon: steps of a rollout.
    """
    places = np.maximum(np.asarray(lasts) - np.asarray(firsts) + 1, 0)
    apart = (places + horizon - 1) // horizon
    counts = spread(total, apart)
    return np.asarray(counts + spread(total - int(counts.sum()), places - counts))


def jittered(first: int, last: int, count: int, rng: np.random.Generator) -> Array:
    """Return `count` different rising positions in [first, last], one from each of `count` equal cells.

    Each is drawn uniformly from the middle JITTER_SHARE of its cell.

    Raises:
        ValueError: there are fewer positions than `count`.
    """
    places = last - first + 1
    if count > places:
        raise ValueError(f"{count} different positions do not fit into [{first}, {last}]")
    edges = np.arange(count + 1) * places // count
    size = np.diff(edges)
    width = np.maximum((size * JITTER_SHARE).astype(np.int64), 1)
    return np.asarray(first + edges[:-1] + (size - width) // 2 + rng.integers(0, width))


def apart(first: int, last: int, horizon: int, rng: np.random.Generator) -> Array:
    """Return as many rising positions in [first, last] as do not overlap, none if last is below first.

    What they leave of the room is drawn between them, so that a season does not recur at every one.

    Args:
        first: first possible position.
        last: last possible position, inclusive.
        horizon: steps of a rollout.
        rng: draws the distances.
    """
    count = max(0, -(-(last - first + 1) // horizon))
    slack = last - first - (count - 1) * horizon
    return (
        first + np.arange(count) * horizon + np.sort(rng.integers(0, slack + 1, count))
        if count
        else np.arange(0)
    )


def n_apart(positions: Array, series: Array, horizon: int) -> int:
    """Return the largest number of starts whose horizons do not overlap; starts of two series never overlap.

    Greedy from the earliest start, which is optimal for intervals of equal length.
    """
    count = 0
    for index in np.unique(series):
        free_from = -1
        for position in np.sort(positions[series == index]):
            if position >= free_from:
                count, free_from = count + 1, int(position) + horizon
    return count
