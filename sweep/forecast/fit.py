"""A fit: networks of one configuration, trained on all data of a study on fresh seeds, and stored without scores.

The trainings are those of any trial, by the same driver, in a folder of their own: fit/. Its fit.json lists each fit
and each update (`sweep.forecast.update`), the latest last.
"""

import shlex
from pathlib import Path
from typing import Any

from sweep.config.errors import SweepError, UsageError
from sweep.config.seeds import fresh_seeds
from sweep.config.text import plural
from sweep.config.trial import TrialConfig, config_of
from sweep.followup.retrain import Arm, Retrained, Retraining, retrain, untrained
from sweep.forecast.fit_settings import equal_budget, fitted_of, lowered_at, size_of
from sweep.forecast.grown import grown_data
from sweep.forecast.networks import Trainings, trainings_of
from sweep.results.contest import contests
from sweep.results.fits import FIT, fit_folder, latest_fit, store_fit
from sweep.results.study import read_study
from sweep.results.verdict import verdict_of
from sweep.results.wording.fit import added_text
from sweep.results.wording.verdict import verdict_text
from sweep.search import Message, Outcome, Workers
from sweep.store import StudyFolder
from sweep.study.open_study import OpenStudy
from sweep.trial.inputs import data_of, training_windows, windows_of, with_fingerprint


def fit_study(
    study: OpenStudy, number: int | None, path: Path | None, seeds: int, workers: Workers
) -> tuple[Outcome, dict[str, Any] | None]:
    """Train a configuration on all data on fresh seeds, reusing earlier trainings, and store the fit.

    Args:
        study: with its lock held; rows may have been added to its data.
        number: of the trial; None: the one that the study names, if the verdict is to use it.
        path: of a file that begins with the study's data; None: the study's own.
        seeds: how many fresh seeds, at least 1.
        workers: that train.

    Returns:
        How it ended, and the entry of fit.json; None if it was stopped.

    Raises:
        UsageError: the verdict is a baseline, or the trial was not trained to its end.
        StudyChanged: the data do not begin with those of the study.
        SweepError: no network was trained to its end; or as `retrain`.
    """
    folder = study.folder
    if number is None:
        require_network(folder)
    source = trainings_of(folder, number)
    trial = folder.record(source.number)
    if source.basis == "selected" and trial.state != "complete":
        raise UsageError(
            f"trial {source.number} is {trial.state}: only a trial that was trained to its end shows how long to train"
        )
    scored = config_of(trial)
    fitted = fitted_of([source.folder.record(one) for one in source.numbers])
    grown = grown_data(study, path)
    config = with_fingerprint(scored.model_copy(update={"fitted": fitted, "data": grown.config}))
    before, now = size_of(windows_of(scored, grown.own)), size_of(training_windows(config))
    added = grown.added(data_of(config))
    if added:
        study.execution.watch(Message(added_text(str(config.data.path), added)))
    budget = equal_budget(scored, scored.training.budget, before, now)
    config = config.model_copy(update={"training": config.training.model_copy(update={"budget": budget})})
    arm = Arm(f"trial {source.number}", config, trial.params)
    retraining = Retraining((arm,), fresh_seeds(study.config.search.seed, FIT, seeds))
    text = f"fitting: trial {source.number} on all data, {plural(seeds, 'fresh seed')}"
    outcome, retrained = trained_on_all(retraining, study, workers, text)
    if outcome is not Outcome.DONE:
        return outcome, None
    entry = fit_entry(source, config, retrained, budget) | {"share": fitted.stop, "begins": None}
    entry["data"]["added"] = added
    store_fit(folder, entry)
    return outcome, latest_fit(folder, source.number)


def require_network(folder: StudyFolder) -> None:
    """Refuse a study whose verdict is to use a baseline.

    Raises:
        UsageError: its verdict is a baseline; the text says which, and how to fit a network all the same.
    """
    stored = read_study(folder)
    verdict = verdict_of(contests(stored).decisive)
    if verdict.kind in ("baseline", "nothing") and verdict.other is not None:
        raise UsageError(
            f"{verdict_text(verdict, stored)} To fit the network all the same: "
            f"sweep fit {shlex.quote(folder.name)} --trial {verdict.other.number}"
        )


def trained_on_all(
    retraining: Retraining, study: OpenStudy, workers: Workers, text: str
) -> tuple[Outcome, Retrained]:
    """Run the trainings of a fit or an update that have not been run yet, without pictures: there is no rollout."""
    below = fit_folder(study.folder)
    missing = untrained(retraining, below)
    if missing:
        text = f"{text}; {missing} of {plural(len(retraining.pairs), 'training')} to run"
        study.execution.watch(Message(text))
    retrained = retrain(retraining, study, below, workers, FIT)
    return retrained.outcome, retrained


def fit_entry(source: Trainings, config: TrialConfig, retrained: Retrained, budget: int) -> dict[str, Any]:
    """Return the part of an entry of fit.json that fits and updates share.

    Args:
        source: the networks that decided what validation would, or those that were updated.
        config: of the trainings; its seed does not matter.
        retrained: all of them.
        budget: of a whole fit on these data, in sequence-steps.

    Raises:
        SweepError: no network was trained to its end.
    """
    records = [retrained.records[where] for where in sorted(retrained.records)]
    complete = [record for record in records if record.state == "complete"]
    if not complete:
        raise SweepError(f"no network was trained to its end on all data: {records[0].reason}")
    fitted = config.fitted
    assert fitted is not None
    windows, steps = size_of(training_windows(config))
    recorded = data_of(config).recorded
    return {
        "number": source.number,
        "key": config.key,
        "scored": False,
        "trainings": [record.number for record in complete],
        "left_out": len(records) - len(complete),
        "from": {"basis": source.basis, "trainings": list(source.numbers)},
        "ridge": fitted.ridge,
        "lowered_at": lowered_at(config),
        "budget": budget,
        "windows": {"count": windows, "steps": steps},
        "data": {
            "name": config.data.path or config.data.source,
            "fingerprint": fitted.fingerprint,
            "samples": 0 if recorded is None else sum(recorded.samples),
        },
    }
