"""What the trainer needs of an optimizer that takes all windows at once."""

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable


class OutOfBudget(Exception):
    """Raised by a closure that the budget does not allow: the step ends at the best point that it has seen."""


@runtime_checkable
class FullBatchOptimizer(Protocol):
    """An optimizer whose step may evaluate its closure several times, as a line search does.

    Beside this interface it has the `param_groups`, `state_dict` and `load_state_dict` of torch's optimizers.
    """

    start_norm: float  # after a step: the norm of the gradient at the step's start
    lost: bool  # after a step: whether a closure gave a number that is not finite

    def step(self, closure: Callable[[], float]) -> float:
        """Make one step and return the loss at its start, NaN where it was not evaluated.

        Args:
            closure: sets the gradients and returns the loss. When it raises OutOfBudget, the step must catch the
                error, set the parameters to the best point that it has seen, and return.
        """

    def restart(self) -> Any:
        """Forget curvature and direction: the trainer has moved the parameters, or the step moved nothing."""
