"""A plug-in file with cells: minimal gated units (Zhou et al. 2016), a cell with other weights, and two faulty ones."""

MGU = '''
"""Minimal gated units: f = sigmoid(W_f x + U_f h + b_f), h' = (1 - f) h + f tanh(W x + b + U (f h))."""

import torch
from sweep.model import CellSpec


def mgu_step(x, state, weights):
    (h,), (weight_ih, weight_hh, bias_ih, bias_hh) = state, weights
    into_f, into_n = (x @ weight_ih.T + bias_ih).chunk(2, dim=-1)
    state_f, state_n = weight_hh.chunk(2, dim=0)
    bias_f, bias_n = bias_hh.chunk(2)
    f = torch.sigmoid(into_f + h @ state_f.T + bias_f)
    n = torch.tanh(into_n + (f * h) @ state_n.T + bias_n)
    return ((1 - f) * h + f * n,)


def leaky_shapes(inputs, hidden):
    return {"mix": (hidden, inputs + hidden), "bias": (hidden,), "leak": (1,)}


def leaky_step(x, state, weights):
    h, trace = state
    mix, bias, leak = weights
    rate = torch.sigmoid(leak)
    new = (1 - rate) * h + rate * torch.tanh(torch.cat([x, h + 0.1 * trace], dim=-1) @ mix.T + bias)
    return new, 0.9 * trace + 0.1 * h


def breaking_step(x, state, weights):
    raise ZeroDivisionError("division by zero")


def narrow_step(x, state, weights):
    return (state[0][:, 1:],)


MGU = CellSpec("mgu", gates=2, components=1, step=mgu_step, source="Zhou et al. (2016)", sigmoid_gates=(0,))
LEAKY = CellSpec("leaky", gates=1, components=2, step=leaky_step, source="test", shapes=leaky_shapes)
BREAKING = CellSpec("breaking", gates=1, components=1, step=breaking_step, source="test")
NARROW = CellSpec("narrow", gates=1, components=1, step=narrow_step, source="test")
'''
