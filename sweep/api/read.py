"""Reading a stored study: report, one trial, its diagnosis, tables. Nothing is trained."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sweep.api.loaded_study import LoadedStudy
from sweep.config.errors import SweepError
from sweep.followup.diagnose import diagnosis_of, recompute_diagnoses
from sweep.report.write import ReportPaths, write_report
from sweep.results.document import report_document, trial_document
from sweep.store import DriverLock
from sweep.study.open_study import open_study


def report(
    study: str = "sine", *, results: str | Path = "results", diagnose_anew: bool = False
) -> ReportPaths:
    """Write a study's report page, report.json and trials.csv; return their paths.

    Args:
        study: its name.
        results: folder of all studies.
        diagnose_anew: whether to recompute and store missing or outdated diagnoses first.

    Raises:
        SweepError: there are no results of that study, a file is damaged, or the study is running while diagnoses
            are to be recomputed.
    """
    folder = open_study(study, results, stored=True).folder
    if diagnose_anew:
        with DriverLock(folder.lock):
            recompute_diagnoses(folder)
    return write_report(folder)


def show(trial: int, study: str = "sine", *, results: str | Path = "results") -> dict[str, Any]:
    """Return one trial as a JSON document (docs/report.md).

    Raises:
        SweepError: there is no such study or trial, or a file is damaged.
    """
    return trial_document(open_study(study, results, stored=True).folder, trial)


def diagnose(
    trial: int | None = None,
    study: str = "sine",
    *,
    probes: bool = True,
    mute: Sequence[str] = (),
    results: str | Path = "results",
) -> dict[str, Any]:
    """Return how a trial's rollout fails and what probes of its network measure, as a JSON document.

    Args:
        trial: its number; None: the study's best trial.
        study: its name.
        probes: whether to take the probes that are not stored, which takes some seconds.
        mute: codes of findings to hide, in addition to those that the study mutes.
        results: folder of all studies.

    Raises:
        SweepError: there is no such study or trial, no best trial yet, or a file is damaged.
    """
    folder = open_study(study, results, stored=True).folder
    if trial is None:
        trial = report_document(folder)["best"]
        if trial is None:
            raise SweepError(
                f"the study {study} has no best trial: name a trial, such as sweep diagnose 0 {shlex.quote(study)}"
            )
    return diagnosis_of(folder, trial, probes, mute)


def load_study(study: str | Path = "sine", *, results: str | Path = "results") -> LoadedStudy:
    """Return a stored study as DataFrames and plots.

    Args:
        study: its name, or the path of its folder.
        results: folder of all studies, for a name.

    Raises:
        SweepError: there are no results of that study.
    """
    return LoadedStudy(open_study(str(study), results, stored=True).folder)
