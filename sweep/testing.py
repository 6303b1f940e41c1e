"""Contract tests of plug-ins: subclass the contract of a kind, set `spec`, and let pytest collect the class.

    from sweep.testing import OptimizerContract
    from my_package.lion import LION

    class TestLion(OptimizerContract):
        spec = LION

The entries of sweep's own tables pass the same tests.
"""

import copy
import io
import json
import math
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch

from sweep.config.ranges import Choice, IntUniform, LogUniform, OneMinusLog, ends
from sweep.config.records import PREFIXES, Evaluation, Scores, TrialRecord, to_json
from sweep.config.registry import Registry
from sweep.config.sections import Component, DataConfig, ModelConfig, ScoreConfig, TrainingConfig
from sweep.config.seeds import seed_of
from sweep.config.space import Axis, Condition, Space
from sweep.config.trial import TrialConfig
from sweep.data import SOURCES, Data, load
from sweep.data.recording import Need
from sweep.data.sources.source import SourceSpec
from sweep.diagnosis.check import CheckSpec
from sweep.diagnosis.probes import PROBES, ProbeSpec, Subject, measured
from sweep.model import CELLS, MODELS
from sweep.model.cells import CellSpec
from sweep.model.models import ModelSpec
from sweep.results.checks.known_checks import CHECKS
from sweep.results.study import read_study
from sweep.results.study_tables import StudyTables
from sweep.score import BASELINES, OBJECTIVES
from sweep.score.baselines.simple import CannotServe
from sweep.score.baselines.table import BaselineSpec
from sweep.score.objectives import ObjectiveSpec
from sweep.search import SAMPLERS, History
from sweep.search.samplers import SamplerSpec
from sweep.store import StudyFolder
from sweep.train import OPTIMIZERS, SCHEDULERS
from sweep.train.optimizers import OptimizerSpec
from sweep.train.schedulers import SchedulerSpec
from sweep.trial import finish
from sweep.trial.inputs import load_data, validation_task
from sweep.trial.network import network_of
from sweep.trial.process import trial_process
from sweep.trial.segment import Run

BUDGET = 8_000  # sequence-steps of a tiny trial
WINDOW = 20
STEPS, WARMUP, HORIZON = 100, 30, 30  # of a tiny series, before a rollout, of a rollout


def tiny_trial(**changes: Any) -> TrialConfig:
    """Return a trial on sines that trains in a fraction of a second.

    Args:
        changes: fields of `TrialConfig` that replace the tiny trial's.
    """
    base = TrialConfig(
        data=DataConfig(source="sine", options={"T": 5, "length": STEPS, "series": 10}),
        score=ScoreConfig(warmup=WARMUP, horizon=HORIZON, starts=4),
        model=ModelConfig(hidden=6, layers=1),
        training=TrainingConfig(budget=BUDGET, evaluations=4, window=WINDOW, batch_size=8, burn_in=4),
        seed=1,
    )
    return base.model_copy(update=changes)


def trained(config: TrialConfig, until: int) -> Run:
    """Return a trial after its first `until` evaluation points."""
    run = Run(config)
    for point in range(until):
        run.advance(point)
    return run


class Contract:
    """What all contracts share: a spec has a name and a source, and its table knows it."""

    spec: ClassVar[Any]
    table: ClassVar[Registry[Any]]

    @contextmanager
    def known(self) -> Iterator[None]:
        """Know the spec by its name inside."""
        with self.table.including(self.spec):
            yield

    def test_it_has_a_name_and_a_source(self) -> None:
        """A name that TOML and file names can hold; where it was published, or what it is."""
        assert self.spec.name and self.spec.name == self.spec.name.strip()
        assert not set(self.spec.name) & set('./\\"\n')
        texts = [getattr(self.spec, field, "") for field in ("source", "title", "description")]
        assert any(text.strip() for text in texts)

    def test_settings_and_ranges_fit_each_other(self) -> None:
        """Defaults can be used, every range is of a setting, and both of its ends can be used."""
        with self.known():
            settings = getattr(self.spec, "settable", None)
            if settings is None:
                return
            entry = settings()
            assert entry.problem({}) is None
            assert set(entry.space) <= set(entry.defaults)
            for key, span in entry.space.items():
                for value in ends(span):
                    assert entry.problem({key: value}) is None, f"{key} = {value!r}"


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


