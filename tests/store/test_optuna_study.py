"""study.db: a projection that any Optuna program reads, and that can always be made again."""

import random
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from sweep.config.errors import StoreError
from sweep.store import OptunaProjection, StudyFolder, database, optuna_study
from sweep.store.optuna_rows import STATES, OptunaRows
from tests.support.attack import ended_record, projected, running_record, small_study

STUDY = small_study()
DAMAGES = {
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_bytes(b"not a database at all, but long enough to look at" * 99),
    "cut in half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "a page of noise": lambda path: path.write_bytes(
        path.read_bytes()[:8192] + bytes(range(256)) * 16 + path.read_bytes()[12288:]
    ),
    "a missing table": lambda path: change(path, "DROP TABLE trial_values"),
    "no version": lambda path: change(path, "DELETE FROM version_info"),
    "another schema": lambda path: change(path, "UPDATE alembic_version SET version_num = 'v0.9.0.a'"),
    "a foreign schema": lambda path: (path.unlink(), change(path, "CREATE TABLE studies (x INTEGER)")),
    "a trial too many": lambda path: change(
        path, "INSERT INTO trials (number, study_id, state) VALUES (99, 1, 'COMPLETE')"
    ),
    "another value": lambda path: change(path, "UPDATE trial_values SET value = 0.123 WHERE trial_id = 1"),
    "another state": lambda path: change(path, "UPDATE trials SET state = 'FAIL' WHERE number = 0"),
    "another parameter": lambda path: change(
        path, "UPDATE trial_params SET param_value = 1 - param_value WHERE param_name = 'cell'"
    ),
    "a missing row": lambda path: change(path, "DELETE FROM trials WHERE number = 2"),
    "a row twice": lambda path: change(path, "UPDATE trials SET number = 3 WHERE number = 2"),
    "a missing attribute": lambda path: change(path, "DELETE FROM trial_user_attributes WHERE trial_id = 2"),
    "no direction": lambda path: change(path, "DELETE FROM study_directions"),
    "foreign trials": lambda path: (path.unlink(), change(path, "CREATE TABLE trials (x INTEGER)")),
    "a foreign column": lambda path: change(path, "ALTER TABLE trials RENAME COLUMN number TO x"),
    "a text that is none": lambda path: change(
        path, "UPDATE trial_user_attributes SET value_json = CAST(X'ff22' AS TEXT)"
    ),
    "an unknown state": lambda path: change(path, "UPDATE trials SET state = 'ASLEEP' WHERE number = 1"),
    "no json": lambda path: change(path, "UPDATE trial_params SET distribution_json = '{'"),
    "flipped bytes in the schema": lambda path: path.write_bytes(
        path.read_bytes().replace(b"trial_intermediate_values", b"trial_int\xff\xfe\xfd\xfciate_values")
    ),
    "gone": lambda path: path.unlink(),
}


def change(path, statement):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def opened(path, records=(), name="attacked"):
    projection = OptunaProjection(path / "study.db", name, STUDY.space)
    return projection, projection.open(list(records))


def trials_of(path):
    return projected(StudyFolder(path))


def written(path, records):
    """Write a database the way a driver does: started, then settled."""
    projection, reason = opened(path)
    assert reason is None
    for record in records:
        projection.start(running_record(record.number))
        if record.settled:
            projection.settle(record)
    projection.close()
    return trials_of(path)


@pytest.fixture
def path(tmp_path):
    (tmp_path / "study").mkdir()
    return tmp_path / "study"


