"""The probe `noise_gain`: what a small input error becomes some steps later in closed loop."""

from dataclasses import dataclass

import numpy as np

from sweep.diagnosis.probes.closed_loop import ClosedLoop, require_feedback
from sweep.diagnosis.probes.subject import Subject
from sweep.diagnosis.probes.tangents import Linearised

AFTER = (1, 10, 100)  # steps


@dataclass(frozen=True)
class NoiseGain:
    """The response of the forecast to a small change of the input, `after` steps before it, in closed loop.

    1 keeps an error, below 1 it fades, above 1 it is amplified. Persistence always has 1.
    """

    after: tuple[int, ...]  # steps, as far as the horizon goes
    gain: tuple[float, ...]  # RMS over starts and channels, dimensionless
    largest: float  # over all steps up to the last of `after`
    largest_after: int  # step at which it is reached


@np.errstate(over="ignore", invalid="ignore")  # a gain may overflow
def noise_gain(subject: Subject) -> NoiseGain:
    """Return the gain from an input error to later forecasts, to first order, in float64.

    gain(n) = sqrt(mean over starts and channels c of |d x[t + n] / d x_c[t]|^2) with the state at t fixed: each
    column of the closed loop's Jacobian products that begins at the current value. Model units.

    Args:
        subject: a few of its starts are used; nothing is drawn.

    Raises:
        CannotMeasure: the network has no feedback, or no start stays finite.

    Source: Wikner et al. (2022), stabilising closed loops by input noise.
    """
    precise = require_feedback(subject.precise[0])
    path = subject.free(max(AFTER)).finite()
    linear, loop = Linearised(precise, path), ClosedLoop(precise)
    tangents = np.zeros((path.inputs.shape[1], precise.outputs, loop.size))
    tangents[:, :, loop.state_size :] = np.eye(precise.outputs)
    gains = []
    for step in range(path.steps):
        tangents = linear.advance(step, step + 1, tangents)
        squares = np.square(tangents[..., loop.state_size :]).sum(axis=-1)
        gains.append(float(np.sqrt(squares.mean())))
    after = tuple(step for step in AFTER if step <= path.steps)
    highest = max(range(len(gains)), key=gains.__getitem__)
    return NoiseGain(after, tuple(gains[step - 1] for step in after), gains[highest], highest + 1)
