"""The probe `warmup_sweep`: the rollout error by the length of the warm-up."""

from dataclasses import dataclass

import numpy as np
import torch

from sweep.diagnosis.probes.subject import Subject
from sweep.score.rollout import decoded, rollout_error_of

ENOUGH, NEARLY = 1.05, 1.2  # times the full warm-up's error: our choice
SLACK = 1e-3  # rollout error allowed on top, since ratios of tiny errors mean nothing; our choice
AT_ONCE = 8  # warm-ups in one batch; bounds memory


@dataclass(frozen=True)
class WarmupSweep:
    """Rollout errors by warm-up length; the lengths rise by factors of 2 up to the full one."""

    lengths: tuple[int, ...]  # steps
    errors: tuple[float, ...]  # rollout error, in [0, 1]
    enough: int  # shortest length from which all errors are within 5 % (+ 1e-3) of that of the full length
    nearly: int  # the same within 20 %


@torch.no_grad()
def warmup_sweep(subject: Subject) -> WarmupSweep:
    """Return the rollout error of the same starts after only their last 1, 2, 4, ... true steps.

    If the error falls up to the full length, a longer warm-up (or a burn-in in training) helps. If it is flat, the
    state is not the problem.

    Args:
        subject: all its starts are rolled out once for each length; nothing is drawn.

    Source: Schiller et al. (2026), arXiv 2602.10911; Vlachas et al. (2020), hidden-state propagation length.
    """
    network, task = subject.network, subject.task
    inputs = task.inputs()[:, : task.warmup]
    known = task.known[:, task.warmup + 1 :]
    lengths = [2**power for power in range(task.warmup.bit_length()) if 2**power < task.warmup] + [
        task.warmup
    ]
    errors: list[float] = []
    for begin in range(0, len(lengths), AT_ONCE):
        chosen = lengths[begin : begin + AT_ONCE]
        warm = [network(inputs[:, -length:]) for length in chosen]
        first = torch.cat([forecast[:, -1] for forecast, _ in warm])
        state = tuple(torch.cat(parts, dim=1) for parts in zip(*(after for _, after in warm), strict=True))
        free, _ = network.run_free(first, state, known.repeat(len(chosen), 1, 1))
        values = torch.cat([first[:, None], free], dim=1).chunk(len(chosen))
        errors += [rollout_error_of(task, decoded(task, rollout)) for rollout in values]
    return WarmupSweep(
        lengths=tuple(lengths),
        errors=tuple(errors),
        enough=_from_which_on(lengths, errors, ENOUGH),
        nearly=_from_which_on(lengths, errors, NEARLY),
    )


def _from_which_on(lengths: list[int], errors: list[float], factor: float) -> int:
    """Return the shortest length from which all errors are within the factor of the last error."""
    beyond = np.flatnonzero(np.array(errors) > factor * errors[-1] + SLACK)
    return lengths[int(beyond[-1]) + 1] if len(beyond) else lengths[0]
