"""The Mackey-Glass equation, a delay differential equation, integrated by the method of steps."""

import math

import numpy as np

from sweep.data.recording import Need, Recording, Series
from sweep.data.sources.source import Options, SourceSpec, observed, require_not_negative, require_positive
from sweep.data.types import Array

STEPS_PER_UNIT = 10  # Runge-Kutta steps per time unit; our choice
TRANSIENT = 2000  # time units that are discarded, about 10 Lyapunov times
# Time units at the parameters below: an exponent of 0.0051, base e. NeuroBench, Yik et al. (2025), parameters
# of the Mackey-Glass task; our integrator gives 0.0051 +- 0.0003. Another published value is 0.0056.
LYAPUNOV_TIME = 197.0
PUBLISHED = {"tau": 17.0, "beta": 0.2, "gamma": 0.1, "n": 10.0}


def continue_history(
    history: Array, steps: int, h: float, tau: float, beta: float, gamma: float, n: float
) -> Array:
    """Return the next `steps` values of x' = beta x(t - tau) / (1 + x(t - tau)^n) - gamma x, (steps,).

    The steps are classical Runge-Kutta steps of size h. For one delay ahead x(t - tau) is known, so the equation is
    linear in the unknown part, x' = g(t) - gamma x, and a stretch of Runge-Kutta steps is one linear recurrence.
    Delayed values between grid points are interpolated by the cubic through the four nearest points.

    Args:
        history: (k,) values h apart that end now and span at least tau + 2 h.
        steps: number of values to add.
        h: step size.
        tau: delay, at least 4 h.
        beta: strength of the delayed feedback.
        gamma: rate of decay.
        n: exponent of the feedback.

    Raises:
        ValueError: the history is too short, or the delay is below 4 h.

    Source: Mackey and Glass (1977), Science 197, 287, equation 4b.
    """
    from scipy.signal import lfilter  # here, because the import takes a second in every process

    back = math.floor(tau / h)
    if back < 4:
        raise ValueError(f"tau must be at least 4 h, got tau = {tau}, h = {h}")
    if len(history) < back + 3:
        raise ValueError(f"history must hold at least {back + 3} values, got {len(history)}")
    stretch = back - 2  # so that the interpolation uses known values only
    decay, *weights = (_runge_kutta(x, *g, gamma=gamma, h=h) for x, *g in np.eye(4).tolist())
    stages = np.array([0.0, 0.5, 1.0])  # beginning, middle and end of a step
    x = np.concatenate([history, np.empty(steps)])
    now = len(history) - 1
    while now < len(x) - 1:
        count = min(stretch, len(x) - 1 - now)
        delayed = _cubic(x, now + np.arange(count)[:, None] + stages - tau / h)
        feedback = beta * delayed / (1.0 + delayed**n)
        drive = feedback @ np.array(weights)
        x[now + 1 : now + 1 + count] = lfilter([1.0], [1.0, -decay], drive, zi=[decay * x[now]])[0]
        now += count
    return x[len(history) :]


def _runge_kutta(x: float, start: float, middle: float, end: float, *, gamma: float, h: float) -> float:
    """Return one classical Runge-Kutta step of x' = g(t) - gamma x, linear in all of x and g."""
    k1 = start - gamma * x
    k2 = middle - gamma * (x + h / 2 * k1)
    k3 = middle - gamma * (x + h / 2 * k2)
    k4 = end - gamma * (x + h * k3)
    return x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def _cubic(x: Array, at: Array) -> Array:
    """Return the cubic through the four grid values around each real-valued index."""
    left = np.floor(at + 1e-9).astype(np.int64)
    s = at - left
    a, b, c, d = x[left - 1], x[left], x[left + 1], x[left + 2]
    return np.asarray(
        -s * (s - 1) * (s - 2) / 6 * a
        + (s + 1) * (s - 1) * (s - 2) / 2 * b
        - (s + 1) * s * (s - 2) / 2 * c
        + (s + 1) * s * (s - 1) / 6 * d
    )


def _generate(options: Options, need: Need) -> Recording:
    h = 1.0 / STEPS_PER_UNIT
    span = math.floor(options["tau"] / h) + 3
    level = np.random.default_rng([options["seed"], 0]).uniform(0.5, 1.2)  # a constant history
    samples = options["train"] + options["validation"] + options["test"]
    fine = continue_history(
        np.full(span, level),
        (TRANSIENT + samples) * STEPS_PER_UNIT,
        h,
        *(options[name] for name in ("tau", "beta", "gamma", "n")),
    )
    values = fine[TRANSIENT * STEPS_PER_UNIT :: STEPS_PER_UNIT, None]
    values = observed(values, options["noise"], [options["seed"], 1])
    ends = (options["train"], options["train"] + options["validation"])
    return Recording("mackey_glass", ("y",), (Series("source 'mackey_glass'", values, ends),))


def _check(options: Options) -> None:
    require_positive(options, "tau", "beta", "gamma", "n", "train", "validation", "test")
    require_not_negative(options, "noise", "seed")
    if options["tau"] < 1:
        raise ValueError(f"tau must be at least 1, got {options['tau']}")


def _lyapunov_time(options: Options) -> float | None:
    known = all(math.isclose(options[name], value) for name, value in PUBLISHED.items())
    return LYAPUNOV_TIME if known else None


MACKEY_GLASS = SourceSpec(
    name="mackey_glass",
    defaults={**PUBLISHED, "train": 10_000, "validation": 20_000, "test": 20_000, "noise": 0.0, "seed": 0},
    generate=_generate,
    check=_check,
    source="Mackey and Glass (1977), Science 197, 287; Lyapunov time 197: NeuroBench, Yik et al. (2025)",
    lyapunov_time=_lyapunov_time,
)
