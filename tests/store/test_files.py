"""Files that are whole or not there, and errors that name the path."""

import errno
import json
import math
import os
from dataclasses import replace
from pathlib import Path

import pytest

from sweep.config.errors import StoreError
from sweep.config.records import SCORE_FORMAT, Evaluation, TrialRecord, to_json
from sweep.store import StudyFolder, study_folders
from sweep.store import files as files_module
from sweep.store.files import write_atomic, write_json
from tests.support.attack import fake_scores


class Crash(BaseException):
    """The end of the process."""


def test_records_of_the_first_score_format_are_read_and_known_as_such(tmp_path):
    folder = StudyFolder(tmp_path)
    scores = replace(fake_scores(0.4), trivial_skill=0.25)
    record = TrialRecord(
        3, "complete", {}, {}, "sampled", (Evaluation(0, 9, 1, scores, 0.1, 0.1),), 0.4, 0, 0
    )
    folder.write_record(record)
    assert folder.record(3) == record and folder.record(3).score_format == SCORE_FORMAT
    exact = replace(record, evaluations=(Evaluation(0, 9, 1, replace(scores, trivial_skill=None), 0.1, 0.1),))
    folder.write_record(exact)
    assert folder.record(3) == exact
    path = folder.trial(3) / "trial.json"
    values = json.loads(path.read_text())
    del values["score_format"], values["evaluations"][0]["scores"]["trivial_skill"]
    path.write_text(json.dumps(values))
    assert folder.record(3) == replace(exact, score_format=1)


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_files_are_open_to_others_as_the_umask_says(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        write_atomic(tmp_path / "file", b"content")
        write_atomic(tmp_path / "file", b"again")
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == mode


STEPS = ("os.fsync", "os.replace")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("before", [None, b"old"])
def test_a_crash_at_any_step_leaves_the_old_or_the_new_bytes(tmp_path, monkeypatch, step, before):
    path = tmp_path / "file"
    if before is not None:
        path.write_bytes(before)

    def crash(*args):
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(files_module.os, step.removeprefix("os."), crash)
        with pytest.raises(Crash):
            write_atomic(path, b"new" * 1000)
    assert (path.read_bytes() if path.exists() else None) == before
    write_atomic(path, b"new" * 1000)
    assert path.read_bytes() == b"new" * 1000


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT])
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_disk_that_refuses_is_one_error_with_the_path_and_the_old_file_stays(
    tmp_path, monkeypatch, code, step
):
    path = tmp_path / "trial.json"
    write_json(path, {"kept": 1})

    def refuse(*args):
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(files_module.os, step, refuse)
        with pytest.raises(StoreError, match=f"cannot write {path}: {os.strerror(code)}"):
            write_json(path, {"kept": 2})
    assert json.loads(path.read_text()) == {"kept": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["trial.json"]  # and nothing is left over
    write_json(path, {"kept": 3})
    assert json.loads(path.read_text()) == {"kept": 3}


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(StoreError, match=r"cannot write .*nowhere/file: No such file"):
        write_atomic(tmp_path / "nowhere" / "file", b"")


def test_json_never_holds_what_is_no_number(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "file.json", {"x": math.inf})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'"text"', b"\xff\xfe"])
def test_what_is_no_json_object_is_damaged(tmp_path, content):
    path = tmp_path / "audit.json"
    path.write_bytes(content)
    with pytest.raises(
        StoreError, match=f"{path} is damaged: .*; remove it, and sweep audit writes it again"
    ):
        StudyFolder(tmp_path).read_document("audit")


# --- the folder of a study ----------------------------------------------------------------------------


def record(number=0, **changes):
    evaluation = Evaluation(0, 10, 1, fake_scores(0.5), math.nan, 0.1, {"lags": {"1": math.inf}})
    worse = Evaluation(1, 20, 2, fake_scores(math.inf), 0.2, 0.1)
    fields = {"params": {"head": (4, 2)}, "config": {"seed": 2**62 + 1}, "evaluations": (evaluation, worse)}
    return TrialRecord(**{"number": number, "state": "running", "origin": "sampled", **fields, **changes})


def test_records_go_to_disk_and_back_with_what_is_not_finite(tmp_path):
    folder = StudyFolder(tmp_path)
    written = record(3, state="complete", rollout_error=0.1 + 0.2, best=0)
    folder.write_record(written)
    back = folder.record(3)
    assert to_json(back) == to_json(written)
    assert back.config["seed"] == 2**62 + 1  # beyond what a float holds
    assert back.rollout_error == 0.1 + 0.2
    assert back.evaluations[1].scores.nrmse == math.inf
    assert math.isnan(back.evaluations[0].train_loss)
    assert back.scores == back.evaluations[0].scores
    assert back.settled


