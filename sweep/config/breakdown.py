"""Scores of a rollout by series and by channel, as records store them, and their reading from JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class GroupScores:
    """The scores of one series, of one channel, or of one channel of one series, on its own starts."""

    series: str | None  # None: all series together
    channel: str | None  # None: all target channels together
    starts: int
    rollout_error: float  # by the study's objective
    valid_steps: float  # median over its starts
    trivial_error: float  # rollout error of the best trivial forecast of the group
    trivial_skill: float | None  # 1 - rollout_error / trivial_error; None: that forecast is exact


@dataclass(frozen=True)
class Breakdown:
    """The scores of each series and channel; a part is empty where there is only one of them."""

    by_series: tuple[GroupScores, ...] = ()  # series that hold starts
    by_channel: tuple[GroupScores, ...] = ()  # target channels
    by_series_and_channel: tuple[GroupScores, ...] = ()  # empty, too, where there are very many

    @property
    def rows(self) -> tuple[GroupScores, ...]:
        """Return the scores of all groups."""
        return (*self.by_series, *self.by_channel, *self.by_series_and_channel)


def breakdown_from_json(values: Mapping[str, Any]) -> Breakdown:
    """Return the Breakdown that `to_json` wrote.

    Raises:
        KeyError, TypeError: a field is missing or unknown.
    """
    return Breakdown(**{name: tuple(GroupScores(**row) for row in rows) for name, rows in values.items()})
