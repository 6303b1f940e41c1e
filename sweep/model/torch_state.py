"""The state of torch and numpy in which networks are computed, whatever the caller has set."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch

SEED = 0  # of torch's global generator; sweep's own code draws from generators of its own
FULL = ("none", "ieee")  # words of torch for products in full float32 precision
# where torch may compute float32 products in a shorter type
_ONEDNN: Any = torch.backends.mkldnn
SHORTENED = (_ONEDNN.matmul, _ONEDNN.rnn, _ONEDNN.conv, torch.backends.cuda.matmul)


@contextmanager
def fresh_torch_state() -> Iterator[None]:
    """Compute inside as in a fresh process with one torch thread; restore the caller's state afterwards.

    Each setting changes results or makes a trial fail: gradients off, inference mode, another default device, autocast,
    the default type (the weights that are drawn), the number of threads (the order of sums), short float32 products,
    deterministic algorithms, torch without oneDNN, denormal numbers flushed to 0, torch's global random state (a model
    of a plug-in may draw from it), and errors instead of numpy's warnings.
    """
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        if torch.get_default_device() != torch.device("cpu"):
            stack.enter_context(
                torch.device("cpu")
            )  # it slows every operation down, so only where it is needed
        stack.enter_context(torch.autocast("cpu", enabled=False))
        stack.enter_context(torch.autocast("cuda", enabled=False))
        stack.enter_context(np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"))
        _set(stack, torch.get_default_dtype(), torch.float32, torch.set_default_dtype)
        _set(stack, torch.get_num_threads(), 1, torch.set_num_threads)
        _set(stack, torch._C._get_mkldnn_enabled(), True, torch._C._set_mkldnn_enabled)
        _set(stack, torch.are_deterministic_algorithms_enabled(), False, _set_deterministic)
        _set(stack, _flushes_denormals(), False, torch.set_flush_denormal)
        for operations in SHORTENED:
            before = operations.fp32_precision
            if before not in FULL:
                operations.fp32_precision = "ieee"
                stack.callback(setattr, operations, "fp32_precision", before)
        stack.enter_context(torch.random.fork_rng(devices=[]))
        torch.default_generator.manual_seed(SEED)
        yield


def _set(stack: ExitStack, before: Any, wanted: Any, change: Callable[[Any], Any]) -> None:
    """Change a setting, and change it back when the stack is closed; leave it alone where it is as wanted."""
    if before != wanted:
        change(wanted)
        stack.callback(change, before)


def _set_deterministic(enabled: bool) -> None:
    torch.use_deterministic_algorithms(
        enabled, warn_only=torch.is_deterministic_algorithms_warn_only_enabled()
    )


def _flushes_denormals() -> bool:
    return float(torch.tensor([1e-40], dtype=torch.float32, device="cpu") * 1) == 0