RECORDS = [ended_record(k) for k in range(6)] + [running_record(6), running_record(7)]


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A folder with the database of RECORDS in one file."""
    path = tmp_path_factory.mktemp("original")
    written(path, RECORDS)
    with closing(sqlite3.connect(path / "study.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


def copied(original, path):
    shutil.copy(original / "study.db", path / "study.db")
    return trials_of(path)


def test_it_tells_what_the_records_tell(path):
    trials = written(path, RECORDS)
    states = ["COMPLETE", "PRUNED", "COMPLETE", "FAIL", "COMPLETE", "PRUNED", "RUNNING", "RUNNING"]
    assert [t["state"] for t in trials] == states
    assert [t["value"] for t in trials] == [r.rollout_error for r in RECORDS]
    assert trials[3]["attrs"]["reason"] == "why"
    assert trials[2]["attrs"]["state"] == "diverged"
    for trial, record in zip(trials, RECORDS, strict=True):
        momentum = next((k for k in record.params if k.endswith("momentum")), None)
        if momentum:
            assert trial["params"][f"1-{momentum}"] == pytest.approx(1 - record.params[momentum])
        assert trial["attrs"]["seed"] == str(record.config["seed"])


def test_made_again_from_the_records_it_is_the_same(original, path, tmp_path):
    (tmp_path / "other").mkdir()
    projection, reason = opened(tmp_path / "other", RECORDS)
    projection.close()
    assert reason is None
    assert trials_of(tmp_path / "other") == copied(original, path)


@pytest.mark.parametrize("damage", DAMAGES)
def test_whatever_happened_to_the_file_it_tells_the_records_again(original, path, damage):
    before = copied(original, path)
    DAMAGES[damage](path / "study.db")
    projection, reason = opened(path, RECORDS)
    assert (reason is None) == (damage in ("gone", "empty", "no version"))
    projection.start(running_record(8))
    projection.settle(ended_record(8))
    projection.close()
    assert trials_of(path)[:8] == before
    assert trials_of(path)[8]["value"] == ended_record(8).rollout_error
    with closing(sqlite3.connect(path / "study.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    projection, reason = opened(path, [*RECORDS, ended_record(8)])
    projection.close()
    assert reason is None


@pytest.mark.parametrize("seed", range(12))
def test_whatever_bytes_are_flipped_it_is_used_or_rebuilt_once(original, path, seed):
    before = copied(original, path)
    chance, content = random.Random(seed), bytearray((path / "study.db").read_bytes())
    first = chance.choice([0, chance.randrange(len(content))])  # the schema is in the first page
    for _ in range(chance.choice([1, 8, 200])):
        content[min(len(content) - 1, first + chance.randrange(4096))] ^= 1 << chance.randrange(8)
    (path / "study.db").write_bytes(content)
    projection, _ = opened(path, RECORDS)
    projection.close()
    assert trials_of(path) == before
    projection, reason = opened(path, RECORDS)
    projection.close()
    assert reason is None


def stored(path, record):
    StudyFolder(path).write_record(record)
    return record


INTERFERENCES = {
    "removed": lambda path: path.unlink(),
    "replaced": lambda path: (path.with_name("x").write_bytes(b""), path.with_name("x").replace(path)),
    "a row is gone": lambda path: change(path, "DELETE FROM trials WHERE number = 0"),
    "a table is gone": lambda path: change(path, "DROP TABLE trial_values"),
}


@pytest.mark.parametrize("interference", INTERFERENCES)
def test_what_happens_to_it_during_a_run_is_noticed_and_mended(path, interference):
    messages = []
    projection = OptunaProjection(path / "study.db", "attacked", STUDY.space, messages.append)
    projection.open([])
    projection.start(stored(path, running_record(0)))
    INTERFERENCES[interference](path / "study.db")
    projection.settle(stored(path, ended_record(0)))
    projection.start(stored(path, running_record(1)))
    projection.close()
    assert [(t["number"], t["state"], t["value"]) for t in trials_of(path)] == [
        (0, "COMPLETE", 0.25),
        (1, "RUNNING", None),
    ]
    assert len(messages) == 1
    assert messages[0].startswith("study.db was rebuilt from the trial folders: it ")


def test_an_error_of_the_database_is_one_line_without_its_statement(path, monkeypatch):
    projection, _ = opened(path)
    projection.start(running_record(0))
    change(
        path / "study.db",
        "CREATE TRIGGER no BEFORE UPDATE ON trials BEGIN SELECT RAISE(ABORT, 'refused'); END",
    )
    monkeypatch.setattr(optuna_study, "is_damage", lambda error: False)
    with pytest.raises(StoreError, match=r"cannot write .*study\.db: refused$") as raised:
        projection.settle(ended_record(0))
    projection.close()
    assert "\n" not in str(raised.value)


def test_a_sound_one_is_left_alone(original, path):
    before = copied(original, path)
    seen = (path / "study.db").stat().st_ino
    projection, reason = opened(path, RECORDS)
    projection.close()
    assert reason is None
    assert trials_of(path) == before
    assert (path / "study.db").stat().st_ino == seen


def test_what_a_killed_driver_had_no_time_to_tell_is_made_up_for_in_place(path):
    written(
        path, [*RECORDS[:4], running_record(4), running_record(5)]
    )  # it died before it told 4, 5 and started 6, 7
    seen = (path / "study.db").stat().st_ino
    projection, reason = opened(path, RECORDS)
    projection.close()
    assert reason is None
    assert (path / "study.db").stat().st_ino == seen
    (path.parent / "other").mkdir()
    assert trials_of(path) == written(path.parent / "other", RECORDS)


@pytest.mark.parametrize("sound", [True, False])
def test_a_record_put_aside_keeps_the_numbers_of_the_others(original, path, sound):
    before = copied(original, path)
    if not sound:
        (path / "study.db").unlink()
    projection, reason = opened(path, [r for r in RECORDS if r.number != 2])
    assert reason is None
    projection.start(running_record(2))
    projection.settle(ended_record(2))
    projection.close()
    assert trials_of(path) == before


def test_a_contradiction_is_mended_before_the_eyes_of_a_reader(original, path):
    copied(original, path)
    change(path / "study.db", "UPDATE trial_values SET value = 0.9")
    with closing(sqlite3.connect(path / "study.db")) as reader:
        reader.execute("BEGIN")
        seen = reader.execute("SELECT count(*), max(value) FROM trial_values").fetchone()
        projection, reason = opened(path, RECORDS)
        projection.close()
        assert "trial 0" in reason
        assert (
            reader.execute("SELECT count(*), max(value) FROM trial_values").fetchone() == seen
        )  # its snapshot
        reader.rollback()
        assert reader.execute("SELECT max(value) FROM trial_values").fetchone()[0] < 0.5


def test_another_study_in_the_file_is_not_touched(path):
    storage = optuna.storages.RDBStorage(f"sqlite:///{path / 'study.db'}")
    optuna.create_study(storage=storage, study_name="somebody's").add_trial(optuna.create_trial(value=7.0))
    storage.remove_session()
    storage.engine.dispose()
    projection, reason = opened(path, RECORDS)
    projection.close()
    assert reason is None
    storage = optuna.storages.RDBStorage(f"sqlite:///{path / 'study.db'}")
    assert optuna.load_study(study_name="somebody's", storage=storage).best_value == 7.0
    assert len(optuna.load_study(study_name="attacked", storage=storage).trials) == len(RECORDS)
    storage.remove_session()
    storage.engine.dispose()


def test_a_failed_write_leaves_no_half_a_trial(path, monkeypatch):
    projection, _ = opened(path)
    projection.start(running_record(0))
    original = OptunaRows._insert_value

    def broken(*args, **kwargs):
        projection._database.session.flush()  # what went before is with the database
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(OptunaRows, "_insert_value", broken)
    with pytest.raises(StoreError, match=r"cannot write .*study.db: disk I/O error"):
        projection.settle(ended_record(0))
    assert [(t["state"], set(t["attrs"])) for t in trials_of(path)] == [("RUNNING", {"origin", "seed"})]
    monkeypatch.setattr(OptunaRows, "_insert_value", original)
    projection.settle(ended_record(0))
    projection.settle(replace(ended_record(0), rollout_error=0.9))  # late: changes nothing
    projection.close()
    assert [(t["state"], t["value"]) for t in trials_of(path)] == [("COMPLETE", 0.25)]


@pytest.mark.parametrize("name", ["a b", "100%", "what?now=1", "hash#tag", "{x}", "ünï", "semi;colon'quote"])
def test_folders_with_odd_names_serve(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    projection, _ = opened(folder, RECORDS[:2])
    projection.close()
    assert sorted(p.name for p in folder.iterdir()) == ["study.db"]
    assert sorted(p.name for p in tmp_path.iterdir()) == [name]


def test_a_path_that_cannot_be_a_database_is_one_clear_error(path):
    (path / "study.db").mkdir()
    with pytest.raises(StoreError, match=r"study\.db"):
        opened(path)
    with pytest.raises(StoreError, match=r"cannot open .*nowhere/study\.db"):
        opened(path / "nowhere")


LOCK = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1])
if sys.argv[3] == "whole":
    connection.execute("PRAGMA locking_mode=EXCLUSIVE")
connection.execute("BEGIN EXCLUSIVE")
connection.execute("CREATE TABLE IF NOT EXISTS foreign_table (x)")
print("locked", flush=True)
time.sleep(float(sys.argv[2]))
"""