class OptimizerContract(TrialContract):
    """Contract of an `OptimizerSpec`."""

    spec: ClassVar[OptimizerSpec]
    table = OPTIMIZERS

    def config(self) -> TrialConfig:
        """Return a tiny trial with the optimizer at its defaults."""
        training = tiny_trial().training.model_copy(update={"optimizer": Component(name=self.spec.name)})
        return tiny_trial(training=training)

    def test_it_has_a_rate(self) -> None:
        """Schedulers change the setting `lr`; it must be positive."""
        assert self.spec.defaults["lr"] > 0

    def test_it_lowers_a_quadratic(self) -> None:
        """Some rate of its range halves the loss in 300 updates."""
        span = self.spec.space.get("lr", LogUniform(1e-4, 1.0))
        losses = [self._after(float(span.from_unit(u)), 300) for u in np.linspace(0.1, 0.9, 9)]  # type: ignore[arg-type]
        assert min(losses) < 0.5 * self._after(1e-3, 0)

    def _after(self, lr: float, updates: int) -> float:
        curvature = torch.tensor([[4.0, 1.0], [1.0, 2.0]], dtype=torch.float64)
        point = torch.nn.Parameter(torch.tensor([[1.0, -2.0], [0.5, 3.0]], dtype=torch.float64))
        point.grad = torch.zeros_like(point)

        def closure() -> float:
            point.grad = (point.detach() @ curvature).clone()
            return float(0.5 * (point.detach() @ curvature * point.detach()).sum())

        with self.known():
            optimizer = self.spec.build([point], {**self.spec.defaults, "lr": lr}, 0.0)
            for _ in range(updates):
                if self.spec.full_batch:
                    optimizer.step(closure)
                else:
                    closure()
                    optimizer.step()
        loss = closure()
        return loss if math.isfinite(loss) else math.inf


class SchedulerContract(TrialContract):
    """Contract of a `SchedulerSpec`."""

    spec: ClassVar[SchedulerSpec]
    table = SCHEDULERS

    def config(self) -> TrialConfig:
        """Return a tiny trial with the scheduler at its defaults."""
        training = tiny_trial().training.model_copy(update={"scheduler": Component(name=self.spec.name)})
        return tiny_trial(training=training)

    def test_factors_are_finite_and_not_negative(self) -> None:
        """At every share of the budget, whatever the evaluations say."""
        for share in np.linspace(0, 1, 101):
            for errors in ((), (0.5,) * 24, tuple(np.linspace(1, 0, 24))):
                factor = self.spec.factor(float(share), dict(self.spec.defaults), errors)
                assert 0 <= factor < math.inf

    def test_it_falls_to_zero_if_it_says_so(self) -> None:
        """`falls_to_zero`: at the end of the budget the factor is below 1 % of its largest."""
        factors = [self.spec.factor(float(u), dict(self.spec.defaults), ()) for u in np.linspace(0, 1, 201)]
        assert (factors[-1] < 0.01 * max(factors)) == self.spec.falls_to_zero


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


class SourceContract(Contract):
    """Contract of a `SourceSpec`."""

    spec: ClassVar[SourceSpec]
    table = SOURCES

    def test_equal_options_give_equal_series(self) -> None:
        """`generate` is a pure function; its series are finite and have one column per channel."""
        need = Need(past=40, horizon=20, starts=3)
        options = self.spec.complete({})
        first, again = self.spec.generate(options, need), self.spec.generate(options, need)
        assert first.channels == again.channels and len(first.series) == len(again.series) > 0
        for one, other in zip(first.series, again.series, strict=True):
            assert one.values.ndim == 2 and one.values.shape[1] == len(first.channels)
            assert np.isfinite(one.values).all() and np.array_equal(one.values, other.values)
            assert (one.ends is not None) == self.spec.makes_parts

    def test_it_loads(self) -> None:
        """Training, validation and test data come out of it."""
        with self.known():
            data = load(DataConfig(source=self.spec.name), ScoreConfig(warmup=40, horizon=20, starts=3))
            assert data.train and len(data.validation.truth) and len(data.test.truth)


