"""The preview of a study: sampled configurations and their cost, without training."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from sweep.config.records import TrialRecord
from sweep.config.study import StudyConfig
from sweep.config.trial import TrialConfig
from sweep.data import Data, DataSummary, summary_of, window_offsets
from sweep.model import engine, network_of_model
from sweep.search.proposals import proposal
from sweep.study.open_study import OpenStudy, scale_sources
from sweep.study.timing import study_seconds
from sweep.train import OPTIMIZERS, full_batch_cost

SHOWN = 10  # configurations; later ones depend on results
FEW_CLOSURES = (
    200  # below this L-BFGS has made little progress on all weights: the published recipe takes 300
)


@dataclass(frozen=True)
class TrialCost:
    """The cost of one full trial."""

    params: dict[str, Any]
    sequence_steps: int
    updates: int  # optimizer steps; for full-batch optimizers closures, of which a step takes several
    full_batch: bool
    multiply_adds: int | None  # of matrix products: three times the forward pass; None: a model of a plug-in
    warning: str | None


@dataclass(frozen=True)
class Preview:
    """Sampled configurations with their costs, and the cost of the whole study, estimated from theirs."""

    study: StudyConfig
    trials: int
    costs: tuple[TrialCost, ...]
    sequence_steps: int  # of all trials, none pruned
    kept_share: float  # the approximate share of these that is left after pruning at the rungs
    confirmed: int  # configurations to train again at the end, each on `study.confirm.seeds` seeds
    scale_from: tuple[str, ...]  # by target channel: the trivial forecasts whose error is the unit of errors
    warnings: tuple[str, ...]  # of the data and the trials
    data: DataSummary
    seconds: float | None  # of the whole study with its workers; None: not measured

    def document(self) -> dict[str, Any]:
        """Return the preview as plain values for JSON (docs/study-files.md)."""
        study = self.study
        costs = [
            {**asdict(cost), "params": {key: _plain(value) for key, value in cost.params.items()}}
            for cost in self.costs
        ]
        return {
            "study": study.name,
            "description": study.description,
            "trials": self.trials,
            "configurations": costs,
            "sequence_steps": self.sequence_steps,
            "sequence_steps_pruned": round(self.sequence_steps * self.kept_share),
            "tera_flop": self.tera_flop,
            "confirmation": {"configurations": self.confirmed, "seeds": study.confirm.seeds},
            "workers": study.run.workers,
            "minutes": None if self.seconds is None else self.seconds / 60,
            "score": study.score.model_dump(mode="json"),
            "scale_from": list(self.scale_from),
            "data": self.data.document(),
            "warnings": list(self.warnings),
        }

    @property
    def tera_flop(self) -> float | None:
        """Return the FLOP of all trials in 10^12, none pruned: two per multiply-add. None if unknown."""
        known = [2 * cost.multiply_adds for cost in self.costs if cost.multiply_adds is not None]
        return sum(known) / len(known) * self.trials / 1e12 if known else None


def preview_of(opened: OpenStudy, trials: int, confirm: bool = True, measure: bool = True) -> Preview:
    """Return the first configurations of a new study and the cost of the whole study.

    The study will start exactly these configurations, because they do not depend on results: at most `search.width`,
    and at most ten. With `measure` a few of them are trained for about three seconds in all.
    """
    study, data = opened.config, opened.data
    count = min(SHOWN, trials, study.search.width)
    records: dict[int, TrialRecord] = {}
    costs, configs = [], []
    for number in range(count):
        params, origin = proposal(study, records, number)
        config = study.trial(params)
        records[number] = TrialRecord(number, "running", params, {}, origin)
        costs.append(_cost(config, params, data))
        configs.append(config)
    confirmed = min(study.confirm.top, trials) if confirm and study.confirm.seeds else 0
    total = round(trials * sum(cost.sequence_steps for cost in costs) / len(costs))
    warnings = dict.fromkeys([*opened.warnings, *(cost.warning for cost in costs if cost.warning)])
    kept = kept_share(study, trials)
    seconds = None
    if measure:
        seconds = study_seconds(study, configs, data, trials, confirmed * study.confirm.seeds, kept)
    return Preview(
        study=study,
        trials=trials,
        costs=tuple(costs),
        sequence_steps=total,
        kept_share=kept,
        confirmed=confirmed,
        scale_from=tuple(scale_sources(data)),
        warnings=tuple(warnings),
        data=summary_of(data),
        seconds=seconds,
    )


def _cost(config: TrialConfig, params: dict[str, Any], data: Data) -> TrialCost:
    training = config.training
    windows = len(window_offsets([len(series) for series in data.train], training.window, None))
    windows = math.ceil(windows / training.window_stride)
    steps = training.window or len(data.train[0]) - 1
    full_batch = OPTIMIZERS[training.optimizer.name].full_batch
    # batches of an epoch; the last one is smaller
    batches = 1 if full_batch else math.ceil(windows / training.batch_size)
    per_update = full_batch_cost(training, config.model, windows, steps) // batches
    wanted = training.budget / per_update
    updates = max(1, int(wanted) if full_batch else round(wanted))
    network = network_of_model(config.model, data.inputs, len(data.channels), engine("torch"))
    forward = network.multiply_adds()
    adds = None if forward is None else 3 * forward * training.budget
    warning = None
    if full_batch and not training.projected and updates < FEW_CLOSURES:
        warning = (
            f"{training.optimizer.name} gets {updates} closures of {per_update:,} sequence-steps; "
            f"below {FEW_CLOSURES} it makes little progress"
        )
    return TrialCost(params, training.budget, updates, full_batch, adds, warning)


def kept_share(study: StudyConfig, trials: int) -> float:
    """Return the share of the cost of all trials that pruning leaves.

    The first trials of each value of `readout_refit`, which are compared with each other alone, are not pruned.
    """
    if not study.pruning.enabled:
        return 1.0
    kinds = study.space.choice("readout_refit")
    first = min(trials, study.pruning.startup * (len(kinds.values) if kinds else 1))
    return (first + (trials - first) * _kept_share(study)) / trials


def _kept_share(study: StudyConfig) -> float:
    """Return the share of the cost that the rungs leave of a trial that they may prune."""
    share, alive, at = 0.0, 1.0, 0.0
    for rung in study.pruning.rungs:
        share, alive, at = share + alive * (rung.at - at), alive * rung.keep, rung.at
    return share + alive * (1 - at)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
