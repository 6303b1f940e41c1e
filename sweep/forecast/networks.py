"""The networks of a study that forecast: those of the named configuration on its fresh seeds, or of one trial."""

from dataclasses import dataclass
from typing import Any, Literal

from sweep.config.errors import UsageError
from sweep.config.trial import TrialConfig, config_of
from sweep.data.coding import coding_of
from sweep.data.types import Data
from sweep.followup.confirm import PURPOSE
from sweep.forecast.ensemble import Ensemble
from sweep.store import StudyFolder
from sweep.trial.network import trained


@dataclass(frozen=True)
class Source:
    """The trained networks of one configuration, as they are stored."""

    number: int  # of the trial
    basis: Literal["confirmed", "selected"]  # networks of fresh seeds, or the trial's own
    trainings: tuple[tuple[TrialConfig, bytes], ...]  # configuration and checkpoint.pt of each, at least one


def networks_of(folder: StudyFolder, number: int | None = None) -> Source:
    """Return the networks of a trial: on its fresh seeds if it was confirmed, else the trial's own.

    Args:
        folder: of the study.
        number: of the trial; None: the one that the study names.

    Raises:
        UsageError: the study names no trial, or no network of the trial was trained to its end.
        StoreError: there is no such trial, or its files are damaged.
    """
    winner = folder.read_document("winner")
    if number is None:
        if winner is None:
            raise UsageError(
                f"{folder.name} has not named a configuration yet: sweep confirm {folder.name} does it, or give --trial"
            )
        if winner["number"] is None:
            raise UsageError(
                f"{folder.name} names no configuration: {winner['reason']}. Give --trial to use one"
            )
        number = int(winner["number"])
    record = folder.record(number)
    confirmation = folder.read_document("confirmation")
    arms = [] if confirmation is None else [arm for arm in confirmation["arms"] if arm["number"] == number]
    below = folder.below(PURPOSE)
    found = [_training(below, replication) for arm in arms for replication in arm["replications"]]
    trainings = tuple(training for training in found if training is not None)
    if trainings:
        return Source(number, "confirmed", trainings)
    own = _training(folder, record.number)
    if own is None:
        raise UsageError(f"trial {number} has no trained network: it is {record.state}")
    return Source(number, "selected", (own,))


def ensemble_of(source: Source, data: Data, device: str = "cpu") -> Ensemble:
    """Return the networks, ready to forecast.

    Args:
        source: the stored networks.
        data: of the study.
        device: that computes.
    """
    networks = []
    for config, weights in source.trainings:
        network = trained(config.model_copy(update={"device": device}), data, weights)
        networks.append(network.eval())
    return Ensemble(tuple(networks), coding_of(data, source.trainings[0][0].data))


def _training(folder: StudyFolder, number: int) -> tuple[TrialConfig, bytes] | None:
    """Return configuration and weights of a training that has a score, None for another one."""
    record: Any = folder.record(number)
    if record.rollout_error is None or record.best is None:
        return None
    return config_of(record), folder.weights(number)
