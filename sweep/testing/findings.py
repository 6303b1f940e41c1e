"""Contracts of probes of a network and checks of a study."""

import copy
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import torch

from sweep.config.records import PREFIXES, Evaluation, Scores, TrialRecord, to_json
from sweep.diagnosis.check import CheckSpec
from sweep.diagnosis.probes import PROBES, ProbeSpec, Subject, measured
from sweep.results.checks.known_checks import CHECKS
from sweep.results.study import read_study
from sweep.results.study_tables import StudyTables
from sweep.store import StudyFolder
from sweep.testing.contract import BUDGET, Contract, tiny_trial
from sweep.testing.trial_contract import trained
from sweep.trial.inputs import validation_task
from sweep.trial.process import trial_process


class ProbeContract(Contract):
    """Contract of a `ProbeSpec`."""

    spec: ClassVar[ProbeSpec]
    table = PROBES

    def test_it_measures_numbers_and_changes_nothing(self) -> None:
        """A frozen dataclass of JSON values, the same for the same subject; the weights stay."""
        with self.known(), trial_process():
            run = trained(tiny_trial(), 2)
            before = run.trainer.flat.snapshot()
            results = []
            for _ in range(2):
                subject = Subject(copy.deepcopy(run.network), validation_task(run.config), run.config.seed)
                results.append(json.dumps(to_json(measured(self.spec, subject))))
            assert results[0] == results[1]
            assert torch.equal(before, run.trainer.flat.values)


class CheckContract(Contract):
    """Contract of a `CheckSpec`."""

    spec: ClassVar[CheckSpec]
    table = CHECKS

    def test_it_answers_for_every_study(self) -> None:
        """With and without trials: a finding with its name, a text and evidence that JSON can hold, twice the same."""
        with tempfile.TemporaryDirectory() as folder:
            study = StudyFolder(Path(folder) / "tiny")
            study.write_study(_study_document())
            findings = [self.spec.check(StudyTables(read_study(study))) for _ in range(2)]
            for number, error in enumerate((0.5, 0.2, 0.9)):
                study.write_record(_record(number, error))
            findings += [self.spec.check(StudyTables(read_study(study))) for _ in range(2)]
        for finding in findings:
            assert finding.code == self.spec.name and finding.text.strip()
            json.dumps(to_json(finding), allow_nan=False)
        assert findings[0] == findings[1] and findings[2] == findings[3]


def _study_document() -> dict[str, Any]:
    config = tiny_trial()
    sections = {
        key: getattr(config, key).model_dump(mode="json") for key in ("data", "score", "model", "training")
    }
    return {"name": "tiny", **_without_none(sections), "space": {"cell": ["lstm", "gru"]}}


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_none(entry) for key, entry in value.items() if entry is not None}
    return value


def _record(number: int, error: float) -> TrialRecord:
    scores = Scores(error, (error,) * len(PREFIXES), error, 10.0, 5.0, 20.0, 0.0, error, error)
    evaluation = Evaluation(0, BUDGET, 100, scores, train_loss=error, lr=1e-3)
    return TrialRecord(
        number,
        "complete",
        {"cell": "gru"},
        tiny_trial().model_dump(mode="json"),
        "sampled",
        (evaluation,),
        rollout_error=error,
        best=0,
        best_one_step=0,
        sequence_steps=BUDGET,
        updates=100,
    )
