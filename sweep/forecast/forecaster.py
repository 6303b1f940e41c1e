"""Who forecasts for a study: what its verdict names, networks or a baseline, or the networks of another trial."""

from dataclasses import dataclass
from typing import Any

from sweep.config.errors import UsageError
from sweep.forecast.networks import Source, networks_of
from sweep.results.contest import Contender, contests
from sweep.results.study import read_study
from sweep.results.verdict import Verdict, verdict_of
from sweep.results.wording.numbers import number_text
from sweep.results.wording.verdict import PLACES, verdict_text
from sweep.store import StudyFolder


@dataclass(frozen=True)
class Forecaster:
    """What forecasts, and why."""

    of: Source | str  # the networks of a trial, or the name of a baseline
    text: str  # a sentence: what forecasts, and why
    verdict: str  # of the study, as its report says it
    asked: bool = False  # whether a trial or a fit was asked for, whatever the verdict

    def document(self) -> dict[str, Any]:
        """Return the forecaster as plain values for JSON."""
        if isinstance(self.of, str):
            return {"kind": "baseline", "baseline": self.of, "asked": False, "text": self.text}
        return {
            "kind": "networks",
            "trial": self.of.number,
            "basis": self.of.basis,
            "networks": len(self.of.trainings),
            "asked": self.asked,
            "text": self.text,
        }


def forecaster_of(folder: StudyFolder, trial: int | None = None, fitted: bool = False) -> Forecaster:
    """Return the forecaster that a study's verdict names, or the networks of a trial or of a fit.

    Where nothing beats a trivial forecast, it is the best trivial one.

    Args:
        folder: of the study.
        trial: its number; None: as the verdict says, or with `fitted` the one that was fitted last.
        fitted: whether the networks of the latest fit or update forecast.

    Raises:
        UsageError: the study has named nothing yet, or the trial has no trained network or no fit.
        StoreError: there is no such trial, or a file is damaged.
    """
    study = read_study(folder)
    verdict = verdict_of(contests(study).decisive)
    words = verdict_text(verdict, study)
    if fitted:
        source = networks_of(folder, trial, fitted)
        text = f"Forecast by {_networks_text(source)}, as asked; nothing is left to score such networks on."
        return Forecaster(source, text, words, asked=True)
    if trial is not None:
        source = networks_of(folder, trial)
        return Forecaster(source, f"Forecast by {_networks_text(source)}, as asked.", words, asked=True)
    if study.winner is None or verdict.kind in ("unknown", "configuration"):
        source = networks_of(folder, None)
        return Forecaster(source, f"Forecast by {_networks_text(source)}, which the study names.", words)
    use, network = verdict.use, verdict.other
    if use is None or network is None:
        raise UsageError(f"{folder.name} has no scores of baselines: give --trial to forecast with a network")
    return Forecaster(use.name, _baseline_text(verdict, use, network), words)


def _networks_text(source: Source) -> str:
    count = len(source.trainings)
    if source.basis == "confirmed":
        which = f"the median of {count} networks" if count > 1 else "its network"
        return f"trial {source.number}, {which} on {'fresh seeds' if count > 1 else 'a fresh seed'}"
    if source.basis == "fitted":
        which = f"the median of {count} networks" if count > 1 else "its network"
        return f"trial {source.number}, {which} trained on all data"
    return f"trial {source.number}, its selected network, not confirmed on fresh seeds"


def _baseline_text(verdict: Verdict, use: Contender, network: Contender) -> str:
    place = PLACES[verdict.contest.part]
    errors = f"the rollout error {place} is {_error(use)}, that of the best network ({network.name}) {_error(network)}"
    other = f"--trial {network.number} forecasts with that network"
    if verdict.kind == "nothing":
        return f"Forecast by {use.name}, as nothing beats a trivial forecast: {errors}; {other}."
    return f"Forecast by the baseline {use.name}, as the study's verdict says: {errors}; {other}."


def _error(entry: Contender) -> str:
    return "exact" if entry.exact else number_text(entry.rollout_error)
