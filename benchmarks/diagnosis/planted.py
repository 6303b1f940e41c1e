"""Rollouts with a known symptom, computed from a formula: tests and benchmarks of the symptom level use them."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from sweep.data.sources.lorenz import LORENZ_FLOW
from sweep.data.types import Array
from sweep.diagnosis.symptoms.evidence import RolloutEvidence
from sweep.score.metrics import block_length
from sweep.score.trivial import TrivialForecast

HORIZON, STARTS, PAST = 1000, 12, 250
DT = 0.02  # of Lorenz, as the source's default


@dataclass(frozen=True)
class Planted:
    """A rollout with the symptoms that count as right, and the exact numbers that were put in."""

    name: str
    evidence: RolloutEvidence
    accepted: tuple[str, ...]  # codes; several if the definitions allow each of them
    numbers: dict[str, float]


@dataclass(frozen=True)
class Wave:
    """A sum of tones, the first perhaps modulated: truths and faulty forecasts from the same formula."""

    omega: Array  # (tone,), rad per step
    amplitude: Array  # (tone,)
    depth: float  # of the first tone's modulation, 0 for none
    slow: float  # rad per step of the modulation
    phase: Array  # (start, tone)
    slow_phase: Array  # (start,)

    def values(
        self,
        step: Array,
        factor: Array | float = 1.0,
        lead: Array | float = 0.0,
        speed: float = 1.0,
    ) -> Array:
        """Return (start, step): each tone times its factor, its phase run at `speed` and ahead by `lead` rad.

        Args:
            step: (step,), 0 is the last step of the past.
            factor: broadcast against (step, tone).
            lead: broadcast against (step, tone).
            speed: 1.01 is a frequency 1 % too high.
        """
        angle = step[:, None] * self.omega * speed + lead + self.phase[:, None]
        waves = self.amplitude * factor * np.sin(angle)
        waves[..., 0] *= 1 + self.depth * np.sin(self.slow * speed * step + self.slow_phase[:, None])
        total: Array = waves.sum(axis=2)
        return total


KINDS = ("one tone", "several tones", "modulated")


def wave(kind: str, rng: np.random.Generator) -> Wave:
    """Return a random wave of a kind in KINDS: 6 to 25 cycles in the horizon, tones well apart."""
    cycles = [rng.uniform(6, 25)]
    if kind == "several tones":
        cycles += [cycles[0] * rng.uniform(1.6, 2.4), cycles[0] * rng.uniform(3.1, 3.9)][: rng.integers(1, 3)]
    count = len(cycles)
    amplitude = np.array([1.0, *rng.uniform(0.75, 1.0, count - 1)])
    modulated = kind == "modulated"
    return Wave(
        omega=2 * np.pi * np.array(cycles) / HORIZON,
        amplitude=amplitude,
        depth=rng.uniform(0.2, 0.6) if modulated else 0.0,
        slow=2 * np.pi * rng.uniform(2.0, 3.5) / HORIZON,
        phase=rng.uniform(0, 2 * np.pi, (STARTS, count)),
        slow_phase=rng.uniform(0, 2 * np.pi, STARTS),
    )


def evidence_of(
    forecast: Array,
    truth: Array,
    past: Array,
    period: float | None,
    lyapunov_time: float | None = None,
) -> RolloutEvidence:
    """Return the evidence of arrays (start, step) or (start, step, channel), scaled by the truth itself."""
    if truth.ndim == 2:
        forecast, truth, past = (values[..., None] for values in (forecast, truth, past))
    std = np.broadcast_to(truth.std(axis=(0, 1)), (len(truth), truth.shape[2]))
    block = block_length(period, truth.shape[1])
    return RolloutEvidence(forecast, truth, past, std, std, block, period, lyapunov_time)


Fault = Callable[[Wave, Array, np.random.Generator], tuple[Array, dict[str, float]]]


def tonal_faults() -> dict[str, tuple[tuple[str, ...], Fault]]:
    """Return by name the accepted codes and the function of the forecast. Severities begin 15 % beyond definitions."""

    def sign(rng: np.random.Generator) -> float:
        return float(rng.choice([-1.0, 1.0]))

    def fine(w: Wave, t: Array, rng: np.random.Generator) -> tuple[Array, dict[str, float]]:
        small = rng.uniform(0, 0.2)
        speed = 1 + sign(rng) * rng.uniform(0, 0.25) / (w.omega.max() * HORIZON)
        factor = np.exp(-rng.uniform(0, 0.25) * t / HORIZON)[:, None]
        noise = small * rng.standard_normal((STARTS, len(t))) * w.values(t).std()
        return w.values(t, factor, speed=speed) + noise, {}

    def constant(w: Wave, t: Array, rng: np.random.Generator) -> tuple[Array, dict[str, float]]:
        level = rng.uniform(-0.6, 0.6, (STARTS, 1)) * w.values(t).std()
        rate = rng.uniform(80, 300) / HORIZON
        return level + (w.values(t) - level) * np.exp(-rate * t), {}

    def damped(w: Wave, t: Array, rng: np.random.Generator) -> tuple[Array, dict[str, float]]:
        # half of the amplitude is gone by 30 to 80 % of the horizon, so that validity ends in time
        gamma = np.log(2) / (rng.uniform(0.3, 0.75) * HORIZON)
        return w.values(t, np.exp(-gamma * t)[:, None]), {"decay_per_step": gamma}

    def growing(w: Wave, t: Array, rng: np.random.Generator) -> tuple[Array, dict[str, float]]:
        gamma = -np.log(rng.uniform(2.3, 3.5)) / HORIZON
        return w.values(t, np.exp(-gamma * t)[:, None]), {"decay_per_step": gamma}

    def saturated(w: Wave, t: Array, rng: np.random.Generator) -> tuple[Array, dict[str, float]]:
        top = rng.uniform(2.2, 4.0) * w.amplitude.sum()
        return top * np.tanh(w.values(t, speed=1.0) * np.exp(rng.uniform(4, 8) * t / HORIZON) / top), {}

    def drift(w: Wave, t: Array, rng: np.random.Generator) -> tuple[Array, dict[str, float]]:
        most = 0.12  # relative; beyond, several tones get mixed up with each other
        error = float(np.exp(rng.uniform(np.log(0.8 / (w.omega.min() * HORIZON)), np.log(most))))
        signed = sign(rng) * error
        return w.values(t, speed=1 + signed), {"frequency_error": signed}

    def cycle(w: Wave, t: Array, rng: np.random.Generator) -> tuple[Array, dict[str, float]]:
        other = w.omega[0] * rng.choice([rng.uniform(0.35, 0.7), rng.uniform(1.4, 2.6)])
        angle = other * t + w.phase[:, :1]
        shape = rng.choice([0.0, 0.3])
        return np.sqrt(2) * rng.uniform(0.6, 1.2) * w.values(t).std() * (
            np.sin(angle) + shape * np.sin(3 * angle)
        ), {}

    def irregular(w: Wave, t: Array, rng: np.random.Generator) -> tuple[Array, dict[str, float]]:
        length = rng.uniform(0.15, 0.5) * 2 * np.pi / w.omega.max()
        noise = rng.standard_normal((STARTS, len(t) + 400))
        kernel = np.exp(-np.arange(200) / max(length, 1.0))
        rough = np.stack([np.convolve(row, kernel, mode="same")[200 : 200 + len(t)] for row in noise])
        rough *= rng.uniform(0.6, 1.1) * w.values(t).std() / rough.std()
        fade = np.exp(-t / rng.uniform(10, 150))
        return fade * w.values(t) + (1 - fade) * rough, {}

    def level(w: Wave, t: Array, rng: np.random.Generator) -> tuple[Array, dict[str, float]]:
        size = sign(rng) * rng.uniform(0.75, 2.0) * w.values(t).std()
        ramp = np.ones(len(t)) if rng.random() < 0.5 else np.minimum(1, t / (HORIZON * rng.uniform(0.3, 0.7)))
        return w.values(t) + size * ramp, {"level": size / w.values(t).std()}

    def lost(w: Wave, t: Array, rng: np.random.Generator) -> tuple[Array, dict[str, float]]:
        which = int(rng.integers(len(w.omega)))
        factor = np.ones((len(t), len(w.omega)))
        factor[:, which] = np.exp(-t / rng.uniform(20, 300))
        return w.values(t, factor), {"lost_period": float(2 * np.pi / w.omega[which])}

    def first(w: Wave, t: Array, rng: np.random.Generator) -> tuple[Array, dict[str, float]]:
        phase = sign(rng) * rng.uniform(0.7, 2.4)
        return w.values(t, lead=phase), {"phase_first": phase}

    def wandering(w: Wave, t: Array, rng: np.random.Generator) -> tuple[Array, dict[str, float]]:
        most = 0.15 * w.omega.min() * HORIZON / np.pi  # or it is another frequency for a while
        bend = rng.uniform(1.6, max(1.6, min(2.6, most))) * np.sin(np.pi * t / HORIZON)
        return w.values(t, lead=sign(rng) * bend[:, None]), {}

    def blown(w: Wave, t: Array, rng: np.random.Generator) -> tuple[Array, dict[str, float]]:
        values = w.values(t)
        with np.errstate(over="ignore"):
            values *= np.exp(np.minimum(rng.uniform(5, 900) * t / HORIZON, 709.0))
        return values, {}

    return {
        "fine": (("S01",), fine),
        "constant": (("S02",), constant),
        "damped": (("S03",), damped),
        "growing": (("S04",), growing),
        "saturated": (("S04",), saturated),
        "frequency drift": (("S05",), drift),
        "wrong cycle": (("S06",), cycle),
        "irregular": (("S07",), irregular),
        "level": (("S08",), level),
        "lost tone": (("S09",), lost),
        "wandering phase": (("S10",), wandering),
        "phase at the first step": (("S11",), first),
        "blown up": (("S13",), blown),
    }


def planted_tonal(kind: str, fault: str, rng: np.random.Generator) -> Planted:
    """Return a rollout of a wave with one fault of `tonal_faults`."""
    accepted, make = tonal_faults()[fault]
    w = wave(kind, rng)
    step = np.arange(1 - PAST, HORIZON + 1, dtype=float)
    whole = w.values(step)
    forecast, numbers = make(w, step[PAST:], rng)
    period = float(2 * np.pi / w.omega[0])
    evidence = evidence_of(forecast, whole[:, PAST:], whole[:, :PAST], period)
    return Planted(f"{kind}: {fault}", evidence, accepted, numbers)


LORENZ_FAULTS: dict[str, tuple[str, ...]] = {
    "fine": ("S01",),
    "slightly perturbed": ("S12", "S01"),
    "strongly perturbed": ("S10", "S12"),
    "unrelated": ("S11",),
    "other parameters": ("S07",),
    "fixed point": ("S02", "S03"),
    "limit cycle": ("S06",),
    "constant": ("S02",),
    "offset": ("S08",),
    "too large": ("S04", "S13"),
}
LORENZ_HORIZON = 500


def planted_lorenz(fault: str, rng: np.random.Generator, exponent_known: bool = True) -> Planted:
    """Return a rollout of the Lorenz system with one fault of LORENZ_FAULTS, all three coordinates."""
    horizon, before = LORENZ_HORIZON, 125

    def run(state: Array, samples: int, **other: float) -> Array:
        x, y, z = (float(value) for value in state)
        return LORENZ_FLOW.trajectory((x, y, z), samples, DT, **other)

    begins = [run(np.array([1.0, 1.0, 20.0]) + rng.normal(size=3), 1500)[-1] for _ in range(STARTS)]
    whole = np.stack([run(state, before + horizon) for state in begins])
    past, truth = whole[:, :before], whole[:, before:]
    last = past[:, -1]
    spread = truth.std(axis=(0, 1))
    direction = rng.standard_normal((STARTS, 3)) * spread / np.sqrt(3)
    forecast = truth.copy()
    if fault == "fine":
        forecast += rng.uniform(0, 0.2) * spread * rng.standard_normal(truth.shape)
    elif fault in ("slightly perturbed", "strongly perturbed"):
        size = 10 ** (rng.uniform(-3.4, -2.1) if fault.startswith("slightly") else rng.uniform(-1.15, -0.85))
        forecast = np.stack(
            [run(s + size * d, horizon + 1)[1:] for s, d in zip(last, direction, strict=True)]
        )
    elif fault == "unrelated":
        forecast = np.stack([run(run(s, 700 + 90 * k)[-1], horizon) for k, s in enumerate(last)])
    elif fault == "other parameters":
        rho = rng.uniform(60, 90)
        forecast = np.stack([run(s, horizon + 1, rho=rho)[1:] for s in last])
        forecast = _rescaled(forecast, spread, truth)
    elif fault == "fixed point":
        rho = rng.uniform(12, 18)
        forecast = np.stack([run(s, horizon + 1, rho=rho)[1:] for s in last])
    elif fault == "limit cycle":
        rho = rng.uniform(150, 160)  # a periodic window; 145 to 166, Sparrow (1982)
        forecast = np.stack([run(run(s, 1000, rho=rho)[-1], horizon, rho=rho) for s in last])
        forecast = _rescaled(forecast, spread, truth)
    elif fault == "constant":
        forecast = np.broadcast_to(truth.mean(axis=(0, 1)), truth.shape).copy()
    elif fault == "offset":
        forecast = truth + rng.choice([-1, 1]) * rng.uniform(1.6, 3.0) * spread
    elif fault == "too large":
        forecast = truth.mean(axis=(0, 1)) + rng.uniform(2.0, 4.0) * (truth - truth.mean(axis=(0, 1)))
    else:
        raise ValueError(f"no such fault of Lorenz: {fault!r}")
    evidence = evidence_of(
        forecast, truth, past, None, 1 / (LORENZ_FLOW.exponent * DT) if exponent_known else None
    )
    return Planted(f"lorenz: {fault}", evidence, LORENZ_FAULTS[fault], {})


NOISY_FAULTS: dict[str, tuple[str, ...]] = {
    "optimal": ("S12",),
    "constant from the start": ("S02",),
    "growing": ("S04", "S13"),
    "periodic": ("S06",),
    "white": ("S07",),
    "unrelated": ("S11", "S10"),
    "beside a better trivial one": ("S14",),
}


def _rescaled(values: Array, spread: Array, truth: Array) -> Array:
    """Return values with the truth's mean and a given spread, by channel."""
    standardised = (values - values.mean(axis=(0, 1))) / values.std(axis=(0, 1))
    rescaled: Array = standardised * spread + truth.mean(axis=(0, 1))
    return rescaled


