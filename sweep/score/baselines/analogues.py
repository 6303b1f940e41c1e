"""The baseline `analogues`: what followed the most similar states of the training data, in delay space.

The state at time t is (x[t], x[t - lag], ...), `dimension` values of every channel. Around a state, the change to the
next value is a linear function of the state, fitted to the `neighbours` nearest states of the training data by weighted
ridge regression; weights are exp(-distance / nearest distance). A large ridge leaves the weighted mean of their
changes. Forecasts are fed back. All channels together, model units, no known inputs.

Source: Farmer and Sidorowich (1987), Phys. Rev. Lett. 59, 845 (local linear maps, iterated); Sugihara and May (1990),
Nature 344, 734 (the weights).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from sweep.data.some_starts import some_starts
from sweep.data.types import Array, Data, Starts
from sweep.score.baselines.autoregression import validation_error
from sweep.score.baselines.simple import CannotServe, Forecast, Settings

# Tried settings; all are our choice
DIMENSIONS = (1, 2, 4, 8, 16)  # a dimension of 1 only with several channels
LAGS = (1, 2, 4, 8, 16)
NUMBERS_MOST = 16  # of a state, over all channels; beyond, a tree is slow and neighbours are far
NEIGHBOURS = (8, 32, 128)
RIDGES = (1e-6, 1e-3, 1.0, 1e6)  # times the mean variance of the neighbours' coordinates
FIRST = (
    (32, 1e-4),
    (128, 1e6),
)  # neighbours and ridge with which all delays are compared: a clean and a noisy case
REFINED, FINALISTS = 2, 4  # delays whose neighbours and ridges are tried; settings that all starts compare
FEW = 6  # starts that compare the others
STATES_MOST = (
    10_000  # of the library; of more, a fixed random choice is used: even spacing aliases with seasons
)
SEED = 0


class Choice(NamedTuple):
    """One combination of settings."""

    dimension: int
    lag: int
    neighbours: int
    ridge: float


@dataclass(frozen=True)
class Library:
    """The states of the training data and the changes that followed them, model units."""

    states: Array  # (state, dimension * channel); the last columns are the latest values
    changes: Array  # (state, channel)
    tree: Any  # scipy's cKDTree of the states
    back: Array  # (dimension,), the delays in steps, largest first
    low: Array  # (channel,), bounds of a forecast: one range beyond the values of the library
    high: Array

    def change(self, states: Array, neighbours: int, ridge: float) -> Array:
        """Return the forecast of the change that follows each state, (start, channel); NaN where that is not finite.

        Args:
            states: (start, dimension * channel); where neighbours lie on a line, a forecast may be no number.
            neighbours: number of similar states, 2 or more.
            ridge: penalty on the linear part, > 0, times the mean variance of the neighbours' coordinates.
        """
        finite = np.isfinite(states).all(axis=1)
        changes = np.full((len(states), self.changes.shape[1]), np.nan)
        if finite.any():
            changes[finite] = self._change(states[finite], neighbours, ridge)
        return changes

    def _change(self, states: Array, neighbours: int, ridge: float) -> Array:
        distance, index = self.tree.query(states, neighbours)
        with np.errstate(over="ignore"):  # beside a state that is in the library, no other one counts
            weights = np.exp(-distance / np.maximum(distance[:, :1], np.finfo(float).tiny))
        weights = (weights / weights.sum(axis=1, keepdims=True))[:, :, None]
        near, after = self.states[index], self.changes[index]
        centre, mean = (weights * near).sum(axis=1), (weights * after).sum(axis=1)
        near, after = near - centre[:, None], after - mean[:, None]
        weighted = (weights * near).transpose(0, 2, 1)
        products = weighted @ near
        size = np.trace(products, axis1=1, axis2=2) / products.shape[1] + np.finfo(float).tiny
        products += (ridge * size)[:, None, None] * np.eye(products.shape[1])
        slopes = np.linalg.solve(products, weighted @ after)
        change: Array = mean + ((states - centre)[:, None] @ slopes)[:, 0]
        return change


def choose_analogues(data: Data) -> Settings:
    """Return {"dimension", "lag", "neighbours", "ridge"} with the lowest rollout error on the validation starts.

    All delays are compared with two pairs of neighbours and ridge, the best delays with all pairs, both on a few of the
    starts; then the best settings on all starts.

    Raises:
        CannotServe: the past or the training series are too short.
    """
    few = replace(data, validation=some_starts(data.validation, FEW))
    delays = [(m, lag) for m in DIMENSIONS for lag in LAGS if m > 1 or (lag == 1 and len(data.channels) > 1)]
    first = _compared(few, [Choice(*delay, *pair) for delay in delays for pair in FIRST])
    if not first:
        raise CannotServe("the warm-up or the training series are too short for states in delay space")
    best = list(dict.fromkeys((choice.dimension, choice.lag) for _, choice in first))[:REFINED]
    second = _compared(
        few, [Choice(*delay, k, ridge) for delay in best for k in NEIGHBOURS for ridge in RIDGES]
    )
    finalists = [choice for _, choice in sorted([*first, *second])[:FINALISTS]]
    return _compared(data, finalists)[0][1]._asdict()


def analogues(data: Data, settings: Settings) -> Forecast:
    """Return the closed-loop forecast by the nearest states of the training data."""
    library = library_of(data.train, int(settings["dimension"]), int(settings["lag"]))
    neighbours, ridge = int(settings["neighbours"]), float(settings["ridge"])

    def forecast(starts: Starts, horizon: int) -> Array:
        past = data.codec.encode(starts.past, starts.series)
        count, _, channels = past.shape
        span = int(library.back[0])
        values = np.concatenate([past[:, -span - 1 :], np.empty((count, horizon, channels))], axis=1)
        for now in range(span, span + horizon):
            states = values[:, now - library.back].reshape(count, -1)
            after = values[:, now] + library.change(states, neighbours, ridge)
            values[:, now + 1] = np.clip(after, library.low, library.high)
        return data.codec.decode(values[:, span + 1 :], starts.past, starts.series)

    return forecast


def library_of(train: Sequence[Array], dimension: int, lag: int) -> Library:
    """Return the library of delay vectors, at most STATES_MOST.

    Args:
        train: per series (time, channel), model units; series without a state and a value after it are left out.
        dimension: values of each channel in a state.
        lag: steps between them.

    Raises:
        CannotServe: no series is long enough.
    """
    from scipy.spatial import cKDTree  # here, because the import takes a while in every process

    back = np.arange(dimension - 1, -1, -1) * lag
    whole = np.concatenate(train)
    ends = np.cumsum([len(values) for values in train])
    at = np.concatenate(
        [np.arange(end - len(values) + back[0], end - 1) for values, end in zip(train, ends, strict=True)]
    )
    if not len(at):
        raise CannotServe(f"no training series is longer than {back[0] + 1} steps")
    if len(at) > STATES_MOST:
        at = np.sort(np.random.default_rng(SEED).choice(at, STATES_MOST, replace=False))
    states = whole[at[:, None] - back].reshape(len(at), -1)
    low, high = whole.min(axis=0), whole.max(axis=0)
    return Library(states, whole[at + 1] - whole[at], cKDTree(states), back, 2 * low - high, 2 * high - low)


def _compared(data: Data, choices: Sequence[Choice]) -> list[tuple[float, Choice]]:
    """Return (rollout error on validation, choice) of the choices that the data cover, the best first."""
    horizon = data.validation.truth.shape[1]
    return sorted(
        (validation_error(data, analogues(data, choice._asdict())(data.validation, horizon)), choice)
        for choice in choices
        if _covered(data, choice)
    )


def _covered(data: Data, choice: Choice) -> bool:
    """Return whether the past covers a state and there are twice as many states as neighbours (our choice)."""
    if choice.dimension > 1 and choice.dimension * len(data.channels) > NUMBERS_MOST:
        return False
    span = (choice.dimension - 1) * choice.lag
    states = sum(max(0, len(values) - 1 - span) for values in data.train)
    return span < data.validation.past.shape[1] - data.codec.lag and states >= 2 * choice.neighbours
