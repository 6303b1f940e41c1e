"""The table of probes: what each measures, and whether it is cheap."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sweep.config.errors import SweepError
from sweep.config.records import to_json
from sweep.config.registry import Registry
from sweep.diagnosis.probes.closed_form_readout import readout_refit
from sweep.diagnosis.probes.closed_loop import CannotMeasure
from sweep.diagnosis.probes.cycle import cycle
from sweep.diagnosis.probes.dead_units import units
from sweep.diagnosis.probes.driven import driven
from sweep.diagnosis.probes.fixed_points import fixed_points
from sweep.diagnosis.probes.lyapunov import lyapunov
from sweep.diagnosis.probes.noise_gain import noise_gain
from sweep.diagnosis.probes.precision import precision
from sweep.diagnosis.probes.subject import Subject
from sweep.diagnosis.probes.swap import swap_test
from sweep.diagnosis.probes.training_fit import training_fit
from sweep.diagnosis.probes.warmup import warmup_sweep
from sweep.score.baselines.simple import CannotServe


@dataclass(frozen=True)
class ProbeSpec:
    """A measurement of a trained network on a task, by name.

    `measure` returns a frozen dataclass of numbers, equal for equal subjects. The cheap probes are taken at the end of
    every trial: together they take at most 5 % of a trial of the default study (benchmarks/probes.py).
    """

    name: str
    title: str
    cost: Literal["cheap", "costly"]
    measure: Callable[[Subject], Any]


PROBES: Registry[ProbeSpec] = Registry(
    "probe",
    [
        ProbeSpec("noise_gain", "what an input error becomes 1, 10, 100 steps later", "cheap", noise_gain),
        ProbeSpec("driven", "how fast the network forgets its state on true inputs", "cheap", driven),
        ProbeSpec(
            "swap_test",
            "whether the fed-back inputs or the drifted state cause the rollout's error",
            "cheap",
            swap_test,
        ),
        ProbeSpec("training_fit", "errors on training and on validation starts", "cheap", training_fit),
        ProbeSpec("units", "dead units, gates and sizes of weights", "cheap", units),
        ProbeSpec("lyapunov", "the largest Lyapunov exponents of the closed loop", "costly", lyapunov),
        ProbeSpec("warmup_sweep", "the rollout error by the length of the warm-up", "costly", warmup_sweep),
        ProbeSpec("readout_refit", "the rollout with a readout in closed form", "costly", readout_refit),
        ProbeSpec("fixed_points", "where the closed loop can come to rest", "costly", fixed_points),
        ProbeSpec("cycle", "how a long rollout ends, and its period", "costly", cycle),
        ProbeSpec("precision", "whether the rollout differs in float64", "costly", precision),
    ],
    spec=ProbeSpec,
)


def always_on(extra: Sequence[str] = ()) -> tuple[ProbeSpec, ...]:
    """Return the probes that are taken at the end of every trial: the cheap ones, and those of plug-ins by name.

    Raises:
        UnknownName: no probe has a name of `extra`.
        PluginError: a plug-in of `extra` cannot be used.
    """
    return (
        *(probe for probe in PROBES.values() if probe.cost == "cheap"),
        *(PROBES[name] for name in extra),
    )


def measured(probe: ProbeSpec, subject: Subject) -> dict[str, Any]:
    """Return a probe's numbers by name, or only `reason` where it does not apply: tuples, numbers, None.

    A plug-in's probe that raises an error, or returns anything but a dataclass of plain values, gets a `reason` that
    names it.
    """
    try:
        with PROBES.running(probe.name):
            numbers = asdict(probe.measure(subject))
            if probe.name not in tuple(PROBES):
                json.dumps(to_json(numbers))
            return numbers
    except SweepError as error:
        if probe.name in tuple(PROBES) and not isinstance(error, CannotMeasure | CannotServe):
            raise
        return {"reason": str(error)}
