"""A few of the starts of a part, evenly spread: for what would take too long on all of them."""

from dataclasses import fields, replace
from typing import Any

import numpy as np

from sweep.data.types import Array, Starts


def evenly_spread(count: int, most: int) -> Array:
    """Return the indices of at most `most` of `count` starts, evenly spread."""
    return np.unique(np.linspace(0, count - 1, min(most, count)).round().astype(int))


def some_starts(starts: Starts, most: int) -> Starts:
    """Return at most `most` starts, evenly spread."""
    rows = evenly_spread(len(starts.truth), most)
    values: dict[str, Array | None] = {
        field.name: getattr(starts, field.name) for field in fields(starts) if field.name != "n_eff"
    }
    arrays: dict[str, Any] = {name: None if value is None else value[rows] for name, value in values.items()}
    return replace(starts, **arrays, n_eff=min(starts.n_eff, len(rows)))
