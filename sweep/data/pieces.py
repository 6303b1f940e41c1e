"""Pieces of series that were cut at gaps, and the series that they belong to."""

from collections.abc import Sequence

import numpy as np

from sweep.data.types import Array


def joined(train: Sequence[Array], owners: Sequence[int] | None) -> list[Array]:
    """Return (time, channel) of each training series, its pieces end to end."""
    if owners is None or len(set(owners)) == len(owners):
        return list(train)
    order = np.argsort(owners, kind="stable")
    edges = np.flatnonzero(np.diff(np.asarray(owners)[order])) + 1
    return [np.concatenate([train[index] for index in group]) for group in np.split(order, edges)]
