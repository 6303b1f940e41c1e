"""Growth exponents of tangents along a trajectory, by repeated orthogonalisation.

Source: Benettin et al. (1980), Meccanica 15; for recurrent networks Vogt et al. (2022), Front. Appl. Math. Stat. 8.
"""

import numpy as np
import torch

from sweep.diagnosis.probes.closed_loop import Trajectory
from sweep.diagnosis.probes.tangents import Linearised
from sweep.model import Forecaster

Array = np.ndarray

EVERY = 5  # steps between orthogonalisations; our choice: no direction is lost to rounding
PIECE = 25 * EVERY  # steps whose factors are in memory at once; a multiple of EVERY
LEAST = 1e-100  # growth over EVERY steps; a direction below it counts as lost


@np.errstate(over="ignore", invalid="ignore")  # a tangent may overflow
def growth_exponents(
    network: Forecaster, path: Trajectory, count: int, burn_in: int, seed: int, fed: bool
) -> Array:
    """Return (start, count) exponents per step, the mean over steps of log |R_ii|, largest first per start.

    Q spans `count` tangents, Q[t] R[t] = J ... J Q[t - 1] over EVERY steps. If the map forgets a direction
    within a step, its exponent is log(LEAST) / EVERY = -46.

    Args:
        network: float64.
        path: of any length above the burn-in.
        count: number of tangents, at most the number of values that can vary.
        burn_in: first steps, not counted, in which the tangents turn into their directions.
        seed: of the first tangents.
        fed: True for the closed loop; False: the input is fixed and tangents are of the state alone.

    Raises:
        ValueError: no step is left after the burn-in.
    """
    burn_in -= burn_in % EVERY
    if not 0 <= burn_in < path.steps:
        raise ValueError(f"a burn-in of {burn_in} leaves none of {path.steps} steps")
    starts = path.inputs.shape[1]
    hidden = path.states[0].shape[-1] * path.states[0].shape[1] * len(path.states)
    generator = torch.Generator().manual_seed(seed)
    size = hidden + network.outputs
    drawn = torch.randn(count, size, generator=generator, dtype=torch.float64).numpy()
    if not fed:
        drawn[:, hidden:] = 0
    tangents, _ = _orthonormal(np.tile(drawn, (starts, 1, 1)))
    total = np.zeros((starts, count))
    for begin in range(0, path.steps, PIECE):
        linear = Linearised(network, path.piece(begin, min(begin + PIECE, path.steps)))
        for step in range(0, linear.steps, EVERY):
            now = min(step + EVERY, linear.steps)
            tangents = linear.advance(step, now, tangents, fed)
            if not fed:
                tangents[..., hidden:] = 0
            tangents, grown = _orthonormal(tangents)
            if begin + now > burn_in:
                total += np.log(np.maximum(grown, LEAST))
    return -np.sort(-total / (path.steps - burn_in), axis=1)


def _orthonormal(tangents: Array) -> tuple[Array, Array]:
    """Return orthonormal tangents (start, tangent, D) of the same span, and |diagonal of R| (start, tangent)."""
    if tangents.shape[1] == 1:
        size = np.linalg.norm(tangents, axis=-1)
        return tangents / np.maximum(size, LEAST)[..., None], size
    q, r = torch.linalg.qr(torch.from_numpy(tangents).transpose(1, 2))
    return np.ascontiguousarray(q.transpose(1, 2).numpy()), r.diagonal(dim1=-2, dim2=-1).abs().numpy()
