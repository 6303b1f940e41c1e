"""A trial has the same bits whatever its caller has set in torch."""

from collections.abc import Callable

import pytest
import torch

from sweep.config.trial import TrialConfig
from sweep.trial import finish, run_segment
from sweep.trial.process import trial_process

STATES = {
    "gradients off": torch.no_grad,
    "inference mode": torch.inference_mode,
    "default device": lambda: torch.device("meta"),
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
}


def made(config: TrialConfig) -> tuple[bytes, dict[str, bytes]]:
    checkpoint = None
    for point in range(len(config.points)):
        checkpoint = run_segment(config, checkpoint, point).checkpoint
    assert checkpoint is not None
    return checkpoint, finish(config, checkpoint).files


@pytest.mark.parametrize("name", STATES)
@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_a_trial_does_not_depend_on_its_caller_s_state(
    name: str, optimizer: str, trial: Callable[..., TrialConfig]
):
    expected = made(trial(optimizer))
    with STATES[name]():
        assert made(trial(optimizer)) == expected


def test_the_state_of_the_caller_comes_back_after_an_error():
    with torch.inference_mode():
        with pytest.raises(ZeroDivisionError, match="by zero"), trial_process():
            assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
            1 / 0  # noqa: B018
        assert torch.is_inference_mode_enabled()
