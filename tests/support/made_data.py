"""Data and starts made by hand, for tests of baselines."""

import numpy as np

from sweep.data.scale import scales_of
from sweep.data.types import Data, Starts


class Affine:
    """A codec without transforms; `spread` by series, the last row for unseen ones."""

    lag = 0

    def __init__(self, spread=(1.0,)):
        self.spread = np.array(spread)

    def encode(self, values, series):
        return values / self.spread[series][:, None, None]

    def decode(self, forecast, past, series):
        with np.errstate(over="ignore", invalid="ignore"):
            return forecast * self.spread[series][:, None, None]

    def decode_one_step(self, forecast, past, truth, series):
        return self.decode(forecast, past, series)


class Centred(Affine):
    """A codec that subtracts a level."""

    def __init__(self, level):
        super().__init__()
        self.level = level

    def encode(self, values, series):
        return values - self.level

    def decode(self, forecast, past, series):
        return forecast + self.level


class Log(Affine):
    """A codec that takes logarithms."""

    def encode(self, values, series):
        return np.log(values)

    def decode(self, forecast, past, series):
        with np.errstate(over="ignore", invalid="ignore"):
            return np.exp(forecast)


def starts_of(values, warmup, mean, series=-1, position=0):
    """Return Starts from (start, warmup + horizon, channel)."""
    truth = values[:, warmup:]
    count, _, channels = truth.shape
    means = np.broadcast_to(mean, (count, channels)).astype(float)
    std = np.ones_like(means)
    scales = scales_of(values[:, :warmup], truth, means, std, np.arange(count))
    return Starts(
        past=values[:, :warmup],
        truth=truth,
        mean=means,
        std=std,
        scale=scales.scale,
        scale_from=scales.source,
        exact=scales.exact,
        series=np.full(count, series),
        owner=np.arange(count),
        position=np.full(count, position),
        known=np.zeros((count, values.shape[1], 0)),
        n_eff=count,
    )


def data_of(train, validation, test, warmup, period=None, codec=None, targets=None):
    """Return Data from training series (time, channel) and tasks (start, warmup + horizon, channel)."""
    channels = train[0].shape[1]
    codec = codec or Affine()
    mean = np.concatenate(train).mean(axis=0)
    return Data(
        name="made",
        channels=tuple("abc"[:channels]),
        targets=tuple(range(channels)) if targets is None else targets,
        train=tuple(
            codec.encode(values[None], np.array([i % len(codec.spread)]))[0] for i, values in enumerate(train)
        ),
        train_raw=tuple(train),
        train_series=tuple(range(len(train))),
        train_known=tuple(np.zeros((len(values), 0)) for values in train),
        validation=starts_of(validation, warmup, mean),
        test=starts_of(test, warmup, mean),
        codec=codec,
        period=period,
        lyapunov_time=None,
        fingerprint="",
    )


def sine_data(omega=0.05, warmup=1000, horizon=1000, series=12, count=8):
    """Return unit sines with random phases: the default source, smaller."""
    rng = np.random.default_rng(0)

    def waves(number, steps):
        return np.sin(omega * np.arange(steps) + rng.uniform(0, 2 * np.pi, (number, 1)))[..., None]

    train = list(waves(series, 1000))
    tasks = [waves(count, warmup + horizon) for _ in range(2)]
    return data_of(train, *tasks, warmup, period=2 * np.pi / omega)


def tiny(past, horizon=3, period=None, train=None):
    values = np.array([*past, *[0.0] * horizon])[None, :, None]
    train = np.arange(8.0)[:, None] if train is None else np.array(train, dtype=float)[:, None]
    return data_of([train], values, values, len(past), period)
