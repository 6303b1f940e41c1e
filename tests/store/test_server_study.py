"""The study on a PostgreSQL server: as study.db tells it, whatever happens to the server."""

import contextlib
import json
import logging
import os
import re
import shlex
from dataclasses import replace

import optuna
import pytest

from sweep.config.errors import StoreError, UsageError
from sweep.store import ServerProjection, StudyFolder, server_study
from sweep.store.server_url import server_address
from tests.support.attack import (
    comparable,
    ended_record,
    projected,
    running_record,
    small_study,
    trials_in,
)
from tests.support.command_line import TINY, invoke
from tests.support.documentation import part
from tests.support.postgres import ENCODED, PASSWORD, Postgres

STUDY = small_study()
SPACE = STUDY.space
RECORDS = [ended_record(number) for number in range(4)] + [running_record(4)]
SECRETS = (PASSWORD, ENCODED, "eyes")


@pytest.fixture(scope="module")
def server():
    """A running server; a test that stops it starts it again."""
    running = Postgres()
    try:
        running.start()
        yield running
    finally:
        running.close()


@pytest.fixture
def database(server):
    """The address of the server's database, without studies."""
    if server.execute("SELECT to_regclass('studies')") != [(None,)]:  # new tables would take half a second
        server.execute("TRUNCATE studies CASCADE")
    return server.url()


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(server_study, "WAIT_SECONDS", 0.3)
    monkeypatch.setattr(server_study, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(server_study, "SHARE", 0)


def folder_of(path, records=(), name="attacked"):
    folder = StudyFolder(path / name)
    folder.write_study({"name": name})
    for record in records:
        folder.write_record(record)
    return folder


def opened(folder, storage, say=None, records=None):
    projection = ServerProjection(folder, storage, SPACE, say or (lambda text: None))
    projection.open(folder.records() if records is None else records)
    return projection


def expected(tmp_path, records, name="expected"):
    """Return the trials as study.db tells them."""
    from sweep.store import OptunaProjection

    folder = folder_of(tmp_path, name=name)
    projection = OptunaProjection(folder.database, "attacked", SPACE)
    projection.open(records)
    projection.close()
    return projected(folder)


@contextlib.contextmanager
def storage_of(database):
    """The database as Optuna opens it."""
    storage = optuna.storages.RDBStorage(database)
    yield storage
    storage.remove_session()
    storage.engine.dispose()


def test_it_tells_what_study_db_tells_and_is_resumed(tmp_path, database):
    folder = folder_of(tmp_path)
    projection = opened(folder, database)
    for number in range(3):
        folder.write_record(running_record(number))
        projection.start(running_record(number))
        folder.write_record(ended_record(number))
        projection.settle(ended_record(number))
    projection.settle(replace(ended_record(0), rollout_error=0.9))  # late: changes nothing
    projection.close()
    assert trials_in(database) == expected(tmp_path, RECORDS[:3])
    for record in RECORDS[3:]:
        folder.write_record(record)
    opened(folder, database).close()  # a killed driver did not write them
    assert trials_in(database) == expected(tmp_path, RECORDS, "more")


def test_a_contradiction_is_rebuilt_from_the_folders_and_said_once(tmp_path, server, database):
    folder, messages = folder_of(tmp_path, RECORDS), []
    opened(folder, database).close()
    server.execute("UPDATE trial_values SET value = 0.9")
    opened(folder, database, messages.append).close()
    assert len(messages) == 1
    assert "was rebuilt from the trial folders: it has COMPLETE 0.9 for trial 0" in messages[0]
    assert trials_in(database) == expected(tmp_path, RECORDS)
    opened(folder, database, messages.append).close()
    assert len(messages) == 1


def test_a_study_that_was_deleted_there_is_written_again(tmp_path, database):
    folder = folder_of(tmp_path, RECORDS)
    opened(folder, database).close()
    with storage_of(database) as storage:
        optuna.delete_study(study_name="attacked", storage=storage)
    opened(folder, database).close()
    assert trials_in(database) == expected(tmp_path, RECORDS)


def test_two_users_have_their_studies_in_one_database(tmp_path, server, database):
    server.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    server.execute("CREATE ROLE alice LOGIN PASSWORD 'a'")
    server.execute("CREATE ROLE bob LOGIN PASSWORD 'b'")
    server.execute("GRANT ALL ON SCHEMA public TO alice; GRANT USAGE ON SCHEMA public TO bob")
    alice, bob = folder_of(tmp_path / "a", RECORDS), folder_of(tmp_path / "b", RECORDS[:2], "hers")
    opened(alice, server.url("alice", "a")).close()
    with pytest.raises(StoreError, match=r"cannot use bob@127\.0\.0\.1.*permission denied"):
        opened(bob, server.url("bob", "b"))
    for kind in ("TABLES", "SEQUENCES"):
        server.execute(f"GRANT ALL ON ALL {kind} IN SCHEMA public TO bob")
    opened(bob, server.url("bob", "b")).close()
    same_name = folder_of(tmp_path / "b", RECORDS[:2])
    with pytest.raises(
        UsageError, match=r"a study 'attacked' of another results folder: choose another name"
    ):
        opened(same_name, server.url("bob", "b"))
    assert len(trials_in(database, "attacked")) == len(RECORDS)
    assert len(trials_in(database, "hers")) == 2


def test_a_foreign_study_of_that_name_is_left_alone(tmp_path, database):
    with storage_of(database) as storage:
        study = optuna.create_study(storage=storage, study_name="attacked")
        study.add_trial(optuna.create_trial(value=7.0))
    with pytest.raises(UsageError, match="another results folder"):
        opened(folder_of(tmp_path, RECORDS), database)
    assert trials_in(database)[0]["value"] == 7.0


def test_a_server_that_restarts_or_is_away_delays_warns_once_and_misses_nothing(tmp_path, server, database):
    folder, messages = folder_of(tmp_path), []
    projection = opened(folder, database, messages.append)

    def add(record):
        folder.write_record(record)
        (projection.settle if record.settled else projection.start)(record)

    add(running_record(0))
    server.stop()
    server.start()
    add(ended_record(0))  # at the first write after a restart
    assert messages == []
    server.stop()
    for record in (running_record(1), ended_record(1), running_record(2)):
        add(record)
    assert len(messages) == 1
    assert "cannot be written" in messages[0]
    server.start()
    add(ended_record(2))
    assert len(messages) == 2
    assert messages[1].endswith("is up to date again")
    server.stop()
    add(running_record(3))
    projection.close()  # away to the end
    server.start()
    assert "the next run with --storage adds them" in messages[-1]
    assert len(messages) == 4
    opened(folder, database).close()
    assert trials_in(database) == expected(tmp_path, [*RECORDS[:3], running_record(3)])


def test_a_server_that_is_away_at_the_start_may_come_later(tmp_path, server, database):
    folder, messages = folder_of(tmp_path, RECORDS[:2]), []
    server.stop()
    projection = opened(folder, database, messages.append)
    server.start()
    folder.write_record(RECORDS[2])
    projection.start(RECORDS[2])
    projection.close()
    assert len(messages) == 2
    assert trials_in(database) == expected(tmp_path, RECORDS[:3])


def test_a_lock_or_a_hanging_server_is_not_waited_for_for_ever(tmp_path, server, database, monkeypatch):
    import psycopg

    monkeypatch.setitem(
        server_study.Server.__init__.__globals__["CONNECTION"], "options", "-c statement_timeout=200"
    )
    folder, messages = folder_of(tmp_path, RECORDS[:1]), []
    projection = opened(folder, database, messages.append)
    with psycopg.connect(database.replace("+psycopg", "")) as blocker:
        blocker.execute("LOCK TABLE trials")
        folder.write_record(RECORDS[1])
        projection.start(RECORDS[1])
        assert len(messages) == 1
        assert "statement timeout" in messages[0]
    projection.close()
    assert trials_in(database) == expected(tmp_path, RECORDS[:2])


REFUSED = {
    "wrong password": lambda s: s.url(password="Secret1"),
    "no such user": lambda s: s.url("nobody", "Secret1"),
    "no such database": lambda s: s.url(database="nowhere"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_the_server_refuses_is_one_line_without_the_password(tmp_path, server, kind):
    with pytest.raises(StoreError, match=r"cannot use .*@127\.0\.0\.1.*check user, password") as raised:
        opened(folder_of(tmp_path), REFUSED[kind](server))
    assert not any(secret in str(raised.value) for secret in (*SECRETS, "Secret1"))
    assert "\n" not in str(raised.value)
    assert raised.value.__cause__ is None


@pytest.mark.parametrize(
    "text",
    [
        "sqlite:///Secret1.db", "user:Secret1@host/db", "mysql://u:Secret1@host/db", "postgresql://u:Secret1@h/d",
        "postgresql+psycopg://u:p@Secret1@host/db", "postgresql+psycopg://u:Secret1@host", "", "Secret1",
        "postgresql+psycopg://u:x@h:Secret1/db", "postgresql+psycopg://u:x@Secret1 h/db",
    ],
)  # fmt: skip
def test_another_address_is_refused_without_repeating_it(text):
    with pytest.raises(UsageError, match=r"--storage: wanted postgresql\+psycopg://") as raised:
        server_address(text)
    assert "Secret1" not in str(raised.value)


def test_an_address_shows_no_password():
    address = server_address("postgresql+psycopg://u:Sec%40ret1@h:5/db?sslpassword=Secret2")
    assert str(address) == "u@h:5/db"
    assert "ret" not in repr(address)
    assert address.masked("no Sec@ret1, no Secret2") == "no ***, no ***"


def commands_of(page, heading):
    """The commands of the first block of a part of the documentation."""
    block = re.search(r"```sh\n(.*?)```", part(page, heading), re.DOTALL)
    return [shlex.split(line, comments=True) for line in block[1].splitlines()]


def test_the_example_of_the_documentation_runs(tmp_path, server, database, monkeypatch):
    (install, export, run, trials), port = (
        commands_of("storage.md", "A team can watch its studies in one PostgreSQL database"),
        str(server.port),
    )
    assert install == ["pip", "install", "sweep[postgres]"]
    assert (export[0], trials[0]) == ("export", "optuna")
    key, _, address = export[1].partition("=")
    monkeypatch.setenv(key, address.replace("ann@db.example.org/sweep", f"admin@127.0.0.1:{port}/postgres"))
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    (tmp_path / "sine").mkdir()
    (tmp_path / "sine/baselines.json").write_text('{"baselines": {}}')
    here = ["--trials", "1", "--no-confirm", "--results", str(tmp_path), "--executor", "inline"]
    done = invoke(*run[1:], *here, *TINY)
    assert done.exit_code == 0, done.stderr
    assert [option for option in trials if option.startswith("--")] == ["--storage", "--study-name"]
    assert len(trials_in(os.environ[key], trials[-1])) == 1


def test_a_run_on_the_command_line_leaves_the_password_nowhere(tmp_path, database, monkeypatch, caplog):
    caplog.set_level(logging.DEBUG)
    (tmp_path / "sine").mkdir()
    (tmp_path / "sine/baselines.json").write_text('{"baselines": {}}')
    words = [
        "run",
        "sine",
        "--trials",
        "2",
        "--no-confirm",
        "--results",
        str(tmp_path),
        "--executor",
        "inline",
    ]
    monkeypatch.setenv("SWEEP_STORAGE", database)
    done = invoke(*words, *TINY)
    assert done.exit_code == 0, done.stderr
    assert not (tmp_path / "sine/study.db").exists()
    records = StudyFolder(tmp_path / "sine").records()
    assert [(t["number"], t["value"]) for t in trials_in(database, "sine")] == [
        (r.number, r.rollout_error) for r in records
    ]
    texts = [done.stdout, done.stderr, caplog.text]
    texts += [path.read_bytes().decode("latin-1") for path in tmp_path.rglob("*") if path.is_file()]
    assert not [secret for secret in SECRETS for text in texts if secret in text]
    monkeypatch.delenv("SWEEP_STORAGE")
    assert invoke(*words, *TINY).exit_code == 0  # without a server: study.db has them all
    assert len(projected(StudyFolder(tmp_path / "sine"))) == 2
    assert [comparable(r) for r in StudyFolder(tmp_path / "sine").records()] == [
        comparable(r) for r in records
    ]
    assert json.loads((tmp_path / "sine/storage.json").read_text()).keys() == {"folder"}
