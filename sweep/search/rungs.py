"""The decisions of a driver at the rungs of its running trials.

Trials are compared with those of the same `readout_refit` alone: a solved readout is far ahead from the first update
on, and its trials may have a budget of their own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sweep.config.records import State, TrialRecord
from sweep.config.sections import PruningConfig, Rung
from sweep.search.pruning import RungResult, is_kept, rung_result
from sweep.search.running_trial import RunningTrial


@dataclass
class _Final:
    """Results at a rung that never change."""

    below: int = 0  # number of the first trial that is not among them
    results: list[RungResult] = field(default_factory=list)


@dataclass
class RungDecisions:
    """Decides which running trials continue after their rungs, from the results of lower-numbered trials."""

    pruning: PruningConfig
    running: Mapping[int, RunningTrial]  # by number, as the driver changes it
    records: Mapping[int, TrialRecord]  # by number, as the driver changes it
    # by rung and `readout_refit`; see `_final_results`
    _final: dict[tuple[float, str], _Final] = field(default_factory=dict)

    def decide(self, settled_below: int) -> None:
        """Decide about every trial at a rung whose lower-numbered trials all have their results there.

        Args:
            settled_below: all trials below this number are settled.
        """
        for number in sorted(self.running):
            trial = self.running[number]
            rung = trial.undecided_rung(self.pruning)
            if rung is None:
                continue
            point = trial.point_of(rung)
            group = trial.config.training.readout_refit
            final = self._final_results(rung, point, group, settled_below)
            recent = [
                self._result(k, rung, point) for k in range(final.below, number) if self._in_group(k, group)
            ]
            earlier = len(final.results) + len(recent)
            if "pending" in recent and earlier >= self.pruning.startup:
                continue  # `is_kept` would return None, after a search through thousands of results
            score = self._result(number, rung, point)
            assert isinstance(score, float)
            kept = is_kept(score, [*final.results, *recent], rung.keep, self.pruning.startup)
            if kept is True:
                trial.passed.add(rung.at)
            elif kept is False:
                trial.pruned_at = rung

    def _final_results(self, rung: Rung, point: int, group: str, settled_below: int) -> _Final:
        """Return the results of a group's trials below `settled_below`, kept from call to call: they never change."""
        final = self._final.setdefault((rung.at, group), _Final())
        numbers = range(final.below, settled_below)
        final.results += [self._result(k, rung, point) for k in numbers if self._in_group(k, group)]
        final.below = max(final.below, settled_below)
        return final

    def _in_group(self, number: int, group: str) -> bool:
        """Return whether a trial solves its readout in a way; one without a record, which may, counts as if it did."""
        trial, record = self.running.get(number), self.records.get(number)
        if trial is not None:
            return trial.config.training.readout_refit == group
        return record is None or record.config["training"]["readout_refit"] == group

    def _result(self, number: int, rung: Rung, point: int) -> RungResult:
        trial = self.running.get(number)
        if trial is None:
            record = self.records.get(number)
            if record is None:  # its record was damaged, and the pipeline has no room for it yet
                return "pending"
            return rung_result(record.evaluations, record.state, point, rung)
        state: State = "diverged" if trial.diverged else "pruned" if trial.pruned_at else "running"
        return rung_result(trial.evaluations, state, point, rung)
