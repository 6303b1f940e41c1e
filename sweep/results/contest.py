"""The leading configuration beside the baselines, both scored on the same starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from sweep.config.records import TrialRecord
from sweep.results.selection import TRIVIAL, leading_arm, ranked
from sweep.results.study import StoredStudy
from sweep.results.wording.numbers import config_words
from sweep.score.comparisons import EXACT
from sweep.stats.ranking import worse_median

Part = Literal["validation", "test"]


@dataclass(frozen=True)
class Contender:
    """A configuration or a baseline, with its scores on some starts."""

    kind: Literal["configuration", "baseline"]
    name: str  # "trial 7", or the baseline's
    rollout_error: float
    valid_steps: float | None
    number: int | None = None  # of the trial
    configuration: str | None = None  # in words

    @property
    def trivial(self) -> bool:
        """Return whether this is one of the trivial forecasts."""
        return self.kind == "baseline" and self.name in TRIVIAL

    @property
    def exact(self) -> bool:
        """Return whether the error is no more than rounding."""
        return self.rollout_error < EXACT

    def beats(self, other: "Contender") -> bool:
        """Return whether the error is lower. Two exact forecasts are equally good."""
        return self.rollout_error < other.rollout_error and not other.exact


@dataclass(frozen=True)
class Contest:
    """The leading configuration and the baselines, scored on the same starts.

    The configuration is the one that leads on fresh seeds if the best trials are confirmed, else the one with the
    lowest selected score: also where it does not beat the trivial forecasts and is not named.
    """

    part: Part
    seeds: int  # fresh seeds behind the configuration's scores; 0: they are selected
    network: Contender | None  # None: no trial has a score
    baselines: tuple[Contender, ...]  # lowest error first

    @property
    def baseline(self) -> Contender | None:
        """Return the best of all baselines."""
        return self.baselines[0] if self.baselines else None

    @property
    def trivial(self) -> Contender | None:
        """Return the best trivial forecast."""
        return next((entry for entry in self.baselines if entry.trivial), None)

    @property
    def trivial_valid_steps(self) -> float | None:
        """Return the most valid steps of a trivial forecast."""
        return max((e.valid_steps or 0.0 for e in self.baselines if e.trivial), default=None)

    @property
    def better(self) -> tuple[Contender, ...]:
        """Return the baselines that beat the configuration, best first."""
        network = self.network
        return () if network is None else tuple(entry for entry in self.baselines if entry.beats(network))

    @property
    def network_has_skill(self) -> bool:
        """Return whether the leading configuration beats the trivial forecasts."""
        return self.network is not None and self.has_skill(self.network)

    def has_skill(self, entry: Contender) -> bool:
        """Return whether an entry beats the trivial forecasts."""
        return entry.rollout_error < 1 and (self.trivial is None or entry.beats(self.trivial))

    def holds(self, entry: Contender) -> bool:
        """Return whether an entry has more valid steps than every trivial forecast."""
        return (entry.valid_steps or 0.0) > (self.trivial_valid_steps or 0.0)


@dataclass(frozen=True)
class Contests:
    """The contest on validation, and the one on the locked test once it has been read."""

    validation: Contest
    test: Contest | None

    @cached_property
    def decisive(self) -> Contest:
        """Return the contest that decides: that on the locked test, if there is one."""
        return self.test or self.validation


def contests(study: StoredStudy) -> Contests:
    """Return the contests of a stored study."""
    leader = leading_trial(study)
    seeds = 0 if study.confirmation is None else int(study.confirmation["seeds"])
    here = _baselines(study.baselines)
    if leader is None:
        return Contests(Contest("validation", seeds, None, here), None)
    validation = Contest("validation", seeds, _contender(leader, *_on_validation(study, leader)), here)
    best, _ = study.named
    scores = study.scores_on_test(None if best is None else best.number)
    there = _baselines(study.baselines_on_test)
    if scores is None or bool(there) != bool(here):
        return Contests(validation, None)
    network = _contender(leader, scores["rollout_error"], scores.get("valid_steps"))
    return Contests(validation, Contest("test", seeds, network, there))


def leading_trial(study: StoredStudy) -> TrialRecord | None:
    """Return the trial whose configuration leads, named or not; None before any trial has a score."""
    if study.confirmation is None:
        best, _ = study.named
        return best or next(iter(ranked(study.records)), None)
    number = leading_arm(study.confirmation)["number"]
    return next((record for record in study.records if record.number == number), None)


def _on_validation(study: StoredStudy, leader: TrialRecord) -> tuple[float, float | None]:
    """Return rollout error and valid steps of the leading configuration: on fresh seeds, else as selected."""
    if study.confirmation is None:
        assert leader.rollout_error is not None
        return leader.rollout_error, None if leader.scores is None else leader.scores.valid_steps
    arm = leading_arm(study.confirmation)
    return arm["iqm"]["value"], -worse_median([-(steps or 0.0) for steps in arm["valid_steps"]])


def _contender(record: TrialRecord, error: float, valid_steps: float | None) -> Contender:
    words = " · ".join(config_words(record.config, record.params))
    return Contender("configuration", f"trial {record.number}", error, valid_steps, record.number, words)


def _baselines(entries: Mapping[str, Mapping[str, Any]]) -> tuple[Contender, ...]:
    scored = [
        Contender("baseline", name, entry["rollout_error"], entry.get("valid_steps"))
        for name, entry in entries.items()
        if entry.get("rollout_error") is not None
    ]
    return tuple(sorted(scored, key=lambda entry: entry.rollout_error))
