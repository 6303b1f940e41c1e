"""What a card says about where its networks come from: study, data, configuration, scores, symptom, versions."""

from typing import Any

from sweep.config.data_section import without_folders
from sweep.data.types import Data
from sweep.forecast.networks import Source
from sweep.results.contest import contests
from sweep.results.document import trial_document
from sweep.results.study import read_study
from sweep.results.verdict import verdict_of
from sweep.results.wording.verdict import verdict_text
from sweep.store import StudyFolder
from sweep.study.machine import machine_facts

SCORES = ("rollout_error", "nrmse", "rmse", "valid_steps")


def origin_of(folder: StudyFolder, source: Source, data: Data) -> dict[str, Any]:
    """Return the origin of exported networks as JSON values.

    Args:
        folder: of the study.
        source: the networks.
        data: of the study.

    Raises:
        StoreError: a file of the study is damaged.
    """
    study, trial = read_study(folder), trial_document(folder, source.number)
    verdict = verdict_of(contests(study).decisive)
    config = source.trainings[0][0]
    arm = trial["confirmation"]
    recorded = data.recorded if config.fitted is None else None  # a fit may know more data than the study
    configuration = config.model_dump(mode="json", exclude={"seed", "threads", "device", "engine", "rungs"})
    return {
        "study": folder.name,
        "trial": source.number,
        "basis": source.basis,
        "data": {
            "name": data.name,
            "fingerprint": data.fingerprint if config.fitted is None else config.fitted.fingerprint,
            "span": None if recorded is None or recorded.span is None else list(recorded.span),
            "rows": None if recorded is None else list(recorded.lengths),
        },
        "configuration": {**configuration, "data": without_folders(configuration["data"])},
        "scores": {
            "horizon": trial["score"]["horizon"],
            "selected": {key: trial[key] for key in SCORES},
            "confirmed": None
            if arm is None
            else {"rollout_error": arm["iqm"], "errors": arm["errors"], "rmse": arm["rmse"]},
            "test": trial.get("test"),
            "skill": trial["skill"],
        },
        "verdict": verdict_text(verdict, study),
        "verdict_kind": verdict.kind,
        "symptom": None if trial["diagnosis"] is None else _symptom(trial["diagnosis"]["symptom"]),
        "versions": machine_facts()["versions"],
    }


def _symptom(symptom: dict[str, Any]) -> dict[str, Any]:
    return {key: symptom[key] for key in ("code", "title", "text")}
