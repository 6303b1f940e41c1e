"""Torch's optimizers without what surrounds them: hooks, and marks for a profiler and a compiler that are not used."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

from torch.optim import Optimizer


def plain_step(optimizer: Optimizer) -> Callable[[], Any]:
    """Return the optimizer's step itself, to be called where no gradients are recorded.

    What torch wraps it in costs as much as SGD, and the import of its compiler.
    """
    return functools.partial(inspect.unwrap(type(optimizer).step), optimizer)


@functools.cache
def leave_compiler_out() -> None:
    """Let optimizers be made and stored without torch's compiler: its import takes a second, in every process.

    Torch imports it at the first call of these methods, only to be told to leave them alone, and keeps what it gets in
    this attribute of the method. Where torch does otherwise this changes nothing.
    """
    for method in (Optimizer.add_param_group, Optimizer.state_dict, Optimizer.load_state_dict):
        plain = inspect.unwrap(method)
        if plain is not method and not hasattr(plain, "__dynamo_disable"):
            setattr(plain, "__dynamo_disable", plain)
