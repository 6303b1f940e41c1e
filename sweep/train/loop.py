"""The training loop: from a checkpoint to a number of sequence-steps, by mini-batches or full batches."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim import Optimizer

from sweep.config.errors import DataError
from sweep.config.seeds import stream
from sweep.config.trial import TrialConfig
from sweep.data import WindowSource
from sweep.model import Forecaster
from sweep.train.flat import FlatParameters
from sweep.train.lbfgs import MemoLBFGS, OutOfBudget
from sweep.train.log import Log
from sweep.train.optimizers import OPTIMIZERS
from sweep.train.plain import plain_step, without_compiler
from sweep.train.schedulers import SCHEDULERS

CHUNK = 64  # windows per backward pass of a full batch: bounds torch's memory; changes rounding and input noise only


class Trainer:
    """Trains one forecaster within its budget. Lives for one segment; its state travels in checkpoints."""

    def __init__(self, config: TrialConfig, windows: WindowSource, network: Forecaster) -> None:
        """Make a trainer at the start of the budget.

        Args:
            config: the trial.
            windows: training windows in model units, in the trial's precision.
            network: initialised; trained in place, on its device.

        Raises:
            DataError: burn-in and free-running steps leave nothing of a window.
        """
        training = config.training
        unscored = training.burn_in + training.unroll
        if unscored >= windows.window:
            raise DataError(
                f"training.burn_in + training.unroll = {unscored} leaves nothing of {windows.window} steps"
            )
        self.config = training
        self.windows = windows
        self.network = network
        self.flat = FlatParameters(network)
        self.loss_gradient = network.loss_gradient(training.burn_in, training.unroll)
        spec = OPTIMIZERS[training.optimizer.name]
        self.settings = {**spec.defaults, **training.optimizer.settings}
        trained: list[Tensor] = [*self.flat.parameters] if spec.per_matrix else [self.flat.vector]
        self.optimizer = spec.build(trained, self.settings, training.weight_decay)
        self.step = plain_step(self.optimizer)
        self.full_batch = spec.full_batch
        self.full_size = len(windows.offsets(None)) * windows.window  # sequence-steps of all windows
        self.scheduler = SCHEDULERS[training.scheduler.name]
        self.schedule = {**self.scheduler.defaults, **training.scheduler.settings}
        self.order_seed = stream(config.seed, "order")
        self.noise_seed = stream(config.seed, "noise")
        self.log = Log(training.budget)
        self.consumed = 0  # sequence-steps
        self.updates = 0
        self.epoch = 0
        self.position = 0  # windows of this epoch already used
        self.diverged: str | None = None  # why, once training stopped for good
        self.best_loss = math.inf  # of full batches: where a NaN restarts from
        self.best_weights: Tensor | None = None
        self.restarts = 0
        self.restarts_without_gain = 0
        self._epoch_picks: np.ndarray | None = None
        self._gradient_before: tuple[Tensor, float] | None = None  # of the update before, and its norm

    def train(self, until: int, rollout_errors: Sequence[float]) -> float:
        """Train until `until` sequence-steps are used or training diverges; return the mean loss since.

        Args:
            until: sequence-steps from the start of the budget.
            rollout_errors: of the evaluations so far, for schedulers that watch them.

        Returns:
            The mean training loss of the updates made, NaN if there was none.
        """
        losses: list[float] = []
        self._gradient_before = (
            None  # cosines begin anew with every segment, however many a run makes in one go
        )
        while self.consumed < until and self.diverged is None and not self.spent:
            update = self._full_update if self.full_batch else self._mini_update
            losses.append(update(rollout_errors))
        finite = [loss for loss in losses if math.isfinite(loss)]
        return sum(finite) / len(finite) if finite else math.nan

    @property
    def lr(self) -> float:
        """Return the learning rate of the latest update."""
        return float(self.optimizer.param_groups[0]["lr"])

    @property
    def spent(self) -> bool:
        """Return whether the budget holds no further full batch: one it always does; mini-batches may go beyond it."""
        return self.full_batch and self.consumed > max(0, self.config.budget - self.full_size)

    @property
    def changes(self) -> int:
        """Return how often the weights were changed: by an update, or by going back to the best point."""
        return self.updates + self.restarts

    # --- updates ---------------------------------------------------------------------------------

    def _set_rate(self, size: int, rollout_errors: Sequence[float]) -> float:
        """Set and return the rate of an update of `size` sequence-steps, that of the update's middle.

        At its beginning a warm-up, at its end a cosine, would waste an update on a rate of 0.
        """
        size = min(size, self.config.budget - self.consumed)
        share = (self.consumed + size / 2) / self.config.budget
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
        with torch.no_grad():
            self.step()
        moved = self._distance(before)
        if not math.isfinite(moved):
            self.flat.restore(before)
            self.diverged = f"the weights left the range of numbers in update {self.updates + 1}"
            return value
        self._record(value, norm, _ratio(moved, before), lr, clipped, cosine)
        return value

    def _full_update(self, rollout_errors: Sequence[float]) -> float:
        assert isinstance(self.optimizer, MemoLBFGS)
        optimizer = self.optimizer
        lr = self._set_rate(self.full_size, rollout_errors)
        before = self.flat.snapshot()
        start = optimizer.step(self._full_loss)
        if start < self.best_loss:
            self.best_loss, self.best_weights, self.restarts_without_gain = start, before, 0
        moved = self._distance(before)
        if optimizer.lost or not math.isfinite(moved):
            self._restart(optimizer)
            return start
        if moved == 0 and self.spent:
            return start  # the line search was cut short before it found a better point
        if moved == 0:  # as far as this curvature goes: the next step is along the gradient
            optimizer.restart()
        self._record(start, optimizer.start_norm, _ratio(moved, before), lr, clipped=False, cosine=None)
        return start

    def _restart(self, optimizer: MemoLBFGS) -> None:
        """Go back to the best point after a NaN; give up where the way from there leads to NaN again."""
        self.restarts += 1
        self.restarts_without_gain += 1
        if self.best_weights is not None:
            self.flat.restore(self.best_weights)
        if self.best_weights is None or self.restarts_without_gain > 2:
            self.diverged = f"L-BFGS reached non-finite values {self.restarts_without_gain} times in a row"
        optimizer.restart()

    def _distance(self, before: Tensor) -> float:
        return float(torch.linalg.vector_norm(self.flat.values - before))

    def _turn(self, norm: float) -> float | None:
        """Return the cosine between this gradient and that of the update before; None where there is none."""
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
        """Return a batch's weighted loss and add its gradient; see `Forecaster.loss_gradient`.

        Args:
            inputs: (batch, window, input).
            targets: (batch, window, channel).
            draw: number of the draw of input noise: of the update, or of a full batch's part.
            weight: of this part in a full batch.
        """
        if self.config.input_noise > 0:
            inputs = self._noisy(inputs, targets.shape[-1], draw)
        return self.loss_gradient(inputs, targets, weight)

    def _noisy(self, inputs: Tensor, channels: int, draw: int) -> Tensor:
        """Return inputs with Gaussian noise on the channels (not on calendar features)."""
        generator = torch.Generator(device=inputs.device).manual_seed(self.noise_seed + draw)
        noise = torch.randn(
            (*inputs.shape[:-1], channels), generator=generator, dtype=inputs.dtype, device=inputs.device
        )
        inputs = inputs.clone()
        inputs[..., :channels] += self.config.input_noise * noise
        return inputs

    def _full_loss(self) -> float:
        """Return the loss over the fixed windows and leave its gradient; counts its sequence-steps.

        Input noise is the same at every call: a line search needs one function.

        Raises:
            OutOfBudget: they are more than the budget has left.
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
        decay = self.config.weight_decay
        if decay:
            weights = self.flat.values
            total += decay / 2 * float(weights.square().sum())
            self.flat.gradient.add_(weights, alpha=decay)
        return total

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
        """Return the windows of an epoch in the order of training; a function of seed and epoch alone."""
        if not self.config.shuffle:
            return self.windows.offsets(None)
        rng = np.random.default_rng([self.order_seed, epoch])
        return rng.permutation(self.windows.offsets(rng))

    # --- checkpoints -----------------------------------------------------------------------------

    COUNTERS = (
        "consumed", "updates", "epoch", "position", "diverged", "best_loss", "restarts",
        "restarts_without_gain",
    )  # fmt: skip

    def state(self) -> dict[str, Any]:
        """Return everything that training goes on from, as tensors and plain values, some of them live."""
        with without_compiler():
            optimizer = self.optimizer.state_dict()
        return {
            "weights": self.flat.snapshot(),
            "optimizer": optimizer,
            "best_weights": self.best_weights,
            "log": self.log.state(),
            **{name: getattr(self, name) for name in self.COUNTERS},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` returned."""
        self.flat.restore(state["weights"])
        _load(self.optimizer, state["optimizer"])
        self.best_weights = state["best_weights"]
        self.log.restore(state["log"])
        for name in self.COUNTERS:
            setattr(self, name, state[name])


def _load(optimizer: Optimizer, state: dict[str, Any]) -> None:
    """Put an optimizer's state back with its bits.

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


def _ratio(moved: float, before: Tensor) -> float:
    """Return the update-to-weight ratio, inf where the weights are all 0."""
    size = float(torch.linalg.vector_norm(before))
    return moved / size if size > 0 else math.inf
