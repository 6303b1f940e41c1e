"""Optimizers and schedulers of plug-ins: they train as sweep's own do, and an error of theirs names them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from sweep.config.plugins import PluginError, using
from sweep.train import OPTIMIZERS, SCHEDULERS, Trainer

Made = Callable[..., Trainer]

PLUGIN = """
import torch
from sweep.train import OptimizerSpec, SchedulerSpec
from sweep.train.optimizers import OPTIMIZERS


def descent(params, settings, decay):
    return torch.optim.SGD(params, lr=settings["lr"], weight_decay=decay)


class Breaks(torch.optim.SGD):
    def step(self, closure=None):
        raise IndexError("list index\\nout of range")


def breaks(params, settings, decay):
    return Breaks(params, lr=settings["lr"])


def cannot_be_built(params, settings, decay):
    raise RuntimeError("no such thing")


def lost(share, settings, errors):
    raise KeyError("gamma")


def lbfgs(params, settings, decay):
    return OPTIMIZERS["lbfgs"].make(params, {"history": 10, "line_search": "strong_wolfe", **settings}, decay)


LR = {"lr": 0.1}
DESCENT = OptimizerSpec("descent", descent, LR, {}, "test")
BREAKS = OptimizerSpec("breaks", breaks, LR, {}, "test")
UNBUILT = OptimizerSpec("unbuilt", cannot_be_built, LR, {}, "test")
WHOLE = OptimizerSpec("whole", lbfgs, {"lr": 1.0}, {}, "test", full_batch=True)
WHOLE_SGD = OptimizerSpec("whole_sgd", descent, LR, {}, "test", full_batch=True)
LOST = SchedulerSpec("lost", lost, {}, "test")
"""


@pytest.fixture(autouse=True)
def plugin(tmp_path: Path) -> Iterator[None]:
    file = tmp_path / "mine.py"
    file.write_text(PLUGIN)
    with using([file]):
        yield


def losses(trainer: Trainer) -> list[float]:
    trainer.train(2000, [])
    return list(trainer.log.columns()["loss"])


def test_it_trains_as_the_same_optimizer_of_sweep_does(trainer: Made):
    assert str(OPTIMIZERS.origin("descent")).startswith("mine.py sha256:")
    assert losses(trainer("descent", budget=2000)) == losses(trainer({"name": "sgd", "lr": 0.1}, budget=2000))
    assert losses(trainer("whole", budget=2000)) == losses(trainer("lbfgs", budget=2000))


def test_a_step_that_raises_is_one_line_that_names_it(trainer: Made):
    line = r"^plug-in optimizer 'breaks' of mine\.py sha256:\w{16}: IndexError: list index out of range$"
    with pytest.raises(PluginError, match=line):
        trainer("breaks").train(4000, [])


def test_an_error_of_sweep_s_own_stays_as_it_is(trainer: Made, monkeypatch: pytest.MonkeyPatch):
    running = trainer("sgd")

    def broken() -> None:
        raise IndexError("ours")

    monkeypatch.setattr(running, "step", broken)
    with pytest.raises(IndexError, match="ours"):
        running.train(4000, [])


def test_one_that_cannot_be_built_is_named(trainer: Made):
    with pytest.raises(PluginError, match=r"plug-in optimizer 'unbuilt' of mine\.py .*no such thing"):
        trainer("unbuilt")


def test_a_schedule_that_raises_is_named(trainer: Made):
    assert SCHEDULERS.origin("lost") is not None
    with pytest.raises(
        PluginError, match=r"plug-in scheduler 'lost' of mine\.py sha256:\w+: KeyError: 'gamma'"
    ):
        trainer("sgd", scheduler="lost").train(4000, [])


def test_a_full_batch_optimizer_needs_its_interface(trainer: Made):
    with pytest.raises(PluginError, match=r"'whole_sgd' has full_batch = True, but SGD lacks .*restart\(\)"):
        trainer("whole_sgd")


def test_a_full_batch_optimizer_that_gives_up_is_named(trainer: Made):
    running = trainer("whole")
    running.windows.rows[:] = torch.inf
    running.train(4000, [])
    assert running.diverged == "whole had no finite loss"
