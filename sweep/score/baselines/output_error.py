"""The fit of a polynomial model to its own simulation: weights that lower the free-running error.

Noise on the output, and every error that is fed back, make the weights with the best one-step forecast wrong for a
simulation. Levenberg's and Marquardt's steps lower the squared error of simulations of stretches of the training data.
The derivatives follow the feedback: dy[t]/dw = terms[t] + sum over i of (dy[t]/dy[t - i]) dy[t - i]/dw.

Source: Ljung (1999), "System Identification", sections 4.2 and 10.3, output-error models.
"""

from dataclasses import dataclass

import numpy as np

from sweep.data.types import Array, Data
from sweep.score.baselines.driven import Lags

# All are our choice; the last three bound the time
STEPS = (
    200  # of a simulated stretch: longer ones find no better weights on the cascaded tanks, and take longer
)
STRETCHES_MOST = 50
WEIGHTS_MOST = 64  # models with more are not refined
ROUNDS = 12
ENOUGH = 1e-3  # relative gain of a round below which the search ends


@dataclass(frozen=True)
class Model:
    """A polynomial with bounded output. The weight of a term that a channel does not use is 0 and stays so."""

    lags: Lags
    products: Array  # (term, degree), places in a row of (1, values)
    low: Array  # (channel,), bounds of the output
    high: Array


@dataclass(frozen=True)
class Fit:
    """The error of a simulation, and its derivatives for the weights in use."""

    error: float  # sum of squares
    gradient: Array  # (weight,), of half the error, negative: the direction of descent
    normal: Array  # (weight, weight), products of the derivatives


def refined(data: Data, model: Model, weights: Array) -> Array:
    """Return weights whose simulation of the training data has a lower error, or the same ones.

    Args:
        data: the study's.
        model: what the weights belong to.
        weights: (term, channel), where the search begins.
    """
    used = np.argwhere(weights != 0)
    if not 0 < len(used) <= WEIGHTS_MOST:
        return weights
    values, known = stretches(data, model.lags)
    best, damping = weights, 1e-3
    with np.errstate(over="ignore", invalid="ignore"):
        fit = simulation(model, best, used, values, known)
        for _ in range(ROUNDS):
            before = fit.error
            for _ in range(6):
                sizes = np.diag(fit.normal)
                damped = fit.normal + np.diag(damping * sizes + 1e-12 * sizes.max() + np.finfo(float).tiny)
                tried = best.copy()
                tried[used[:, 0], used[:, 1]] += np.linalg.solve(damped, fit.gradient)
                other = simulation(model, tried, used, values, known)
                if other.error < fit.error:
                    best, fit, damping = tried, other, damping / 5
                    break
                damping *= 5
            if not fit.error < (1 - ENOUGH) * before:
                break
    return best


def stretches(data: Data, lags: Lags) -> tuple[Array, Array]:
    """Return (stretch, time, channel) of the training data and their known inputs, evenly spaced, equally long.

    Stretches overlap by the values that begin a simulation. Pieces that are shorter than a stretch are left out.
    """
    length = lags.skipped + min(STEPS, max(len(values) for values in data.train) - lags.skipped)
    spans = [
        (piece, first)
        for piece, values in enumerate(data.train)
        for first in range(0, len(values) - length + 1, length - lags.skipped)
    ]
    spans = spans[:: -(-len(spans) // STRETCHES_MOST)]
    values = np.stack([data.train[piece][first : first + length] for piece, first in spans])
    known = np.stack([data.train_known[piece][first : first + length] for piece, first in spans])
    return values, known


def simulation(model: Model, weights: Array, used: Array, truth: Array, known: Array) -> Fit:
    """Return the error of simulations from the first values of each stretch, and its derivatives.

    Args:
        model: what is simulated.
        weights: (term, channel).
        used: (weight, 2), term and channel of each weight.
        truth: (stretch, time, channel), model units.
        known: (stretch, time, feature).
    """
    count, length, channels = truth.shape
    order, inputs = model.lags
    back = order * channels
    values = truth.copy()
    moves = np.zeros(
        (count, back, len(used))
    )  # derivatives of the values that are fed back, the oldest first
    error, gradient, normal = 0.0, np.zeros(len(used)), np.zeros((len(used), len(used)))
    slopes = [_derivative(model.products, weights, 1 + place) for place in range(back)]
    for now in range(model.lags.skipped, length):
        row = np.concatenate(
            [
                np.ones((count, 1)),
                values[:, now - order : now].reshape(count, -1),
                known[:, now + 1 - inputs : now + 1].reshape(count, -1),
            ],
            axis=1,
        )
        terms = row[:, model.products].prod(axis=2)
        after = terms @ weights
        slope = np.stack([row[:, rest].prod(axis=2) @ factors for rest, factors in slopes], axis=2)
        move = slope @ moves  # (stretch, channel, weight)
        move[:, used[:, 1], np.arange(len(used))] += terms[:, used[:, 0]]
        move[(after < model.low) | (after > model.high)] = 0.0
        values[:, now] = np.clip(after, model.low, model.high)
        left = truth[:, now] - values[:, now]
        flat = move.reshape(-1, len(used))
        error += float((left**2).sum())
        gradient += left.ravel() @ flat
        normal += flat.T @ flat
        moves = np.concatenate([moves[:, channels:], move], axis=1)
    return Fit(error, gradient, normal)


def _derivative(products: Array, weights: Array, place: int) -> tuple[Array, Array]:
    """Return the derivative of a polynomial by one value of its row: products of the rest, and their weights."""
    powers = (products == place).sum(axis=1)
    holds = powers > 0
    rest = products[holds].copy()
    rest[np.arange(len(rest)), (rest == place).argmax(axis=1)] = 0  # one factor becomes the constant 1
    return rest, powers[holds, None] * weights[holds]
