"""Training a configuration of a stored study on all its data, and updating it with new data."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Unpack

from sweep.api.given_data import Given, stored_form
from sweep.config.errors import UsageError
from sweep.forecast.fit import fit_study
from sweep.forecast.update import update_fit
from sweep.results.fits import fit_folder
from sweep.search import Ended
from sweep.search.execution import Execution, ExecutionSettings
from sweep.store import StudyFolder
from sweep.store.files import write_atomic
from sweep.study.open_study import open_study

SEEDS = 5
SHARE = 0.2  # of the budget, of an update; our choice


@dataclass(frozen=True)
class FitResult(Ended):
    """How a fit or an update ended, and its result."""

    fit: dict[str, Any] | None  # an entry of fit.json (results/README.md); None if it was stopped


def fit(
    study: str = "sine",
    *,
    seeds: int | None = None,
    trial: int | None = None,
    update: bool = False,
    data: str | Path | Given | None = None,
    share: float | None = None,
    results: str | Path = "results",
    **execution: Unpack[ExecutionSettings],
) -> FitResult:
    """Train the named configuration of a stored study on all its data, or update such networks with new data.

    Nothing is left to score these networks on. `docs/fit.md` says what replaces validation.

    Args:
        study: name of a study that has results.
        seeds: how many fresh seeds, at least 1; None: 5. Earlier trainings are reused.
        trial: number of the trial; None: the one that the study names, for an update the one that was fitted last.
        update: whether to train the networks of the latest fit further with new data.
        data: a file or a table that begins with the data of the study; with `update` new data of the same shape. None:
            the file of the study, or with `update` of the fit, which may have grown.
        share: of the budget, in (0, 1], only with `update`; None: 0.2.
        results: folder of all studies.
        execution: settings of `sweep.Execution`, such as `workers=2`; they never affect results.

    Raises:
        UsageError: an argument does not fit the others, the verdict of the study is a baseline, or there is no fit.
        StudyChanged: the data do not begin with those of the study.
        SweepError: there are no such results, or they have changed.
    """
    if seeds is not None and seeds < 1:
        raise ValueError(f"needs at least one seed, got seeds={seeds}")
    if share is not None and not 0 < share <= 1:
        raise ValueError(f"needs a share of the budget in (0, 1], got share={share}")
    if update and seeds is not None:
        raise UsageError("an update trains every network of the latest fit: drop --seeds")
    if not update and share is not None:
        raise UsageError("--share needs --update: a fit has the budget of its study")
    settings = replace(Execution(**execution), plots=False)  # there is no rollout to draw
    opened = open_study(study, results, execution=settings, stored=True)
    with opened.locked(same_data=False), opened.execution.interrupts, opened.workers() as workers:
        path = _file_of(data, opened.folder)
        if update:
            outcome, entry = update_fit(opened, trial, path, SHARE if share is None else share, workers)
        else:
            outcome, entry = fit_study(opened, trial, path, seeds or SEEDS, workers)
    return FitResult(outcome, opened.folder, entry)


def _file_of(data: str | Path | Given | None, folder: StudyFolder) -> Path | None:
    """Return the file of new data; a table is stored beside the fits, under a name that its content gives."""
    if data is None or isinstance(data, str | Path):
        return None if data is None else Path(data)
    name, content = stored_form(data)
    file = Path(name)
    path = fit_folder(folder).path / f"{file.stem}-{hashlib.sha256(content).hexdigest()[:16]}{file.suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, content)
    return path
