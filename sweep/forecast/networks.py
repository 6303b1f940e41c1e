"""The networks of a study that forecast: of the named configuration on its fresh seeds, of one trial, or of a fit."""

import shlex
from dataclasses import dataclass
from typing import Literal

from sweep.config.errors import DataError, StoreError, UnknownName, UsageError
from sweep.config.records import TrialRecord
from sweep.config.trial import TrialConfig, config_of
from sweep.data.coding import Coding, coding_from_document, coding_of
from sweep.data.types import Data
from sweep.followup.confirm import PURPOSE
from sweep.forecast.ensemble import Ensemble
from sweep.results.fits import fit_folder, latest_fit
from sweep.store import StudyFolder
from sweep.store.forms import DOCUMENTS
from sweep.trial.network import trained

Basis = Literal["confirmed", "selected", "fitted"]  # fresh seeds, the trial's own, or trained on all data


@dataclass(frozen=True)
class Source:
    """The trained networks of one configuration, as they are stored."""

    number: int  # of the trial
    basis: Basis
    trainings: tuple[tuple[TrialConfig, bytes], ...]  # configuration and checkpoint.pt of each, at least one
    coding: Coding | None = None  # of the data of fitted networks; None: that of the study's data


@dataclass(frozen=True)
class Trainings:
    """Where the trained networks of one configuration are stored."""

    number: int  # of the trial
    basis: Basis
    folder: StudyFolder  # of the trainings
    numbers: tuple[int, ...]  # of the trainings, at least one


def networks_of(folder: StudyFolder, number: int | None = None, fitted: bool = False) -> Source:
    """Return the networks of a trial: on its fresh seeds if it was confirmed, else the trial's own.

    Args:
        folder: of the study.
        number: of the trial; None: the one that the study names, or with `fitted` the one that was fitted last.
        fitted: whether to return the networks of its latest fit on all data, or of its latest update.

    Raises:
        UsageError: the study names no trial, or no network of the trial was trained to its end, or none was fitted.
        StoreError: there is no such trial, or its files are damaged.
    """
    stored = fitted_trainings(folder, number) if fitted else trainings_of(folder, number)
    coding = stored_coding(stored.folder, stored.numbers[0]) if stored.basis == "fitted" else None
    trainings = tuple(
        (config_of(stored.folder.record(one)), stored.folder.weights(one)) for one in stored.numbers
    )
    return Source(stored.number, stored.basis, trainings, coding)


def stored_coding(folder: StudyFolder, number: int) -> Coding:
    """Return the coding of the data of a network that was trained on all data.

    Args:
        folder: of the fits.
        number: of the training.

    Raises:
        StoreError: coding.json is missing or damaged, or names a transform or calendar input that does not exist.
    """
    document = folder.coding(number)
    try:
        return coding_from_document(document)
    except (DataError, UnknownName) as error:
        path = folder.trial(number) / "coding.json"
        raise StoreError(f"{path} is damaged: {error}; {DOCUMENTS['coding'].remedy}") from error


def trainings_of(folder: StudyFolder, number: int | None = None) -> Trainings:
    """Return where the networks of a trial are: on its fresh seeds if it was confirmed, else the trial's own.

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
    numbers = tuple(one for arm in arms for one in arm["replications"] if _has_score(below.record(one)))
    if numbers:
        return Trainings(number, "confirmed", below, numbers)
    if not _has_score(record):
        raise UsageError(f"trial {number} has no trained network: it is {record.state}")
    return Trainings(number, "selected", folder, (number,))


def fitted_trainings(folder: StudyFolder, number: int | None = None) -> Trainings:
    """Return where the networks of a trial's latest fit on all data are, or of its latest update.

    Args:
        folder: of the study.
        number: of the trial; None: the one that was fitted last.

    Raises:
        UsageError: there is no fit.
        StoreError: its document is damaged.
    """
    fit = latest_fit(folder, number)
    if fit is None:
        which, option = ("", "") if number is None else (f" of trial {number}", f" --trial {number}")
        raise UsageError(
            f"{folder.name} has no networks{which} that were trained on all data: "
            f"sweep fit {shlex.quote(folder.name)}{option} trains them"
        )
    return Trainings(int(fit["number"]), "fitted", fit_folder(folder), tuple(fit["trainings"]))


@dataclass(frozen=True)
class _Widths:
    inputs: int
    channels: tuple[str, ...]


def ensemble_of(source: Source, data: Data | None, device: str = "cpu") -> Ensemble:
    """Return the networks, ready to forecast.

    Args:
        source: the stored networks.
        data: of the study; None: not needed, as the networks have a coding of their own.
        device: that computes.
    """
    coding = source.coding
    if coding is None:
        assert data is not None
        coding = coding_of(data, source.trainings[0][0].data)
    widths = _Widths(coding.width, coding.channels)
    networks = []
    for config, weights in source.trainings:
        network = trained(config.model_copy(update={"device": device}), widths, weights)
        networks.append(network.eval())
    return Ensemble(tuple(networks), coding)


def _has_score(record: TrialRecord) -> bool:
    return record.rollout_error is not None and record.best is not None
