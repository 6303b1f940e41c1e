"""Prescriptions: the changes of configuration that should remove a cause, computed for a case.

Each function returns alternatives, the best guess first; each alternative is a set of changes to make together. An
empty tuple means that no configuration helps, only other data.
"""

import math

from sweep.config.trial import TrialConfig
from sweep.data.types import Array
from sweep.diagnosis.causes.case import Case
from sweep.diagnosis.causes.features.setting import cycle
from sweep.diagnosis.finding import Change

Prescriptions = tuple[tuple[Change, ...], ...]

HEALTHY_RATIO = 10**-2.4  # update-to-weight ratio of healthy runs in mid-training, see calibration.json
HEALTHY_UPDATES = 2000
SAFE_MOMENTUM = 0.9


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")


def _lr(case: Case, factor: float) -> tuple[Change, ...]:
    rate = case.setting("lr", 0.0) or float(case.curve("lr").max(initial=0.0))
    return (Change("training.optimizer.lr", _rounded(rate * factor)),)


def _middle(values: Array) -> float:
    chosen = values[int(0.3 * len(values)) : max(1, round(0.7 * len(values)))]
    return float(sorted(chosen)[len(chosen) // 2]) if len(chosen) else math.nan


def _rate_factor(case: Case) -> float:
    """Return the factor of the rate that gives the update-to-weight ratio of healthy runs; 1 if unknown."""
    ratio = _middle(case.curve("update_ratio"))
    return HEALTHY_RATIO / ratio if math.isfinite(ratio) and ratio > 0 else 1.0


def lower_rate(case: Case) -> Prescriptions:
    """Return a rate with the update-to-weight ratio of healthy runs, at most a tenth of the present; a third of it."""
    factor = min(1 / 10, max(1 / 100, _rate_factor(case)))
    return (_lr(case, factor), _lr(case, 1 / 3))


def raise_rate(case: Case) -> Prescriptions:
    """Return a rate with the update-to-weight ratio of healthy runs, at least ten times the present; three times it."""
    factor = max(10.0, min(100.0, _rate_factor(case)))
    return (_lr(case, factor), _lr(case, 3))


def less_momentum(case: Case) -> Prescriptions:
    """Return a momentum of 0.9, or 0.5 if it is 0.9 or less now; no momentum."""
    plain = 0.5 if case.setting("momentum", 0.0) <= SAFE_MOMENTUM else SAFE_MOMENTUM
    return ((Change("training.optimizer.momentum", plain),), (Change("training.optimizer.momentum", 0.0),))


def later_decay(case: Case) -> Prescriptions:
    """Return a cosine over the whole budget; a constant rate."""
    return (
        (Change("training.scheduler", {"name": "cosine"}),),
        (Change("training.scheduler", {"name": "none"}),),
    )


def more_budget(case: Case) -> Prescriptions:
    """Return a budget for as many updates as healthy runs made, 4 to 40 times the present; 4 times it."""
    factor = max(4.0, min(40.0, HEALTHY_UPDATES / max(1, case.record.updates)))
    budget = case.config.training.budget
    return (
        (Change("training.budget", round(budget * factor)),),
        (Change("training.budget", round(4 * budget)),),
    )


def smaller_start(case: Case) -> Prescriptions:
    """Return torch's initial weights with a gradient clip, then the clip alone; or the clip, then lower rates."""
    gain = Change("model.init_gain", 1.0)
    clip = Change("training.clip", 1.0)
    return ((gain, clip), (clip,)) if case.config.model.init_gain > 1 else ((clip,), *lower_rate(case))


def open_gates(case: Case) -> Prescriptions:
    """Return gates that begin half open, with scaled inputs if the inputs are not scaled."""
    bias = Change("model.forget_bias", 0.0)
    scale = Change("data.scaling", "global")
    changes = (bias,) if case.config.data.scaling != "none" else (bias, scale)
    return (changes,)


def remember(case: Case) -> Prescriptions:
    """Return a keeping gate that begins open; a GRU."""
    return ((Change("model.forget_bias", 1.0),), (Change("model.cell", "gru"),))


def fitting_window(config: TrialConfig, steps: float, longest: int) -> tuple[Change, ...]:
    """Return window, burn-in and batch size for a window of about `steps`, with as many sequence-steps per update."""
    window = min(longest - 1, max(32, min(256, 8 * round(steps / 8))))
    training = config.training
    batch = max(4, round(training.batch_size * max(training.window, 1) / window))
    return (
        Change("training.window", window),
        Change("training.burn_in", window // 4),
        Change("training.batch_size", batch),
    )


def longer_window(case: Case) -> Prescriptions:
    """Return windows of two and a half cycles."""
    return (fitting_window(case.config, 2.5 * cycle(case), case.facts.longest),)


def burn_in(case: Case) -> Prescriptions:
    """Return a burn-in of a quarter of the window; windows of two and a half cycles."""
    window = case.config.training.window or case.facts.longest
    if window < 2.5 * cycle(case):
        return longer_window(case)
    return ((Change("training.burn_in", window // 4),), *longer_window(case))


def live_output(case: Case) -> Prescriptions:
    """Return an output without a ReLU."""
    changes = [Change("model.output_activation", "none")]
    if case.config.model.head:
        changes.append(Change("model.head_activation", "tanh"))
    return (tuple(changes),)


def scaled_data(case: Case) -> Prescriptions:
    """Return inputs scaled to mean 0 and standard deviation 1; scaled by series if they are scaled already.

    One series that is scaled already has no prescription: by itself is the same as together.
    """
    if case.config.data.scaling == "none":
        return ((Change("data.scaling", "global"),),)
    if case.facts.series == 1:
        return ()
    return ((Change("data.scaling", "series" if case.config.data.scaling == "global" else "global"),),)


def less_fitting(case: Case) -> Prescriptions:
    """Return fewer units with some input noise; more input noise; some weight decay."""
    hidden = max(8, case.config.model.hidden // 4)
    return (
        (Change("model.hidden", hidden), Change("training.input_noise", 0.03)),
        (Change("training.input_noise", 0.1),),
        (Change("training.weight_decay", 1e-4),),
    )


def other_data(case: Case) -> Prescriptions:
    """Return no prescription: only other data help."""
    return ()


def longer_warmup(case: Case) -> Prescriptions:
    """Return a warm-up of two cycles or twice the wash-out, limited by the training series."""
    washout = case.probe("driven", "expected_washout")
    wanted = max(
        2 * cycle(case), 2 * washout if math.isfinite(washout) else 0.0, 4.0 * case.config.score.warmup
    )
    return ((Change("score.warmup", round(min(wanted, 100.0, 0.3 * case.facts.longest))),),)


def more_units(case: Case) -> Prescriptions:
    """Return four times the units, 24 to 128; the same with four times the budget."""
    hidden = max(24, min(128, 4 * case.config.model.hidden))
    return ((Change("model.hidden", hidden),), (Change("model.hidden", hidden), *more_budget(case)[-1]))


def less_noise(case: Case) -> Prescriptions:
    """Return no input noise; very little input noise."""
    return ((Change("training.input_noise", 0.0),), (Change("training.input_noise", 0.01),))


def no_decay(case: Case) -> Prescriptions:
    """Return no weight decay."""
    return ((Change("training.weight_decay", 0.0),),)


def looser_clip(case: Case) -> Prescriptions:
    """Return a clip at the 90 % quantile of the gradient norms; no clip.

    Source: Deep Learning Tuning Playbook.
    """
    norms = case.curve("gradient_norm")
    largest = float(sorted(norms)[int(0.9 * (len(norms) - 1))]) if len(norms) else 1.0
    return ((Change("training.clip", _rounded(max(largest, 1e-6))),), (Change("training.clip", 0.0),))


def more_checkpoints(case: Case) -> Prescriptions:
    """Return 24 evaluations; a learning rate that falls."""
    return ((Change("training.evaluations", 24),), *later_decay(case)[:1])


def train_the_loop(case: Case) -> Prescriptions:
    """Return some input noise; free-running training of the last quarter of each window."""
    window = case.config.training.window or case.facts.longest
    return ((Change("training.input_noise", 0.02),), (Change("training.unroll", max(1, window // 4)),))


def solved_readout(case: Case) -> Prescriptions:
    """Return a closed-form last layer for the best checkpoint."""
    return ((Change("training.readout_refit", "end"),),)


def shuffled(case: Case) -> Prescriptions:
    """Return shuffled windows."""
    return ((Change("training.shuffle", True),),)


def double_precision(case: Case) -> Prescriptions:
    """Return float64."""
    return ((Change("training.precision", "float64"),),)
