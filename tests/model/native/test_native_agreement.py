"""The native engine computes what torch computes: outputs, states, and every gradient."""

from dataclasses import replace
from statistics import mean

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from sweep.model.native.call import CODES, Mode
from sweep.model.native.library import instruction_sets
from sweep.model.native.recurrence import run, trace
from sweep.model.shape import NetworkShape
from tests.support.torch_twin import drawn, noise, results_of, states, twin

# of the largest example's forward pass, so that the file takes seconds
WORK = 1e7  # multiply-adds
STEPS = 300  # steps x layers: torch pays for each in Python and in its graph


def test_there_is_something_to_test():
    assert instruction_sets()
    assert instruction_sets()[0] == "baseline"


@st.composite
def examples(draw: st.DrawFn) -> tuple[NetworkShape, int, int, int, bool]:
    """Return a network, batch, window, free steps, and whether a state is given."""
    batch = draw(st.sampled_from([1, 3, 16, 17, 97]))
    hidden = draw(st.sampled_from([1, 7, 51, 64, 257]))
    layers = draw(st.integers(1, 3))
    channels = draw(st.integers(1, 5))
    extra = draw(st.sampled_from([0, 0, 2]))  # known inputs beside the channels
    readout = draw(st.sampled_from([(), (channels,), (7, channels), (5, 20, channels)]))
    feedable = bool(readout)
    network = NetworkShape(
        cell=draw(st.sampled_from(list(CODES))),
        layers=layers,
        hidden=hidden,
        inputs=channels + extra,
        readout=readout,
        tanh_between=draw(st.booleans()),
        relu_output=feedable and draw(st.sampled_from([False, False, True])),
        increment=feedable and draw(st.booleans()),
    )
    longest = max(1, min(STEPS // layers, int(WORK / (batch * layers * 8 * hidden * (hidden + 3)))))
    window = draw(st.integers(1, longest))
    free = draw(st.integers(0, min(window - 1, 10))) if feedable and draw(st.booleans()) else 0
    return network, batch, window, free, draw(st.booleans())


def distance(result: Tensor, truth: Tensor) -> float:
    """Return the largest error relative to the largest number, 0 counting as 1e-300."""
    return float((result.double() - truth).abs().max() / truth.abs().max().clamp_min(1e-300))


def errors(results: dict[str, Tensor], truth: dict[str, Tensor]) -> dict[str, float]:
    """Return the root mean square over outputs and states, and over gradients, of their errors' sizes.

    An error's size is the root mean square of a tensor's errors, relative to its largest number, 1 at least:
    inputs and weights are of size one, and a sum that nearly cancels has no digits left, in torch's float32 as
    in ours. Alone, a result of one number may be right to the last bit by luck.
    """
    assert results.keys() == truth.keys()
    squares: dict[str, list[float]] = {"forward": [], "gradients": []}
    for name, wanted in truth.items():
        size = (results[name].double() - wanted).square().mean() / wanted.abs().max().clamp_min(1.0) ** 2
        squares["gradients" if name.startswith("d ") else "forward"].append(float(size))
    return {group: mean(values) ** 0.5 for group, values in squares.items()}


def together(of: list[dict[str, float]]) -> dict[str, float]:
    return {group: mean(each[group] ** 2 for each in of) ** 0.5 for group in of[0]}


@settings(max_examples=40, deadline=None, derandomize=True)
@given(examples())
def test_outputs_states_and_gradients_are_torch_s(example: tuple[NetworkShape, int, int, int, bool]):
    network, batch, window, free, stateful = example
    mode = Mode(free=free)
    torch_s, ours = [], {instructions: [] for instructions in instruction_sets()}
    few = network.hidden < 10 or batch * window < 50
    for seed in range(8 if few else 2):  # few numbers: luck must average out
        # the same numbers in both precisions: the truth of float32 is torch's float64 on the rounded ones
        parameters = [p.detach() for p in drawn(network, torch.float32, seed)]
        x = noise(batch, window, network.inputs, dtype=torch.float32, seed=seed)
        state = states(network, batch, torch.float32, seed) if stateful else None
        double = ([p.double() for p in parameters], x.double(), state and tuple(s.double() for s in state))
        truth = results_of(twin, network, *double, mode)
        torch_s.append(errors(results_of(twin, network, parameters, x, state, mode), truth))
        for instructions in instruction_sets():
            here = replace(mode, instructions=instructions)
            exact = results_of(run, network, *double, here)
            for name, wanted in truth.items():
                assert distance(exact[name], wanted) <= 1e-11, (instructions, name)
            ours[instructions].append(errors(results_of(run, network, parameters, x, state, here), truth))
    for instructions, of in ours.items():
        allowed = {group: 2 * error + 1e-8 for group, error in together(torch_s).items()}
        for group, error in together(of).items():
            if group == "gradients" and network.relu_output:
                continue  # rounding switches the gradient of an output near 0 on or off, by luck in ours or torch's
            assert error <= allowed[group], (instructions, group)


@pytest.mark.parametrize("instructions", instruction_sets())
@pytest.mark.parametrize(
    "hidden", [28, 62, 127, 130]
)  # several columns left over; more weights than one product takes
@pytest.mark.parametrize("cell", CODES)
def test_sizes_at_the_limits_of_a_product(cell: str, hidden: int, instructions: str):
    network = NetworkShape(cell, 2, hidden, 3, (5, 3), increment=True)
    double = [p.detach() for p in drawn(network)], noise(5, 7, 3), states(network, 5)
    mode = Mode(free=2, instructions=instructions)
    truth = results_of(twin, network, *double, mode)
    for name, result in results_of(run, network, *double, mode).items():
        assert distance(result, truth[name]) <= 1e-12, name


@pytest.mark.parametrize("instructions", instruction_sets())
@pytest.mark.parametrize("free", [0, 6])
@pytest.mark.parametrize("extra", [1, 8])
@pytest.mark.parametrize("cell", CODES)
def test_inputs_beside_the_channels(cell: str, extra: int, free: int, instructions: str):
    network = NetworkShape(cell, 2, 17, 2 + extra, (5, 2), increment=True)
    given = [p.detach() for p in drawn(network)], noise(5, 11, 2 + extra), states(network, 5)
    mode = Mode(free=free, instructions=instructions)
    truth, results = (results_of(compute, network, *given, mode) for compute in (twin, run))
    for name, result in results.items():
        assert distance(result, truth[name]) <= 1e-12, name
    assert truth["d x"][:, :, 2:].all()  # each input of each step has an effect, free-running or not


@pytest.mark.parametrize("instructions", instruction_sets())
@pytest.mark.parametrize(("dtype", "units"), [(torch.float32, 2.5), (torch.float64, 8.0)], ids=str)
def test_gates_are_right_to_the_last_bits(dtype: torch.dtype, units: float, instructions: str):
    points = torch.cat([torch.linspace(-20, 20, 4001), torch.logspace(-30, 0, 400)]).to(dtype)
    network = NetworkShape("lstm", 1, len(points), 1, ())
    for gate, function in ((0, torch.sigmoid), (2, torch.tanh)):
        # one step from zeros without weights: c = sigmoid(b_i) tanh(b_g), of which one is exactly 1
        parameters = [torch.zeros(shape, dtype=dtype) for shape in network.shapes()]
        parameters[2].fill_(100.0)
        parameters[2][gate * len(points) : (gate + 1) * len(points)] = points
        mode = Mode(instructions=instructions)
        _, (_, c) = run(network, parameters, torch.zeros(1, 1, 1, dtype=dtype), None, mode)
        truth = function(points.double())
        unit = truth.abs() * torch.finfo(dtype).eps
        slope = 1 - truth if gate == 0 else (1 - truth**2) / truth  # of the function's logarithm
        # half a unit of the argument, which the kernel takes in another unit
        of_the_argument = (0.5 * points.double() * slope).abs()
        assert float(((c[0, 0].double() - truth).abs() / unit - of_the_argument).max()) < units, function


NETWORKS = {
    "lstm, a whole readout": NetworkShape("lstm", 2, 5, 3, (4, 2), tanh_between=True, increment=True),
    "gru, a whole readout": NetworkShape("gru", 2, 5, 3, (4, 2), tanh_between=True, increment=True),
    "lstm, states are the outputs": NetworkShape("lstm", 3, 4, 2, ()),
    "gru, states are the outputs": NetworkShape("gru", 3, 4, 2, ()),
    "gru, relu at the end": NetworkShape("gru", 1, 20, 3, (6, 2), relu_output=True),
}


@pytest.fixture(params=NETWORKS)
def network(request: pytest.FixtureRequest) -> NetworkShape:
    return NETWORKS[request.param]


@pytest.mark.parametrize("free", [0, 3])
@pytest.mark.parametrize("instructions", instruction_sets())
def test_gradients_are_those_of_finite_differences(network: NetworkShape, free: int, instructions: str):
    free = free if network.readout else 0
    mode = Mode(free=free, instructions=instructions)
    leaves = [*drawn(network), noise(3, 6, network.inputs), *states(network, 3)]
    leaves = [leaf.detach().requires_grad_() for leaf in leaves]
    count = len(network.shapes())

    def computed(*leaves: Tensor) -> tuple[Tensor, ...]:
        outputs, last = run(network, leaves[:count], leaves[count], leaves[count + 1 :], mode)
        return outputs, *last

    assert torch.autograd.gradcheck(computed, leaves, fast_mode=True, atol=1e-7)


@pytest.mark.parametrize("outputs", [0, 1, 2])
def test_what_is_not_used_has_no_gradient(network: NetworkShape, outputs: int):
    # only the outputs, only h or only c arrive at the backward pass
    parameters, x = drawn(network), noise(4, 9, network.inputs).requires_grad_()
    used = min(outputs, network.components)
    gradients = []
    for compute in (run, twin):
        all_outputs, last = compute(network, parameters, x)
        value = (all_outputs, *last)[used].square().sum()
        gradients.append(torch.autograd.grad(value, [*parameters, x], allow_unused=True))
    for ours, torch_s in zip(*gradients, strict=True):
        wanted = torch.zeros_like(ours) if torch_s is None else torch_s
        assert torch.allclose(ours, wanted, rtol=0, atol=1e-11)


def test_gradients_add_up_over_calls(network: NetworkShape):
    # two windows through the same weights, the second from the first one's last state
    parameters, x = drawn(network), noise(3, 40, network.inputs)

    def gradients(compute) -> tuple[Tensor, ...]:
        first, state = compute(network, parameters, x[:, :15].contiguous())
        second, _ = compute(network, parameters, x[:, 15:].contiguous(), state)
        return torch.autograd.grad(first.sin().sum() + second.cos().sum(), parameters)

    for ours, torch_s in zip(gradients(run), gradients(twin), strict=True):
        assert torch.allclose(ours, torch_s, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("cut", [1, 16, 50])
def test_two_part_windows_equal_one_whole_to_the_bit(network: NetworkShape, cut: int):
    parameters, x = [p.detach() for p in drawn(network)], noise(5, 83, network.inputs)
    whole, after = run(network, parameters, x)
    first, state = run(network, parameters, x[:, :cut].contiguous())
    second, last = run(network, parameters, x[:, cut:].contiguous(), state)
    assert torch.equal(torch.cat([first, second], dim=1), whole)
    assert all(map(torch.equal, last, after))


@pytest.mark.parametrize("network", [n for n in NETWORKS.values() if n.readout], ids=str)
def test_a_rollout_is_its_steps_to_the_bit(network: NetworkShape):
    parameters, x = [p.detach() for p in drawn(network)], noise(17, 60, network.inputs)
    whole, after = run(network, parameters, x, mode=Mode(free=40))
    forecast, state = run(network, parameters, x[:, :20].contiguous())
    assert torch.equal(forecast, whole[:, :20])
    fed = forecast[:, -1:]
    for step in range(20, 60):
        known = x[:, step : step + 1, network.outputs :]
        fed, state = run(network, parameters, torch.cat([fed, known], dim=2), state)
        assert torch.equal(fed[:, 0], whole[:, step]), step
    assert all(map(torch.equal, state, after))


def test_inputs_that_are_fed_are_not_read():
    network = NETWORKS["lstm, a whole readout"]
    x = noise(3, 30, 3)
    spoiled = x.clone()
    spoiled[:, 20:, :2] = torch.nan
    parameters = drawn(network)
    first, second = (results_of(run, network, parameters, each, None, Mode(free=10)) for each in (x, spoiled))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not first["d x"][:, 20:, :2].any()
    assert first["d x"][:, 20:, 2:].all()


@pytest.mark.parametrize("free", [0, 12])
def test_a_trace_holds_the_state_after_every_step(network: NetworkShape, free: int):
    mode = Mode(free=free if network.readout else 0)
    parameters, x = [p.detach() for p in drawn(network)], noise(19, 30, network.inputs)
    state = states(network, 19)
    outputs, traced = trace(network, parameters, x, state, mode)
    whole, last = run(network, parameters, x, state, mode)
    assert torch.equal(outputs, whole)
    for part in range(network.components):
        assert torch.equal(traced[part][-1], last[part])
    for step in range(30 - mode.free):
        _, state = run(network, parameters, x[:, step : step + 1].contiguous(), state)
        for part in range(network.components):
            assert torch.equal(traced[part][step], state[part])


@pytest.mark.parametrize("instructions", instruction_sets())
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_with_and_without_gradients_the_outputs_are_the_same_bits(
    network: NetworkShape, dtype: torch.dtype, instructions: str
):
    parameters, x = drawn(network, dtype), noise(18, 50, network.inputs, dtype=dtype)
    mode = Mode(instructions=instructions)
    with torch.no_grad():
        plain = run(network, parameters, x, None, mode)
    kept = run(network, parameters, x, None, mode)
    assert torch.equal(plain[0], kept[0])
    assert all(map(torch.equal, plain[1], kept[1]))


def test_the_backward_pass_can_be_repeated(network: NetworkShape):
    parameters, x = drawn(network), noise(18, 50, network.inputs)
    value = run(network, parameters, x)[0].square().sum()
    x.zero_()  # nor does it need the inputs any more
    first = torch.autograd.grad(value, parameters, retain_graph=True)
    second = torch.autograd.grad(value, parameters)
    assert all(map(torch.equal, first, second))
