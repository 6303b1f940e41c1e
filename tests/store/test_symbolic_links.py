"""Nothing outside a study's folder is written, whatever symbolic links somebody has put into the folder."""

import contextlib
import re
import shutil
from dataclasses import replace

import pytest

from sweep.config.errors import StoreError
from sweep.report.write import write_report
from sweep.store import DriverLock, OptunaProjection, StudyFolder
from tests.support.attack import drive, small_study

TOTAL = 3
STUDY = small_study()


def hold(folder):
    with DriverLock(folder.lock):
        pass


def project(folder):
    projection = OptunaProjection(folder.database, folder.name, STUDY.space)
    projection.open(folder.records())
    projection.close()


def put_aside(folder):
    folder.records(lambda path, reason: None)


def retrain(folder):
    for below in (folder.below("confirm"), folder.treatment(1)):
        below.write_study({"name": "x"})
        below.write_document("replication", {"trainings": []})
        below.write_record(folder.record(0))
        below.write_resume(0, {}, b"state")
        below.drop_resume(0)
        below.sweep_up()


def store(folder):
    folder.write_study(folder.read_study())
    folder.write_document("baselines", {})
    folder.write_record(folder.record(1))
    folder.write_files(1, dict.fromkeys(("curves.csv", "checkpoint.pt", "rollout.png"), b"content"))
    folder.write_resume(1, {}, b"state")


# what writes -> the places that it writes to
ACTS = {
    "lock": (hold, (".lock", ".lock.holder")),
    "project": (project, ("study.db", "study.db-wal", "study.db-shm", "study.db-journal")),
    "store": (
        store,
        ("study.toml", "baselines.json", "trials", "trials/0001", "trials/0001/trial.json", "trials/0001/curves.csv",
         "trials/0001/resume.bin"),
    ),
    "rename": (put_aside, ("trials", "trials/0001", "trials/0001/trial.json.damaged")),
    "sweep up": (lambda folder: folder.sweep_up(), ("trials", "trials/0001")),
    "drop": (lambda folder: folder.drop_resume(1), ("trials", "trials/0001", "trials/0001/resume.bin")),
    "retrain": (
        retrain,
        ("confirm", "confirm/trials", "confirm/replication.json", "treat", "treat/0001", "treat/0001/trials"),
    ),
    "report": (lambda folder: folder.make_report(), ("report",)),
    "run": (lambda folder: drive(STUDY, folder.path, TOTAL + 1), ("trials", "trials/0003", "study.db")),
}  # fmt: skip
CASES = [(act, place) for act, (_, places) in ACTS.items() for place in places]
FOLDERS = ("trials", "trials/0001", "trials/0003", "confirm", "confirm/trials", "treat", "treat/0001",
           "treat/0001/trials", "report")  # fmt: skip


def content(path):
    return {str(p.relative_to(path)): p.read_bytes() for p in sorted(path.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("present", [True, False])
@pytest.mark.parametrize(("act", "place"), CASES)
def test_a_link_is_never_followed_by_what_writes(driven, tmp_path, act, place, present):
    path, target = driven / place, tmp_path / "outside"
    if act == "rename":
        (driven / "trials/0001/trial.json").write_text("{")
    if present and path.is_dir():
        shutil.copytree(path, target)
    elif present and path.is_file():
        shutil.copy(path, target)
    elif present and place in FOLDERS:
        target.mkdir()
    elif present:
        target.write_bytes(b"")
    if target.is_dir():
        for name in (".curves.csv.0123456789ab", "resume.bin"):
            (target / name).write_bytes(b"somebody's")
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
    before = content(target) if target.is_dir() else target.read_bytes() if present else None
    with contextlib.suppress(StoreError):
        ACTS[act][0](StudyFolder(driven))
    after = content(target) if target.is_dir() else target.read_bytes() if target.exists() else None
    assert after == before
    if path.is_symlink() and place in ("study.db", ".lock", "report", "trials/0003"):
        with pytest.raises(StoreError, match="symbolic link"):
            ACTS[act][0](StudyFolder(driven))


def test_the_error_names_the_link_and_says_what_to_do(driven, tmp_path):
    (driven / "report").symlink_to(tmp_path)
    wanted = (
        f"{driven / 'report'} is a symbolic link, and sweep writes only inside {driven}: replace the link"
    )
    with pytest.raises(StoreError, match=re.escape(wanted)):
        StudyFolder(driven).make_report()


def test_a_report_is_not_written_through_a_link(study, tmp_path):
    copied = shutil.copytree(study.path, tmp_path / "copy")
    (tmp_path / "outside").mkdir()
    shutil.rmtree(copied / "report", ignore_errors=True)
    (copied / "report").symlink_to(tmp_path / "outside")
    with pytest.raises(StoreError, match=r"report is a symbolic link"):
        write_report(StudyFolder(copied))
    assert not list((tmp_path / "outside").iterdir())


def test_the_folder_of_a_study_may_itself_be_a_link(driven, tmp_path):
    (tmp_path / "linked").symlink_to(driven)
    drive(small_study(name="linked"), tmp_path / "linked", TOTAL + 1)
    records = StudyFolder(tmp_path / "linked").records()
    assert [record.number for record in records] == list(range(TOTAL + 1))
    assert replace(records[TOTAL], seconds=0.0).settled
