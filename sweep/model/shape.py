"""The shape of a recurrent network: what an engine computes, without the weights."""

from dataclasses import dataclass, replace

from sweep.model.cells import CELLS


@dataclass(frozen=True)
class NetworkShape:
    """The sizes and options of a recurrent network. Engines take its weights, `parameters`, beside it.

    Parameters come in the order w_ih, w_hh, b_ih, b_hh per layer, as `nn.LSTM` and `nn.GRU` have them, then
    weight and bias per linear layer of the readout.
    """

    cell: str
    layers: int
    hidden: int
    inputs: int
    readout: tuple[int, ...]  # widths of its linear layers; empty: the outputs are the top layer's states
    tanh_between: bool = False  # between linear layers: tanh or ReLU
    relu_output: bool = False
    increment: bool = False  # the readout is added to the first channels of the input

    @property
    def outputs(self) -> int:
        """Return the width of an output."""
        return self.readout[-1] if self.readout else self.hidden

    @property
    def components(self) -> int:
        """Return the number of tensors that make up a state."""
        return CELLS[self.cell].components

    def without_readout(self) -> "NetworkShape":
        """Return the shape of the recurrent layers alone, whose outputs are the top layer's states."""
        return replace(self, readout=(), tanh_between=False, relu_output=False, increment=False)

    def shapes(self) -> list[tuple[int, ...]]:
        """Return the shapes of the parameters in their order."""
        shapes: list[tuple[int, ...]] = []
        for layer in range(self.layers):
            width = self.hidden if layer else self.inputs
            shapes += CELLS[self.cell].layer_shapes(width, self.hidden).values()
        width = self.hidden
        for outputs in self.readout:
            shapes += [(outputs, width), (outputs,)]
            width = outputs
        return shapes
