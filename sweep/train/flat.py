"""All parameters of a network as one vector, so that optimizers and norms are single operations."""

import torch
from torch import Tensor, nn


class FlatParameters:
    """The parameters and the gradients of a network as two vectors, of which the network's own become views."""

    def __init__(self, network: nn.Module) -> None:
        self.parameters = list(network.parameters())
        first = self.parameters[0]
        size = sum(p.numel() for p in self.parameters)
        self.vector = nn.Parameter(torch.empty(size, dtype=first.dtype, device=first.device))
        self.vector.grad = torch.zeros_like(self.vector)
        self.values = self.vector.detach()  # the same numbers, free of automatic differentiation
        offset = 0
        for parameter in self.parameters:
            part = slice(offset, offset + parameter.numel())
            self.values[part].copy_(parameter.data.reshape(-1))
            parameter.data = self.values[part].view_as(parameter)
            parameter.grad = self.vector.grad[part].view_as(parameter)
            offset += parameter.numel()

    @property
    def gradient(self) -> Tensor:
        """Return the gradient vector, which backward passes add to."""
        assert self.vector.grad is not None
        return self.vector.grad

    def snapshot(self) -> Tensor:
        """Return a copy of the parameters."""
        return self.values.clone()

    def restore(self, snapshot: Tensor) -> None:
        """Set the parameters to a snapshot."""
        self.values.copy_(snapshot)