@pytest.fixture
def locked(path, monkeypatch):
    """Let another program lock the database: `locked(seconds, kind)`."""
    monkeypatch.setattr(database, "ATTEMPT_SECONDS", 0.2)
    holders = []

    def lock(seconds, kind="writers"):
        words = [sys.executable, "-c", LOCK, str(path / "study.db"), str(seconds), kind]
        holder = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        holders.append(holder)
        assert holder.stdout.readline() == "locked\n"

    yield lock
    for holder in holders:
        holder.kill()
        holder.communicate()


def test_a_write_waits_for_a_foreign_lock_says_so_and_loses_nothing(path, locked):
    messages = []
    projection = OptunaProjection(path / "study.db", "attacked", STUDY.space, messages.append)
    projection.open([])
    projection.start(running_record(0))
    locked(1.5)
    began = time.monotonic()
    projection.settle(ended_record(0))
    assert time.monotonic() - began > 0.5
    projection.close()
    assert messages == [f"waiting for another program that has locked {path / 'study.db'}"]
    assert [(t["state"], t["value"]) for t in trials_of(path)] == [("COMPLETE", 0.25)]


def test_a_locked_database_is_not_taken_for_a_damaged_one(original, path, locked, monkeypatch):
    before = copied(original, path)
    seen = (path / "study.db").stat().st_ino
    monkeypatch.setattr(database, "LOCK_SECONDS", 0.5)
    locked(4, "whole")
    with pytest.raises(StoreError, match=r"study\.db: .*locked"):
        opened(path, RECORDS)
    assert (path / "study.db").stat().st_ino == seen
    monkeypatch.setattr(database, "LOCK_SECONDS", 60)
    projection, reason = opened(path, RECORDS)
    projection.close()
    assert reason is None
    assert trials_of(path) == before


