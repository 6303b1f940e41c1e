"""The decisions of a driver at the rungs of its running trials."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sweep.config.records import State, TrialRecord
from sweep.config.sections import PruningConfig, Rung
from sweep.search.pruning import RungResult, is_kept, rung_result
from sweep.search.running_trial import RunningTrial


@dataclass
class RungDecisions:
    """Decides which running trials continue after their rungs, from the results of lower-numbered trials."""

    pruning: PruningConfig
    running: Mapping[int, RunningTrial]  # by number, as the driver changes it
    records: Mapping[int, TrialRecord]  # by number, as the driver changes it
    _final: dict[float, list[RungResult]] = field(default_factory=dict)  # by rung; see `_final_results`

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
            final = self._final_results(rung, point, settled_below)
            recent = [self._result(k, rung, point) for k in range(len(final), number)]
            if "pending" in recent and number >= self.pruning.startup:
                continue  # `is_kept` would return None, after a search through thousands of results
            score = self._result(number, rung, point)
            assert isinstance(score, float)
            kept = is_kept(score, [*final, *recent], rung.keep, self.pruning.startup)
            if kept is True:
                trial.passed.add(rung.at)
            elif kept is False:
                trial.pruned_at = rung

    def _final_results(self, rung: Rung, point: int, settled_below: int) -> list[RungResult]:
        """Return the results of the trials below `settled_below`, kept from call to call: they never change."""
        final = self._final.setdefault(rung.at, [])
        final += [self._result(number, rung, point) for number in range(len(final), settled_below)]
        return final

    def _result(self, number: int, rung: Rung, point: int) -> RungResult:
        trial = self.running.get(number)
        if trial is None:
            record = self.records.get(number)
            if record is None:  # its record was damaged, and the pipeline has no room for it yet
                return "pending"
            return rung_result(record.evaluations, record.state, point, rung)
        state: State = "diverged" if trial.diverged else "pruned" if trial.pruned_at else "running"
        return rung_result(trial.evaluations, state, point, rung)
