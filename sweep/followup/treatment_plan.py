"""The plan of a treatment: the trial unchanged, its prescriptions, and one random change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import ValidationError

from sweep.config.changes import config_differences
from sweep.config.engines import engine_name
from sweep.config.errors import SweepError
from sweep.config.known_names import KnownNames
from sweep.config.records import TrialRecord
from sweep.config.seeds import seed_of
from sweep.config.study import StudyConfig
from sweep.config.trial import TrialConfig, config_of
from sweep.data import Data
from sweep.diagnosis.finding import Finding
from sweep.followup.prescriptions import Applied, Prescription, PrescriptionChoice, applied
from sweep.followup.random_change import single_change
from sweep.followup.retrain import Arm

PURPOSE = "treat"  # of the fresh seeds and of the random change
DRAWS_MOST = 100  # of a random change, until it is valid and differs from the other arms


@dataclass(frozen=True)
class TreatedArm:
    """An arm of a treatment, its prescription, and its differences from the trial."""

    kind: str  # "unchanged", "prescription" or "random"
    arm: Arm
    prescription: Prescription | None = None
    differences: Sequence[Mapping[str, Any]] = ()
    same_starts: bool = True


@dataclass(frozen=True)
class Plan:
    """All arms of a treatment, unchanged first and random last, and the prescriptions without an arm."""

    arms: tuple[TreatedArm, ...]
    random_reason: str | None  # why there is no random change
    prescriptions: tuple[Applied, ...]  # all that were chosen
    offered: tuple[Prescription, ...]  # all that could be chosen
    unmended: tuple[Finding, ...]  # causes that only other data mend


def treatment_plan(
    study: StudyConfig, record: TrialRecord, data: Data, choice: PrescriptionChoice, known_names: KnownNames
) -> Plan:
    """Return the arms of a treatment: the trial unchanged, its prescriptions, and one random change.

    Args:
        study: as run.
        record: of the trial.
        data: of the study.
        choice: the prescriptions to try.
        known_names: the names that a configuration may use.

    Raises:
        SweepError: none of the prescriptions can be tried; the text gives the reasons.
    """
    base = config_of(record)
    prescriptions = applied(base, data, choice.chosen, known_names)
    if all(entry.config is None for entry in prescriptions):
        reasons = "\n  ".join(f"{entry.prescription.name}: {entry.reason}" for entry in prescriptions)
        raise SweepError(f"no change can be tried on trial {record.number}:\n  {reasons}")
    arms = [TreatedArm("unchanged", Arm(f"trial {record.number} unchanged", base, record.params))]
    for entry in prescriptions:
        if entry.config is None:
            continue
        config = _with_engine(entry.config, study)
        params = {**record.params, **{change["path"]: change["value"] for change in entry.differences}}
        arm = Arm(entry.prescription.name, config, params)
        arms.append(TreatedArm("prescription", arm, entry.prescription, entry.differences, entry.same_starts))
    random, reason = random_arm(study, record, {arm.arm.config.key for arm in arms})
    return Plan(
        arms=(*arms, *([] if random is None else [random])),
        random_reason=reason,
        prescriptions=prescriptions,
        offered=choice.offered,
        unmended=tuple(finding for finding in choice.findings if not finding.prescriptions),
    )


def random_arm(
    study: StudyConfig, record: TrialRecord, taken: set[str]
) -> tuple[TreatedArm | None, str | None]:
    """Return the trial with one random change of its hyperparameters, or None and the reason.

    The draw depends on the study's seed and the trial's number. A change that is invalid, or that equals another
    arm, is drawn again.

    Args:
        study: whose space the change is drawn from.
        record: of the trial.
        taken: keys of the other arms' configurations.
    """
    base = config_of(record)
    rng = np.random.default_rng(seed_of(study.search.seed, PURPOSE, "random", record.number))
    own = {name: tuple(value) if isinstance(value, list) else value for name, value in record.params.items()}
    for _ in range(DRAWS_MOST):
        change = single_change(study.space, own, rng)
        if change is None:
            return None, "no hyperparameter of the search space has another value"
        name, params = change
        try:
            config = study.trial(params)
        except ValidationError:
            continue
        if config.key not in taken:
            arm = Arm(f"random change of {name}", config, params)
            return TreatedArm("random", arm, None, config_differences(base, config)), None
    return None, f"none of {DRAWS_MOST} random changes was valid and different from the other arms"


def _with_engine(config: TrialConfig, study: StudyConfig) -> TrialConfig:
    """Return a changed configuration with the engine of the study's trials of that shape."""
    engine = engine_name(study.run.engine, study.kernel, study.run.device, config.model, config.training)
    return config.model_copy(update={"engine": engine})
