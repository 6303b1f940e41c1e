"""Torch's optimizers without what torch surrounds them with for its hooks, its profiler and its compiler."""

import contextlib
import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from typing import Any

from torch.optim import Optimizer

# methods that torch's compiler leaves alone
LEFT_ALONE = (Optimizer.add_param_group, Optimizer.state_dict, Optimizer.load_state_dict)
VERDICT = "__dynamo_disable"  # where torch keeps, with such a method, what its compiler made of it


def plain_step(optimizer: Optimizer) -> Callable[[], Any]:
    """Return the optimizer's step itself, to be called where no gradients are recorded.

    What torch wraps it in costs as much as SGD, and the import of its compiler.
    """
    return functools.partial(inspect.unwrap(type(optimizer).step), optimizer)


@contextlib.contextmanager
def without_compiler() -> Iterator[None]:
    """Make, store and load optimizers inside without importing torch's compiler, a second in every process.

    Torch imports it at the first call of some methods, only for it to leave them alone. Inside, these are taken for
    left alone already. Afterwards all is as before, as who compiles in this process needs the real thing; so where the
    compiler is there nothing is done, nor where torch works otherwise.
    """
    methods = [] if "torch._dynamo" in sys.modules else [inspect.unwrap(method) for method in LEFT_ALONE]
    marked = [method for method in methods if not hasattr(method, VERDICT)]
    for method in marked:
        setattr(method, VERDICT, method)
    try:
        yield
    finally:
        for method in marked:
            with contextlib.suppress(AttributeError):  # another thread was here
                delattr(method, VERDICT)
