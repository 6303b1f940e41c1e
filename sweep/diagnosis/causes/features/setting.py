"""Features of configuration and data: settings in relation to what the data need.

Settings that plant a fault directly (gain of the initial weights, bias of a gate, kind of output) are not read here.
Their effect on the network is measured instead, so that other causes of the same effect show, too.
"""

import math
from collections.abc import Mapping

from sweep.diagnosis.causes.case import Case
from sweep.diagnosis.causes.features.feature import Feature, decades

LEAST_NOISE, LEAST_DECAY = 1e-4, 1e-7  # replace 0 in a logarithm; our choice
NEAR = 0.02  # standard deviations; all smaller distances count as this one. Our choice


def cycle(case: Case) -> float:
    """Return the steps of a cycle: the dominant period, or four times the first lag without correlation.

    With inputs from outside it is as much the inputs' as the system's.
    """
    return case.facts.period or 4 * case.facts.memory


def training_numbers(case: Case) -> int:
    """Return the number of training samples, every channel counted."""
    return case.facts.samples * case.facts.channels


def _steps(case: Case) -> int:
    return case.config.training.window or case.facts.longest


def _window(case: Case) -> float:
    return decades(_steps(case))


def _window_by_cycle(case: Case) -> float:
    return math.nan if case.facts.inputs else _window(case) - decades(cycle(case))


def _scored_window(case: Case) -> float:
    window = _steps(case)
    return decades(window - case.config.training.unscored(window))


def _burn_in(case: Case) -> float:
    return decades(1 + case.config.training.unscored(_steps(case)))


def _warmup(case: Case) -> float:
    return decades(case.config.score.warmup)


def _warmup_by_cycle(case: Case) -> float:
    return math.nan if case.facts.inputs else _warmup(case) - decades(cycle(case))


def _input_noise(case: Case) -> float:
    return decades(max(LEAST_NOISE, case.config.training.input_noise))


def _weight_decay(case: Case) -> float:
    return decades(max(LEAST_DECAY, case.config.training.weight_decay))


def _hidden(case: Case) -> float:
    return decades(case.config.model.hidden)


def _parameters_by_samples(case: Case) -> float:
    weights = case.setup.recurrent_weights
    return math.nan if weights is None else decades(weights) - decades(training_numbers(case))


def _fed_size(case: Case) -> float:
    return decades(case.facts.input_size)


def _fed_mean(case: Case) -> float:
    return decades(1 + case.facts.input_mean)


def _fed_spread(case: Case) -> float:
    return decades(case.facts.input_spread)


def _leaked(case: Case) -> float:
    return case.facts.leaked


def _apart(case: Case) -> float:
    near = (case.facts.nearest_validation, case.facts.nearest_training)
    if any(map(math.isnan, near)):
        return math.nan
    validation, training = (decades(max(NEAR, one)) for one in near)
    return validation - training


def _linear_gap(case: Case) -> float:
    return decades(max(1e-6, case.facts.linear_validation)) - decades(max(1e-6, case.facts.linear_training))


SETTING: Mapping[str, Feature] = {
    feature.name: feature
    for feature in (
        Feature("window", "log10 of number of steps of a window", _window),
        Feature("window_by_cycle", "log10 of length of a window in cycles of the data", _window_by_cycle),
        Feature("scored_window", "log10 of number of scored steps of a window", _scored_window),
        Feature("burn_in", "log10 of number of unscored first steps of a window, plus 1", _burn_in),
        Feature("warmup", "log10 of number of warm-up steps", _warmup),
        Feature("warmup_by_cycle", "log10 of warm-up in cycles of the data", _warmup_by_cycle),
        Feature("input_noise", "log10 of input noise, in standard deviations", _input_noise, LEAST_NOISE),
        Feature("weight_decay", "log10 of weight decay", _weight_decay, LEAST_DECAY),
        Feature("hidden", "log10 of number of hidden units", _hidden),
        Feature("parameters_by_samples", "log10 of ratio of weights to training numbers", _parameters_by_samples),
        Feature("fed_size", "log10 of largest input", _fed_size),
        Feature("fed_mean", "log10 of distance of inputs from 0, plus 1", _fed_mean),
        Feature("fed_spread", "log10 of standard deviation of inputs", _fed_spread),
        Feature("leaked", "share of validation stretches that occur in the training data", _leaked),
        Feature("apart", "decades by which validation is farther from training than training from itself", _apart),
        Feature("linear_gap", "decades by which a linear forecast is worse on validation", _linear_gap),
    )
}  # fmt: skip
