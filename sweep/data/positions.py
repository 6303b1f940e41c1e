"""Where rollouts start: jittered, never twice at the same step, spread over series."""

from collections.abc import Sequence

import numpy as np

from sweep.data.types import Array

JITTER_SEED = 0  # fixed: the tasks of a study must not move between runs
JITTER_SHARE = 0.5  # of the spacing; our choice: even spacing aliases with seasons, full jitter overlaps more


def spread(total: int, capacities: Sequence[int]) -> Array:
    """Return how many of `total` each place takes: as even as their capacities allow, (place,).

    Where a round has fewer left than places with room, those evenly spaced among them take one.
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
    """Return how many starts each series gets: first as many as do not overlap, then as many as differ.

    Args:
        total: starts wanted.
        firsts: first possible position in each series.
        lasts: last possible one, inclusive; below the first where none is possible.
        horizon: steps of a rollout.
    """
    places = np.maximum(np.asarray(lasts) - np.asarray(firsts) + 1, 0)
    apart = (places + horizon - 1) // horizon
    counts = spread(total, apart)
    return np.asarray(counts + spread(total - int(counts.sum()), places - counts))


def jittered(first: int, last: int, count: int, rng: np.random.Generator) -> Array:
    """Return `count` different positions in [first, last], rising: one from each of `count` equal cells.

    Each is drawn uniformly from the middle JITTER_SHARE of its cell.

    Raises:
        ValueError: fewer positions than `count`.
    """
    places = last - first + 1
    if count > places:
        raise ValueError(f"{count} different positions do not fit into [{first}, {last}]")
    edges = np.arange(count + 1) * places // count
    size = np.diff(edges)
    width = np.maximum((size * JITTER_SHARE).astype(np.int64), 1)
    return np.asarray(first + edges[:-1] + (size - width) // 2 + rng.integers(0, width))


def n_apart(positions: Array, series: Array, horizon: int) -> int:
    """Return the largest number of starts whose horizons do not overlap, starts of two series never do.

    Greedy from the earliest on, which is optimal for intervals of equal length.
    """
    count = 0
    for one in np.unique(series):
        free_from = -1
        for position in np.sort(positions[series == one]):
            if position >= free_from:
                count, free_from = count + 1, int(position) + horizon
    return count
