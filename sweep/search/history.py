"""The trials that a sampler may use, and how they are kept from one proposal to the next."""

import heapq
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sweep.config.ranges import Value
from sweep.config.records import TrialRecord

Params = Mapping[str, Value]
BEST = 25  # trials that TPE takes for good at most, whatever their number: Optuna's `default_gamma`


@dataclass(frozen=True)
class History:
    """The trials that the proposal of a trial may depend on.

    `settled` holds the parameters and scores of the trials that count as ended, by number, without failed ones.
    `running` holds the parameters of the later trials. They count as running even if they ended long ago.
    """

    settled: tuple[tuple[Params, float], ...]
    running: tuple[Params, ...]

    def shortened(self, size: int) -> "History":
        """Return a history with at most `size` settled trials, by number: the BEST best ones and the latest others.

        Args:
            size: above BEST, or 0 for all trials. Of trials with equal scores the earlier one is better, as for TPE.
        """
        if not size or len(self.settled) <= size:
            return self
        best = set(heapq.nsmallest(BEST, range(len(self.settled)), key=lambda k: self.settled[k][1]))
        others = [k for k in range(len(self.settled) - size, len(self.settled)) if k not in best]
        kept = sorted([*best, *others[max(0, len(others) + BEST - size) :]])
        return replace(self, settled=tuple(self.settled[k] for k in kept))


@dataclass
class _Grown:
    """Trials in the order of their numbers."""

    numbers: list[int] = field(default_factory=list)
    settled: list[tuple[Params, float]] = field(default_factory=list)


@dataclass
class Histories:
    """The histories of a study's proposals. Each record is read once when it counts as settled.

    `of` returns the same as for an object of its own for each call, because records of settled trials never change.
    """

    width: int  # trials in flight
    turn: str  # the choice whose values take turns; empty: none
    _below: int = 0  # all trials below this number are in `_grown`
    _grown: dict[Any, _Grown] = field(default_factory=dict)  # by the value of the choice

    def of(self, records: Mapping[int, TrialRecord], number: int, value: Value | None) -> History:
        """Return the history of a trial.

        Args:
            records: by number: of all trials below `number`; those up to number - width are settled.
            number: of the trial.
            value: of the choice whose values take turns; only trials of that value count. None: there is no choice.
        """
        first_running = max(0, number - self.width + 1)
        for k in range(self._below, first_running):
            self._add(records[k])
        self._below = max(self._below, first_running)
        grown = self._grown.get(value, _Grown())
        end = bisect_left(grown.numbers, first_running)
        later = (records[k].params for k in range(first_running, number))
        running = tuple(_plain(params) for params in later if self._value(params) == value)
        return History(tuple(grown.settled[:end]), running)

    def _add(self, record: TrialRecord) -> None:
        if record.rollout_error is not None:
            grown = self._grown.setdefault(self._value(record.params), _Grown())
            grown.numbers.append(record.number)
            grown.settled.append((_plain(record.params), record.rollout_error))

    def _value(self, params: Mapping[str, Any]) -> Any:
        return _plain(params).get(self.turn) if self.turn else None


def _plain(params: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in params.items()}
