"""Without feedback a forecast depends on the known inputs up to its own time, and on nothing else."""

import pytest
import torch

from sweep.config.errors import SweepError
from sweep.config.sections import ModelConfig
from sweep.model import CELLS, Forecaster, engine
from sweep.model.native.library import instruction_sets
from sweep.model.state import by_layer

ENGINES = ["torch", *(f"native-{name}" for name in instruction_sets()[-1:])]
CHANNELS, FEATURES, STEPS, AT = 2, 3, 12, 5


def made(name: str, cell: str = "lstm", feedback: bool = False, **more) -> Forecaster:
    config = ModelConfig(cell=cell, hidden=6, layers=2, feedback=feedback, **more)
    network = Forecaster(config, CHANNELS + FEATURES, CHANNELS, engine(name))
    return network.initialise(0).double()


def inputs(seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(4, STEPS, CHANNELS + FEATURES, generator=generator, dtype=torch.float64)


def changed(which: slice, at: int) -> torch.Tensor:
    other = inputs()
    other[:, at, which] += 1.0
    return other


every_network = pytest.mark.parametrize(
    ("name", "cell"), [(name, cell) for name in ENGINES for cell in CELLS]
)


@every_network
@torch.no_grad()
def test_no_channel_has_an_influence(name: str, cell: str):
    network, other = made(name, cell), inputs()
    other[..., :CHANNELS] = float("nan")
    for call in (network, network.trace):
        for free in (0, 4):
            before, state = call(inputs(), free=free)
            after, other_state = call(other, free=free)
            assert torch.equal(before, after)
            assert all(torch.equal(a, b) for a, b in zip(state, other_state, strict=True))
    assert not torch.equal(
        made(name, cell, True)(inputs())[0], made(name, cell, True)(changed(slice(2), 0))[0]
    )


@every_network
@torch.no_grad()
def test_a_forecast_sees_the_known_inputs_of_its_own_time_and_none_later(name: str, cell: str):
    network = made(name, cell)  # row t of the inputs holds what is known of the time that it forecasts
    before, after = network(inputs())[0], network(changed(slice(CHANNELS, None), AT))[0]
    assert torch.equal(before[:, :AT], after[:, :AT])
    assert (before[:, AT:] != after[:, AT:]).all()


@every_network
@torch.no_grad()
def test_a_rollout_is_the_one_step_forecast(name: str, cell: str):
    network, given = made(name, cell), inputs()
    warm, state = network(given[:, :AT])
    free, after = network.run_free(warm[:, -1], state, given[:, AT:, CHANNELS:])
    forced, forced_after = network(given[:, AT:], state)
    assert torch.equal(free, forced)
    assert all(torch.equal(a, b) for a, b in zip(after, forced_after, strict=True))
    fed = made(name, cell, True)
    warm, state = fed(given[:, :AT])
    free, _ = fed.run_free(warm[:, -1], state, given[:, AT:, CHANNELS:])
    assert not torch.allclose(free, fed(given[:, AT:], state)[0])


@pytest.mark.parametrize("cell", CELLS)
def test_engines_and_single_steps_agree(cell: str):
    given, targets = inputs(), inputs(1)[..., :CHANNELS]
    results = []
    for name in ENGINES:
        network = made(name, cell)
        for parameter in network.parameters():
            parameter.grad = torch.zeros_like(parameter)
        loss = network.loss_gradient(2, 3)(given, targets, 1.0)
        gradient = torch.cat([p.grad.flatten() for p in network.parameters()])
        forecast, _ = network(given)
        results.append((torch.tensor(loss), gradient, forecast.detach()))
        state = by_layer(network.zero_state(given))
        for t in range(STEPS):
            step, state = network.step(given[:, t], state)
            torch.testing.assert_close(step, forecast[:, t])
    for other in results[1:]:
        torch.testing.assert_close(results[0], other)


@every_network
def test_the_weights_on_channels_are_zero_and_have_no_gradient(name: str, cell: str):
    network, fed = made(name, cell), made(name, cell, True)
    weight = network.stack.weights()[0][0]
    assert (weight[:, :CHANNELS] == 0).all() and (weight[:, CHANNELS:] != 0).all()
    for (key, own), other in zip(network.named_parameters(), fed.parameters(), strict=True):
        if not key.endswith("weight_ih_l0"):
            assert torch.equal(own, other)  # drawn as with feedback
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    network.loss_gradient()(inputs(), inputs(1)[..., :CHANNELS], 1.0)
    weight = network.stack.weights()[0][0]
    assert (weight.grad[:, :CHANNELS] == 0).all() and (weight.grad[:, CHANNELS:] != 0).any()
    network.zero_grad(set_to_none=True)
    network.activations(inputs()).sum().backward()
    assert (weight.grad[:, :CHANNELS] == 0).all() and (weight.grad[:, CHANNELS:] != 0).any()


def test_the_readout_is_a_value_whatever_is_set():
    config = ModelConfig(feedback=False, readout="increment")
    assert config.readout == "value"
    assert config.model_dump()["readout"] == "value"
    assert not made("torch", readout="increment").increment
    assert ModelConfig().readout == "increment"


def test_a_study_with_feedback_keeps_its_document():
    assert "feedback" not in ModelConfig().model_dump()
    assert "feedback" not in ModelConfig(feedback=True).model_dump()
    assert ModelConfig(feedback=False).model_dump()["feedback"] is False


def test_nothing_to_see_is_refused():
    with pytest.raises(SweepError, match=r"model\.feedback = false needs known inputs.*data\.known"):
        Forecaster(ModelConfig(feedback=False), 2, 2)


def test_a_model_of_a_plug_in_is_refused():
    with pytest.raises(ValueError, match="feedback = false needs sweep's own model, got kind = other"):
        ModelConfig(kind="other", feedback=False)
