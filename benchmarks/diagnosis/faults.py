"""The table of faults: a cause, and how it is planted into a healthy plan at three severities.

To add a fault, add an entry; the runner, the table of what bites and the tests read the table. A plant changes
what its cause names and nothing else, unless its entry says so.
"""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.diagnosis.data import SERIES
from benchmarks.diagnosis.plan import Plan

SEVERITIES = (1, 2, 3)  # mild, medium, strong
KEPT_OUT_SEVERITY = 1  # not used for calibration: the mildest, which is the hardest to detect

Plant = Callable[[Plan, int], Plan]


def everywhere(plan: Plan) -> bool:
    """Return True: the fault can be planted into any background."""
    return True


@dataclass(frozen=True)
class Fault:
    """A cause of bad rollouts, planted on purpose."""

    cause: str
    plant: Plant
    levels: tuple[object, object, object]  # what the severities are, for the table
    note: str
    fits: Callable[[Plan], bool] = everywhere  # backgrounds into which it can be planted
    bites_by: str = "rollout"  # how it is decided whether it bites, see bites.py


def _scaled_lr(factors: tuple[float, float, float]) -> Plant:
    def plant(plan: Plan, severity: int) -> Plan:
        lr = plan.optimizer_setting("lr", 0.0) * factors[severity - 1]
        return plan.with_(training__optimizer__lr=lr)

    return plant


def _setting(path: str, values: tuple[object, object, object]) -> Plant:
    def plant(plan: Plan, severity: int) -> Plan:
        return plan.with_(**{path: values[severity - 1]})

    return plant


def _entry(
    cause: str,
    path: str,
    levels: tuple[object, object, object],
    note: str,
    fits: Callable[[Plan], bool] = everywhere,
) -> Fault:
    return Fault(cause, _setting(path, levels), levels, note, fits)


def _momentum(plan: Plan, severity: int) -> Plan:
    return plan.with_(training__optimizer__momentum=MOMENTA[severity - 1])


def _decay_early(plan: Plan, severity: int) -> Plan:
    every = EVERY[severity - 1]
    return plan.with_(training__scheduler={"name": "step", "gamma": 0.1, "every": every})


def _undertrained(plan: Plan, severity: int) -> Plan:
    return plan.with_(training__budget=round(plan.config.training.budget / CUTS[severity - 1]))


def _clipped_output(plan: Plan, severity: int) -> Plan:
    # A ReLU at the output cannot go below 0: here that is below the offset's distance from the mean.
    relu = plan.with_(model__output_activation="relu", model__readout="value", data__scaling="none")
    return relu.with_data(offset=CLIPPED_BELOW[severity - 1])


def _dead_head(plan: Plan, severity: int) -> Plan:
    return plan.with_(model__head=(DEAD_HEADS[severity - 1],), model__output_activation="relu")


def _dead_relu(plan: Plan, severity: int) -> Plan:
    """Plant a ReLU output that cuts low values (even variants), or increments that can only rise (odd)."""
    return _clipped_output(plan, severity) if plan.variant % 2 == 0 else _dead_head(plan, severity)


def _unscaled(plan: Plan, severity: int) -> Plan:
    """Plant values that are far too large (even variants) or far from 0 (odd)."""
    if plan.variant % 2 == 0:
        return plan.with_(data__scaling="none").with_data(gain=GAINS[severity - 1])
    return plan.with_(data__scaling="none").with_data(offset=OFFSETS[severity - 1])


