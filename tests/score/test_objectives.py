"""Objectives: sweep's own, and those of plug-ins, which rank trials, ridges and baselines alike."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sweep.config.data_section import DataConfig
from sweep.config.errors import UnknownName
from sweep.config.plugins import PluginError, using
from sweep.config.records import PREFIXES
from sweep.config.sections import ScoreConfig
from sweep.data import Data, load
from sweep.score import BASELINES, OBJECTIVES, Task, best_trivial, objective_of, score_baselines, scores
from sweep.score.baselines.autoregression import choose_order, validation_error
from sweep.score.metrics import block_length, nrmse, prefix_steps, rollout_error
from sweep.score.ridge_readout import RIDGES, refit_readout
from sweep.score.rollout import rollout_error_of
from tests.support.probed import network_of

PLUGIN = """
import numpy as np
from sweep.score.objectives import ObjectiveSpec


def last(forecast, truth, scale, block):
    errors = np.abs(forecast[:, -block:] - truth[:, -block:]) / scale[:, None]
    return float(np.minimum(np.where(np.isfinite(errors), errors, 1), 1).mean())


def upside_down(forecast, truth, scale, block):
    return 1 - last(forecast, truth, scale, block)


def broken(forecast, truth, scale, block):
    raise RuntimeError("two\\nlines")


LAST = ObjectiveSpec("last", "the mean error of the last block", last, "test")
UPSIDE_DOWN = ObjectiveSpec("upside_down", "the worse, the better", upside_down, "test")
BROKEN = ObjectiveSpec("broken", "raises", broken, "test")
NAN = ObjectiveSpec("nan", "is not a number", lambda f, t, s, b: float("nan"), "test")
LARGE = ObjectiveSpec("large", "lies beyond 1", lambda f, t, s, b: 1.5, "test")
TEXT = ObjectiveSpec("text", "is not even that", lambda f, t, s, b: "0.5 or so", "test")
"""
SCORE = ScoreConfig(warmup=40, horizon=40, starts=4)


@pytest.fixture(autouse=True)
def plugin(tmp_path: Path) -> Iterator[None]:
    file = tmp_path / "mine.py"
    file.write_text(PLUGIN)
    with using([file]):
        yield


@pytest.fixture(scope="module")
def sine() -> Data:
    return load(DataConfig(source="sine", options={"T": 11, "length": 400, "series": 6}), SCORE, Path())


def by(data: Data, name: str) -> Data:
    return replace(data, objective=name)


def made(data: Data, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=data.validation.truth.shape)
    return data.validation.truth + np.linspace(0, 1, noise.shape[1])[None, :, None] * noise


def test_the_own_one_is_the_rollout_error_itself():
    assert list(OBJECTIVES) == ["rollout_error"] and objective_of("rollout_error") is rollout_error
    assert ScoreConfig().objective == "rollout_error"
    with pytest.raises(UnknownName, match="no objective named 'rolout_error'"):
        objective_of("rolout_error")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("broken", "RuntimeError: two lines"),
        ("nan", r"wanted a number in \[0, 1\], got nan"),
        ("large", r"wanted a number in \[0, 1\], got 1.5"),
        ("text", "ValueError: could not convert"),
    ],
)
def test_one_that_fails_is_named_in_one_line(sine: Data, name: str, reason: str):
    with pytest.raises(
        PluginError, match=rf"^plug-in objective '{name}' of mine.py sha256:\w+: {reason}"
    ) as error:
        validation_error(by(sine, name), made(sine))
    assert "\n" not in str(error.value)


def test_the_data_carry_the_study_objective():
    config = DataConfig(source="sine", options={"T": 11, "length": 400})
    assert load(config, SCORE.model_copy(update={"objective": "last"}), Path()).objective == "last"
    assert load(config, SCORE, Path()).objective == "rollout_error"


def test_scores_hold_it_in_place_of_the_rollout_error_and_over_every_prefix(sine: Data):
    starts, forecast = sine.validation, made(sine)
    arguments = (forecast, starts.truth, starts, sine.targets, sine.period)
    plain, other = scores(*arguments), scores(*arguments, objective_of("last"))
    block = block_length(sine.period, 40)
    size = np.abs(forecast - starts.truth) / starts.scale[:, None]
    for share, error in zip(PREFIXES, other.prefix_errors, strict=True):
        steps = prefix_steps(share, 40)
        assert error == pytest.approx(np.minimum(size[:, max(0, steps - block) : steps], 1).mean(), rel=1e-12)
    assert other.rollout_error == other.prefix_errors[-1] != plain.rollout_error
    same = {name: getattr(plain, name) for name in ("rollout_error", "prefix_errors", "trivial_skill")}
    assert replace(other, **same) == plain
    trivial = best_trivial(starts, sine.targets, sine.period, objective_of("last"))
    assert other.trivial_skill == pytest.approx(1 - other.rollout_error / trivial.rollout_error)
    assert other.trivial_skill != plain.trivial_skill


def test_it_chooses_the_settings_of_baselines_and_scores_them(sine: Data, monkeypatch):
    noisy = replace(
        sine, train_raw=tuple(x + np.random.default_rng(1).normal(0, 0.3, x.shape) for x in sine.train_raw)
    )
    best, worst = (choose_order(by(noisy, name)) for name in ("last", "upside_down"))
    assert best != worst  # a control: what is chosen follows the objective
    monkeypatch.setattr(BASELINES, "_entries", {"mean": BASELINES["mean"]})  # the quick one
    scored = score_baselines(by(sine, "last"))
    assert 0 < scored["mean"]["rollout_error"] != score_baselines_of_mean(sine)
    assert scored["mean"]["rollout_error"] == scored["mean"]["prefix_errors"][-1]
    assert scored["mean"]["nrmse"] == pytest.approx(
        nrmse(np.broadcast_to(sine.validation.mean[:, None], sine.validation.truth.shape),
              sine.validation.truth, sine.validation.scale)
    )  # fmt: skip


def score_baselines_of_mean(data: Data) -> float:
    starts = data.validation
    forecast = np.broadcast_to(starts.mean[:, None], starts.truth.shape)
    return rollout_error(forecast, starts.truth, starts.scale, block_length(data.period, 40))


def test_it_is_one_function_so_that_its_trivial_errors_are_computed_once(sine: Data):
    assert objective_of("last") is objective_of("last")
    trivial = [
        best_trivial(sine.validation, sine.targets, sine.period, objective_of("last")) for _ in range(2)
    ]
    assert trivial[0] is trivial[1]


def test_it_chooses_the_ridge(sine: Data):
    def refit(name: str):
        task = Task(by(sine, name), sine.validation, network.linears[-1].weight.dtype, "cpu")
        return refit_readout(network, task), task

    network = network_of(1, cell="lstm")
    (best, task), (worst, _) = refit("last"), refit("upside_down")
    assert best.error == min([best.raw_error, *best.errors]) == best.errors[RIDGES.index(best.ridge)]
    assert worst.errors == pytest.approx([1 - error for error in best.errors], abs=1e-12)
    assert worst.ridge != best.ridge
    assert rollout_error_of(task, sine.validation.truth) == 0.0
