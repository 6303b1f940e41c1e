"""One optimizer made of two: Muon for matrices and AdamW for the other parameters."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim import AdamW, Muon, Optimizer

from sweep.train.plain import plain_step


class MuonWithAdamW(Optimizer):
    """Trains matrices by Muon, which takes two-dimensional parameters only, and biases by AdamW at the same rate.

    The parameter groups are those of both, so that a schedule sets the rate of every parameter.
    """

    def __init__(self, params: list[Tensor], lr: float, momentum: float, weight_decay: float) -> None:
        super().__init__(params, {"lr": lr})
        matrices = [p for p in params if p.ndim == 2]
        others = [p for p in params if p.ndim != 2]
        self.parts: list[Optimizer] = []
        if matrices:
            self.parts.append(
                Muon(
                    matrices,
                    lr=lr,
                    momentum=momentum,
                    weight_decay=weight_decay,
                    adjust_lr_fn="match_rms_adamw",
                )
            )
        if others:
            self.parts.append(AdamW(others, lr=lr, betas=(momentum, 0.999), weight_decay=weight_decay))
        self.param_groups = [group for part in self.parts for group in part.param_groups]

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """Update all parameters from their gradients."""
        for part in self.parts:
            plain_step(part)()

    def state_dict(self) -> dict[str, Any]:
        """Return the states of both optimizers."""
        return {"parts": [part.state_dict() for part in self.parts]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load the states of both optimizers."""
        for part, state in zip(self.parts, state_dict["parts"], strict=True):
            part.load_state_dict(state)
        self.param_groups = [group for part in self.parts for group in part.param_groups]
