"""Inputs from outside whose future is given, such as a valve or a temperature, scaled for the network."""

from collections.abc import Sequence

import numpy as np

from sweep.config.errors import DataError
from sweep.data.recording import Recording, Series
from sweep.data.types import Array, InputScaling


def require_static(recording: Recording, static: Sequence[str]) -> None:
    """Refuse an input that is said to be constant in each series and is not.

    Raises:
        DataError: it changes; the text names the series and the place.
    """
    for name in static:
        column = recording.known.index(name)
        for series in recording.series:
            values = inputs_of(series)[:, column]
            changed = np.flatnonzero(values != values[0])
            if len(changed):
                raise DataError(
                    f"{series.label}, column {name!r}, {series.place(int(changed[0]))}: changes from {values[0]:g} to "
                    f"{values[changed[0]]:g}, but data.static names it: name it in data.known instead"
                )


def fit_input_scaling(pieces: Sequence[Series], train: Sequence[int]) -> InputScaling:
    """Return the scaling of the inputs of pieces.

    Args:
        pieces: all pieces, split.
        train: indices of the pieces with training samples.
    """
    pooled = np.concatenate([inputs_of(pieces[index])[: pieces[index].parts["train"][1]] for index in train])
    mean, std = pooled.mean(axis=0), pooled.std(axis=0)
    return InputScaling(mean, np.where(std > 0, std, 1.0))


def constant_warnings(
    pieces: Sequence[Series], train: Sequence[int], names: Sequence[str]
) -> tuple[str, ...]:
    """Return a warning for each input that is constant in the training parts: its effect cannot be learned."""
    if not names:
        return ()
    pooled = np.concatenate([inputs_of(pieces[index])[: pieces[index].parts["train"][1]] for index in train])
    flat = np.ptp(pooled, axis=0) == 0
    return tuple(
        f"input {name!r} is constant in the training data: what it does cannot be learned"
        for name, constant in zip(names, flat, strict=True)
        if constant
    )


def inputs_of(piece: Series) -> Array:
    """Return the inputs of a piece, (time, input), data units; none has a width of 0."""
    return np.zeros((len(piece.values), 0)) if piece.known is None else piece.known
