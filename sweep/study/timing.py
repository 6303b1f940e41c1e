"""How long a study will take on this machine, from short trainings of a few of its configurations."""

import contextlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sweep.config.errors import SweepError
from sweep.config.study import StudyConfig
from sweep.config.trial import TrialConfig
from sweep.data import Data
from sweep.model import engine, network_of_model
from sweep.search.execution import available_cores
from sweep.study.engine import check_device
from sweep.train import OPTIMIZERS, infeasible
from sweep.trial.inputs import windows_of
from sweep.trial.process import trial_process
from sweep.trial.segment import Run

SECONDS = 3.0  # that measuring takes, at most about
TRAINED_SECONDS = 0.15  # of these, in the training of one configuration
UNUSED = 10**12  # sequence-steps of a budget that measuring does not reach
MOST_STEPS = 10_000  # of a full batch that is measured; a larger one has a larger stride here
STEP_ADDS = 10_000  # multiply-adds that take as long as a step of a network of few units
# Seconds of a core beside what is measured, for a trial (probes, diagnosis, picture) and for a study (the start of the
# workers, the baselines). Rough: they depend little on the study.
TRIAL_SECONDS, STUDY_SECONDS = 0.4, 35.0


@dataclass(frozen=True)
class Pace:
    """How fast a kind of trial trains on one core."""

    seconds_per_unit: float  # of training; see `_units_per_step`
    evaluation_seconds: float
    end_seconds: float  # of what is done once, after the last evaluation


def study_seconds(
    study: StudyConfig, configs: Sequence[TrialConfig], data: Data, trials: int, retrained: int, kept: float
) -> float | None:
    """Return the seconds that a study will take with its workers, None if nothing could be measured.

    Args:
        study: with its workers.
        configs: the first configurations.
        data: of the study.
        trials: their number.
        retrained: full trainings of the confirmation.
        kept: share of the cost that pruning leaves.
    """
    paces = measured(configs, data)
    known = [config for config in configs if _kind(config) in paces]
    if not known:
        return None
    full = [trial_seconds(config, paces[_kind(config)], data) for config in known]
    mean = sum(full) / len(full)
    training = (trials * kept + retrained) * mean
    workers = max(1, study.run.workers)
    return (training + trials * TRIAL_SECONDS + STUDY_SECONDS) / workers * busy_factor(workers)


def trial_seconds(config: TrialConfig, pace: Pace, data: Data) -> float:
    """Return the seconds of a full trial on one core."""
    units = _units_per_step(config, data) * config.training.budget
    return units * pace.seconds_per_unit + len(config.points) * pace.evaluation_seconds + pace.end_seconds


def measured(configs: Sequence[TrialConfig], data: Data, seconds: float = SECONDS) -> dict[str, Pace]:
    """Return the pace of each kind of trial; kinds beyond the time have the pace of one that was measured.

    Kinds differ by `readout_refit`, and by whether they train with full batches: their precision and evaluations
    differ.
    """
    paces: dict[str, Pace] = {}
    began = time.perf_counter()
    first = {_kind(config): config for config in reversed(configs) if not infeasible(config.training)}
    for kind, config in first.items():
        if paces and time.perf_counter() - began > seconds:
            break
        with contextlib.suppress(SweepError):  # a trial that will fail takes no time
            check_device(config.device)
            paces[kind] = pace_of(config, data)
    for kind in first if paces else ():
        if kind not in paces:
            alike = [known for known in paces if known.split()[1:] == kind.split()[1:]]
            paces[kind] = paces[(alike or list(paces))[0]]
    return paces


def pace_of(config: TrialConfig, data: Data) -> Pace:
    """Return the pace of a trial: some updates after a warm-up, an evaluation, and the end of the trial."""
    short = _short(config, data)
    last = len(short.points) - 1
    with trial_process():
        run = Run(short, data)
        clock = _clock(config)
        trainer = run.trainer
        trainer.train(1, ())  # the first update and the first rollouts are slower
        run.evaluate(0, 0.0)
        before, began = trainer.consumed, clock()
        trainer.train(before + 1, ())
        while clock() - began < TRAINED_SECONDS and trainer.diverged is None and not trainer.spent:
            trainer.train(2 * trainer.consumed, ())
        training = clock() - began
        consumed = trainer.consumed - before
        evaluation = _seconds_of(run, 0, clock)
        trainer.train(trainer.consumed + 1, ())
        ended = _seconds_of(run, last, clock)
    units = max(1, consumed) * _units_per_step(config, data)
    return Pace(training / units, evaluation, max(0.0, ended - evaluation))


def _seconds_of(run: Run, point: int, clock: Callable[[], float]) -> float:
    began = clock()
    run.evaluate(point, 0.0)
    return clock() - began


def _clock(config: TrialConfig) -> Callable[[], float]:
    """Return the clock of a trial: seconds of a core, which other processes do not lengthen, if it needs one alone."""
    return time.process_time if config.device == "cpu" and config.threads == 1 else time.perf_counter


def busy_factor(workers: int) -> float:
    """Return how many times longer the workers take because other processes use the cores as well, at least 1."""
    try:
        others = max(0.0, os.getloadavg()[0] - 1)  # this process is one
    except (AttributeError, OSError):
        return 1.0
    return max(1.0, (others + workers) / available_cores())


def _short(config: TrialConfig, data: Data) -> TrialConfig:
    """Return the trial with a budget that measuring does not use up, and a full batch that is not too large."""
    training = config.training
    windows = windows_of(config, data)
    count = len(windows.offsets(None))
    if OPTIMIZERS[training.optimizer.name].full_batch:
        thinned = max(1, count * windows.window // MOST_STEPS)
        training = training.model_copy(update={"window_stride": training.window_stride * thinned})
    training = training.model_copy(update={"budget": UNUSED, "evaluations": 2})
    return config.model_copy(update={"training": training, "rungs": ()})


def _kind(config: TrialConfig) -> str:
    full_batch = OPTIMIZERS[config.training.optimizer.name].full_batch
    return f"{config.training.readout_refit} {'full batch' if full_batch else 'mini-batches'}"


def _units_per_step(config: TrialConfig, data: Data) -> float:
    """Return the units of a sequence-step: its multiply-adds forward, and STEP_ADDS more."""
    network = network_of_model(config.model, data.inputs, len(data.channels), engine("torch"))
    adds = network.multiply_adds()
    return 1.0 if adds is None else float(adds + STEP_ADDS)
