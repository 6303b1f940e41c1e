"""The probe `swap_test`: whether the fed-back inputs or the drifted state cause the rollout's error."""

from dataclasses import dataclass

import torch

from sweep.data.some_starts import evenly_spread
from sweep.diagnosis.probes.closed_loop import require_feedback, with_some_starts
from sweep.diagnosis.probes.errors import Array, log_spaced, nrmse_by_step_of
from sweep.diagnosis.probes.subject import Subject
from sweep.model import Network
from sweep.model.state import HiddenState
from sweep.score import Task
from sweep.score.rollout import Traced, decoded, decoded_one_step, rollout_error_of, single_steps

STARTS = 8  # our choice


@dataclass(frozen=True)
class SwapTest:
    """Errors of single steps, with input and state each taken from the truth or from the rollout.

    Four combinations, each with its rollout error in [0, 1] and its normalised error by step. A share near 1 means
    that this swap alone produces the whole error of the rollout.
    """

    own_input_own_state: float  # the rollout
    true_input_own_state: float
    own_input_true_state: float
    true_input_true_state: float  # teacher-forced
    state_share: float | None  # (true input, own state - teacher-forced) / (rollout - teacher-forced)
    input_share: float | None  # (own input, true state - teacher-forced) / the same; None if that is not > 0
    steps: tuple[int, ...]  # 1, 2, 5, 10, ... horizon
    by_step: dict[str, tuple[float, ...]]  # normalised error at those steps, by the names above; may be inf


def swap_test(subject: Subject) -> SwapTest:
    """Return how much of the rollout's error is due to its fed-back inputs and how much to its state.

    At each step the network makes one forecast (a) from the true input and the rollout's state, and (b) from the
    rollout's input and the teacher-forced state. With an increment readout the input's own error passes unchanged
    into the forecast.

    Args:
        subject: a few of its starts are used; nothing is drawn.

    Raises:
        CannotMeasure: the network has no feedback.

    Source: our construction, an intervention on one of the two paths by which an error returns.
    """
    network, task = require_feedback(subject.network), with_some_starts(subject.task, STARTS)
    chosen = evenly_spread(len(subject.task.starts.truth), STARTS)
    rollout = subject.rollout.some(chosen)
    with torch.no_grad():
        forced, forced_states = network.trace(task.inputs()[:, task.warmup :], rollout.first)
    cells = {
        "own_input_own_state": decoded(task, rollout.free),
        "true_input_own_state": subject.swapped[chosen],
        "own_input_true_state": resynchronised(network, task, rollout, forced_states),
        "true_input_true_state": decoded_one_step(task, torch.cat([rollout.free[:, :1], forced], dim=1)),
    }
    total = {name: rollout_error_of(task, values) for name, values in cells.items()}
    steps = log_spaced(task.horizon)
    curves = {name: nrmse_by_step_of(task, values) for name, values in cells.items()}
    floor = total["true_input_true_state"]
    gap = total["own_input_own_state"] - floor
    return SwapTest(
        **total,
        state_share=(total["true_input_own_state"] - floor) / gap if gap > 0 else None,
        input_share=(total["own_input_true_state"] - floor) / gap if gap > 0 else None,
        steps=steps,
        by_step={name: tuple(float(curve[step - 1]) for step in steps) for name, curve in curves.items()},
    )


@torch.no_grad()
def resynchronised(network: Network, task: Task, rollout: Traced, forced: HiddenState) -> Array:
    """Return the forecasts made from the rollout's inputs and the teacher-forced state.

    The counterpart of `sweep.score.swapped`: at each step the state has seen only the truth, and the input of this
    step is the rollout's. (start, step, channel), data units. The first step equals the rollout's.

    Args:
        network: of the task's precision.
        task: its starts are those of the rollout.
        rollout: gives the inputs.
        forced: states after each teacher-forced step of the horizon, as `Network.trace` gives them.
    """
    own = torch.cat([rollout.free[:, :-1], task.known[:, task.warmup + 1 :]], dim=-1)
    answers = single_steps(network, own, rollout.first, forced)
    return decoded_one_step(task, torch.cat([rollout.free[:, :1], answers], dim=1))
