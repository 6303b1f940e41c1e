"""The workers of a study on a Dask cluster: which of them fit, and what each needs to train its trials."""

from typing import Any

from sweep.config.study import StudyConfig
from sweep.data import Data
from sweep.model.native.library import instruction_sets
from sweep.search.dask_workers import Admission, DaskWorkers
from sweep.study.machine import machine_facts
from sweep.trial import give_data
from sweep.trial.plugins import TABLES, check_plugins


def cluster_workers(study: StudyConfig, data: Data) -> DaskWorkers:
    """Return the workers of the study's cluster; the caller closes them.

    Args:
        study: its `run` names the scheduler.
        data: of the study, sent once to every worker.

    Raises:
        UsageError: no scheduler answers, or distributed is not installed.
    """
    here = worker_facts(study)

    def problem(there: dict[str, Any]) -> str | None:
        return unlike(here, there)

    admission = Admission(prepare_worker, (study, data), problem)
    return DaskWorkers(study.run.scheduler, study.run.workers, admission)


def prepare_worker(study: StudyConfig, data: Data) -> dict[str, Any]:
    """Keep the data of a study for the trials of this process; return the facts about it.

    Args:
        study: that the process trains for.
        data: of the study.

    Raises:
        PluginError: this process does not have a plug-in of the study, or has another version.
    """
    facts = worker_facts(study)
    used = {key: origin for key, origin in study.plugins.items() if key.partition(" ")[0] in TABLES}
    check_plugins(f"{key} = {origin}" for key, origin in used.items())
    give_data(study.data, study.score, data)
    return facts


def worker_facts(study: StudyConfig) -> dict[str, Any]:
    """Return the facts about this process on which the results of a study's trials depend, by name."""
    machine = machine_facts()
    facts: dict[str, Any] = {f"version of {name}": text for name, text in machine["versions"].items()}
    if study.instructions is not None:
        fits = study.instructions in instruction_sets()
        facts["instructions"] = study.instructions if fits else ", ".join(instruction_sets()) or "none"
    return {**facts, "arithmetic": machine["arithmetic"]}


def unlike(here: dict[str, Any], there: dict[str, Any]) -> str | None:
    """Return how a worker differs from what the study needs, None if it fits.

    Args:
        here: facts of the driver's process.
        there: facts of the worker's.
    """
    differences = [
        f"{name}: {there.get(name, 'none')} there, {here[name]} here"
        for name in here
        if there.get(name) != here[name]
    ]
    return "; ".join(differences) or None
