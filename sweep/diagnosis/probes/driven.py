"""The probe `driven`: how fast the network forgets its state on true inputs."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from sweep.diagnosis.probes.closed_loop import Trajectory, forced_trajectory
from sweep.diagnosis.probes.exponents import growth_exponents
from sweep.diagnosis.probes.subject import Subject
from sweep.model import Forecaster
from sweep.score import Task

MERGED = 1e-3  # relative distance at which two states count as one; our choice
STEPS, BURN_IN = 300, 50  # of the exponent; our choice: it then varies by less than 1 % between starts


@dataclass(frozen=True)
class Driven:
    """The conditional exponent of the teacher-forced network, and how long it takes to forget a wrong state."""

    exponent: float  # per step, mean over starts; from 0 on no warm-up is long enough
    spread: float  # standard deviation over starts
    washout: float | None  # steps until states from zeros and from another start agree; median; None: never
    washout_longest: int | None  # of all starts; None if one of them never agrees
    agreed: float  # share of starts that agree within the warm-up
    expected_washout: float | None  # ln(1 / 1e-3) / -exponent, None if the exponent is not negative
    warmup: int  # steps before a rollout


def driven(subject: Subject) -> Driven:
    """Return the conditional Lyapunov exponent and the wash-out length, on true inputs, in float64.

    The exponent is that of the state alone with the input held: the mean of log growth along the last steps of
    the teacher-forced trajectory. The wash-out is the first step from which on |s - s'| <= 1e-3 |s|, for s begun
    from zeros and s' begun from the state of another start at the end of its warm-up.

    Args:
        subject: a few of its starts are used; its seed draws the first tangent.

    Raises:
        CannotMeasure: no start stays finite.

    Source: Pecora & Carroll (1990), Phys. Rev. Lett. 64, conditional exponents; Lu, Hunt & Ott (2018), Chaos 28.
    """
    (precise, few), path = subject.precise, subject.forced
    last = path.piece(max(0, path.steps - STEPS), path.steps).finite()
    burn_in = last.steps * BURN_IN // STEPS
    exponents = growth_exponents(precise, last, 1, burn_in, subject.seed, fed=False)[:, 0]
    exponent = float(exponents.mean())
    steps = washout_steps(precise, few, path)
    agreed = [count for count in steps if count is not None and count <= few.warmup]
    median = sorted(math.inf if count is None else count for count in steps)[len(steps) // 2]
    return Driven(
        exponent=exponent,
        spread=float(exponents.std()),
        washout=None if math.isinf(median) else float(median),
        washout_longest=None if None in steps else max(count for count in steps if count is not None),
        agreed=len(agreed) / len(steps),
        expected_washout=math.log(1 / MERGED) / -exponent if exponent < 0 else None,
        warmup=few.warmup,
    )


@torch.no_grad()
def washout_steps(network: Forecaster, task: Task, path: Trajectory) -> list[int | None]:
    """Return per start the steps until two initial states stay merged, None if they never do.

    Args:
        network: float64.
        task: its true inputs are used.
        path: the trajectory from zeros.
    """
    late = tuple(part[task.warmup].roll(1, dims=1) for part in path.states)
    if path.inputs.shape[1] == 1:  # a single start: its own late state with its early inputs
        late = tuple(part[task.warmup] for part in path.states)
    other = forced_trajectory(network, task, late)
    apart = _distance(path, other) > MERGED  # (time + 1, start)
    steps: list[int | None] = []
    for column in apart.T:
        last = torch.nonzero(column).flatten()
        merged = int(last[-1]) + 1 if len(last) else 0
        steps.append(None if merged >= len(column) else merged)
    return steps


def _distance(path: Trajectory, other: Trajectory) -> Tensor:
    """Return |s - s'| / |s| by time and start; +inf if it is not finite."""
    squares, sizes = torch.zeros(()), torch.zeros(())
    for own, others in zip(path.states, other.states, strict=True):
        squares = squares + (own - others).square().sum(dim=3).sum(dim=1)
        sizes = sizes + own.square().sum(dim=3).sum(dim=1)
    distance = (squares / sizes.clamp_min(torch.finfo(own.dtype).tiny)).sqrt()
    return torch.nan_to_num(distance, nan=math.inf, posinf=math.inf)
