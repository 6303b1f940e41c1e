"""The table of causes of failing rollouts, each with its stable code and its prescriptions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sweep.config.registry import Registry
from sweep.diagnosis.causes import prescriptions as prescribe
from sweep.diagnosis.causes.case import Case
from sweep.diagnosis.causes.prescriptions import Prescriptions

Decided = Literal["calibrated", "rule"]


@dataclass(frozen=True)
class Cause:
    """A choice, or a property of the data, that makes rollouts fail. docs/diagnosis/causes.md has a section for each.

    The probability of a "calibrated" cause comes from weights that were fitted to runs in which the cause was planted
    (benchmarks/diagnosis). A "rule" cause was not planted and has a rule of its own.
    """

    name: str  # the stable code
    fault: str  # its name in the benchmark of diagnoses
    title: str
    meaning: str  # one line: how it acts
    prescribe: Callable[[Case], Prescriptions]
    decided: Decided = "calibrated"


CAUSES: Registry[Cause] = Registry(
    "cause",
    [
        Cause(
            "C01",
            "lr_high",
            "learning rate too high",
            "Steps overshoot: the loss is rough or stuck, and the weights are far from their initial values.",
            prescribe.lower_rate,
        ),
        Cause(
            "C02",
            "lr_low",
            "learning rate too low",
            "Steps are so small that the budget ends before training converges.",
            prescribe.raise_rate,
        ),
        Cause(
            "C03",
            "momentum_high",
            "momentum too high",
            "Steps average over so many updates that they react too late and oscillate.",
            prescribe.less_momentum,
        ),
        Cause(
            "C04",
            "decay_early",
            "scheduler decays too early",
            "The learning rate is near 0 long before the budget ends, and training stops improving.",
            prescribe.later_decay,
        ),
        Cause(
            "C05",
            "undertrained",
            "undertrained",
            "Training ended while the error was still falling.",
            prescribe.more_budget,
        ),
        Cause(
            "C06",
            "exploding_gradient",
            "exploding gradient",
            "Recurrent weights are so large that gradients through time grow and the state is chaotic.",
            prescribe.smaller_start,
        ),
        Cause(
            "C07",
            "gate_saturation",
            "saturated gates",
            "Gates are fully open or closed, and no gradient moves them.",
            prescribe.open_gates,
        ),
        Cause(
            "C08",
            "short_memory",
            "vanishing gradient, short memory",
            "Within a few steps the state forgets what the forecast needs.",
            prescribe.remember,
            "rule",
        ),
        Cause(
            "C09",
            "window_short",
            "training windows too short",
            "Windows are shorter than a cycle, so nothing long can be learnt.",
            prescribe.longer_window,
        ),
        Cause(
            "C10",
            "dead_relu",
            "dead or cut output",
            "A ReLU holds outputs at zero where the data are negative.",
            prescribe.live_output,
        ),
        Cause(
            "C11",
            "data_scale",
            "data scale or offset",
            "Inputs are far larger than 1 or far from 0: gates saturate, and learning rates do not fit.",
            prescribe.scaled_data,
        ),
        Cause(
            "C12",
            "overfit",
            "overfit",
            "The network has memorised its training series and not learnt their law.",
            prescribe.less_fitting,
        ),
        Cause(
            "C13",
            "distribution_gap",
            "distribution gap",
            "Validation data follow another law than training data.",
            prescribe.other_data,
        ),
        Cause(
            "C14",
            "leak",
            "leak",
            "Parts of the validation data occur in the training data: scores do not hold for new data.",
            prescribe.other_data,
        ),
        Cause(
            "C15",
            "warmup_short",
            "warm-up too short",
            "The rollout begins before the state has settled on the truth.",
            prescribe.longer_warmup,
        ),
        Cause(
            "C16",
            "capacity_small",
            "capacity too small",
            "There are too few units for the state of the data.",
            prescribe.more_units,
        ),
        Cause(
            "C17",
            "noise_large",
            "input noise too large",
            "Noise hides what the forecast needs from the inputs, and the network learns an average.",
            prescribe.less_noise,
        ),
        Cause(
            "C18",
            "weight_decay_large",
            "weight decay too large",
            "Weight decay pulls the weights to zero more strongly than the data pull them away.",
            prescribe.no_decay,
        ),
        Cause(
            "C19",
            "clip_tight",
            "gradient clip too tight",
            "Almost every gradient is clipped, which has the effect of a lower learning rate.",
            prescribe.looser_clip,
        ),
        Cause(
            "C20",
            "burn_in_none",
            "loss counts the cold start",
            "The loss is dominated by the first steps of a window, which no network can forecast.",
            prescribe.burn_in,
        ),
        Cause(
            "C21",
            "checkpoint_sparse",
            "too few checkpoints",
            "The rollout error jumps between checkpoints, and there are few to choose from.",
            prescribe.more_checkpoints,
        ),
        Cause(
            "C22",
            "exposure_bias",
            "exposure bias",
            "The network was trained on true inputs only, and its closed loop amplifies small errors.",
            prescribe.train_the_loop,
            "rule",
        ),
        Cause(
            "C23",
            "wrong_checkpoint",
            "checkpoints differ",
            "The last checkpoint, or the one with the lowest loss, has a worse rollout than the best one.",
            prescribe.later_decay,
            "rule",
        ),
        Cause(
            "C24",
            "batch_order",
            "fixed batch order",
            "Neighbouring windows are always trained together, in the same order.",
            prescribe.shuffled,
            "rule",
        ),
        Cause(
            "C25",
            "capacity_large",
            "capacity too large",
            "There are many more weights than training numbers.",
            prescribe.less_fitting,
            "rule",
        ),
        Cause(
            "C26",
            "precision",
            "precision",
            "Rounding in float32 makes the rollout worse.",
            prescribe.double_precision,
            "rule",
        ),
        Cause(
            "C27",
            "readout_off",
            "readout not at its best",
            "The state holds what the forecast needs, but the last layer does not use it.",
            prescribe.solved_readout,
            "rule",
        ),
    ],
)

HEALTHY = "healthy"  # the model's answer for a run without a cause
