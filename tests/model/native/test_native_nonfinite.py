"""NaN and infinity in data, states and weights come out where torch has them, and huge numbers are fine."""

import pytest
import torch
from torch import Tensor

from sweep.model.native.call import CODES, Mode
from sweep.model.native.library import instruction_sets
from sweep.model.shape import NetworkShape
from tests.support.torch_twin import drawn, native, noise, results_of, states, twin

pytestmark = pytest.mark.filterwarnings("ignore:TF32 acceleration")  # switching oneDNN off says so

BAD = {"nan": torch.nan, "inf": torch.inf, "minus inf": -torch.inf}
READOUTS = {
    "increments": {"readout": (4, 2), "tanh_between": True, "increment": True},
    "relu": {"readout": (4, 2), "relu_output": True},
    "states": {"readout": ()},
}
BATCH, STEPS = 18, 25  # two tiles, several chunks


def pattern(value: Tensor) -> Tensor:
    """Return 0 where finite, 1 where NaN, 2 and 3 where infinite."""
    return value.isnan() + 2 * value.isposinf() + 3 * value.isneginf()


def patterns(results: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: pattern(value) for name, value in results.items()}


@pytest.fixture(params=CODES)
def cell(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=READOUTS)
def network(request: pytest.FixtureRequest, cell: str) -> NetworkShape:
    return NetworkShape(cell, 2, 17, 3, **READOUTS[request.param])


@pytest.fixture(autouse=True)
def plain_torch():
    # oneDNN's float32 LSTM has rules of its own for what is not finite
    with torch.backends.mkldnn.flags(enabled=False):
        yield


def both(network: NetworkShape, parameters, x, state=None, free: int = 0, dtype=torch.float32):
    """Yield the results' names, and their patterns by torch and by every instruction set."""
    parameters = [p.detach().to(dtype) for p in parameters]
    x, state = x.to(dtype), state and tuple(part.to(dtype) for part in state)
    wanted = patterns(results_of(twin, network, parameters, x, state, Mode(free=free)))
    for instructions in instruction_sets():
        came = patterns(native(network, parameters, x, state, instructions=instructions, free=free))
        for name in wanted:
            yield f"{instructions} {name}", wanted[name], came[name]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("bad", BAD)
def test_bad_data_spoil_what_they_spoil_in_torch(network: NetworkShape, bad: str, dtype: torch.dtype):
    x = noise(BATCH, STEPS, 3)
    x[3, 7, 1] = x[12, 0, 2] = x[17, 24, 0] = BAD[bad]
    seen = 0
    for name, wanted, came in both(network, drawn(network), x, dtype=dtype):
        assert torch.equal(wanted, came), name
        seen += int(wanted.any())
    assert seen


@pytest.mark.parametrize("free", [0, 8])
@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("which", range(8 + 4))
def test_bad_weights_spoil_what_they_spoil_in_torch(cell: str, which: int, bad: str, free: int):
    network = NetworkShape(cell, 2, 17, 3, (4, 2), tanh_between=True)
    parameters = [p.detach() for p in drawn(network)]
    parameters[which].view(-1)[1] = BAD[bad]
    for name, wanted, came in both(network, parameters, noise(3, STEPS, 3), states(network, 3), free):
        assert torch.equal(wanted, came), name


@pytest.mark.parametrize("bad", BAD)
def test_bad_states_spoil_what_they_spoil_in_torch(network: NetworkShape, bad: str):
    for part in range(network.components):
        state = states(network, BATCH)
        state[part][0, 5, 3] = state[part][1, 11, 16] = BAD[bad]
        for name, wanted, came in both(network, drawn(network), noise(BATCH, STEPS, 3), state):
            assert torch.equal(wanted, came), name


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("instructions", instruction_sets())
def test_a_bad_sequence_leaves_its_neighbours_their_bits(network: NetworkShape, bad: str, instructions: str):
    x, state = noise(BATCH, STEPS, 3), states(network, BATCH)
    good = native(network, drawn(network), x, state, instructions=instructions)
    x[4, 5] = BAD[bad]
    came = native(network, drawn(network), x, state, instructions=instructions)
    others = [n for n in range(BATCH) if n != 4]
    assert not came["outputs"][4].isfinite().all()
    for name in ("outputs", "d x"):
        assert torch.equal(came[name][others], good[name][others]), name
    for name in ("h", "c", "d h", "d c"):
        if name in came:
            assert torch.equal(came[name][:, others], good[name][:, others]), name


@pytest.mark.parametrize("size", [1e4, 1e15, 1e30])
def test_huge_data_are_fine(network: NetworkShape, size: float):
    x = noise(BATCH, STEPS, 3) * size
    parameters = [p.detach().float() for p in drawn(network)]
    wanted = results_of(twin, network, parameters, x.float())
    for instructions in instruction_sets():
        came = native(network, parameters, x.float(), None, instructions=instructions)
        for name in ("outputs", "h", *["c"][: network.components - 1]):
            assert came[name].isfinite().all()
            assert torch.allclose(came[name], wanted[name], rtol=1e-4, atol=1e-5), name


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("instructions", instruction_sets())
def test_closed_gates_are_exactly_closed(instructions: str, dtype: torch.dtype):
    # pre-activations far out: i = 0, f = 1, o = 1, so that the cell neither takes up nor forgets
    network = NetworkShape("lstm", 1, 5, 1, ())
    parameters = [torch.zeros(shape, dtype=dtype) for shape in network.shapes()]
    for gate, bias in enumerate((-1e30, 1e30, 3.0, 1e30)):
        parameters[2][5 * gate : 5 * gate + 5] = bias
    state = states(network, 2, dtype)
    came = native(network, parameters, noise(2, 9, 1, dtype=dtype), state, instructions=instructions)
    assert torch.equal(came["c"], state[1])
    assert not came["d parameter 2"][:10].any()
    parameters[2][10:15], parameters[2][:5] = 1e30, 1e30  # now the cell counts steps: g is exactly 1
    zero = tuple(part * 0 for part in state)
    came = native(network, parameters, noise(2, 9, 1, dtype=dtype), zero, instructions=instructions)
    assert torch.equal(came["c"], torch.full_like(came["c"], 9.0))
