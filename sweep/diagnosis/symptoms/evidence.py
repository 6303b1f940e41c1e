"""The evidence for a symptom: a rollout, its truth, and facts about the data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from sweep.config.records import PREFIXES
from sweep.data.types import Array
from sweep.score.metrics import block_length
from sweep.score.trivial import TrivialForecast

Baselines = Mapping[str, tuple[float, ...]]  # rollout errors over PREFIXES by name


@dataclass(frozen=True)
class RolloutEvidence:
    """A trial's rollout over its target channels. Arrays are in data units and, except the forecast, finite.

    Raises:
        ValueError: shapes do not fit, the truth is not finite, or a scale is not positive.
    """

    forecast: Array  # (start, step, channel); inf and NaN allowed
    truth: Array  # (start, step, channel)
    past: Array  # (start, past step, channel): the tail of the warm-up, ending just before the first step
    std: Array  # (start, channel): standard deviation of the training data
    scale: Array  # (start, channel): RMS error of the best trivial forecast, > 0
    block: int  # steps of a block, from `block_length`
    period: float | None = None  # dominant period of the training data in steps
    lyapunov_time: float | None = None  # steps, where known
    noise: float | None = None  # standard deviation of observation noise, in scales, where known
    baselines: Baselines = field(default_factory=dict)
    objective: str = "rollout_error"  # the study's: that of the baselines' errors
    series: Array | None = None  # (start,): index of the start's series; -1: a series that training never saw
    position: Array | None = None  # (start,): index of the first forecast step in that series
    exact: Array | None = (
        None  # (start, channel): whether a trivial forecast is right to rounding; None: nowhere
    )
    trivial: TrivialForecast | None = None  # the best trivial forecast of these starts; None: unknown
    driven: bool = False  # whether inputs from outside that change drive the data; not all baselines see them

    def __post_init__(self) -> None:
        shape = self.truth.shape
        if len(shape) != 3 or 0 in shape or self.forecast.shape != shape:
            raise ValueError(
                f"forecast and truth are (start, step, channel), got {self.forecast.shape}, {shape}"
            )
        if self.past.ndim != 3 or (self.past.shape[0], self.past.shape[2]) != (shape[0], shape[2]):
            raise ValueError(
                f"past is (start, past step, channel) as the truth {shape}, got {self.past.shape}"
            )
        pairs = (shape[0], shape[2])
        if self.std.shape != pairs or self.scale.shape != pairs:
            raise ValueError(f"std and scale are {pairs}, got {self.std.shape} and {self.scale.shape}")
        if not (np.isfinite(self.truth).all() and np.isfinite(self.past).all()):
            raise ValueError("the truth and the past must be finite")
        if not (np.isfinite(self.scale) & (self.scale > 0)).all():
            raise ValueError(f"a scale is positive and finite, got {self.scale.min()}..{self.scale.max()}")
        if not 1 <= self.block <= shape[1]:
            raise ValueError(f"a block has 1..{shape[1]} steps, got {self.block}")
        for name, errors in self.baselines.items():
            if len(errors) != len(PREFIXES):
                raise ValueError(f"baseline {name!r} needs one error per prefix {PREFIXES}, got {errors}")

    def scaled(self, values: Array) -> Array:
        """Return (values - level) / unit in float64, for (start, any step, channel).

        The level is the mean truth of all starts of the same series, since the training mean may be far from it. The
        unit is the scale; where the data are exact, so that the scale is rounding, the training standard deviation.
        """
        distance = values.astype(np.float64) - self._level[:, None]
        scaled: Array = distance / self.unit[:, None]
        return scaled

    @cached_property
    def _level(self) -> Array:
        """Return (start, channel), the mean truth of the starts of the same series."""
        owner = np.zeros(len(self.truth), dtype=int) if self.series is None else self.series
        level = np.empty_like(self.scale)
        for index in np.unique(owner):
            level[owner == index] = self.truth[owner == index].mean(axis=(0, 1))
        return level

    @property
    def unit(self) -> Array:
        """Return (start, channel), the unit in which distances are measured."""
        larger: Array = np.maximum(self.scale, self.std)
        return self.scale if self.exact is None else np.where(self.exact, larger, self.scale)


def stored_evidence(
    arrays: Mapping[str, Array],
    period: float | None = None,
    lyapunov_time: float | None = None,
    noise: float | None = None,
    baselines: Baselines | None = None,
    objective: str = "rollout_error",
) -> RolloutEvidence:
    """Return the evidence of a trial's rollout.npz, over its target channels.

    Args:
        arrays: by name, as `sweep.trial` stores them: forecast, truth, past, std, scale, and optionally targets,
            block, series, position, exact, inputs, and the best trivial forecast.
        period: dominant period of the training data in steps, None if there is none.
        lyapunov_time: in steps, where known.
        noise: standard deviation of the observation noise in scales, where known.
        baselines: of the study, from `baseline_errors`.
        objective: name of the study's objective.

    Raises:
        ValueError: as `RolloutEvidence`.
    """
    truth = np.asarray(arrays["truth"], dtype=np.float64)
    targets = [int(i) for i in arrays["targets"]] if "targets" in arrays else list(range(truth.shape[2]))
    block = int(arrays["block"]) if "block" in arrays else block_length(period, truth.shape[1])

    def chosen(name: str) -> Array:
        return np.asarray(arrays[name], dtype=np.float64)[..., targets]

    trivial = None
    if "trivial" in arrays:
        trivial = TrivialForecast(
            str(arrays["trivial"]),
            float(arrays["trivial_error"]),
            bool(arrays["trivial_exact"]),
            float(arrays["trivial_noise"]),
            arrays["trivial_valid_steps"],
        )
    return RolloutEvidence(
        forecast=chosen("forecast"),
        truth=truth[..., targets],
        past=chosen("past"),
        std=chosen("std"),
        scale=chosen("scale"),
        block=block,
        period=period,
        lyapunov_time=lyapunov_time,
        noise=noise,
        baselines=baselines or {},
        objective=objective,
        series=arrays.get("series"),
        position=arrays.get("position"),
        exact=arrays["exact"][..., targets] if "exact" in arrays else None,
        trivial=trivial,
        driven="inputs" in arrays and bool(np.ptp(arrays["inputs"], axis=1).any()),
    )


def baseline_errors(entries: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[float, ...]]:
    """Return the baselines' rollout errors over PREFIXES by name; baselines that do not apply are left out.

    Args:
        entries: the `baselines` of baselines.json.
    """
    return {
        name: tuple(1.0 if error is None else float(error) for error in entry["prefix_errors"])
        for name, entry in entries.items()
        if "prefix_errors" in entry
    }
