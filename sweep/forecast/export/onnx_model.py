"""A network as an ONNX graph of one step: input and state in, forecast and state out, in model units.

Only plain operators are used (MatMul, Add, Mul, Sigmoid, Tanh, ...), so that a double network stays double: ONNX's own
LSTM and GRU operators exist for float32 alone in common runtimes.
"""

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from sweep.config.errors import UsageError
from sweep.data.types import Array
from sweep.model import Forecaster

OPSET, IR_VERSION = 17, 8  # of 2022: newer runtimes read them, and all operators used are there
EXTRA = "pip install 'sweep[export]'"


class Graph:
    """The nodes and constants of a graph under construction; a value is known by its name."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype
        self.nodes: list[Any] = []
        self.constants: dict[str, Array] = {}

    def constant(self, values: Array) -> str:
        """Add a constant and return its name."""
        name = f"constant_{len(self.constants)}"
        self.constants[name] = np.array(values, order="C")
        return name

    def number(self, values: Array | float) -> str:
        """Add a constant of the network's type."""
        return self.constant(np.asarray(values, dtype=self.dtype))

    def places(self, *values: int) -> str:
        """Add a constant of indices."""
        return self.constant(np.asarray(values, dtype=np.int64))

    def add(self, operator: str, *inputs: str, output: str = "", outputs: int = 1, **attributes: Any) -> Any:
        """Add a node and return the name of its output, or a list of names."""
        from onnx import helper  # here: the package is optional

        names = [output] if output else [f"value_{len(self.nodes)}_{k}" for k in range(outputs)]
        self.nodes.append(helper.make_node(operator, list(inputs), names, **attributes))
        return names[0] if len(names) == 1 else names

    def linear(self, x: str, weight: Array, bias: Array) -> str:
        """Return x W^T + b."""
        product = self.add("MatMul", x, self.number(weight.T))
        return str(self.add("Add", product, self.number(bias)))

    def columns(self, x: str, first: int, last: int) -> str:
        """Return the columns [first, last) of (batch, width)."""
        return str(self.add("Slice", x, self.places(first), self.places(last), self.places(1)))

    def parts(self, x: str, count: int, width: int) -> list[str]:
        """Return (batch, count * width) in parts of a width."""
        return list(self.add("Split", x, self.places(*[width] * count), outputs=count, axis=1))


Weights = Sequence[Array]  # of one layer, as torch lays them out
CellGraph = Callable[[Graph, str, list[str], Weights], list[str]]  # (input, state, weights) -> state


def _lstm(graph: Graph, x: str, state: list[str], weights: Weights) -> list[str]:
    add, (w_ih, w_hh, b_ih, b_hh) = graph.add, weights
    gates = add("Add", graph.linear(x, w_ih, b_ih), graph.linear(state[0], w_hh, b_hh))
    i, f, g, o = graph.parts(gates, 4, w_hh.shape[1])
    kept = add("Mul", add("Sigmoid", f), state[1])
    cell = add("Add", kept, add("Mul", add("Sigmoid", i), add("Tanh", g)))
    return [add("Mul", add("Sigmoid", o), add("Tanh", cell)), cell]


def _gru(graph: Graph, x: str, state: list[str], weights: Weights) -> list[str]:
    add, (w_ih, w_hh, b_ih, b_hh) = graph.add, weights
    r_x, z_x, n_x = graph.parts(graph.linear(x, w_ih, b_ih), 3, w_hh.shape[1])
    r_h, z_h, n_h = graph.parts(graph.linear(state[0], w_hh, b_hh), 3, w_hh.shape[1])
    reset, update = add("Sigmoid", add("Add", r_x, r_h)), add("Sigmoid", add("Add", z_x, z_h))
    new = add("Tanh", add("Add", n_x, add("Mul", reset, n_h)))
    fresh = add("Mul", add("Sub", graph.number(1.0), update), new)
    return [add("Add", fresh, add("Mul", update, state[0]))]


CELL_GRAPHS: dict[str, CellGraph] = {"lstm": _lstm, "gru": _gru}  # the cells that can be exported
ACTIVATIONS = {"relu": "Relu", "tanh": "Tanh"}


def require_packages() -> None:
    """Raise UsageError if a package that an export needs is not installed."""
    missing = [name for name in ("safetensors", "onnx") if find_spec(name) is None]
    if missing:
        raise UsageError(f"an export needs {' and '.join(missing)}: {EXTRA}")


def onnx_bytes(network: Forecaster) -> bytes:
    """Return the ONNX model of one step of a network.

    Inputs: `input` (batch, channel + known input) and `state_<k>` (layer, batch, hidden), all zeros before a first
    step. Outputs: `forecast` (batch, channel) of the next time, and `next_state_<k>`. All are in the network's type.
    """
    from onnx import TensorProto, checker, helper, numpy_helper  # here: the package is optional

    weights = [parameter.detach().cpu().numpy() for parameter in network.ordered_parameters()]
    graph = Graph(weights[0].dtype)
    states = _graph_of(network, graph, weights)
    kind = TensorProto.DOUBLE if graph.dtype == np.float64 else TensorProto.FLOAT
    size = [network.config.layers, "batch", network.config.hidden]

    def value(name: str, shape: list[Any]) -> Any:
        return helper.make_tensor_value_info(name, kind, shape)

    made = helper.make_graph(
        graph.nodes,
        "one step of a sweep forecaster",
        [value("input", ["batch", network.shape.inputs]), *(value(f"state_{k}", size) for k in states)],
        [value("forecast", ["batch", network.outputs]), *(value(f"next_state_{k}", size) for k in states)],
        [numpy_helper.from_array(values, name) for name, values in graph.constants.items()],
    )
    opsets = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(made, opset_imports=opsets, ir_version=IR_VERSION, producer_name="sweep")
    checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def _graph_of(network: Forecaster, graph: Graph, weights: list[Array]) -> range:
    """Add the nodes of a step and return the indices of the state's components."""
    config, states = network.config, range(network.shape.components)
    per_layer = (len(weights) - 2 * len(network.linears)) // config.layers
    layers = [weights[k * per_layer : (k + 1) * per_layer] for k in range(config.layers)]
    x = "input"
    if not network.feedback:  # what the network does not see has no part in the graph
        x = graph.columns(x, network.outputs, network.shape.inputs)
        layers[0] = [layers[0][0][:, network.outputs :], *layers[0][1:]]
    after: list[list[str]] = []
    for layer, own in enumerate(layers):
        before = [graph.add("Gather", f"state_{k}", graph.constant(np.array(layer)), axis=0) for k in states]
        after.append(CELL_GRAPHS[config.cell](graph, x, before, own))
        x = after[-1][0]
    for k in states:
        rows = [graph.add("Unsqueeze", state[k], graph.places(0)) for state in after]
        graph.add("Concat", *rows, output=f"next_state_{k}", axis=0)
    linear = weights[config.layers * per_layer :]
    count = len(linear) // 2
    for k in range(count):
        x = graph.linear(x, linear[2 * k], linear[2 * k + 1])
        activation = config.output_activation if k == count - 1 else config.head_activation
        if activation in ACTIVATIONS:
            x = graph.add(ACTIVATIONS[activation], x)
    if network.increment:
        graph.add("Add", x, graph.columns("input", 0, network.outputs), output="forecast")
    else:
        graph.add("Identity", x, output="forecast")
    return states
