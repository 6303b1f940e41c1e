"""An update of a fit: its networks are trained further, from their stored weights, with new data.

Each network continues on its own seed. The scaling stays that of the fit, and the rate begins a new schedule over the
budget of the update, except that of a plateau, which stays as low as it was. Momentum and the like begin anew.

Source: Loshchilov & Hutter (2017), SGDR, section 3: a restart of the schedule from the weights that training reached.
"""

import hashlib
import shlex
from pathlib import Path
from typing import Any

from sweep.config.data_section import DataConfig
from sweep.config.errors import UsageError
from sweep.config.fitted import Begin, Fitted
from sweep.config.text import plural
from sweep.config.trial import TrialConfig, config_of
from sweep.followup.retrain import Arm, Retraining
from sweep.forecast.fit import fit_entry, trained_on_all
from sweep.forecast.fit_settings import equal_budget, size_of
from sweep.forecast.networks import Trainings, fitted_trainings, stored_coding
from sweep.results.fits import latest_fit, store_fit
from sweep.search import Message, Outcome, Workers
from sweep.study.open_study import OpenStudy
from sweep.trial.inputs import training_windows, with_fingerprint


def update_fit(
    study: OpenStudy, number: int | None, path: Path | None, share: float, workers: Workers
) -> tuple[Outcome, dict[str, Any] | None]:
    """Train the networks of the latest fit further with new data, and store the update beside it.

    Args:
        study: with its lock held; its own data may have changed.
        number: of the trial; None: the one that was fitted last.
        path: of the new data; None: the file of the latest fit, which may have grown.
        share: of the budget of a whole fit on these data, in (0, 1].
        workers: that train.

    Returns:
        How it ended, and the entry of fit.json; None if it was stopped. If the latest networks were trained on these
        data, nothing is trained, and the entry is theirs.

    Raises:
        UsageError: there is no fit, or its data come from a source and no file is given.
        SweepError: the data do not fit the networks, or no network was trained to its end; or as `retrain`.
    """
    folder = study.folder
    source = fitted_trainings(folder, number)
    latest = latest_fit(folder, source.number)
    assert latest is not None
    trial = folder.record(source.number)
    config = _updated(source, path, study)
    if config.fitted is not None and config.fitted.fingerprint == latest["data"]["fingerprint"]:
        study.execution.watch(Message("the latest networks were trained on these data: nothing to train"))
        return Outcome.DONE, latest
    before, now = latest["windows"], size_of(training_windows(config))
    budget = equal_budget(config, latest["budget"], (before["count"], before["steps"]), now)
    own = config_of(trial).seed
    training = config.training.model_copy(update={"budget": max(1, round(share * budget))})
    config = config.model_copy(update={"training": training, "seed": own})
    assert config.fitted is not None
    seeds = tuple(begin.seed for begin in config.fitted.begins)
    retraining = Retraining((Arm(f"update of trial {source.number}", config, trial.params),), seeds)
    text = f"updating: trial {source.number} with new data, {plural(len(seeds), 'network')}"
    outcome, retrained = trained_on_all(retraining, study, workers, text)
    if outcome is not Outcome.DONE:
        return outcome, None
    entry = fit_entry(source, config, retrained, budget) | {"share": share, "begins": latest["key"]}
    store_fit(folder, entry)
    return outcome, latest_fit(folder, source.number)


def _updated(source: Trainings, path: Path | None, study: OpenStudy) -> TrialConfig:
    """Return the configuration that continues from the stored weights of networks, with the budget of a whole fit."""
    below = source.folder
    configs = [config_of(below.record(one)) for one in source.numbers]
    config = configs[0]
    assert config.fitted is not None
    begins = []
    for one, other in zip(source.numbers, configs, strict=True):
        file = (below.trial(one) / "checkpoint.pt").resolve()
        digest = hashlib.sha256(below.weights(one)).hexdigest()
        begins.append(Begin(seed=other.seed, file=str(file), digest=digest))
    coding = stored_coding(below, source.numbers[0])
    fitted = Fitted(
        ridge=config.fitted.ridge,
        errors=tuple(config.fitted.errors_at(len(config.points) - 1)),
        begins=tuple(begins),
        coding=coding.document(),
    )
    data = _data_config(config.data, path, study)
    return with_fingerprint(config.model_copy(update={"fitted": fitted, "data": data}))


def _data_config(data: DataConfig, path: Path | None, study: OpenStudy) -> DataConfig:
    """Return the settings of the data with another file."""
    if path is None:
        if data.path is None:
            raise UsageError(
                f"the data of {study.folder.name} come from source {data.source!r}, which makes no new ones: "
                f"sweep fit {shlex.quote(study.folder.name)} --update --data FILE"
            )
        return data
    place = str(path.expanduser().resolve())
    document = data.model_dump(mode="json") | {"path": place, "source": None, "options": {}}
    return DataConfig.model_validate({**document, "validation_path": None, "test_path": None})