def _overfit(plan: Plan, severity: int) -> Plan:
    """Plant few samples and many units, with as many updates as before although a batch holds fewer windows."""
    training = plan.config.training
    train = max(TRAIN[severity - 1], training.window + 2)
    share = min(1.0, SERIES * ((train - 1) // training.window) / training.batch_size)
    budget = round(training.budget * share)
    return plan.with_(model__hidden=48, training__budget=budget).with_data(train=train)


def _gap(plan: Plan, severity: int) -> Plan:
    return plan.with_data(gap=GAPS[severity - 1])


def _leak(plan: Plan, severity: int) -> Plan:
    return plan.with_data(leak=LEAKS[severity - 1])


def _windowed(plan: Plan, window: int) -> Plan:
    """Return the plan with another window and as many sequence-steps per update as before."""
    training = plan.config.training
    batch = max(1, round(training.batch_size * training.window / window))
    return plan.with_(training__window=window, training__batch_size=batch)


def _short_window(plan: Plan, severity: int) -> Plan:
    return _windowed(plan, WINDOWS[severity - 1])


def _without_burn_in(plan: Plan, severity: int) -> Plan:
    window = plan.config.training.window // SHORTER[severity - 1]
    return _windowed(plan, window).with_(training__burn_in=0)


def _constant_rate(plan: Plan) -> bool:
    return plan.config.training.scheduler.name == "none"


def _descends_by_gradient_size(plan: Plan) -> bool:
    return plan.optimizer == "sgd"  # the others divide the gradient by its own size


MOMENTA = (0.99, 0.997, 0.999)
EVERY = (0.08, 0.04, 0.02)
CUTS = (8, 20, 60)
CLIPPED_BELOW = (1.0, 0.5, 0.0)
DEAD_HEADS = (8, 4, 2)
GAINS, OFFSETS = (20.0, 100.0, 500.0), (10.0, 50.0, 250.0)
TRAIN = (300, 150, 75)
GAPS = (0.1, 0.2, 0.4)
LEAKS = (0.2, 0.5, 1.0)
WINDOWS = (8, 5, 3)
SHORTER = (1, 2, 4)

FAULTS = {
    fault.cause: fault
    for fault in (
        Fault("lr_high", _scaled_lr((10, 30, 100)), (10, 30, 100), "rate times"),
        Fault("lr_low", _scaled_lr((1 / 15, 1 / 40, 1 / 120)), ("1/15", "1/40", "1/120"), "rate times"),
        Fault("momentum_high", _momentum, MOMENTA, "momentum or beta1, the rate unchanged"),
        Fault("decay_early", _decay_early, EVERY, "rate falls tenfold every ... of the budget"),
        Fault("undertrained", _undertrained, CUTS, "budget divided by"),
        _entry("exploding_gradient", "model__init_gain", (5.0, 10.0, 20.0), "recurrent weights times"),
        _entry("gate_saturation", "model__forget_bias", (5.0, 8.0, 12.0), "bias of the keeping gate"),
        _entry("short_memory", "model__forget_bias", (-5.0, -10.0, -20.0), "bias of the keeping gate"),
        Fault("window_short", _short_window, WINDOWS, "steps of a window"),
        Fault("dead_relu", _dead_relu, (1, 2, 3), "ReLU output: offset 1, .5, 0, or rising increments"),
        Fault("data_scale", _unscaled, (1, 2, 3), "unscaled: times 20, 100, 500, or plus 10, 50, 250"),
        Fault("overfit", _overfit, TRAIN, "training samples per series, 48 units, as many updates"),
        Fault("distribution_gap", _gap, GAPS, "change of the law after training"),
        Fault("leak", _leak, LEAKS, "share of a series' validation part trained on", bites_by="leak"),
        _entry("warmup_short", "score__warmup", (6, 3, 1), "true steps before a rollout"),
        _entry("capacity_small", "model__hidden", (3, 2, 1), "units"),
        _entry("noise_large", "training__input_noise", (0.5, 1.0, 2.0), "standard deviation"),
        _entry("weight_decay_large", "training__weight_decay", (1e-3, 1e-2, 1e-1), "L2 weight decay"),
        _entry(
            "clip_tight", "training__clip", (5e-3, 1e-3, 2e-4), "largest gradient norm, SGD", _descends_by_gradient_size
        ),
        Fault("burn_in_none", _without_burn_in, SHORTER, "no loss burn-in, windows divided by"),
        _entry(
            "checkpoint_sparse", "training__evaluations", (3, 2, 1), "evaluations, at a constant rate", _constant_rate
        ),
    )
}  # fmt: skip
HEALTHY = "healthy"