def test_a_reader_in_a_loop_sees_no_lock_and_only_whole_trials(path):
    projection, _ = opened(path)
    stop, seen, errors = threading.Event(), [], []

    def read():
        while not stop.is_set():
            try:
                seen.append(trials_of(path))
            except Exception as error:
                errors.append(error)

    projection.start(running_record(0))
    projection.settle(ended_record(0))
    reader = threading.Thread(target=read)
    reader.start()
    for number in range(1, 25):
        projection.start(running_record(number))
        projection.settle(ended_record(number))
    stop.set()
    reader.join()
    projection.close()
    assert not errors
    assert len(seen) > 2
    for trials in seen:
        for trial in trials:
            record = ended_record(trial["number"])
            assert len(trial["params"]) == len(record.params)
            if trial["state"] != TrialState.RUNNING.name:
                assert "sequence_steps" in trial["attrs"]
                assert trial["value"] == record.rollout_error


def test_no_handle_stays_open(path):
    projection, _ = opened(path, RECORDS)
    projection.close()
    descriptors = Path("/proc/self/fd")
    if descriptors.is_dir():
        held = [p for p in descriptors.iterdir() if p.exists() and str(path) in str(p.resolve())]
        assert not held


def test_opening_waits_for_a_foreign_lock_too(original, path, locked):
    copied(original, path)
    messages = []
    projection = OptunaProjection(path / "study.db", "attacked", STUDY.space, messages.append)
    locked(1.5)
    projection.open(RECORDS)
    projection.close()
    assert messages


TABLES = ("studies", "study_directions", "trials", "trial_params", "trial_user_attributes", "trial_values")


def rows_of(path):
    """Return the rows of every table without times; the order in which attributes were written does not matter."""
    rows = {}
    with closing(sqlite3.connect(path / "study.db")) as connection:
        for table in TABLES:
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            kept = [
                c
                for c in columns
                if not c.startswith("datetime") and not c.endswith(("attribute_id", "value_id"))
            ]
            rows[table] = sorted(connection.execute(f"SELECT {', '.join(kept)} FROM {table}"))
    return rows


def test_the_rows_are_those_that_optuna_itself_would_write(path, tmp_path):
    (tmp_path / "slow").mkdir()
    storage = optuna.storages.RDBStorage(f"sqlite:///{tmp_path / 'slow/study.db'}")
    slow = optuna.create_study(storage=storage, study_name="attacked")
    projection, _ = opened(path)
    for record in RECORDS:
        trial = projection._rows._trial(running_record(record.number))
        slow.add_trial(trial)
        projection.start(running_record(record.number))
        if record.settled:
            number = slow._storage.get_trial_id_from_study_id_trial_number(slow._study_id, record.number)
            for key, value in projection._rows._attributes(record).items():
                slow._storage.set_trial_user_attr(number, key, value)
            values = None if record.rollout_error is None else [record.rollout_error]
            slow._storage.set_trial_state_values(number, STATES[record.state], values)
            projection.settle(record)
    projection.close()
    storage.remove_session()
    storage.engine.dispose()
    assert rows_of(path) == rows_of(tmp_path / "slow")
    assert len(rows_of(path)["trial_params"]) > 20


def test_times_are_those_of_the_clock_on_the_wall(path):
    from datetime import datetime, timedelta

    written(path, RECORDS[:1])
    storage = optuna.storages.RDBStorage(f"sqlite:///{path / 'study.db'}")
    (trial,) = optuna.load_study(study_name="attacked", storage=storage).trials
    storage.remove_session()
    storage.engine.dispose()
    for moment in (trial.datetime_start, trial.datetime_complete):
        assert abs(datetime.now() - moment) < timedelta(minutes=2)


def test_a_death_while_it_is_made_again_leaves_what_was_there(original, path, monkeypatch):
    copied(original, path)
    change(path / "study.db", "UPDATE trial_values SET value = 0.9")
    before = trials_of(path)
    with monkeypatch.context() as patch:
        patch.setattr(OptunaRows, "_catch_up", lambda self, *which: 1 / 0)
        with pytest.raises(ZeroDivisionError, match="division"):
            opened(path, RECORDS)
    assert trials_of(path) == before
