"""The table of samplers. Each proposes trial n as a pure function of a space, a history, a seed and n.

Optuna's samplers work on a study in memory that each call rebuilds from the history, never on the stored study.
So a kill between two suggested values changes nothing.
"""

import functools
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.distributions import CategoricalDistribution
from optuna.samplers import BaseSampler, GPSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState

from sweep.config.errors import UsageError
from sweep.config.ranges import Value, suggest
from sweep.config.registry import Registry
from sweep.config.seeds import seed_of
from sweep.config.space import Space
from sweep.search.cmaes import propose_cmaes
from sweep.search.history import History, Params
from sweep.store import sampled
from sweep.trial.process import trial_process

Propose = Callable[[Space, History, int, int], dict[str, Value]]  # space, history, study seed, number


@dataclass(frozen=True)
class SamplerSpec:
    """A sampler, and the spaces that it cannot sample."""

    name: str
    propose: Propose
    refuses: Callable[[Space], str | None]  # returns why it cannot sample a space, None if it can
    source: str
    shortens: bool = False  # whether its history is shortened to `search.history` trials


def check_sampler(name: str, space: Space) -> None:
    """Check that a sampler can sample a space.

    Raises:
        UsageError: it cannot; the text gives the reason.
        PluginError: the sampler is a plug-in that raised an error.
    """
    with SAMPLERS.running(name):
        reason = SAMPLERS[name].refuses(space)
    if reason is not None:
        raise UsageError(
            f'search.sampler = "{name}" cannot sample this space: {reason}. Use "tpe", "random" or "qmc"'
        )


def _by_optuna(make: Callable[[int], BaseSampler], uses_history: bool = True) -> Propose:
    def propose(space: Space, history: History, seed: int, number: int) -> dict[str, Value]:
        with warnings.catch_warnings(), trial_process():  # threads can change what a sampler computes
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            sampler = make(seed_of(seed, "sampler", number) % 2**32)
            study = _study_in_memory(space, history if uses_history else History((), ()), sampler)
            trial = study.ask()
            return space.draw(lambda axis: suggest(trial, axis.name, axis.span))

    return propose


def _study_in_memory(space: Space, history: History, sampler: BaseSampler) -> optuna.Study:
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        study = optuna.create_study(sampler=sampler)
    finally:
        optuna.logging.set_verbosity(verbosity)
    storage, study_id = study._storage, study._study_id
    for trial in _frozen_trials(space).of(history):
        storage.create_new_trial(study_id, trial)
    return study


class SharedTrial(FrozenTrial):
    """A trial that studies in memory share: samplers only read it, so it needs no deep copy."""

    @property
    def constraints(self) -> dict[str, float]:
        """Return no constraints; TPE asks for them ten times per proposal, and Optuna searches them."""
        return {}

    def __deepcopy__(self, memo: Any) -> "SharedTrial":
        trial = SharedTrial.__new__(SharedTrial)
        vars(trial).update(vars(self))
        return trial


class _FrozenTrials:
    """Optuna's trials of one space, each made once: a history repeats nearly all of the one before."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self._trials: dict[Any, FrozenTrial] = {}  # of the latest history

    def of(self, history: History) -> list[FrozenTrial]:
        entries = [*history.settled, *((params, None) for params in history.running)]
        keys = [(tuple(params.items()), score) for params, score in entries]
        self._trials = {
            key: self._trials.get(key) or frozen_trial(self.space, *entry)
            for key, entry in zip(keys, entries, strict=True)
        }
        return [self._trials[key] for key in keys]


@functools.lru_cache(maxsize=8)  # a space for each value that takes turns
def _frozen_trials(space: Space) -> _FrozenTrials:
    return _FrozenTrials(space)


def frozen_trial(space: Space, params: Params, score: float | None) -> FrozenTrial:
    """Return one of Optuna's trials: complete with its score, or running if the score is None."""
    values, distributions = sampled(space, params)
    state = TrialState.RUNNING if score is None else TrialState.COMPLETE
    trial = optuna.create_trial(state=state, value=score, params=values, distributions=distributions)
    trial.__class__ = SharedTrial
    return trial


def _propose_qmc(space: Space, history: History, seed: int, number: int) -> dict[str, Value]:
    """Return Sobol point n, of one scrambling. Coordinates of axes that a trial does not have are left unused."""
    from scipy.stats import qmc  # here, because the import takes half a second

    engine = qmc.Sobol(len(space.axes), scramble=True, rng=seed_of(seed, "qmc") % 2**32)
    if number:
        engine.fast_forward(number)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # about balance, which one point cannot have
        point = engine.random(1)[0]
    place = {axis.name: k for k, axis in enumerate(space.axes)}
    return space.draw(lambda axis: axis.span.from_unit(float(point[place[axis.name]])))


def _serves_all(space: Space) -> str | None:
    return None


def _no_conditions(space: Space) -> str | None:
    for axis in space.axes:
        if axis.condition is not None:
            return f"{axis.name} exists only for some values of {axis.condition.on}, and the sampler needs a fixed set"
    return None


def _numbers_only(space: Space) -> str | None:
    for axis in space.axes:
        if isinstance(axis.span.distribution(), CategoricalDistribution):
            return f"{axis.name} is a choice, and the sampler needs numbers"
    if len(space.axes) < 2:
        return "the sampler needs at least two hyperparameters"
    try:
        import cmaes  # noqa: F401
    except ImportError:
        return "the package cmaes is not installed (pip install cmaes)"
    return _no_conditions(space)


SAMPLERS: Registry[SamplerSpec] = Registry(
    "sampler",
    [
        SamplerSpec(
            "tpe",
            _by_optuna(lambda seed: TPESampler(seed=seed, multivariate=True, group=True)),
            _serves_all,
            "Bergstra et al. (2011); multivariate and grouped: Falkner et al. (2018), Optuna",
            shortens=True,
        ),
        SamplerSpec(
            "random",
            _by_optuna(lambda seed: RandomSampler(seed=seed), uses_history=False),
            _serves_all,
            "Bergstra & Bengio (2012)",
        ),
        SamplerSpec("qmc", _propose_qmc, _serves_all, "Sobol (1967), scrambled after Owen; scipy.stats.qmc"),
        SamplerSpec(
            "gp",
            _by_optuna(lambda seed: GPSampler(seed=seed, deterministic_objective=False)),
            _no_conditions,
            "Optuna's Gaussian process with log expected improvement, Ament et al. (2023)",
        ),
        SamplerSpec("cmaes", propose_cmaes, _numbers_only, "Hansen (2016); package cmaes"),
    ],
    SamplerSpec,
)
