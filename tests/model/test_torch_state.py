"""What the caller has set in torch and numpy changes nothing inside, and is there again afterwards."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np
import pytest
import torch

from sweep.model.torch_state import fresh_torch_state


@contextmanager
def having_set(change: Callable[[Any], Any], value: Any, before: Any) -> Iterator[None]:
    change(value)
    try:
        yield
    finally:
        change(before)


def short_products(precision: str) -> None:
    torch.backends.mkldnn.matmul.fp32_precision = precision


STATES: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "gradients off": torch.no_grad,
    "inference mode": torch.inference_mode,
    "default device": lambda: torch.device("meta"),
    "default device for good": lambda: having_set(torch.set_default_device, "meta", None),
    "default type": lambda: having_set(torch.set_default_dtype, torch.float64, torch.float32),
    "threads": lambda: having_set(torch.set_num_threads, 2, 1),
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "short products": lambda: having_set(short_products, "bf16", "none"),
    "short products, the old way": lambda: having_set(
        torch.set_float32_matmul_precision, "medium", "highest"
    ),
    "deterministic algorithms": lambda: having_set(torch.use_deterministic_algorithms, True, False),
    "no oneDNN": lambda: having_set(torch._C._set_mkldnn_enabled, False, True),
    "no denormals": lambda: having_set(torch.set_flush_denormal, True, False),
    "random state": lambda: having_set(torch.manual_seed, 77, 1),
    "numpy's errors": lambda: np.errstate(all="raise"),
}


@pytest.fixture(autouse=True)
def usual_state() -> None:
    torch.manual_seed(1)


def computed() -> list[Any]:
    """Numbers and settings, each of which one of the states changes."""
    generator = torch.Generator().manual_seed(0)
    network = torch.nn.LSTM(3, 16, batch_first=True)
    for parameter in network.parameters():
        torch.nn.init.uniform_(parameter, -0.3, 0.3, generator=generator)
    outputs, _ = network(torch.randn(4, 20, 3, generator=generator))
    outputs.square().sum().backward()
    numbers = [outputs.detach(), *(parameter.grad for parameter in network.parameters()), torch.rand(3)]
    with np.errstate(divide="ignore"):
        infinite = 1 / np.zeros(1) if np.geterr()["over"] != "raise" else "raises"
    return [
        [(part.dtype, part.tolist()) for part in numbers],
        float(torch.tensor([1e-40], dtype=torch.float32) * 1),
        infinite,
        bool(torch.empty(1000).isnan().all()),
        torch.get_num_threads(),
        torch.backends.mkldnn.matmul.fp32_precision in ("none", "ieee"),
        torch._C._get_mkldnn_enabled(),
    ]


def settings() -> list[Any]:
    """The whole state, to see that it comes back."""
    return [
        torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.get_default_device(),
        torch.get_default_dtype(), torch.get_num_threads(), torch.is_autocast_enabled("cpu"),
        torch.backends.mkldnn.matmul.fp32_precision, torch.are_deterministic_algorithms_enabled(),
        torch._C._get_mkldnn_enabled(), float(torch.tensor([1e-40], dtype=torch.float32, device="cpu") * 1),
        torch.random.get_rng_state().tolist(), np.geterr(),
    ]  # fmt: skip


def inside(state: Callable[[], AbstractContextManager[Any]]) -> list[Any]:
    with state():
        before = settings()
        with fresh_torch_state():
            numbers = computed()
        assert settings() == before
    return numbers


@pytest.mark.parametrize("name", STATES)
def test_the_caller_s_state_changes_nothing(name: str):
    assert inside(STATES[name]) == inside(nullcontext)


@pytest.mark.parametrize("name", STATES)
def test_without_the_fresh_state_it_would(name: str):
    """The control: the same numbers are others, or cannot be computed, where nothing is set back."""
    torch.default_generator.manual_seed(0)
    usual = computed()
    torch.default_generator.manual_seed(0)
    with STATES[name]():
        try:
            numbers = computed()
        except (RuntimeError, NotImplementedError):
            return
    assert numbers != usual


def test_the_random_state_inside_is_always_the_same():
    with fresh_torch_state():
        one = torch.rand(3)
    torch.rand(5)
    with fresh_torch_state():
        assert torch.equal(torch.rand(3), one)
