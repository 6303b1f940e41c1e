"""L-BFGS whose closure is not evaluated twice at the same point."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim import LBFGS


class MemoLBFGS(LBFGS):
    """torch's L-BFGS, remembering the evaluations of the latest line search.

    torch evaluates the closure at the start of every step, although the line search before it has just
    been there: with one iteration per step that is up to half of all closures. The memo returns loss and
    gradient for parameters that are the same bits.
    """

    def __init__(self, params: list[Tensor], **settings: Any) -> None:
        super().__init__(params, **settings)
        self.memo: list[tuple[Tensor, float, Tensor]] = []  # parameters, loss, gradient

    @torch.no_grad()
    def step(self, closure: Callable[[], float]) -> float:  # type: ignore[override]
        """Make one iteration; the closure sets gradients and returns the loss."""
        earlier, self.memo = self.memo, []

        def remembered() -> float:
            here = self._flat_parameters()
            for point, loss, gradient in [*self.memo, *earlier]:
                if torch.equal(point, here):
                    self._set_gradient(gradient)
                    self.memo.append((point, loss, gradient))
                    return loss
            loss = closure()
            self.memo.append((here, loss, self._gather_flat_grad().clone()))
            return loss

        loss = float(super().step(remembered))
        here = self._flat_parameters()
        self.memo = [entry for entry in self.memo if torch.equal(entry[0], here)][:1]
        return loss

    def state_dict(self) -> dict[str, Any]:
        """Return torch's state with the memo, so that a resumed run asks for the same closures."""
        return {**super().state_dict(), "memo": self.memo}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state that `state_dict` gave."""
        super().load_state_dict({key: value for key, value in state_dict.items() if key != "memo"})
        self.memo = list(state_dict["memo"])

    def restart(self) -> None:
        """Forget curvature and direction; the next step is along the gradient."""
        self.state.clear()
        self.memo = []

    def _flat_parameters(self) -> Tensor:
        return torch.cat([p.detach().reshape(-1) for p in self._params])

    def _set_gradient(self, flat: Tensor) -> None:
        offset = 0
        for p in self._params:
            view = flat[offset : offset + p.numel()].view_as(p)
            if p.grad is None:
                p.grad = view.clone()
            else:
                p.grad.copy_(view)
            offset += p.numel()
