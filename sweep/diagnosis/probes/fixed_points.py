"""The probe `fixed_points`: where the closed loop can come to rest, and whether it does."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sweep.diagnosis.probes.closed_loop import (
    CannotMeasure,
    ClosedLoop,
    free_trajectory,
    in_float64,
    recurrent,
)
from sweep.diagnosis.probes.subject import Subject
from sweep.diagnosis.probes.tangents import jacobians
from sweep.model import Forecaster
from sweep.score import Task

STARTS, POINTS = 4, 2  # Newton's method starts from 2 steps of 4 rollouts each, and from the mean; our choice
ITERATIONS, HALVINGS = 30, 6
RESIDUAL = 1e-9  # |F(s) - s|; a point below it is fixed. Our choice (FixedPointFinder accepts 1e-6)
UNIQUE = 1e-4  # relative distance; two points nearer than that are one. Our choice
FAR = 1e3  # model units (standard deviations); points beyond it are dropped


@dataclass(frozen=True)
class FixedPoint:
    """One fixed point. Near it a difference changes by the factor `radius` and turns by 2 pi / `period` per step."""

    value: tuple[float, ...]  # of every channel, model units
    residual: float  # |F(s) - s|
    radius: float  # largest |eigenvalue| of the Jacobian: below 1 it attracts
    period: float | None  # steps of the leading eigenvalue's turn; None if it is real
    unstable: int  # eigenvalues of size above 1
    beyond_data: float  # farthest distance outside the training range, in ranges; 0 inside
    distance: float  # |value - the end of the nearest rollout|, model units, RMS over channels


@dataclass(frozen=True)
class FixedPoints:
    """The fixed points that were found, nearest to the rollouts' ends first; others may exist."""

    points: tuple[FixedPoint, ...]
    stable: int  # points with radius < 1
    attracted: float  # share of starts that end within 1 % of a standard deviation of a stable point
    tried: int  # points that Newton's method started from
    unfinished: int  # of those, how many led to no fixed point


def fixed_points(subject: Subject) -> FixedPoints:
    """Return fixed points of the closed loop by Newton's method from states along the rollouts, in float64.

    Solves F(s) = s by s <- s - (J - I)^-1 (F(s) - s), halving a step that raises the residual. A rollout that dies
    out ends in a stable point: `radius` is the factor by which it dies per step, `period` how it swings there. A
    healthy oscillation circles an unstable one.

    Args:
        subject: without known inputs; a few of its starts are rolled out; nothing is drawn.

    Raises:
        CannotMeasure: the data have known inputs, so the loop is never at rest; or no start stays finite.

    Source: Sussillo & Barak (2013), Neural Computation 25; thresholds after FixedPointFinder, Golub & Sussillo (2018).
    """
    network, task = subject.network, subject.task
    if task.known.shape[-1] > 0:
        raise CannotMeasure("known inputs drive the closed loop: it has no fixed points")
    precise, few = in_float64(recurrent(network), task, STARTS)
    path = free_trajectory(precise, few, few.horizon - 1).finite()
    loop = ClosedLoop(precise)
    rows = [round(share * path.steps) for share in np.linspace(0, 1, POINTS + 1)[1:]]
    every = [loop.flat(tuple(part[row] for part in path.states), path.forecasts[row - 1]) for row in rows]
    whole = loop.flat(tuple(part[1:].mean(dim=0) for part in path.states), path.forecasts.mean(dim=0))
    begun = torch.cat([*every, whole.mean(dim=0, keepdim=True)])
    ended, residual = newton(precise, begun)
    good = (residual < RESIDUAL) & (ended[:, loop.state_size :].abs() < FAR).all(dim=1)
    ends = path.forecasts[-1]
    points = [_described(precise, task, point, ends) for point in _distinct(ended[good])]
    points.sort(key=lambda point: point.distance)
    return FixedPoints(
        points=tuple(points),
        stable=sum(point.radius < 1 for point in points),
        attracted=_attracted(points, ends),
        tried=len(begun),
        unfinished=int((~good).sum()),
    )


@torch.no_grad()
def newton(network: Forecaster, flat: Tensor) -> tuple[Tensor, Tensor]:
    """Return where Newton's method ends from each (point, D), and |F(s) - s| there.

    A point stops once no halving of its step lowers its residual, or if the equations are singular.
    """
    loop = ClosedLoop(network)
    identity = torch.eye(loop.size, dtype=flat.dtype, device=flat.device)
    residual = _residual(loop, flat)
    moving = torch.isfinite(residual)
    for _ in range(ITERATIONS):
        moving &= residual > 1e-3 * RESIDUAL
        if not moving.any():
            break
        now = flat[moving]
        after, jacobian = jacobians(network, now)
        step, info = torch.linalg.solve_ex(jacobian - identity, now - after)
        usable = (info == 0) & torch.isfinite(step).all(dim=1)
        best, lowest = now.clone(), residual[moving].clone()
        improved = torch.zeros_like(usable)
        for halving in range(HALVINGS):
            tried = now + step * 0.5**halving
            value = _residual(loop, tried)
            better = usable & ~improved & (value < lowest)
            best[better], lowest[better] = tried[better], value[better]
            improved |= better
        flat, residual = flat.clone(), residual.clone()
        flat[moving], residual[moving] = best, lowest
        moving[moving.clone()] = improved
    return flat, residual


def _residual(loop: ClosedLoop, flat: Tensor) -> Tensor:
    distance: Tensor = (loop(flat) - flat).norm(dim=1)
    return distance


def _distinct(points: Tensor) -> list[Tensor]:
    kept: list[Tensor] = []
    for point in points:
        if all(float((point - other).norm()) > UNIQUE * (1 + float(other.norm())) for other in kept):
            kept.append(point)
    return kept


@torch.no_grad()
def _described(network: Forecaster, task: Task, point: Tensor, ends: Tensor) -> FixedPoint:
    loop = ClosedLoop(network)
    after, jacobian = jacobians(network, point[None])
    eigenvalues = np.linalg.eigvals(jacobian[0].cpu().numpy())
    leading = eigenvalues[np.argmax(np.abs(eigenvalues))]
    value = point[loop.state_size :]
    angle = abs(math.atan2(leading.imag, leading.real))
    turns = abs(leading.imag) > 1e-9 * abs(leading)
    return FixedPoint(
        value=tuple(value.tolist()),
        residual=float((after[0] - point).norm()),
        radius=float(abs(leading)),
        period=2 * math.pi / angle if turns else None,
        unstable=int((np.abs(eigenvalues) > 1).sum()),
        beyond_data=_beyond_data(task, value.cpu().numpy()),
        distance=float((ends - value).square().mean(dim=1).sqrt().min()),
    )


def _beyond_data(task: Task, value: np.ndarray) -> float:
    every = np.concatenate(task.data.train)
    low, high = every.min(axis=0), every.max(axis=0)
    outside = np.maximum(np.maximum(low - value, value - high), 0.0)
    return float((outside / np.maximum(high - low, np.finfo(float).tiny)).max())


def _attracted(points: list[FixedPoint], ends: Tensor) -> float:
    rests = [ends.new_tensor(point.value) for point in points if point.radius < 1]
    if not rests:
        return 0.0
    distances = torch.stack([(ends - rest).square().mean(dim=1).sqrt() for rest in rests])
    return float((distances.min(dim=0).values < 0.01).double().mean())
