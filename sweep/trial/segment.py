"""The segment of a trial, a pure function: (configuration, checkpoint, point) -> (checkpoint, evaluation)."""

import contextlib
import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from sweep.config.errors import DataError
from sweep.config.fitted import Fitted
from sweep.config.records import NOT_SCORED, Evaluation, Scores
from sweep.config.seeds import stream
from sweep.config.trial import TrialConfig
from sweep.data import Data
from sweep.diagnosis.probes import gate_saturation, gradients_by_lag
from sweep.diagnosis.probes.closed_loop import CannotMeasure
from sweep.diagnosis.probes.errors import log_spaced, nrmse_by_step_of
from sweep.score import Forecasts, Task, forecasts, objective_of, scores
from sweep.score.baselines.simple import CannotServe
from sweep.score.ridge_readout import RIDGES, refit_readout, with_ridge
from sweep.train import Trainer
from sweep.trial.checkpoint import checkpoint_bytes, read_checkpoint
from sweep.trial.inputs import DTYPES, data_of, training_windows, validation_task, windows_of
from sweep.trial.network import begun_weights, network_of
from sweep.trial.plugins import check_plugins
from sweep.trial.process import trial_process

PROBED_STARTS, PROBED_STEPS = (
    4,
    129,
)  # our choice: enough for shares and slopes, under 1 % of a segment's time


@dataclass(frozen=True)
class Segment:
    """The result of a segment."""

    checkpoint: bytes  # opaque; the next segment starts from it
    evaluation: Evaluation
    diverged: str | None  # why training has stopped for good, None if it has not
    seconds: float


def run_segment(config: TrialConfig, checkpoint: bytes | None, point: int) -> Segment:
    """Return a trial's state and evaluation at an evaluation point.

    Args:
        config: the trial; with equal configurations and checkpoints the result has equal bits.
        checkpoint: of the segment before, None for the first segment.
        point: index into `config.points`.

    Raises:
        SweepError: the data cannot be loaded.
        PluginError: a plug-in of the trial is missing, has another version, or raises an error.
    """
    began = time.perf_counter()
    check_plugins(config.plugins)
    with trial_process():
        run = Run(config)
        if checkpoint is not None:
            run.restore(read_checkpoint(checkpoint))
        evaluation = run.advance(point)
        content = checkpoint_bytes(run.state(), config.training.optimizer.name)
    return Segment(content, evaluation, run.trainer.diverged, time.perf_counter() - began)


