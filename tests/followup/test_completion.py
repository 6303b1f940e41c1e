"""The audit of pruning, with trainings that cost nothing: which trials are picked, trained and kept."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from sweep.config.errors import StoreError
from sweep.config.records import TrialRecord
from sweep.config.trial import trial_config_from_json
from sweep.followup.audit import audit_pruning, audited
from sweep.followup.retrain import Arm, Retraining
from sweep.search import Interrupts, Outcome, Workers
from sweep.search.tasks import Functions
from sweep.store import StudyFolder
from tests.support.attack import FAKES, comparable, drive, fake_segment, opened, projected, small_study
from tests.support.disturbances import counting

TOTAL = 40


def audit(path, count=6, functions=FAKES, watch=lambda event: None, interrupts=None):
    folder = StudyFolder(path)
    study = opened(path, watch=watch, interrupts=interrupts or Interrupts(), functions=functions)
    return audit_pruning(study, folder.records(), count, Workers(1, "inline"))


def pruned_of(path) -> list[TrialRecord]:
    return [record for record in StudyFolder(path).records() if record.state == "pruned"]


def test_half_of_them_are_nearest_and_half_are_drawn(driven):
    records = StudyFolder(driven).records()
    pruned = sorted(pruned_of(driven), key=lambda record: record.rollout_error)
    assert len(pruned) >= 10
    near, drawn = audited(records, 7, seed=0)
    assert near == pruned[:4]
    assert len(drawn) == 3 and all(record in pruned[4:] for record in drawn)


def test_the_draw_follows_the_seed_and_more_hold_fewer(driven):
    records = StudyFolder(driven).records()
    numbers = {seed: [r.number for r in audited(records, 6, seed)[1]] for seed in range(8)}
    assert len({tuple(sorted(drawn)) for drawn in numbers.values()}) > 1  # no fixed place in the ranking
    assert numbers[0] == [r.number for r in audited(list(reversed(records)), 6, 0)[1]]
    for count in range(1, 12):
        few, more = ({r.number for part in audited(records, n, 0) for r in part} for n in (count, count + 1))
        assert few <= more


def test_all_are_taken_where_few_were_pruned_and_equal_ones_once(driven):
    records = StudyFolder(driven).records()
    pruned = pruned_of(driven)
    twin = replace(pruned[0], number=TOTAL)
    near, drawn = audited([*records, twin], 1000, 0)
    assert sorted(record.number for record in [*near, *drawn]) == [record.number for record in pruned]
    assert audited([record for record in records if record.state != "pruned"], 8, 0) == ([], [])


def test_they_are_trained_with_their_own_seeds_to_the_end(driven):
    outcome, document = audit(driven)
    assert outcome is Outcome.DONE and document is not None
    by_number = {record.number: record for record in pruned_of(driven)}
    below = StudyFolder(driven / "audit")
    assert len(document["trials"]) == len(below.records()) == 6
    assert [entry["picked"] for entry in document["trials"]] == ["near"] * 3 + ["drawn"] * 3
    for entry in document["trials"]:
        before, whole = by_number[entry["number"]], below.record(entry["replication"])
        assert (before.config, "completed") == (whole.config, whole.origin)
        assert whole.state in ("complete", "diverged")
        assert len(whole.evaluations) > len(before.evaluations)
        assert entry["reproduced"] is True
        assert entry["pruned_error"] == before.rollout_error
        assert entry["error"] == whole.rollout_error <= before.rollout_error
        assert entry["state"] == whole.state


def test_nothing_of_it_is_a_trial_of_the_study(driven):
    folder = StudyFolder(driven)
    before = projected(folder), [comparable(record) for record in folder.records()]
    audit(driven)
    assert (projected(folder), [comparable(record) for record in folder.records()]) == before


def test_what_was_trained_is_kept(driven):
    seen = []
    audit(driven, 4, counting(seen))
    first = {(key, seed) for key, seed, _ in seen}
    seen.clear()
    _, document = audit(driven, 6, counting(seen))
    second = {(key, seed) for key, seed, _ in seen}
    assert len(first) == 4 and len(second) == 2 and not first & second
    seen.clear()
    assert audit(driven, 6, counting(seen))[1] == document
    assert seen == []


def test_other_bits_are_noticed(driven):
    def drifted(config, checkpoint, point):
        segment = fake_segment(config, checkpoint, point)
        scores = replace(segment.evaluation.scores, nrmse=segment.evaluation.scores.nrmse * (1 + 1e-9))
        return replace(segment, evaluation=replace(segment.evaluation, scores=scores))

    _, document = audit(driven, 4, Functions(drifted, FAKES.finish))
    assert [entry["reproduced"] for entry in document["trials"]] == [False] * 4


def test_a_training_that_fails_has_no_error(driven):
    def broken(config, checkpoint, point):
        raise RuntimeError("made up")

    _, document = audit(driven, 2, Functions(broken, FAKES.finish))
    assert [(entry["state"], entry["error"], entry["valid_steps"]) for entry in document["trials"]] == [
        ("failed", None, None)
    ] * 2


def test_a_stop_is_an_interruption_and_the_same_call_goes_on(driven, tmp_path):
    stop = Interrupts()
    events = []

    def watch(event):
        events.append(event)
        if len(events) == 3:
            stop.requests += 1

    assert audit(driven, watch=watch, interrupts=stop) == (Outcome.INTERRUPTED, None)
    assert not (driven / "audit.json").exists()
    _, resumed = audit(driven)
    other = Path(shutil.copytree(driven, tmp_path / "other", ignore=shutil.ignore_patterns("audit*")))
    assert audit(other)[1] == resumed


def test_nothing_pruned_is_nothing_to_audit(tmp_path):
    drive(small_study("pruning.enabled=false"), tmp_path / "attacked", 6)
    assert audit(tmp_path / "attacked") == (Outcome.DONE, None)
    assert not (tmp_path / "attacked" / "audit").exists()


def test_records_that_are_not_of_the_plan_are_refused(driven):
    audit(driven)
    plan = StudyFolder(driven / "audit").read_document("replication")
    StudyFolder(driven / "audit").write_document("replication", {"trainings": plan["trainings"][::-1]})
    with pytest.raises(StoreError, match=r"does not match .*replication\.json"):
        audit(driven)


def test_the_same_trial_twice_is_refused(driven):
    record = pruned_of(driven)[0]
    arm = Arm("a", trial_config_from_json(record.config), record.params)
    with pytest.raises(ValueError, match="different trials"):
        Retraining((arm, arm), None)
    assert Retraining((arm,), None).name_of((arm.config.key, arm.config.seed)) == "a, to its end"
    assert Retraining((arm,), None).name_of((arm.config.key, arm.config.seed + 1)) is None
