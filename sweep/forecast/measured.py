"""A forecaster's intervals with what belongs to them: whose errors they are, what they cover, or why there are none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sweep.forecast.calibrate import FORMAT, calibrated_for, identity, intervals_of
from sweep.forecast.intervals import Intervals, intervals_from_document
from sweep.forecast.networks import Source
from sweep.results.intervals import coverage_entries
from sweep.results.wording.intervals import missing_level_text, other_networks_text
from sweep.store import StudyFolder
from sweep.store.forms import DOCUMENTS


@dataclass(frozen=True)
class Measured:
    """The intervals of a forecaster."""

    intervals: Intervals | None
    of: Mapping[str, Any]  # the forecaster whose errors were measured, as `identity`
    reason: str = ""  # why there are none; empty: there are
    other: str = ""  # whose errors they are, where these are other networks; empty: its own
    coverage: tuple[Mapping[str, Any], ...] = ()  # of the locked test, by level (docs/report.md)

    def notes(self, levels: Sequence[int], steps: int) -> list[str]:
        """Return why levels or steps have no interval, and whose errors the intervals are.

        Args:
            levels: that are wanted, in percent.
            steps: of the forecast.
        """
        given = self.intervals
        if given is None or not levels:
            return [f"Intervals: {self.reason}"] if levels else []
        notes = [f"Intervals: {self.other}"] if self.other else []
        missing = [
            f"Intervals: {missing_level_text(level, given.n)}" for level in levels if not given.gives(level)
        ]
        notes += missing
        if steps > given.horizon and len(missing) < len(levels):
            notes.append(
                f"Intervals: none after step {given.horizon}, the end of the horizon for which the study is calibrated"
            )
        return notes

    def covered(self, levels: Sequence[int]) -> tuple[Mapping[str, Any], ...]:
        """Return what the intervals of some levels cover of the locked test, where it was measured."""
        return tuple(one for one in self.coverage if one["level"] in levels)

    def document(self, channels: Sequence[str]) -> dict[str, Any]:
        """Return plain values for JSON; `measured` has the form of intervals.json.

        Args:
            channels: names.
        """
        given = self.intervals
        return {
            "reason": self.reason,
            "other": self.other,
            "coverage": [dict(one) for one in self.coverage],
            "measured": None
            if given is None
            else {
                "format": FORMAT,
                "n": given.n,
                "horizon": given.horizon,
                "channels": list(channels),
                "series": list(given.series),
                "forecasters": [{"of": dict(self.of), **given.document()}],
            },
        }


def measured_for(folder: StudyFolder, of: Source | str) -> Measured:
    """Return the intervals of networks or of a baseline; those of a fit are of the scored networks of its trial.

    Args:
        folder: of the study.
        of: the forecaster.

    Raises:
        StoreError: a file of the study is damaged.
    """
    source = calibrated_for(folder, of)
    intervals, reason = intervals_of(folder, source)
    other = ""
    if not isinstance(source, str) and source is not of:
        other = other_networks_text(source.number, len(source.trainings), source.basis == "confirmed")
    coverage = coverage_entries(folder.read_document("winner"), identity(source)) or []
    return Measured(intervals, identity(source), reason or "", other, tuple(coverage))


def measured_from_document(document: Mapping[str, Any], channels: Sequence[str]) -> Measured:
    """Return the intervals that `Measured.document` described.

    Raises:
        KeyError, TypeError, ValueError: the document is damaged, or of other channels.
    """
    reason, other, stored = document["reason"], document["other"], document["measured"]
    coverage = tuple(document["coverage"])
    if not isinstance(reason, str) or not isinstance(other, str):
        raise ValueError("intervals: wanted texts as reason and other")
    if any(not isinstance(one, Mapping) or "level" not in one for one in coverage):
        raise ValueError("intervals.coverage: wanted a level in each entry")
    if stored is None:
        return Measured(None, {}, reason, other, coverage)
    DOCUMENTS["intervals"].require(stored)
    if not stored["n"] or len(stored["forecasters"]) != 1 or stored["channels"] != list(channels):
        raise ValueError("intervals.measured: wanted those of one forecaster of the channels of the card")
    entry = stored["forecasters"][0]
    intervals = intervals_from_document({**entry, "series": stored["series"]})
    return Measured(intervals, entry["of"], reason, other, coverage)
