"""L-BFGS that does not evaluate its closure twice at the same point, and whose step ends when the budget ends."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim import LBFGS

from sweep.train.full_batch import OutOfBudget

LINE_SEARCH = 25  # most evaluations of a line search: torch's default for its strong Wolfe search


class _NonFinite(Exception):
    """Raised when a closure gives a loss or gradient that is not finite: the step ends there."""


class MemoLBFGS(LBFGS):
    """torch's L-BFGS with one iteration per step, which remembers the evaluations of the latest line search.

    torch evaluates the closure at the start of every step, although the line search before it ended at the same point:
    with one iteration per step that is up to half of all closures. The memo returns loss and gradient for parameters
    with the same bits.

    After a step, `start_norm` is the norm of the gradient where the step began, and `lost` says whether a closure was
    not finite. Such a step ends at once, with the parameters of that closure. A step whose closure raises OutOfBudget
    ends at the point of the lowest loss that it has seen.
    """

    def __init__(self, params: list[Tensor], **settings: Any) -> None:
        # by default torch derives max_eval from max_iter, and with max_iter = 1 it leaves none for the line search
        super().__init__(params, **settings, max_iter=1, max_eval=1 + LINE_SEARCH)
        self.memo: list[tuple[Tensor, float, Tensor]] = []  # parameters, loss, gradient
        self.start_norm = math.nan
        self.lost = False

    @torch.no_grad()
    def step(self, closure: Callable[[], float]) -> float:  # type: ignore[override]
        """Make one iteration and return the loss at its start. The closure sets gradients and returns the loss."""
        earlier, self.memo = self.memo, []
        start = self.start_norm = math.nan
        self.lost = False

        def remembered() -> float:
            nonlocal start
            here = self._flat_parameters()
            entry = next((known for known in [*self.memo, *earlier] if torch.equal(known[0], here)), None)
            if entry is None:
                loss = closure()
                entry = (here, loss, self._flat_gradient())
            else:
                self._set_gradient(entry[2])
            norm = float(torch.linalg.vector_norm(entry[2]))
            if not self.memo:
                start, self.start_norm = entry[1], norm
            self.memo.append(entry)
            if not (math.isfinite(entry[1]) and math.isfinite(norm)):
                raise _NonFinite
            return entry[1]

        try:
            if float(self.param_groups[0]["lr"]) > 0:
                super().step(remembered)  # type: ignore[no-untyped-call]
            else:  # a line search cannot start with a step of length 0
                with torch.enable_grad():
                    remembered()
        except _NonFinite:
            self.lost = True
        except OutOfBudget:
            if self.memo:
                self._set_parameters(min(self.memo, key=lambda entry: entry[1])[0])
        here = self._flat_parameters()
        self.memo = [entry for entry in self.memo if torch.equal(entry[0], here)][:1]
        return start

    def state_dict(self) -> dict[str, Any]:
        """Return torch's state and the memo, so that a resumed run evaluates the same closures."""
        return {**super().state_dict(), "memo": self.memo}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load a state that `state_dict` returned."""
        super().load_state_dict({key: value for key, value in state_dict.items() if key != "memo"})
        self.memo = list(state_dict["memo"])

    def restart(self) -> None:
        """Forget curvature, direction and memo; the next step follows a newly evaluated gradient."""
        self.state.clear()
        self.memo = []

    def _flat_parameters(self) -> Tensor:
        return torch.cat([p.detach().reshape(-1) for p in self._params])

    def _set_parameters(self, flat: Tensor) -> None:
        for p, part in zip(self._params, torch.split(flat, [p.numel() for p in self._params]), strict=True):
            p.copy_(part.view_as(p))

    def _flat_gradient(self) -> Tensor:
        return torch.cat([p.grad.reshape(-1) for p in self._params])

    def _set_gradient(self, flat: Tensor) -> None:
        offset = 0
        for p in self._params:
            view = flat[offset : offset + p.numel()].view_as(p)
            if p.grad is None:
                p.grad = view.clone()
            else:
                p.grad.copy_(view)
            offset += p.numel()
