"""The hidden state and the weights of recurrent layers, and the two layouts of a state."""

import torch
from torch import Tensor

HiddenState = tuple[Tensor, ...]  # per component (layer, batch, hidden): (h, c) for LSTM, (h,) for GRU
Weights = tuple[Tensor, ...]  # of one layer: (weight_ih, weight_hh, bias_ih, bias_hh), as torch lays them out


def by_layer(state: HiddenState) -> list[HiddenState]:
    """Return a state as a list per layer of (batch, hidden) tensors, the form that `Stack.step` takes."""
    return [tuple(part[layer] for part in state) for layer in range(state[0].shape[0])]


def stacked(state: list[HiddenState]) -> HiddenState:
    """Return a state as one (layer, batch, hidden) tensor per component, undoing `by_layer`."""
    return tuple(torch.stack(parts) for parts in zip(*state, strict=True))
