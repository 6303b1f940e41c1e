"""The causes: what can make rollouts fail, each with its stable code and what to do about it."""

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
    """Something that was chosen, or is so, and that makes rollouts fail. docs/diagnosis/causes.md has a section each.

    "calibrated" causes are told apart by weights that were fitted to runs in which the cause was planted
    (benchmarks/diagnosis); "rule" causes have a rule of their own and were not planted.
    """

    name: str  # the stable code
    fault: str  # its word in the benchmark of diagnoses
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
            "Steps overshoot: the loss is rough or stuck, the weights far from where they began.",
            prescribe.lower_rate,
        ),
        Cause(
            "C02",
            "lr_low",
            "learning rate too low",
            "Steps are so small that the budget ends before the way does.",
            prescribe.raise_rate,
        ),
        Cause(
            "C03",
            "momentum_high",
            "momentum too high",
            "Steps average over so many updates that they answer too late, and ring.",
            prescribe.less_momentum,
        ),
        Cause(
            "C04",
            "decay_early",
            "scheduler decays too early",
            "The rate is spent long before the budget is, and training stands still.",
            prescribe.later_decay,
        ),
        Cause(
            "C05",
            "undertrained",
            "undertrained",
            "Training stopped while it still gained.",
            prescribe.more_budget,
        ),
        Cause(
            "C06",
            "exploding_gradient",
            "exploding gradient",
            "Recurrent weights so large that gradients through time grow, and the state is chaotic.",
            prescribe.smaller_start,
        ),
        Cause(
            "C07",
            "gate_saturation",
            "saturated gates",
            "Gates stand fully open or shut, and no gradient moves them.",
            prescribe.open_gates,
        ),
        Cause(
            "C08",
            "short_memory",
            "vanishing gradient, short memory",
            "The state forgets within a few steps what the forecast needs.",
            prescribe.remember,
            "rule",
        ),
        Cause(
            "C09",
            "window_short",
            "training windows too short",
            "Windows end before a cycle does: nothing long can be learnt.",
            prescribe.longer_window,
        ),
        Cause(
            "C10",
            "dead_relu",
            "dead or cut output",
            "A ReLU holds outputs at zero that the data need below it.",
            prescribe.live_output,
        ),
        Cause(
            "C11",
            "data_scale",
            "data scale or offset",
            "Inputs are far larger than 1 or far from 0: gates saturate, rates do not fit.",
            prescribe.scaled_data,
        ),
        Cause(
            "C12",
            "overfit",
            "overfit",
            "The network knows its training series, and not their law.",
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
            "Validation stretches stand in the training data: scores say nothing about new data.",
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
            "Too few units to hold the state of the data.",
            prescribe.more_units,
        ),
        Cause(
            "C17",
            "noise_large",
            "input noise too large",
            "Noise on the inputs hides what the forecast needs: it learns to average.",
            prescribe.less_noise,
        ),
        Cause(
            "C18",
            "weight_decay_large",
            "weight decay too large",
            "The weights are pulled to zero faster than the data push them.",
            prescribe.no_decay,
        ),
        Cause(
            "C19",
            "clip_tight",
            "gradient clip too tight",
            "Almost every gradient is cut, which is a lower rate by another name.",
            prescribe.looser_clip,
        ),
        Cause(
            "C20",
            "burn_in_none",
            "loss counts the cold start",
            "The first steps of a window, which nobody can forecast, fill the loss.",
            prescribe.burn_in,
        ),
        Cause(
            "C21",
            "checkpoint_sparse",
            "too few checkpoints",
            "The rollout error jumps between checkpoints, and few were there to choose from.",
            prescribe.more_checkpoints,
        ),
        Cause(
            "C22",
            "exposure_bias",
            "exposure bias",
            "Trained on true inputs alone, the loop blows up its own small errors.",
            prescribe.train_the_loop,
            "rule",
        ),
        Cause(
            "C23",
            "wrong_checkpoint",
            "checkpoints differ",
            "The last checkpoint, or the one that the loss would choose, rolls out worse than the one that was kept.",
            prescribe.later_decay,
            "rule",
        ),
        Cause(
            "C24",
            "batch_order",
            "fixed batch order",
            "Neighbouring windows are trained together, always in the same order.",
            prescribe.shuffled,
            "rule",
        ),
        Cause(
            "C25",
            "capacity_large",
            "capacity too large",
            "Many more weights than numbers to learn them from.",
            prescribe.less_fitting,
            "rule",
        ),
        Cause(
            "C26",
            "precision",
            "precision",
            "Rounding of float32 spoils the rollout.",
            prescribe.double_precision,
            "rule",
        ),
        Cause(
            "C27",
            "readout_off",
            "readout not at its best",
            "The state holds what the forecast needs, and the last layer does not read it out.",
            prescribe.solved_readout,
            "rule",
        ),
    ],
)

HEALTHY = "healthy"  # the answer of the model where nothing is to be mended
