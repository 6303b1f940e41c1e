"""The same inputs give the same bits: whatever the threads, the neighbours, and what memory held before."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from sweep.model.native import workspace
from sweep.model.native.call import CODES, Mode
from sweep.model.native.library import instruction_sets
from sweep.model.native.recurrence import run
from sweep.model.shape import NetworkShape
from tests.support.torch_twin import differing, drawn, native, noise, results_of, states

LARGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage").exists()
BATCH = 41  # three tiles, the last one smaller


def case(cell: str, dtype: torch.dtype = torch.float32):
    network = NetworkShape(cell, 2, 19, 3, (6, 2), increment=True)
    parameters = [p.detach() for p in drawn(network, dtype)]
    return network, parameters, noise(BATCH, 37, 3, dtype=dtype), states(network, BATCH, dtype)


@pytest.mark.parametrize("free", [0, 9])
@pytest.mark.parametrize("cell", CODES)
def test_threads_and_repetition_do_not_show(cell: str, free: int):
    arguments = case(cell)
    one = native(*arguments, free=free)
    for threads in (1, 2, 3, 5, 64):
        assert not differing(one, native(*arguments, threads=threads, free=free)), threads


def test_that_test_can_fail():
    # control: the neighbouring instruction set rounds differently, and is told apart
    arguments = case("gru")
    sets = instruction_sets()
    if len(sets) > 1:
        assert differing(native(*arguments, instructions=sets[0]), native(*arguments, instructions=sets[1]))
    x = arguments[2].clone()
    x[40, 36, 2] += 1e-6
    assert differing(native(*arguments), native(arguments[0], arguments[1], x, arguments[3]))


def test_calls_from_several_threads_at_once_do_not_mix():
    cases = [case(cell, dtype) for cell in CODES for dtype in (torch.float32, torch.float64)]
    alone = [native(*arguments) for arguments in cases]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda arguments: native(*arguments, threads=2), cases * 20))
    for i, results in enumerate(together):
        assert not differing(alone[i % len(cases)], results)


@pytest.mark.parametrize("instructions", instruction_sets())
@pytest.mark.parametrize("cell", CODES)
def test_a_sequence_does_not_see_its_neighbours(cell: str, instructions: str):
    network, parameters, x, state = case(cell)
    together = native(network, parameters, x, state, instructions=instructions)
    for n in (0, 13, 40):
        own = tuple(part[:, n : n + 1].contiguous() for part in state)
        mode = Mode(instructions=instructions)
        outputs, last = run(network, parameters, x[n : n + 1], own, mode)
        assert torch.equal(outputs[0], together["outputs"][n])
        assert torch.equal(last[0][:, 0], together["h"][:, n])


GARBAGE = {"quiet NaN": 0xFF, "huge": 0x7E, "small": 0x01}


@pytest.mark.parametrize("garbage", GARBAGE)
@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (1, 3, 5, 1), (3, 17, 7, 2), (2, 16, 51, 1)], ids=str)
@pytest.mark.parametrize("cell", CODES)
def test_what_the_workspace_held_does_not_show(
    cell: str, shape: tuple[int, ...], garbage: str, monkeypatch: pytest.MonkeyPatch
):
    layers, batch, hidden, channels = shape
    network = NetworkShape(
        cell, layers, hidden, channels + 1, (3, channels), tanh_between=True, increment=True
    )
    bare = NetworkShape(cell, layers, hidden, channels, ())
    byte = 0

    def filled(size: int) -> torch.Tensor:
        return torch.full((size,), byte, dtype=torch.uint8)

    monkeypatch.setattr(workspace, "_take", filled)
    for instructions in instruction_sets():
        for dtype in (torch.float32, torch.float64):
            for net, free in ((network, 0), (network, 4), (bare, 0)):
                parameters = [p.detach() for p in drawn(net, dtype)]
                x = noise(batch, 21, net.inputs, dtype=dtype)
                byte = 0
                clean = native(net, parameters, x, None, instructions=instructions, free=free)
                byte = GARBAGE[garbage]
                dirty = native(net, parameters, x, None, instructions=instructions, free=free)
                assert not differing(clean, dirty), (instructions, dtype, free)
                assert all(value.isfinite().all() for value in dirty.values())


def test_buffers_are_handed_on_and_can_be_released():
    network, parameters, x, state = case("lstm")
    workspace.release()
    with torch.no_grad():
        run(network, parameters, x, state)
        waiting = [buffer.data_ptr() for buffer in workspace._waiting]
        run(network, parameters, x, state)
    assert len(waiting) == 1
    assert [buffer.data_ptr() for buffer in workspace._waiting] == waiting
    workspace.release()
    assert not workspace._waiting


@pytest.mark.parametrize(
    "size", [0, 1, workspace.LARGE_PAGE - 1, workspace.LARGE_PAGE, 3 * workspace.LARGE_PAGE + 5]
)
def test_a_buffer_holds_zeros_and_is_given_back(size):
    before = mapped()
    buffer = workspace._zeros(size)
    assert buffer.numel() >= size
    assert not buffer.any()
    buffer.fill_(1)
    assert buffer.all()
    if LARGE_PAGES and size >= workspace.LARGE_PAGE:
        assert mapped() >= before + size
    del buffer
    assert mapped() < before + workspace.LARGE_PAGE


def mapped() -> int:
    """Return the bytes of this process's memory for which large pages were asked; 0 where there are none."""
    if not LARGE_PAGES:
        return 0
    total = size = 0
    for line in Path("/proc/self/smaps").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "Size":
            size = 1024 * int(value.split()[0])
        elif name == "VmFlags" and "hg" in value.split():
            total += size
    return total


def test_a_buffer_serves_one_graph_at_a_time():
    # two windows' graphs live at once: the second must not overwrite what the first one's backward needs
    network, parameters, x, state = case("gru")
    wanted = results_of(run, network, parameters, x, state)
    leaves = [p.requires_grad_() for p in parameters]
    first, _ = run(network, leaves, x, state)
    second, _ = run(network, leaves, x * 2, state)
    weights = noise(*first.shape, dtype=first.dtype, seed=10)
    last = [noise(*s.shape, dtype=s.dtype, seed=11) for s in state]
    second.sum().backward()
    del second
    outputs, after = run(network, leaves, x, state)
    total = (weights * outputs).sum() + sum((w * a).sum() for w, a in zip(last, after, strict=True))
    gradients = torch.autograd.grad(total, leaves)
    assert all(torch.equal(g, wanted[f"d parameter {i}"]) for i, g in enumerate(gradients))
    assert torch.equal(outputs, first)


SMALLEST = 5e-324


@pytest.mark.parametrize("instructions", instruction_sets())
def test_subnormal_numbers_count_as_zero_inside_and_are_left_alone_outside(instructions: str):
    network, parameters, x, _ = case("lstm", torch.float64)
    tiny = torch.full_like(x, 1e-310)
    for threads in (1, 3):
        small = native(network, parameters, tiny, None, instructions=instructions, threads=threads)
        none = native(network, parameters, x * 0, None, instructions=instructions, threads=threads)
        assert not differing(small, none)
        one = float(threads > 0)  # not known beforehand: the product is the processor's, in this thread
        assert SMALLEST * one > 0
        assert float(torch.full((64,), 1e-310, dtype=torch.float64).mul(2.0)[63]) == 2e-310
