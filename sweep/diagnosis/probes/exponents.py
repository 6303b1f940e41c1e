"""Growth exponents of tangents along a trajectory, by repeated orthogonalisation.

Source: Benettin et al. (1980), Meccanica 15; for recurrent networks Vogt et al. (2022), Front. Appl. Math. Stat. 8.
"""

import torch
from torch import Tensor

from sweep.diagnosis.probes.closed_loop import Trajectory
from sweep.diagnosis.probes.tangents import Linearised
from sweep.model import Forecaster

EVERY = 5  # steps between orthogonalisations; our choice: short of losing a direction to rounding
PIECE = 128  # steps whose factors are in memory at once
LEAST = 1e-100  # growth over EVERY steps below which a direction counts as gone


@torch.no_grad()
def growth_exponents(
    network: Forecaster, path: Trajectory, count: int, burn_in: int, seed: int, fed: bool
) -> Tensor:
    """Return (start, count) exponents per step, the mean over steps of log |R_ii|, largest first per start.

    Q spans `count` tangents, Q[t] R[t] = J ... J Q[t - 1] over EVERY steps. Where the map forgets a direction
    within a step the exponent stops at log(LEAST) / EVERY, -46.

    Args:
        network: float64.
        path: of any length above the burn-in.
        count: tangents, at most as many as numbers that can vary.
        burn_in: first steps, in which the tangents turn into their directions; not counted.
        seed: of the first tangents.
        fed: True for the closed loop; False holds the input, and tangents are of the state alone.

    Raises:
        ValueError: nothing is left after the burn-in.
    """
    burn_in -= burn_in % EVERY
    if not 0 <= burn_in < path.steps:
        raise ValueError(f"a burn-in of {burn_in} leaves nothing of {path.steps} steps")
    starts = path.inputs.shape[1]
    hidden = path.states[0].shape[-1] * path.states[0].shape[1] * len(path.states)
    generator = torch.Generator().manual_seed(seed)
    size = hidden + network.outputs
    tangents = torch.randn(count, size, generator=generator, dtype=torch.float64).to(path.inputs)
    if not fed:
        tangents[:, hidden:] = 0
    tangents = tangents.expand(starts, -1, -1)
    tangents, _ = _orthonormal(tangents)
    total = path.inputs.new_zeros(starts, count)
    for begin in range(0, path.steps, PIECE):
        linear = Linearised(network, path.piece(begin, min(begin + PIECE, path.steps)))
        for step in range(linear.steps):
            tangents = linear.advance(step, tangents, fed)
            if not fed:
                tangents = torch.cat([tangents[..., :hidden], torch.zeros_like(tangents[..., hidden:])], -1)
            now = begin + step + 1
            if now % EVERY == 0 or now == path.steps:
                tangents, grown = _orthonormal(tangents)
                if now > burn_in:
                    total += grown.clamp_min(LEAST).log()
    return (total / (path.steps - burn_in)).sort(dim=1, descending=True).values


def _orthonormal(tangents: Tensor) -> tuple[Tensor, Tensor]:
    """Return orthonormal tangents (start, tangent, D) of the same span, and |diagonal of R| (start, tangent)."""
    if tangents.shape[1] == 1:
        size = tangents.norm(dim=-1)
        return tangents / size.clamp_min(LEAST).unsqueeze(-1), size
    q, r = torch.linalg.qr(tangents.transpose(1, 2))
    return q.transpose(1, 2), r.diagonal(dim1=-2, dim2=-1).abs()
