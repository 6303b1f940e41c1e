"""torch's optimizers without the wrappers for its hooks, its profiler and its compiler."""

import contextlib
import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from typing import Any

from torch.optim import Optimizer

# methods that torch's compiler does not compile
NOT_COMPILED = (Optimizer.add_param_group, Optimizer.state_dict, Optimizer.load_state_dict)
MARK = "__dynamo_disable"  # the attribute of such a method in which torch keeps the version that it calls


def plain_step(optimizer: Optimizer) -> Callable[[], Any]:
    """Return the optimizer's step without torch's wrappers; call it where no gradients are recorded.

    The wrappers take as much time as SGD, and they import torch's compiler.
    """
    return functools.partial(inspect.unwrap(type(optimizer).step), optimizer)


@contextlib.contextmanager
def without_compiler() -> Iterator[None]:
    """Build, store and load optimizers inside without an import of torch's compiler, which takes a second per process.

    torch imports it at the first call of some methods, although it does not compile them. Inside, these methods carry
    the mark that torch would set. Afterwards the mark is removed, because other code of this process may compile. If
    the compiler is imported already, or if torch uses other marks, nothing is changed.
    """
    methods = [] if "torch._dynamo" in sys.modules else [inspect.unwrap(method) for method in NOT_COMPILED]
    marked = [method for method in methods if not hasattr(method, MARK)]
    for method in marked:
        setattr(method, MARK, method)
    try:
        yield
    finally:
        for method in marked:
            with contextlib.suppress(AttributeError):  # another thread has removed it
                delattr(method, MARK)
