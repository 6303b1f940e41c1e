"""Contract of everything that takes part in training."""

import io
from typing import Any

import torch

from sweep.config.trial import TrialConfig
from sweep.testing.contract import Contract
from sweep.trial import finish
from sweep.trial.process import trial_process
from sweep.trial.segment import Run


def trained(config: TrialConfig, until: int) -> Run:
    """Return a trial after its first `until` evaluation points."""
    run = Run(config)
    for point in range(until):
        run.advance(point)
    return run


class TrialContract(Contract):
    """Contract of what takes part in training: a trial with it trains, and a resumed one has the same bits."""

    def config(self) -> TrialConfig:
        """Return a tiny trial with the spec."""
        raise NotImplementedError

    def test_a_trial_trains_and_leaves_its_files(self) -> None:
        """The weights change, the score lies in [0, 1], and the best checkpoint can be rolled out."""
        with self.known(), trial_process():
            run = Run(self.config())
            before = run.trainer.flat.snapshot()
            evaluations = [run.advance(point) for point in range(len(run.config.points))]
            assert run.trainer.diverged is None
            assert not torch.equal(before, run.trainer.flat.values)
            assert all(0 <= evaluation.scores.rollout_error <= 1 for evaluation in evaluations)
            buffer = _checkpoint(run)
            files = finish(run.config, buffer).files
            assert {"curves.csv", "checkpoint.pt", "rollout.npz"} <= set(files)

    def test_equal_trials_have_equal_bits(self) -> None:
        """Nothing depends on the time, on the process, or on what ran before."""
        with self.known(), trial_process():
            first, again = (trained(self.config(), 3).trainer.flat.snapshot() for _ in range(2))
            assert torch.equal(first, again)

    def test_a_resumed_trial_has_the_bits_of_an_undisturbed_one(self) -> None:
        """All that the next segment needs travels in the checkpoint, as tensors and plain values."""
        with self.known(), trial_process():
            straight = trained(self.config(), 3)
            resumed = Run(self.config())
            resumed.restore(_through_bytes(trained(self.config(), 2).state()))
            resumed.advance(2)
            assert torch.equal(straight.trainer.flat.values, resumed.trainer.flat.values)


def _checkpoint(run: Run) -> bytes:
    buffer = io.BytesIO()
    torch.save(run.state(), buffer)
    return buffer.getvalue()


def _through_bytes(state: dict[str, Any]) -> dict[str, Any]:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return dict(torch.load(io.BytesIO(buffer.getvalue()), weights_only=True))