class Run:
    """A trial while it is trained: network, trainer, and the results so far. It lives for one call."""

    def __init__(self, config: TrialConfig, data: Data | None = None) -> None:
        """Begin a trial.

        Args:
            config: the trial.
            data: its data, where the caller has them; None: loaded once per process.
        """
        self.config = config
        self.dtype = DTYPES[config.training.precision]
        self.data = data_of(config) if data is None else data
        network = network_of(config, self.data)
        network.initialise(stream(config.seed, "initialisation"))
        self.network = network.to(dtype=self.dtype, device=config.device)
        if config.fitted is not None:
            self._begin(config.fitted)
        windows = training_windows(config) if data is None else windows_of(config, data)
        self._task = None if data is None else Task(data, data.validation, self.dtype, config.device)
        self.trainer = Trainer(config, windows, self.network)
        self.rollout_errors: list[float] = []  # of the evaluations with changed weights
        self.best_error = math.inf
        self.best_weights: torch.Tensor | None = None
        self.latest: dict[str, Any] | None = None  # scores and evidence of the latest evaluation
        self.latest_changes = -1

    def _begin(self, fitted: Fitted) -> None:
        """Begin a training on all data: check the data, and load the stored weights from which an update continues."""
        if fitted.fingerprint not in ("", self.data.fingerprint):
            raise DataError(f"{self.data.name}: the data have changed since the training on them began")
        begin = fitted.begin_of(self.config.seed)
        if begin is not None:
            self.network.load_state_dict(begun_weights(begin))

    @property
    def task(self) -> Task:
        """Return the validation starts, encoded once per process."""
        return self._task or validation_task(self.config)

    def advance(self, point: int) -> Evaluation:
        """Train to an evaluation point, evaluate there, and keep the weights if they are the best so far."""
        fitted = self.config.fitted
        errors = self.rollout_errors if fitted is None else fitted.errors_at(point)
        loss = self.trainer.train(self.config.points[point], errors)
        return self.evaluate(point, loss)

    def evaluate(self, point: int, loss: float) -> Evaluation:
        """Evaluate the weights as those of an evaluation point, and keep them if they are the best so far.

        Without validation nothing is scored, and the last weights are kept.

        Args:
            point: index into the configuration's points; the last one ends the trial.
            loss: mean training loss since the evaluation before.
        """
        ended = point == len(self.config.points) - 1 or self.trainer.diverged is not None
        if self.config.fitted is None:
            evaluated = self._compared(ended)
            scores, evidence = Scores(**evaluated["scores"]), evaluated["evidence"]
        else:
            scores, evidence = NOT_SCORED, self._kept(self.config.fitted.ridge) if ended else {}
        return Evaluation(
            point=point,
            sequence_steps=self.trainer.consumed,
            updates=self.trainer.updates,
            scores=scores,
            train_loss=loss,
            lr=self.trainer.lr,
            evidence=evidence,
        )

    def _compared(self, ended: bool) -> dict[str, Any]:
        """Return scores and evidence of the weights, and keep them if they are the best so far.

        Args:
            ended: whether the trial ends here.
        """
        if self.latest is None or self.latest_changes != self.trainer.changes:
            projected = self.config.training.projected
            self.latest, weights = (
                self._evaluated_with_best_ridge() if projected else self._evaluated_as_it_is()
            )
            self.latest_changes = self.trainer.changes
            error = self.latest["scores"]["rollout_error"]
            self.rollout_errors.append(error)
            if self.trainer.updates > 0 and error < self.best_error:
                self.best_error, self.best_weights = error, weights
        evaluated = self.latest
        if self.config.training.readout_refit == "end" and ended and self.best_weights is not None:
            evaluated = self._refit_best(evaluated)
        return evaluated

    def _kept(self, ridge: float | None) -> dict[str, Any]:
        """Keep the last weights of a training on all data, with the readout of a ridge; return the evidence of it.

        Args:
            ridge: None: the readout stays as it was trained.
        """
        if ridge is None or self.trainer.diverged is not None:
            return {}
        now = self.trainer.flat.snapshot()
        try:
            made = with_ridge(self.network, self.data, self.config.score.warmup, ridge)
        except CannotServe as error:
            return {"readout_refit": {"reason": str(error)}}
        self.network.load_state_dict(made.state_dict())
        self.best_weights = self.trainer.flat.snapshot()
        self.trainer.flat.restore(now)
        return {"readout_refit": {"ridge": ridge}}

    def _evaluated_as_it_is(self) -> tuple[dict[str, Any], torch.Tensor]:
        return self._evaluated(), self.trainer.flat.snapshot()

    def _evaluated_with_best_ridge(self) -> tuple[dict[str, Any], torch.Tensor]:
        """Evaluate the network with the ridge that rolls out best, and leave training's own in place.

        Returns:
            Scores and evidence, with an entry of the refit: rollout errors `raw` and `refit`, and `ridge` (None:
            training's own), or `reason`; and the weights that were evaluated.
        """
        now = self.trainer.flat.snapshot()
        outcome: dict[str, Any]
        try:
            refit = refit_readout(self.network, self.task, RIDGES)
            outcome = {"raw": refit.raw_error, "refit": refit.error, "ridge": refit.ridge}
            self.network.load_state_dict(refit.network.state_dict())
        except CannotServe as error:
            outcome = {"reason": str(error)}
        evaluated = self._evaluated()
        weights = self.trainer.flat.snapshot()
        self.trainer.flat.restore(now)
        return {**evaluated, "evidence": {**evaluated["evidence"], "readout_refit": outcome}}, weights

    def _refit_best(self, latest: dict[str, Any]) -> dict[str, Any]:
        """Solve for the best checkpoint's readout; if that network rolls out better, make it the best checkpoint.

        Args:
            latest: scores and evidence of this evaluation.

        Returns:
            Scores and evidence, those of the refitted network if it is better, else the latest. The evidence has an
            entry of the refit: rollout errors `raw`, `refit` and `latest`, and `ridge` (None: not better), or `reason`.
        """
        assert self.best_weights is not None
        now = self.trainer.flat.snapshot()
        self.trainer.flat.restore(self.best_weights)
        outcome: dict[str, Any]
        try:
            refit = refit_readout(self.network, self.task)
            outcome = {"raw": refit.raw_error, "refit": refit.error, "ridge": refit.ridge}
            outcome["latest"] = latest["scores"]["rollout_error"]
            if refit.ridge is not None:
                self.network.load_state_dict(refit.network.state_dict())
                again = self._evaluated()
                error = again["scores"]["rollout_error"]
                if error < self.best_error:  # both scored as evaluations are: the refit may round differently
                    latest, self.best_error = again, error
                    self.best_weights = self.trainer.flat.snapshot()
        except CannotServe as error:
            outcome = {"reason": str(error)}
        self.trainer.flat.restore(now)
        return {**latest, "evidence": {**latest["evidence"], "readout_refit": outcome}}

    def _evaluated(self) -> dict[str, Any]:
        """Return scores and evidence of the network as it is."""
        forecast, data = forecasts(self.network, self.task), self.data
        scored = scores(
            forecast.rollout,
            forecast.one_step,
            data.validation,
            data.targets,
            data.period,
            objective_of(data.objective),
        )
        return {"scores": asdict(scored), "evidence": self._evidence(forecast)}

    def _evidence(self, forecast: Forecasts) -> dict[str, Any]:
        """Return the evidence about these weights for diagnosis and curves; its keys are text, also steps and lags."""
        task = self.task
        inputs = task.inputs()[:PROBED_STARTS, : task.warmup][:, -PROBED_STEPS:]
        gradients = gradients_by_lag(self.network, inputs, task.channels[:PROBED_STARTS, task.warmup])
        evidence: dict[str, Any] = {}
        with contextlib.suppress(CannotMeasure):  # a network without gates has no such evidence
            evidence["gate_saturation"] = gate_saturation(self.network, inputs)
        return {
            **evidence,
            "input_gradient_by_lag": _keyed(gradients.forecast),
            "loss_gradient_by_lag": _keyed(gradients.loss),
            "nrmse_by_step": _by_step(task, forecast.rollout),
            "one_step_nrmse_by_step": _by_step(task, forecast.one_step),
        }

    def state(self) -> dict[str, Any]:
        """Return the state from which `restore` resumes."""
        return {
            "trainer": self.trainer.state(),
            "rollout_errors": self.rollout_errors,
            "best_error": self.best_error,
            "best_weights": self.best_weights,
            "latest": self.latest,
            "latest_changes": self.latest_changes,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Resume from what `state` returned."""
        self.trainer.restore(state["trainer"])
        self.rollout_errors = state["rollout_errors"]
        self.best_error = state["best_error"]
        self.best_weights = state["best_weights"]
        self.latest = state["latest"]
        self.latest_changes = state["latest_changes"]


def _keyed(numbers: Mapping[int, float]) -> dict[str, float]:
    return {str(key): number for key, number in numbers.items()}


def _by_step(task: Task, forecast: np.ndarray) -> dict[str, float]:
    curve = nrmse_by_step_of(task, forecast)
    return {str(step): float(curve[step - 1]) for step in log_spaced(task.horizon)}
