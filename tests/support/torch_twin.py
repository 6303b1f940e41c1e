"""The slow twin of the native engine: torch's own LSTM and GRU, linear layers and an explicit loop."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from sweep.model.native.call import PLAIN, Mode
from sweep.model.native.recurrence import run
from sweep.model.shape import NetworkShape

State = tuple[Tensor, ...]


def drawn(
    network: NetworkShape, dtype: torch.dtype = torch.float64, seed: int = 0, size: float = 1.0
) -> list[Tensor]:
    """Return parameters, uniform on +-`size` / sqrt(hidden), that want gradients."""
    generator = torch.Generator().manual_seed(seed)
    bound = size / network.hidden**0.5
    values = [torch.rand(shape, generator=generator, dtype=torch.float64) for shape in network.shapes()]
    return [((2 * bound) * value - bound).to(dtype).requires_grad_() for value in values]


def noise(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 1) -> Tensor:
    """Return normal numbers."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def zeros(network: NetworkShape, batch: int, dtype: torch.dtype = torch.float64) -> State:
    """Return the state from which a network starts by default."""
    shape = (network.layers, batch, network.hidden)
    return tuple(torch.zeros(shape, dtype=dtype) for _ in range(network.components))


def states(network: NetworkShape, batch: int, dtype: torch.dtype = torch.float64, seed: int = 2) -> State:
    """Return a state of normal numbers."""
    shape = (network.layers, batch, network.hidden)
    return tuple(noise(*shape, dtype=dtype, seed=seed + part) for part in range(network.components))


def twin(
    network: NetworkShape,
    parameters: Sequence[Tensor],
    x: Tensor,
    state: State | None = None,
    mode: Mode = PLAIN,
) -> tuple[Tensor, State]:
    """Return what `recurrence.run` has to return, by torch."""
    state = state or zeros(network, x.shape[0], x.dtype)
    forced = x.shape[1] - mode.free
    outputs, state = _forced(network, parameters, x[:, :forced], state)
    forecasts = [outputs]
    for step in range(forced, x.shape[1]):
        fed = torch.cat([forecasts[-1][:, -1:], x[:, step : step + 1, network.outputs :]], dim=2)
        outputs, state = _forced(network, parameters, fed, state)
        forecasts.append(outputs)
    return torch.cat(forecasts, dim=1), state


def _forced(
    network: NetworkShape, parameters: Sequence[Tensor], x: Tensor, state: State
) -> tuple[Tensor, State]:
    weights = list(parameters[: 4 * network.layers])
    options = (True, network.layers, 0.0, False, False, True)
    if network.cell == "lstm":
        y, *after = torch.lstm(x, state, weights, *options)
    else:
        y, *after = torch.gru(x, state[0], weights, *options)
    for j in range(len(network.readout)):
        weight, bias = parameters[4 * network.layers + 2 * j :][:2]
        y = torch.nn.functional.linear(y, weight, bias)
        if j < len(network.readout) - 1:
            y = y.tanh() if network.tanh_between else y.relu()
        elif network.relu_output:
            y = y.relu()
    return (y + x[:, :, : network.outputs] if network.increment else y), tuple(after)


def results_of(
    compute: Callable[..., tuple[Tensor, State]],
    network: NetworkShape,
    parameters: Sequence[Tensor],
    x: Tensor,
    state: State | None = None,
    mode: Mode = PLAIN,
) -> dict[str, Tensor]:
    """Return outputs, last states and all gradients of a sum that weighs every output and state differently."""
    leaves = [t.detach().clone().requires_grad_() for t in (*parameters, x, *(state or ()))]
    count = len(parameters)
    given = tuple(leaves[count + 1 :]) or None
    outputs, last = compute(network, leaves[:count], leaves[count], given, mode)
    weights = [noise(*t.shape, dtype=t.dtype, seed=10 + i) for i, t in enumerate((outputs, *last))]
    total = sum((w * t).sum() for w, t in zip(weights, (outputs, *last), strict=True))
    gradients = torch.autograd.grad(total, leaves)
    names = [f"d parameter {i}" for i in range(count)] + ["d x", "d h", "d c"]
    results = {"outputs": outputs.detach(), "h": last[0].detach()}
    if len(last) > 1:
        results["c"] = last[1].detach()
    return results | dict(zip(names, gradients, strict=False))


def native(
    network: NetworkShape, *arguments, instructions: str | None = None, threads: int = 1, free: int = 0
):
    """Return `results_of` the native engine."""
    mode = Mode(instructions=instructions, threads=threads, free=free)
    return results_of(run, network, *arguments, mode=mode)


def differing(first: dict[str, Tensor], second: dict[str, Tensor]) -> list[str]:
    """Return the names of those results whose bits differ; NaN equals NaN."""
    assert first.keys() == second.keys()
    integer = {torch.float32: torch.int32, torch.float64: torch.int64}
    return [
        name
        for name in first
        if not torch.equal(
            first[name].nan_to_num(12345.0).view(integer[first[name].dtype]),
            second[name].nan_to_num(12345.0).view(integer[second[name].dtype]),
        )
    ]
