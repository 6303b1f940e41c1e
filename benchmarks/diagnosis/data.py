"""The kinds of data: one tone, two tones, Lorenz, and Mackey-Glass, which is not used for any threshold.

Every kind comes as a file of two series, so that a fault of the data cannot be read from the configuration.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from sweep.config.sections import ScoreConfig
from sweep.data.sources.lorenz import LORENZ_FLOW
from sweep.data.sources.mackey_glass import continue_history

SERIES = 2
MACKEY_GLASS_STEP, MACKEY_GLASS_GRID = 4, 0.1  # time units of a sample, and of the integration
LORENZ_STEP = 0.04

# (generator, the data set's own place in [0, 1), samples, sample from which the law changes, size of the
# change) -> (sample, channel)
Sample = Callable[[np.random.Generator, float, int, int, float], np.ndarray]


@dataclass(frozen=True)
class Kind:
    """A kind of data: its law, sizes, rollout, and the largest error of a healthy run."""

    name: str
    sample: Sample
    score: ScoreConfig
    budget: int  # sequence-steps of a run
    healthy: float  # largest rollout error of a good run; our choice from the search of backgrounds
    train: int = 3000  # samples of each series
    part: int = 1000  # samples of each series for validation, and as many for test
    steps_per_lyapunov_time: float | None = None
    kept_out: bool = False  # of every calibration


@dataclass(frozen=True)
class DataSpec:
    """The content of a data file, from which its name is computed."""

    kind: str
    seed: int
    train: int  # samples of each series
    gap: float = 0.0  # change of the law after the training part; 0.2 is a fifth faster, or its like
    leak: float = 0.0  # share of the validation part of the first series that the second one trains on
    gain: float = 1.0  # factor on standardised values, before the offset
    offset: float = 0.0


def tones(ratios: tuple[float, ...], amplitudes: tuple[float, ...]) -> Sample:
    """Return a law of sines: a period of 20 to 28 steps, the others at fixed ratios to it, random phases."""

    def sample(
        rng: np.random.Generator, own: float, length: int, changes_at: int, change: float
    ) -> np.ndarray:
        period = 20 + 8 * own
        phases = rng.uniform(0, 2 * np.pi, len(ratios))
        frequency = np.full(length, 2 * np.pi / period)
        frequency[changes_at:] *= 1 + change
        time = np.cumsum(frequency)
        parts = [a * np.sin(time / r + p) for r, a, p in zip(ratios, amplitudes, phases, strict=True)]
        return np.asarray(np.sum(parts, axis=0)[:, None])

    return sample


def lorenz(rng: np.random.Generator, own: float, length: int, changes_at: int, change: float) -> np.ndarray:
    """Return x, y, z at steps of 0.04, with rho = 28 (1 + change) from `changes_at` on."""
    begin = (rng.normal(size=3) + np.array([1.0, 1.0, 20.0])).tolist()
    first = LORENZ_FLOW.trajectory(tuple(begin), 500 + changes_at, LORENZ_STEP)
    x, y, z = first[-1].tolist()
    rest = LORENZ_FLOW.trajectory((x, y, z), length - changes_at + 1, LORENZ_STEP, rho=28.0 * (1 + change))
    return np.concatenate([first[500:], rest[1:]])


def mackey_glass(
    rng: np.random.Generator, own: float, length: int, changes_at: int, change: float
) -> np.ndarray:
    """Return the series at steps of 4 time units, with a delay of 17 (1 + change) from `changes_at` on."""
    per_sample = round(MACKEY_GLASS_STEP / MACKEY_GLASS_GRID)
    history = np.full(1000, rng.uniform(0.5, 1.2))
    law = (0.2, 0.1, 10.0)
    first = continue_history(history, (500 + changes_at) * per_sample, MACKEY_GLASS_GRID, 17.0, *law)
    count = (length - changes_at) * per_sample
    rest = continue_history(first, count, MACKEY_GLASS_GRID, 17.0 * (1 + change), *law)
    return np.concatenate([first[500 * per_sample :], rest])[::per_sample, None]


KINDS = {
    kind.name: kind
    for kind in (
        Kind("sine", tones((1.0,), (1.0,)), ScoreConfig(warmup=100, horizon=150, starts=12), 300_000, 0.06),
        Kind(
            "two_tones",
            tones((1.0, 0.4146), (1.0, 0.6)),
            ScoreConfig(warmup=100, horizon=150, starts=12),
            800_000,
            0.12,
        ),
        Kind(
            "lorenz",
            lorenz,
            ScoreConfig(warmup=100, horizon=80, starts=12),
            700_000,
            0.30,
            steps_per_lyapunov_time=1 / (0.9056 * LORENZ_STEP),
        ),
        Kind(
            "mackey_glass",
            mackey_glass,
            ScoreConfig(warmup=100, horizon=100, starts=12),
            800_000,
            0.30,
            steps_per_lyapunov_time=197 / MACKEY_GLASS_STEP,
            kept_out=True,
        ),
    )
}


def made(spec: DataSpec) -> np.ndarray:
    """Return the data, (series, sample, channel); a pure function of the spec."""
    kind = KINDS[spec.kind]
    length = spec.train + 2 * kind.part
    shift = round(spec.leak * kind.part)
    changes_at = spec.train if spec.gap else length + shift
    rng = np.random.default_rng([spec.seed, list(KINDS).index(spec.kind)])
    own = float(rng.uniform())
    series = []
    for _ in range(1 if shift else SERIES):
        series.append(kind.sample(rng, own, length + shift, min(changes_at, length + shift - 1), spec.gap))
    if shift:
        series = [series[0][:length], series[0][shift:]]
    values = np.stack(series)
    known = values[:, : spec.train].reshape(-1, values.shape[2])
    scaled = (values - known.mean(axis=0)) / known.std(axis=0)
    return np.asarray(scaled * spec.gain + spec.offset)


def written(spec: DataSpec, folder: Path) -> str:
    """Write the data if they are missing, and return the file's name, which only identifies them."""
    text = json.dumps(asdict(spec), sort_keys=True)
    name = f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.npy"
    if not (folder / name).exists():
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"{name}.part"
        with part.open("wb") as file:
            np.save(file, made(spec))
        part.replace(folder / name)
    return name


def shares(spec: DataSpec) -> tuple[float, float, float]:
    """Return `data.split` for the spec's file."""
    part = KINDS[spec.kind].part
    length = spec.train + 2 * part
    return spec.train / length, part / length, part / length
