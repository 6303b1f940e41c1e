"""The winner of a study: its name, and the one look at the locked test that follows.

The locked test is read after a configuration is named, never to name one, and once per configuration: winner.json
keeps each result under `looks`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sweep.config.records import FAILED, TrialRecord, to_json
from sweep.config.trial import TrialConfig, config_of
from sweep.data import Data
from sweep.followup.confirm import PURPOSE
from sweep.results.selection import is_current, named_trial
from sweep.score import score_baselines_on_test
from sweep.stats.ranking import worse_median
from sweep.store import StudyFolder
from sweep.trial import score_on_test

FAILED_SCORES = {"rollout_error": FAILED, "nrmse": None, "valid_steps": 0.0}  # of a training that failed


def name_best(folder: StudyFolder, data: Data, records: Sequence[TrialRecord]) -> dict[str, Any]:
    """Name the best configuration, score it on the locked test unless that is done, and store both.

    With a confirmation of today's best trials, the best is the configuration that leads on fresh seeds. Every network
    trained there is scored: `networks`, by seed. `test` holds the scores of the network with the median error there,
    of an even number the worse of the middle two: the result to expect of another training, not of the luckiest.
    Without a confirmation, the best is the selected trial with its own network.

    Returns:
        winner.json: `number`, `reason` (why no trial is named), `basis` ("confirmed" or "selected"), `test`,
        `networks`, `median_seed`, `baselines_test`, `looks`, and `coverage`, as it is stored.
    """
    baselines = folder.baselines()
    stored = folder.read_document("winner") or {}
    confirmation = folder.read_document("confirmation")
    if confirmation is not None and not is_current(confirmation, records, baselines):
        confirmation = None
    number, reason = named_trial(records, baselines, confirmation)
    document: dict[str, Any] = {
        "number": number,
        "reason": reason,
        "basis": "selected" if confirmation is None else "confirmed",
        "test": None,
        "networks": [],
        "median_seed": None,
        "baselines_test": stored.get("baselines_test") or {},
        "looks": list(stored.get("looks", [])),
        "coverage": list(stored.get("coverage", [])),
    }
    if number is not None:
        record = next(record for record in records if record.number == number)
        look = _look(folder, record, confirmation, document["looks"])
        document |= {key: look[key] for key in ("test", "networks", "median_seed")}
        if set(document["baselines_test"]) != set(baselines):
            document["baselines_test"] = score_baselines_on_test(data, baselines)
    folder.write_document("winner", document)
    return folder.read_document("winner") or document


def _look(
    folder: StudyFolder,
    record: TrialRecord,
    confirmation: Mapping[str, Any] | None,
    looks: list[dict[str, Any]],
) -> dict[str, Any]:
    """Return the scores of a configuration on the locked test, from `looks` or by a new look that is added to it."""
    basis, key = (
        "selected" if confirmation is None else "confirmed",
        config_of(record).key,
    )
    for look in looks:
        if (look["basis"], look["key"]) == (basis, key):
            return look
    if confirmation is None:
        test: Any = _scored(folder, record.number)
        scores: dict[str, Any] = {"test": test, "networks": [], "median_seed": None}
    else:
        scores = _fresh_networks(folder.below(PURPOSE), confirmation, record.number)
    look = {"basis": basis, "key": key, "number": record.number, **scores}
    looks.append(look)
    return look


def _fresh_networks(below: StudyFolder, confirmation: Mapping[str, Any], number: int) -> dict[str, Any]:
    """Return the scores of the networks of a confirmed trial, by seed, and those of the median one."""
    arm = next(arm for arm in confirmation["arms"] if arm["number"] == number)
    networks = [
        {
            "seed": seed + 1,
            "replication": replication,
            "validation": error,
            "test": _scored(below, replication),
        }
        for seed, (replication, error) in enumerate(zip(arm["replications"], arm["errors"], strict=True))
    ]
    middle = worse_median([network["test"]["rollout_error"] for network in networks])
    median = next(network for network in networks if network["test"]["rollout_error"] == middle)
    return {"test": median["test"], "networks": networks, "median_seed": median["seed"]}


def _scored(folder: StudyFolder, number: int) -> dict[str, Any]:
    """Return the scores of a training on the locked test; the worst scores if it failed."""
    record = folder.record(number)
    if record.rollout_error is None:
        return dict(FAILED_SCORES)
    config: TrialConfig = config_of(record)
    with folder.using_weights(number) as weights:
        scores: dict[str, Any] = to_json(score_on_test(config, weights))
    return scores
