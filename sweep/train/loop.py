"""The training loop: it trains from a checkpoint to a number of sequence-steps, in mini-batches or full batches."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim import Optimizer

from sweep.config.errors import DataError
from sweep.config.plugins import PluginError
from sweep.config.sections import ModelConfig, TrainingConfig
from sweep.config.seeds import stream
from sweep.config.trial import TrialConfig
from sweep.data import WindowSource
from sweep.model import Network
from sweep.train.flat import FlatParameters
from sweep.train.full_batch import FullBatchOptimizer, OutOfBudget
from sweep.train.log import Log
from sweep.train.optimizers import OPTIMIZERS, infeasible
from sweep.train.plain import plain_step, without_compiler
from sweep.train.projection import Projection, evaluation_cost
from sweep.train.schedulers import SCHEDULERS

# Windows per backward pass of a full batch. It bounds torch's memory, and changes only rounding and input noise.
CHUNK = 64


class Trainer:
    """Trains one forecaster within its budget. Lives for one segment; its state travels in checkpoints."""

    def __init__(self, config: TrialConfig, windows: WindowSource, network: Network) -> None:
        """Make a trainer at the start of the budget.

        Args:
            config: the trial.
            windows: training windows in model units, in the trial's precision.
            network: initialised; trained in place, on its device.

        Raises:
            DataError: burn-in and free-running steps leave nothing of a window.
            PluginError: the optimizer of a plug-in cannot be built, or lacks a part of its interface.
        """
        training = config.training
        burn_in = training.unscored(windows.window)
        if burn_in + training.unroll >= windows.window:
            raise DataError(
                f"training.burn_in + training.unroll = {burn_in + training.unroll} leaves nothing of "
                f"{windows.window} steps"
            )
        self.config = training
        self.windows = windows
        self.network = network
        self.projection = Projection(network, burn_in, training.ridge) if training.projected else None
        self.flat = FlatParameters(network, self.projection.solved if self.projection else ())
        self.loss_gradient = network.loss_gradient(burn_in, training.unroll)
        self.optimizer_name = training.optimizer.name
        spec = OPTIMIZERS[self.optimizer_name]
        problem = infeasible(training)
        if problem is not None:
            raise DataError(problem)
        self.settings = {**spec.defaults, **training.optimizer.settings}
        trained: list[Tensor] = [*self.flat.parameters] if spec.per_matrix else [self.flat.vector]
        with OPTIMIZERS.running(self.optimizer_name):
            self.optimizer = spec.build(trained, self.settings, training.weight_decay)
        self.step = plain_step(self.optimizer)
        self.full_batch = self._full_batch_optimizer() if spec.full_batch else None
        self.full_size = full_batch_cost(training, config.model, len(windows.offsets(None)), windows.window)
        self.scheduler = SCHEDULERS[training.scheduler.name]
        self.schedule = {**self.scheduler.defaults, **training.scheduler.settings}
        self.order_seed = stream(config.seed, "order")
        self.noise_seed = stream(config.seed, "noise")
        self.log = Log(training.budget)
        self.consumed = 0  # sequence-steps
        self.updates = 0
        self.epoch = 0
        self.position = 0  # windows of this epoch already used
        self.diverged: str | None = None  # the reason, once training has stopped for good
        self.best_loss = math.inf  # of full batches; after a NaN, training restarts from its weights
        self.best_weights: Tensor | None = None
        self.restarts = 0
        self.restarts_without_gain = 0
        self.noise_draws = 0  # of a projection, which sees the same noise until its optimizer restarts
        self._solved: list[
            Tensor
        ] = []  # of the current step: all parameters after each evaluation of the loss
        self._epoch_picks: np.ndarray | None = None
        self._gradient_before: tuple[Tensor, float] | None = None  # of the update before, and its norm

    def train(self, until: int, rollout_errors: Sequence[float]) -> float:
        """Train until `until` sequence-steps are used or training diverges; return the mean loss.

        Args:
            until: sequence-steps from the start of the budget.
            rollout_errors: of the evaluations so far, for schedulers that watch them.

        Returns:
            The mean training loss of the updates made here, NaN without an update.
        """
        losses: list[float] = []
        # each segment starts its cosines anew, so that the number of segments in one process changes nothing
        self._gradient_before = None
        while self.consumed < until and self.diverged is None and not self.spent:
            if self.full_batch is not None:
                losses.append(self._full_update(self.full_batch, rollout_errors))
            else:
                losses.append(self._mini_update(rollout_errors))
        finite = [loss for loss in losses if math.isfinite(loss)]
        return sum(finite) / len(finite) if finite else math.nan

    @property
    def lr(self) -> float:
        """Return the learning rate of the latest update."""
        return float(self.optimizer.param_groups[0]["lr"])

    @property
    def spent(self) -> bool:
        """Return whether the budget has no room for another full batch.

        It always has room for one. Mini-batches may exceed the budget.
        """
        return self.full_batch is not None and self.consumed > max(0, self.config.budget - self.full_size)

    @property
    def changes(self) -> int:
        """Return how often the weights have changed, by an update or by a restart from the best point."""
        return self.updates + self.restarts

    # --- updates ---------------------------------------------------------------------------------

    def _set_rate(self, size: int, rollout_errors: Sequence[float]) -> float:
        """Set and return the rate of an update of `size` sequence-steps: the schedule's rate at the update's middle.

        The rate at its beginning would waste an update of a warm-up on 0, that at its end the last one of a cosine.
        """
        size = min(size, self.config.budget - self.consumed)
        share = (self.consumed + size / 2) / self.config.budget
        with SCHEDULERS.running(self.scheduler.name):
            factor = self.scheduler.factor(share, self.schedule, rollout_errors)
        if share < self.config.lr_warmup:
            factor *= share / self.config.lr_warmup
        lr = float(self.settings["lr"] * factor)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        return lr

    def _mini_update(self, rollout_errors: Sequence[float]) -> float:
        inputs, targets = self._batch(self._next_picks())
        size = inputs.shape[0] * inputs.shape[1]
        lr = self._set_rate(size, rollout_errors)
        self.flat.gradient.zero_()
        value = self._loss(inputs, targets, self.updates)
        self.consumed += size
        norm = float(torch.linalg.vector_norm(self.flat.gradient))
        if not (math.isfinite(value) and math.isfinite(norm)):
            self.diverged = f"loss {value:.3g}, gradient norm {norm:.3g} at update {self.updates + 1}"
            return value
        cosine = self._turn(norm)
        clipped = 0 < self.config.clip < norm
        if clipped:
            self.flat.gradient.mul_(self.config.clip / norm)
        before = self.flat.snapshot()
        try:
            with torch.no_grad(), OPTIMIZERS.running(self.optimizer_name):
                self.step()
            moved = self._distance(before)
        except RuntimeError as error:
            if "without overflow" not in str(error):  # torch refuses a rate beyond the range of the precision
                raise
            moved = math.inf
        if not math.isfinite(moved):
            self.flat.restore(before)
            self.diverged = f"the weights left the range of numbers in update {self.updates + 1}"
            return value
        self._record(value, norm, _ratio(moved, self.flat.trained_of(before)), lr, clipped, cosine)
        return value

    def _full_batch_optimizer(self) -> FullBatchOptimizer:
        """Return the optimizer, which takes all windows at once.

        Raises:
            PluginError: it lacks a part of the interface.
        """
        if isinstance(self.optimizer, FullBatchOptimizer):
            return self.optimizer
        raise PluginError(
            f"optimizer {self.optimizer_name!r} has full_batch = True, but {type(self.optimizer).__name__} lacks "
            "a part of FullBatchOptimizer: step(closure), restart(), start_norm, lost"
        )

    def _full_update(self, optimizer: FullBatchOptimizer, rollout_errors: Sequence[float]) -> float:
        lr = self._set_rate(self.full_size, rollout_errors)
        before = self.flat.snapshot()
        self._solved.clear()
        with OPTIMIZERS.running(self.optimizer_name):
            start = optimizer.step(self._full_loss if self.projection is None else self._projected_loss)
        if self.projection is not None:
            before = self._with_solved(before)
            if not optimizer.lost:
                self._solve_last_layer(before)
        if start < self.best_loss:
            self.best_loss, self.best_weights, self.restarts_without_gain = start, before, 0
        loss = start if self.projection is None else math.exp(start - self._decay_of(before))
        moved = self._distance(before)
        if optimizer.lost or not math.isfinite(moved):
            self._restart(optimizer)
            return loss
        if moved == 0 and self.spent:
            return loss  # the budget ended the line search before it found a better point
        if moved == 0:  # this curvature leads no further: the next step follows the gradient
            self._forget(optimizer)
        ratio = _ratio(moved, self.flat.trained_of(before))
        self._record(loss, optimizer.start_norm, ratio, lr, clipped=False, cosine=None)
        return loss

    def _restart(self, optimizer: FullBatchOptimizer) -> None:
        """Go back to the best point after a NaN; give up after three restarts in a row without a better loss."""
        self.restarts += 1
        self.restarts_without_gain += 1
        if self.best_weights is None:
            self.diverged = f"{self.optimizer_name} had no finite loss"
        else:
            self.flat.restore(self.best_weights)
            if self.restarts_without_gain > 2:
                times = self.restarts_without_gain
                self.diverged = f"{self.optimizer_name} reached non-finite values {times} times in a row"
        self._forget(optimizer)

    def _forget(self, optimizer: FullBatchOptimizer) -> None:
        """Make a full-batch optimizer forget what it has evaluated; a projection draws new input noise."""
        optimizer.restart()
        self.noise_draws += 1

    def _distance(self, before: Tensor) -> float:
        return float(torch.linalg.vector_norm(self.flat.trained - self.flat.trained_of(before)))

    def _turn(self, norm: float) -> float | None:
        """Return the cosine between this gradient and that of the update before; None if either is missing or 0."""
        before = self._gradient_before
        cosine = None
        if before is not None and norm * before[1] > 0:
            cosine = float(torch.dot(self.flat.gradient, before[0])) / (norm * before[1])
        kept = torch.empty_like(self.flat.gradient) if before is None else before[0]
        self._gradient_before = (kept.copy_(self.flat.gradient), norm)
        return cosine

    def _record(
        self, loss: float, norm: float, ratio: float, lr: float, clipped: bool, cosine: float | None
    ) -> None:
        self.updates += 1
        self.log.add(self.consumed, self.updates, loss, norm, ratio, lr, clipped, cosine)

    # --- losses ----------------------------------------------------------------------------------

    def _loss(self, inputs: Tensor, targets: Tensor, draw: int, weight: float = 1.0) -> float:
        """Return a batch's weighted loss and add its gradient; see `Network.loss_gradient`.

        Args:
            inputs: (batch, window, input).
            targets: (batch, window, channel).
            draw: number of the draw of input noise: the update's number, or the first window of a full batch's chunk.
            weight: the share of this chunk in a full batch.
        """
        if self.config.input_noise > 0:
            inputs = self._noisy(inputs, targets.shape[-1], draw)
        return self.loss_gradient(inputs, targets, weight)

    def _noisy(self, inputs: Tensor, channels: int, draw: int) -> Tensor:
        """Return inputs with Gaussian noise on the channels (not on known inputs)."""
        generator = torch.Generator(device=inputs.device).manual_seed(self.noise_seed + draw)
        noise = torch.randn(
            (*inputs.shape[:-1], channels), generator=generator, dtype=inputs.dtype, device=inputs.device
        )
        inputs = inputs.clone()
        inputs[..., :channels] += self.config.input_noise * noise
        return inputs

    def _full_loss(self) -> float:
        """Return the loss over the fixed windows, set its gradient, and count its sequence-steps.

        Input noise is the same at every call, because a line search needs one function.

        Raises:
            OutOfBudget: the budget has no room for these sequence-steps.
        """
        if self.spent:
            raise OutOfBudget
        picks = self.windows.offsets(None)
        self.flat.gradient.zero_()
        total = 0.0
        for chunk in range(0, len(picks), CHUNK):
            inputs, targets = self._batch(picks[chunk : chunk + CHUNK])
            total += self._loss(inputs, targets, chunk, len(inputs) / len(picks))
            self.consumed += inputs.shape[0] * inputs.shape[1]
        return total + self._add_decay()

    def _projected_loss(self) -> float:
        """Return the logarithm of the projected loss, set its gradient, and count its sequence-steps.

        Weight decay is added to the logarithm; it does not touch the last layer.

        Raises:
            OutOfBudget: the budget has no room for these sequence-steps.
        """
        if self.spent:
            raise OutOfBudget
        self.consumed += self.full_size
        return self._evaluate_projection() + self._add_decay()

    def _evaluate_projection(self) -> float:
        """Return the logarithm of the projected loss, set its gradient, and solve the last layer."""
        assert self.projection is not None
        picks = self.windows.offsets(None)
        self.flat.gradient.zero_()

        def batches(size: int) -> Iterator[tuple[Tensor, Tensor]]:
            for first in range(0, len(picks), size):
                inputs, targets = self._batch(picks[first : first + size])
                if self.config.input_noise > 0:
                    draw = self.noise_draws * len(picks) + first
                    inputs = self._noisy(inputs, targets.shape[-1], draw)
                yield inputs, targets

        value = self.projection.loss(batches, len(picks), self.windows.window)
        self._solved.append(self.flat.snapshot())
        return value

    def _add_decay(self) -> float:
        """Return the weight decay's part of a full batch's loss, and add its gradient."""
        decay = self.config.weight_decay
        if decay:
            self.flat.gradient.add_(self.flat.trained, alpha=decay)
        return self._decay_of(self.flat.values)

    def _decay_of(self, snapshot: Tensor) -> float:
        decay = self.config.weight_decay
        return decay / 2 * float(self.flat.trained_of(snapshot).square().sum()) if decay else 0.0

    def _with_solved(self, snapshot: Tensor) -> Tensor:
        """Return a snapshot with the last layer that this step has solved for its other parameters, if it has."""
        trained = self.flat.trained_of(snapshot)
        for solved in self._solved:
            if torch.equal(self.flat.trained_of(solved), trained):
                return solved
        return snapshot

    def _solve_last_layer(self, before: Tensor) -> None:
        """Make the last layer that of the current weights after a step, which may end at any point it has evaluated.

        Args:
            before: all parameters at the step's start, the last layer solved.
        """
        now = self._with_solved(self.flat.values)
        if now is not self.flat.values:
            self.flat.restore(now)
        elif torch.equal(self.flat.trained_of(before), self.flat.trained):
            self.flat.restore(before)
        else:  # a step without a line search ends where nothing was evaluated
            self._evaluate_projection()
            self.consumed += math.ceil(self.full_size / 3)  # a forward pass

    def _batch(self, picks: np.ndarray) -> tuple[Tensor, Tensor]:
        """Return inputs (batch, window, input) and targets (batch, window, channel) on the device."""
        inputs, targets = self.windows.batch(picks)
        device = self.flat.vector.device
        return torch.from_numpy(inputs).to(device), torch.from_numpy(targets).to(device)

    def _next_picks(self) -> np.ndarray:
        if self._epoch_picks is None:
            self._epoch_picks = self._order(self.epoch)
        if self.position >= len(self._epoch_picks):
            self.epoch, self.position = self.epoch + 1, 0
            self._epoch_picks = self._order(self.epoch)
        picks = self._epoch_picks[self.position : self.position + self.config.batch_size]
        self.position += len(picks)
        return picks

    def _order(self, epoch: int) -> np.ndarray:
        """Return the windows of an epoch in the order of training; they depend on seed and epoch alone."""
        if not self.config.shuffle:
            return self.windows.offsets(None)
        rng = np.random.default_rng([self.order_seed, epoch])
        return rng.permutation(self.windows.offsets(rng))

    # --- checkpoints -----------------------------------------------------------------------------

    COUNTERS = (
        "consumed", "updates", "epoch", "position", "diverged", "best_loss", "restarts",
        "restarts_without_gain", "noise_draws",
    )  # fmt: skip

    def state(self) -> dict[str, Any]:
        """Return everything that resumes training, as tensors and plain values; some share the trainer's memory."""
        with without_compiler(), OPTIMIZERS.running(self.optimizer_name):
            optimizer = self.optimizer.state_dict()
        return {
            "weights": self.flat.snapshot(),
            "optimizer": optimizer,
            "best_weights": self.best_weights,
            "log": self.log.state(),
            **{name: getattr(self, name) for name in self.COUNTERS},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Resume from what `state` returned."""
        self.flat.restore(state["weights"])
        with OPTIMIZERS.running(self.optimizer_name):
            _load(self.optimizer, state["optimizer"])
        self.best_weights = state["best_weights"]
        self.log.restore(state["log"])
        for name in self.COUNTERS:
            setattr(self, name, state[name])


def _load(optimizer: Optimizer, state: dict[str, Any]) -> None:
    """Load an optimizer's state bit for bit.

    torch casts it to the type of the parameters, which changes NAdam's float32 product in a float64 trial.
    """
    with without_compiler():
        optimizer.load_state_dict(state)
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for index, saved in state.get("state", {}).items():
        loaded = optimizer.state[parameters[index]]
        for key, value in saved.items():
            if isinstance(value, Tensor) and value.dtype != loaded[key].dtype:
                loaded[key] = value.clone()


def full_batch_cost(training: TrainingConfig, model: ModelConfig, windows: int, steps: int) -> int:
    """Return the sequence-steps of an evaluation of the loss over all windows of `steps` steps."""
    return evaluation_cost(model, windows, steps) if training.projected else windows * steps


def _ratio(moved: float, before: Tensor) -> float:
    """Return the update-to-weight ratio, inf if all weights are 0."""
    size = float(torch.linalg.vector_norm(before))
    return moved / size if size > 0 else math.inf