def planted_noisy(fault: str, rng: np.random.Generator) -> Planted:
    """Return a rollout of a second-order autoregression driven by noise, with one fault of NOISY_FAULTS."""
    radius, period, horizon = rng.uniform(0.97, 0.99), rng.uniform(25, 60), 500
    a, b = 2 * radius * np.cos(2 * np.pi / period), -(radius**2)

    def series(count: int) -> Array:
        shocks = rng.standard_normal((STARTS, count + 1000))
        values = np.zeros_like(shocks)
        for t in range(2, count + 1000):
            values[:, t] = a * values[:, t - 1] + b * values[:, t - 2] + shocks[:, t]
        return values[:, 1000:]

    whole = series(125 + horizon)
    past, truth = whole[:, :125], whole[:, 125:]
    spread, t = truth.std(), np.arange(1, horizon + 1)
    if fault == "optimal":
        values = np.zeros((STARTS, horizon + 2))
        values[:, :2] = past[:, -2:]
        for k in range(2, horizon + 2):
            values[:, k] = a * values[:, k - 1] + b * values[:, k - 2]
        forecast = values[:, 2:]
    elif fault == "constant from the start":
        forecast = np.full(truth.shape, rng.uniform(-0.3, 0.3) * spread)
    elif fault == "growing":
        forecast = truth * np.exp(t * rng.uniform(1.2, 1.6) / horizon)
    elif fault == "periodic":
        forecast = np.sqrt(2) * spread * np.sin(2 * np.pi * t / period + rng.uniform(0, 6, (STARTS, 1)))
    elif fault == "white":
        forecast = spread * rng.standard_normal(truth.shape)
    elif fault == "unrelated":
        forecast = series(horizon)
    elif fault == "beside a better trivial one":
        forecast = truth + rng.uniform(0.1, 0.2) * spread * rng.standard_normal(truth.shape)
    else:
        raise ValueError(f"no such fault of a noisy series: {fault!r}")
    evidence = evidence_of(forecast, truth, past, period)
    if fault == "beside a better trivial one":  # as if the last value were right to 5 % of a scale
        trivial = TrivialForecast("persistence", 0.05, False, 0.0, np.full(STARTS, horizon))
        evidence = replace(evidence, trivial=trivial)
    return Planted(f"noisy: {fault}", evidence, NOISY_FAULTS[fault], {})
