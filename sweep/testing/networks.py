"""Contracts of cells and models."""

from typing import Any, ClassVar

import torch

from sweep.config.sections import ModelConfig
from sweep.config.trial import TrialConfig
from sweep.model import CELLS, MODELS
from sweep.model.cells import CellSpec
from sweep.model.models import ModelSpec
from sweep.testing.contract import tiny_trial
from sweep.testing.trial_contract import TrialContract
from sweep.trial.inputs import load_data
from sweep.trial.network import network_of
from sweep.trial.process import trial_process


class CellContract(TrialContract):
    """Contract of a `CellSpec`."""

    spec: ClassVar[CellSpec]
    table = CELLS

    def config(self) -> TrialConfig:
        """Return a tiny trial with the cell, two layers of it."""
        return tiny_trial(model=ModelConfig(cell=self.spec.name, hidden=6, layers=2))

    def test_a_sequence_is_its_steps(self) -> None:
        """Whole sequences give what single steps give, and no step sees a later input."""
        with self.known(), trial_process():
            network = _network(self.config())
            inputs = _inputs(network.outputs)
            whole, state = network(inputs)
            first, middle = network(inputs[:, :11])
            second, last = network(inputs[:, 11:], middle)
            assert torch.allclose(whole, torch.cat([first, second], dim=1), atol=1e-5)
            assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(state, last, strict=True))

    def test_its_state_has_the_declared_components(self) -> None:
        """`components` tensors, each (layer, batch, hidden)."""
        with self.known(), trial_process():
            network = _network(self.config())
            _, state = network(_inputs(network.outputs))
            assert len(state) == self.spec.components
            assert all(tuple(part.shape) == (2, 3, 6) for part in state)


class ModelContract(TrialContract):
    """Contract of a `ModelSpec`."""

    spec: ClassVar[ModelSpec]
    table = MODELS

    def config(self) -> TrialConfig:
        """Return a tiny trial with the model at its defaults."""
        if self.spec.name == "recurrent":
            return tiny_trial()
        return tiny_trial(model=ModelConfig(kind=self.spec.name))

    def test_forecasts_have_the_shape_of_the_channels(self) -> None:
        """(batch, time, channel), finite."""
        with self.known(), trial_process():
            network = _network(self.config())
            inputs = _inputs(network.outputs)
            forecasts, _ = network(inputs)
            assert forecasts.shape == (3, inputs.shape[1], network.outputs)
            assert torch.isfinite(forecasts).all()

    def test_no_forecast_sees_a_later_input(self) -> None:
        """A changed input changes no forecast before it."""
        with self.known(), trial_process():
            network = _network(self.config())
            inputs = _inputs(network.outputs)
            changed = inputs.clone()
            changed[:, 12:] += 1.0
            before, after = network(inputs)[0], network(changed)[0]
            assert torch.allclose(before[:, :12], after[:, :12], atol=1e-6)
            assert not torch.allclose(before[:, 12:], after[:, 12:], atol=1e-6)  # control

    def test_the_state_continues_a_sequence(self) -> None:
        """Two halves, the second from the state after the first, give what the whole gives."""
        with self.known(), trial_process():
            network = _network(self.config())
            inputs = _inputs(network.outputs)
            whole = network(inputs)[0]
            first, state = network(inputs[:, :11])
            second, _ = network(inputs[:, 11:], state)
            assert torch.allclose(whole, torch.cat([first, second], dim=1), atol=1e-5)

    def test_free_steps_are_fed_with_forecasts(self) -> None:
        """In the last `free` steps the channels are not read; each forecast is the next input."""
        with self.known(), trial_process():
            network = _network(self.config())
            inputs = _inputs(network.outputs)
            other = inputs.clone()
            other[:, -5:, : network.outputs] = 7.0
            free = network(inputs, None, 5)[0]
            assert torch.allclose(free, network(other, None, 5)[0], atol=1e-6)
            fed = inputs.clone()
            fed[:, -5:, : network.outputs] = free[:, -6:-1]
            assert torch.allclose(free, network(fed)[0], atol=1e-5)

    def test_series_of_a_batch_do_not_mix(self) -> None:
        """A series alone has the forecasts that it has in a batch."""
        with self.known(), trial_process():
            network = _network(self.config())
            inputs = _inputs(network.outputs)
            assert torch.allclose(network(inputs)[0][:1], network(inputs[:1])[0], atol=1e-5)

    def test_equal_seeds_give_equal_weights(self) -> None:
        """And other seeds others."""
        with self.known(), trial_process():
            first, again, other = (_weights(self.config(), seed) for seed in (5, 5, 6))
            assert torch.equal(first, again) and not torch.equal(first, other)


def _network(config: TrialConfig) -> Any:
    network = network_of(config, load_data(config.data, config.score))
    network.initialise(7)
    return network


def _weights(config: TrialConfig, seed: int) -> torch.Tensor:
    network = network_of(config, load_data(config.data, config.score))
    network.initialise(seed)
    return torch.cat([parameter.detach().reshape(-1) for parameter in network.parameters()])


def _inputs(channels: int) -> torch.Tensor:
    return torch.sin(torch.arange(20) / 3 + torch.arange(3)[:, None])[..., None].repeat(1, 1, channels)