def test_a_trial_that_is_not_there_is_named(tmp_path):
    with pytest.raises(StoreError, match=f"no trial 7 in {tmp_path}"):
        StudyFolder(tmp_path).record(7)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"state": "finished"}, "state: Input should be 'running'"),
        ({"number": 4}, "it is the record of trial 4"),
        ({"evaluations": None}, "evaluations: Input should be"),
        ({"evaluations": [{"train_loss": 1, "scores": []}]}, "evaluations.0.point: Field required"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_record_that_makes_no_sense_is_damaged(tmp_path, change, why):
    folder = StudyFolder(tmp_path)
    folder.write_record(record(3))
    path = folder.trial(3) / "trial.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(StoreError, match=f"{path} is damaged: .*{why}"):
        folder.records()
    reports = []
    assert folder.records(lambda aside, reason: reports.append((aside, reason))) == []
    ((aside, reason),) = reports
    assert aside == path.with_name("trial.json.damaged")
    assert aside.exists()
    assert why in reason
    assert folder.records() == []


def test_copies_that_somebody_made_are_no_trials(tmp_path):
    folder = StudyFolder(tmp_path)
    for number in (0, 12345):
        folder.write_record(record(number))
    for name in ("0000_backup", "0000 (copy)", "old"):
        (tmp_path / "trials" / name).mkdir()
        (tmp_path / "trials" / name / "trial.json").write_text("{")
    assert [r.number for r in folder.records()] == [0, 12345]


def test_resume_states_are_whole_or_not_there(tmp_path):
    folder = StudyFolder(tmp_path)
    folder.write_record(record(0))
    header = {"evaluations": [to_json(e) for e in record().evaluations], "diverged": None, "seconds": 1.5}
    assert folder.read_resume(0) is None
    folder.write_resume(0, header, b"\x00opaque" * 9)
    assert folder.read_resume(0) == (header, b"\x00opaque" * 9)
    path = folder.trial(0) / "resume.bin"
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        assert folder.read_resume(0) is None
    for place in range(0, len(whole), 11):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert folder.read_resume(0) is None
    folder.drop_resume(0)
    folder.drop_resume(0)
    assert not path.exists()


def test_what_killed_drivers_left_half_written_is_swept_up_and_nothing_else(tmp_path):
    folder = StudyFolder(tmp_path)
    folder.write_study({"name": "x"})
    folder.write_record(record(0))
    folder.write_document("baselines", {"baselines": {"ar": {"nrmse": math.inf}}})
    folder.lock.write_text("")
    (tmp_path / "report").mkdir()
    places = [
        "study.toml", "baselines.json", "baseline.npz", ".lock.holder", "trials/0000/trial.json",
        "trials/0000/rollout.png", "report/index.html",
    ]  # fmt: skip
    for place in places:  # as a killed driver leaves them
        handle, temporary = files_module._new_file(tmp_path / place)
        os.close(handle)
    report = Path(temporary)
    folder.sweep_up()
    assert report.exists()  # a report may be writing just now
    os.utime(report, (0, 0))
    for name in (".mine.txt", ".a.0123456789xy", "b.0123456789ab"):
        (tmp_path / name).touch()
    folder.sweep_up()
    for name in (".mine.txt", ".a.0123456789xy", "b.0123456789ab"):
        (tmp_path / name).unlink()
    left = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file())
    assert left == [".lock", "baselines.json", "study.toml", "trials/0000/trial.json"]
    assert folder.read_document("baselines") == {"baselines": {"ar": {"nrmse": None}}}
    assert folder.read_document("winner") is None


def test_studies_are_the_folders_with_a_study_in_them(tmp_path):
    assert study_folders(tmp_path / "nowhere") == []
    for name in ("b", "a"):
        StudyFolder(tmp_path / name).write_study({"name": name})
    (tmp_path / "empty").mkdir()
    (tmp_path / "README.md").write_text("")
    assert [folder.name for folder in study_folders(tmp_path)] == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "match"), [(None, "study.toml is missing"), (b"a = ", "is damaged: .*; remove it")]
)
def test_a_study_that_cannot_be_read_is_named(tmp_path, content, match):
    if content is not None:
        (tmp_path / "study.toml").write_bytes(content)
    with pytest.raises(StoreError, match=match):
        StudyFolder(tmp_path).read_study()


def test_a_rollout_that_is_damaged_is_named_and_nothing_in_it_is_run(tmp_path):
    import numpy as np

    folder = StudyFolder(tmp_path)
    folder.write_record(record(0))
    with pytest.raises(StoreError, match="trial 0 has no rollout"):
        folder.rollout(0)
    path = folder.trial(0) / "rollout.npz"
    np.savez(path, forecast=np.array([{"an": "object"}], dtype=object))
    with pytest.raises(StoreError, match=f"{path} is damaged"):
        folder.rollout(0)
    for content in (b"", b"PK\x03\x04half", b"\x80\x04."):
        path.write_bytes(content)
        with pytest.raises(StoreError, match=f"{path} is damaged"):
            folder.rollout(0)
