"""Derivatives of the cells in closed form, for tangents that are carried along a trajectory.

Notation: z are pre-activations, d tangents, a dash the value after the step.

LSTM: c' = f c + i g, h' = o tanh c'
    dc' = f dc + [g i(1-i)] dz_i + [c f(1-f)] dz_f + [i (1-g^2)] dz_g
    dh' = [o (1 - tanh^2 c')] dc' + [tanh c' o(1-o)] dz_o

GRU: n = tanh(z_n + r m), m = W_hn h + b_hn, h' = (1-z) n + z h
    dh' = z dh + [(h-n) z(1-z)] dz_z + [(1-z)(1-n^2)] (dz_n + r dm + [m r(1-r)] dz_r)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sweep.model.state import HiddenState, Weights

Array = np.ndarray
Factors = tuple[Tensor, ...]
Parts = tuple[Array, ...]


@dataclass(frozen=True)
class CellTangent:
    """The derivative of a cell's step in closed form.

    `factors` takes the input, the state before and after, and the weights, and returns elementwise factors with any
    leading axes. The first factor has one block per gate; it multiplies the product of the tangents (input and h side
    by side) with the matrix that `product` makes of the weights. `advance` changes the state's tangents to those after
    a step. It takes the state's tangents, that product in blocks of the state's width, which it may overwrite, all
    (start, tangent, number), and the other factors (start, 1, number).
    """

    factors: Callable[[Tensor, HiddenState, HiddenState, Weights], Factors]
    product: Callable[[Weights], Tensor]
    advance: Callable[[Parts, Sequence[Array], Parts], None]


def _lstm_factors(x: Tensor, before: HiddenState, after: HiddenState, weights: Weights) -> Factors:
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    z_i, z_f, z_g, z_o = (x @ weight_ih.T + before[0] @ weight_hh.T + (bias_ih + bias_hh)).chunk(4, dim=-1)
    i, f, g, o = z_i.sigmoid(), z_f.sigmoid(), z_g.tanh(), z_o.sigmoid()
    squashed = after[1].tanh()
    by_gate = [g * i * (1 - i), before[1] * f * (1 - f), i * (1 - g * g), squashed * o * (1 - o)]
    return torch.cat(by_gate, dim=-1), f, o * (1 - squashed * squashed)


def _lstm_product(weights: Weights) -> Tensor:
    return torch.cat([weights[0], weights[1]], dim=1).T.contiguous()


def _lstm_advance(state: Parts, by_gate: Sequence[Array], factors: Parts) -> None:
    (dh, dc), (forget, through) = state, factors
    dc *= forget
    for part in by_gate[:3]:
        dc += part
    np.multiply(through, dc, out=dh)
    dh += by_gate[3]


def _gru_factors(x: Tensor, before: HiddenState, after: HiddenState, weights: Weights) -> Factors:
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    x_r, x_z, x_n = (x @ weight_ih.T + bias_ih).chunk(3, dim=-1)
    h_r, h_z, m = (before[0] @ weight_hh.T + bias_hh).chunk(3, dim=-1)
    r, z = (x_r + h_r).sigmoid(), (x_z + h_z).sigmoid()
    n = (x_n + r * m).tanh()
    into_n = (1 - z) * (1 - n * n)
    by_gate = [into_n * m * r * (1 - r), (before[0] - n) * z * (1 - z), into_n, into_n * r]
    return torch.cat(by_gate, dim=-1), z


def _gru_product(weights: Weights) -> Tensor:
    """Return one matrix for r, z, and apart, since r scales the second, what the input and the state add to n."""
    (x_rz, x_n), (h_rz, h_n) = ((w[: 2 * len(w) // 3], w[2 * len(w) // 3 :]) for w in weights[:2])
    from_input = torch.cat([x_rz, x_n, torch.zeros_like(h_n[:, :1]).expand(-1, x_n.shape[1])])
    from_state = torch.cat([h_rz, torch.zeros_like(h_n), h_n])
    return torch.cat([from_input, from_state], dim=1).T.contiguous()


def _gru_advance(state: Parts, by_gate: Sequence[Array], factors: Parts) -> None:
    (dh,), (keep,) = state, factors
    dh *= keep
    for part in by_gate:
        dh += part


LSTM_TANGENT = CellTangent(_lstm_factors, _lstm_product, _lstm_advance)
GRU_TANGENT = CellTangent(_gru_factors, _gru_product, _gru_advance)
