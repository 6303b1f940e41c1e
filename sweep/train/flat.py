"""All parameters of a network as one vector, so that optimizers and norms are single operations."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class FlatParameters:
    """The parameters and the gradients of a network as two vectors, of which the network's own become views.

    `vector` holds what the optimizer trains, `values` everything: parameters that are solved instead come last.
    """

    def __init__(self, network: nn.Module, solved: Sequence[Tensor] = ()) -> None:
        """Make the vectors.

        Args:
            network: whose parameters become views.
            solved: those of its parameters that the optimizer does not train.
        """
        apart = {id(parameter) for parameter in solved}
        self.parameters = [p for p in network.parameters() if id(p) not in apart]  # trained
        trained = sum(p.numel() for p in self.parameters)
        every = [*self.parameters, *solved]
        first = every[0]
        size = sum(p.numel() for p in every)
        self.values = torch.empty(size, dtype=first.dtype, device=first.device)
        gradients = torch.zeros_like(self.values)
        self.vector = nn.Parameter(self.values[:trained])
        self.gradient = gradients[:trained]  # which backward passes add to
        self.vector.grad = self.gradient
        offset = 0
        for parameter in every:
            part = slice(offset, offset + parameter.numel())
            self.values[part].copy_(parameter.data.reshape(-1))
            parameter.data = self.values[part].view_as(parameter)
            parameter.grad = gradients[part].view_as(parameter)
            offset += parameter.numel()

    @property
    def trained(self) -> Tensor:
        """Return the trained parameters as one vector, free of automatic differentiation."""
        return self.trained_of(self.values)

    def trained_of(self, snapshot: Tensor) -> Tensor:
        """Return the trained parameters of a snapshot."""
        return snapshot[: self.vector.numel()]

    def snapshot(self) -> Tensor:
        """Return a copy of all parameters."""
        return self.values.clone()

    def restore(self, snapshot: Tensor) -> None:
        """Set all parameters to a snapshot."""
        self.values.copy_(snapshot)