class SamplerContract(Contract):
    """Contract of a `SamplerSpec`."""

    spec: ClassVar[SamplerSpec]
    table = SAMPLERS

    def space(self) -> Space:
        """Return a space that the sampler serves: with conditions, else numbers and a choice, else numbers."""
        numbers = (
            Axis("lr", ("training", "optimizer", "lr"), LogUniform(1e-4, 1.0)),
            Axis("hidden", ("model", "hidden"), IntUniform(2, 40)),
        )
        choice = Axis("optimizer", ("training", "optimizer"), Choice(("sgd", "adam")))
        momentum = Axis(
            "sgd.momentum",
            ("training", "optimizer", "momentum"),
            OneMinusLog(0.0, 0.99),
            Condition("optimizer", frozenset(["sgd"])),
        )
        spaces = (Space((choice, momentum, *numbers)), Space((choice, *numbers)), Space(numbers))
        return next(space for space in spaces if self.spec.refuses(space) is None)

    def test_it_draws_trials_of_the_space(self) -> None:
        """Every axis that exists has a value of its range, and trials differ."""
        from sweep.search.proposals import checked

        space = self.space()
        drawn: list[dict[str, Any]] = []
        for number in range(8):
            history = History(tuple((params, seed_of(k) / 2**63) for k, params in enumerate(drawn)), ())
            drawn.append(checked(self.spec.propose(space, history, 3, number), space))
        assert len({json.dumps(params, sort_keys=True) for params in drawn}) > 1

    def test_it_is_a_pure_function(self) -> None:
        """Equal arguments give equal trials, whatever was drawn in between."""
        space = self.space()
        first = self.spec.propose(space, History((), ()), 3, 0)
        self.spec.propose(space, History((), (first,)), 4, 1)
        assert self.spec.propose(space, History((), ()), 3, 0) == first


class BaselineContract(Contract):
    """Contract of a `BaselineSpec`."""

    spec: ClassVar[BaselineSpec]
    table = BASELINES

    def test_its_forecasts_have_the_shape_of_the_truth(self) -> None:
        """(start, step, channel), from settings that survive JSON; equal settings give equal forecasts."""
        data = _tiny_data()
        try:
            settings = json.loads(json.dumps(self.spec.choose(data)))
            first, again = (self.spec.fit(data, settings)(data.validation, HORIZON) for _ in range(2))
        except CannotServe as error:
            assert str(error)
            return
        assert np.shape(first) == data.validation.truth.shape and np.array_equal(first, again)

    def test_it_does_not_see_the_truth(self) -> None:
        """With given settings, another truth leaves the forecasts as they are."""
        data = _tiny_data()
        try:
            settings = self.spec.choose(data)
            first = self.spec.fit(data, settings)(data.validation, HORIZON)
        except CannotServe:
            return
        other = replace(data.validation, truth=data.validation.truth[::-1] + 1.0)
        again = self.spec.fit(replace(data, validation=other), settings)(other, HORIZON)
        assert np.array_equal(first, again)


class ProbeContract(Contract):
    """Contract of a `ProbeSpec`."""

    spec: ClassVar[ProbeSpec]
    table = PROBES

    def test_it_measures_numbers_and_changes_nothing(self) -> None:
        """A frozen dataclass of JSON values, the same for the same subject; the weights stay."""
        with self.known(), trial_process():
            run = trained(tiny_trial(), 2)
            before = run.trainer.flat.snapshot()
            results = []
            for _ in range(2):
                subject = Subject(copy.deepcopy(run.network), validation_task(run.config), run.config.seed)
                results.append(json.dumps(to_json(measured(self.spec, subject))))
            assert results[0] == results[1]
            assert torch.equal(before, run.trainer.flat.values)


