"""The probe `lyapunov`: exponents of the closed loop, whether it forgets, keeps or amplifies differences."""

from dataclasses import dataclass

from sweep.diagnosis.probes.closed_loop import ClosedLoop, require_feedback
from sweep.diagnosis.probes.exponents import EVERY, growth_exponents
from sweep.diagnosis.probes.subject import Subject

COUNT = 3  # exponents; our choice: a limit cycle needs 2, a Lorenz attractor 3
STEPS, BURN_IN = 800, 150  # our choice: a resolution of 2.5e-3 per step, enough to classify an attractor


@dataclass(frozen=True)
class Lyapunov:
    """The largest exponents of the closed loop, per step: means over starts, largest first.

    A difference in that direction grows by exp(exponent) per step. An exponent above the resolution means that it is
    amplified (chaos), one below minus the resolution that it is forgotten (a fixed point, or the width of a cycle). A
    cycle has one exponent of 0, that of its phase.
    """

    exponents: tuple[float, ...]  # per step; three, or the size of the loop if that is smaller
    spread: tuple[float, ...]  # standard deviation over starts
    by_start: tuple[float, ...]  # the largest of each start that stayed finite
    per_lyapunov_time: tuple[float, ...] | None  # of the true system: a perfect network's largest is 1
    resolution: float  # 2 / steps: a smaller exponent cannot be distinguished from 0
    steps: int  # measured, after the burn-in
    burn_in: int


def lyapunov(subject: Subject, steps: int = STEPS) -> Lyapunov:
    """Return the closed loop's largest Lyapunov exponents along the rollouts of a few starts, in float64.

    lambda_i = mean over steps of log |R_ii|, with Q R the orthogonalisation of the Jacobians' products. The
    burn-in is left out. If the period is known, the mean is over a whole number of periods, since the growth of a
    cycle's tangent oscillates within a period.

    Args:
        subject: a few of its starts are used. Its seed draws the first tangents, which have no influence after
            the burn-in.
        steps: how many after the burn-in; with known inputs at most what the horizon allows.

    Raises:
        CannotMeasure: the network has no feedback, or no start stays finite.

    Source: Benettin et al. (1980); for networks in closed loop Margazoglou & Magri (2023), Nonlinear Dynamics 111.
    """
    require_feedback(subject.network)
    precise, few = subject.precise
    path = subject.free(steps + BURN_IN * steps // STEPS).finite()
    burn_in = path.steps * BURN_IN // (STEPS + BURN_IN)
    burn_in -= burn_in % EVERY
    left = path.steps - burn_in
    period = few.data.period
    if period and left > period:
        path = path.piece(0, burn_in + round(left // period * period))
    count = min(COUNT, ClosedLoop(precise).size)
    by_start = growth_exponents(precise, path, count, burn_in, subject.seed, fed=True)
    mean, spread = by_start.mean(axis=0), by_start.std(axis=0)
    time = few.data.lyapunov_time
    return Lyapunov(
        exponents=tuple(mean.tolist()),
        spread=tuple(spread.tolist()),
        by_start=tuple(by_start[:, 0].tolist()),
        per_lyapunov_time=tuple((mean * time).tolist()) if time else None,
        resolution=2 / (path.steps - burn_in),
        steps=path.steps - burn_in,
        burn_in=burn_in,
    )
