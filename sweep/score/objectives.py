"""The table of objectives: what ranks trials, checkpoints, ridges and baselines."""

import functools
from dataclasses import dataclass

from sweep.config.plugins import PluginError, PluginOrigin
from sweep.config.registry import Registry
from sweep.data.types import Array
from sweep.score.metrics import Objective, rollout_error


@dataclass(frozen=True)
class ObjectiveSpec:
    """An objective: a pure function of forecast, truth, scale and block that returns a number in [0, 1].

    Smaller is better: 0 is exact, 1 is as bad as it gets. `function` takes the target channels of all starts:
    forecast (start, step, channel) in data units, which may hold inf and NaN; truth of the same shape, finite; scale
    (start, channel), the RMS error of the best trivial forecast, > 0; and block, the steps of one period or
    less (`sweep.score.metrics.block_length`). It is called for whole rollouts and for their first steps.
    """

    name: str
    title: str  # what it measures, in a few words
    function: Objective
    source: str


OBJECTIVES: Registry[ObjectiveSpec] = Registry(
    "objective",
    [
        ObjectiveSpec(
            "rollout_error",
            "mean over starts, channels and blocks of min(1, block RMS of error/scale)",
            rollout_error,
            "our choice; see docs/metrics.md",
        ),
    ],
    spec=ObjectiveSpec,
)


def objective_of(name: str) -> Objective:
    """Return the function of an objective; that of a plug-in with a check of what it returns.

    The check raises `PluginError` where a plug-in's function raises an error, or returns anything but a finite number
    in [0, 1].

    Raises:
        UnknownName: no objective has that name.
        PluginError: the plug-in of that name cannot be used.
    """
    function, origin = OBJECTIVES[name].function, OBJECTIVES.origin(name)
    return function if origin is None else _checked(name, function, origin)


@functools.lru_cache(maxsize=8)
def _checked(name: str, function: Objective, origin: PluginOrigin) -> Objective:
    """Return a plug-in's function with a check of what it returns, one for each, so that results can be kept by it."""

    def checked(forecast: Array, truth: Array, scale: Array, block: int) -> float:
        with OBJECTIVES.running(name):
            error = function(forecast, truth, scale, block)
            value = float(error)
        if not 0 <= value <= 1:  # false for NaN, too
            raise PluginError(
                f"plug-in objective {name!r} of {origin}: wanted a number in [0, 1], got {error!r}"
            )
        return value

    return checked