class ObjectiveContract(TrialContract):
    """Contract of an `ObjectiveSpec`."""

    spec: ClassVar[ObjectiveSpec]
    table = OBJECTIVES

    def config(self) -> TrialConfig:
        """Return a tiny trial that is scored by the objective."""
        return tiny_trial(score=tiny_trial().score.model_copy(update={"objective": self.spec.name}))

    def test_the_truth_is_best_and_nothing_leaves_the_range(self) -> None:
        """In [0, 1] for every forecast, also one with inf and NaN; no forecast is better than the truth."""
        rng = np.random.default_rng(0)
        truth = np.sin(np.arange(60) / 5 + rng.uniform(0, 6, (4, 1)))[..., None]
        scale = np.full((4, 1), 0.7)
        exact = self.spec.function(truth.copy(), truth, scale, 10)
        lost = truth.copy()
        lost[0, 30:] = np.nan
        lost[1, 10:] = np.inf
        for forecast in (truth + 0.1, np.zeros_like(truth), -truth, 1e200 * truth, lost):
            error = self.spec.function(forecast, truth, scale, 10)
            assert 0 <= exact <= error <= 1

    def test_it_is_a_pure_function(self) -> None:
        """Its arguments stay as they are, and equal arguments give equal numbers."""
        truth = np.cos(np.arange(40) / 4)[None, :, None]
        forecast, scale = 0.5 * truth, np.ones((1, 1))
        kept = forecast.copy(), truth.copy()
        first, again = (self.spec.function(forecast, truth, scale, 8) for _ in range(2))
        assert first == again
        assert np.array_equal(forecast, kept[0]) and np.array_equal(truth, kept[1])


class CheckContract(Contract):
    """Contract of a `CheckSpec`."""

    spec: ClassVar[CheckSpec]
    table = CHECKS

    def test_it_answers_for_every_study(self) -> None:
        """With and without trials: a finding with its name, a text and evidence that JSON can hold, twice the same."""
        with tempfile.TemporaryDirectory() as folder:
            study = StudyFolder(Path(folder) / "tiny")
            study.write_study(_study_document())
            findings = [self.spec.check(StudyTables(read_study(study))) for _ in range(2)]
            for number, error in enumerate((0.5, 0.2, 0.9)):
                study.write_record(_record(number, error))
            findings += [self.spec.check(StudyTables(read_study(study))) for _ in range(2)]
        for finding in findings:
            assert finding.code == self.spec.name and finding.text.strip()
            json.dumps(to_json(finding), allow_nan=False)
        assert findings[0] == findings[1] and findings[2] == findings[3]


def _study_document() -> dict[str, Any]:
    config = tiny_trial()
    sections = {
        key: getattr(config, key).model_dump(mode="json") for key in ("data", "score", "model", "training")
    }
    return {"name": "tiny", **_without_none(sections), "space": {"cell": ["lstm", "gru"]}}


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_none(entry) for key, entry in value.items() if entry is not None}
    return value


def _record(number: int, error: float) -> TrialRecord:
    scores = Scores(error, (error,) * len(PREFIXES), error, 10.0, 5.0, 20.0, 0.0, error, error)
    evaluation = Evaluation(0, BUDGET, 100, scores, train_loss=error, lr=1e-3)
    return TrialRecord(
        number,
        "complete",
        {"cell": "gru"},
        tiny_trial().model_dump(mode="json"),
        "sampled",
        (evaluation,),
        rollout_error=error,
        best=0,
        best_one_step=0,
        sequence_steps=BUDGET,
        updates=100,
    )


def _checkpoint(run: Run) -> bytes:
    buffer = io.BytesIO()
    torch.save(run.state(), buffer)
    return buffer.getvalue()


def _through_bytes(state: dict[str, Any]) -> dict[str, Any]:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return dict(torch.load(io.BytesIO(buffer.getvalue()), weights_only=True))


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


def _tiny_data() -> Data:
    config = tiny_trial()
    return load_data(config.data, config.score)
