"""The SQLite file of an Optuna study: waiting for locks, detection of damage, transactions."""

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import RDBStorage
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from sweep.config.errors import StoreError
from sweep.store.files import require_inside
from sweep.store.study_tables import StudyTables, without_warnings

LOCK_SECONDS = 120.0  # longest time to wait for another program's lock on the database
ATTEMPT_SECONDS = 2.0  # time of one attempt; after the first one it reports that it waits
SUFFIXES = ("", "-wal", "-shm", "-journal")  # of the files of a database
DATABASE_ERRORS = (
    sqlite3.Error,
    SQLAlchemyError,
    optuna.exceptions.OptunaError,
    AssertionError,  # raised by Optuna if a table lacks a row
    AttributeError,
    LookupError,
    OverflowError,
    RuntimeError,
    TypeError,
    ValueError,  # also a text that is not UTF-8
)


class Database(StudyTables):
    """One study in a file in WAL mode, with one writer and any readers. `say` is called when it has to wait."""

    def __init__(self, path: Path, name: str, say: Callable[[str], None]) -> None:
        self.path = path
        self.name = name
        self.say = say
        self._study: optuna.Study | None = None
        self._connections: list[sqlite3.Connection] = []  # all that the storage uses
        self._file: tuple[int, int] | None = None  # device and inode of the open file

    @property
    def study(self) -> optuna.Study:
        """Return the study; the first use opens the database."""
        if self._study is None:
            self._connect()
        assert self._study is not None
        return self._study

    @property
    def is_gone(self) -> bool:
        """Return whether the open file has been removed or replaced: what is written to it now is lost."""
        return self._file is not None and self._file != _identity(self.path)

    def open(self) -> str | None:
        """Open the database, or replace it by a new file if it is damaged.

        Returns:
            The reason why it was replaced, None if it was not.

        Raises:
            StoreError: the path cannot be written, or another program keeps it locked.
        """
        for suffix in SUFFIXES:  # SQLite follows links, also those beside the file
            require_inside(self.path.parent, Path(f"{self.path}{suffix}"))
        reason = self._damage() if self.path.exists() else None
        if reason is None:
            try:
                self._connect()
                return None
            except StoreError as error:
                if not self.path.exists() or not is_damage(error.__cause__):
                    raise
                reason = f"it cannot be read: {reason_of(error.__cause__)}"
        self.replace()
        return reason

    def replace(self) -> None:
        """Replace the file by a new one and open that.

        Raises:
            StoreError: the path cannot be written.
        """
        self.close()
        try:
            for suffix in SUFFIXES:
                Path(f"{self.path}{suffix}").unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(
                f"cannot remove {self.path}, which is damaged: {error.strerror or error}"
            ) from error
        self._connect()

    def empty(self) -> None:
        """Remove the study's trials."""
        storage = self.study._storage
        optuna.delete_study(study_name=self.name, storage=storage)
        self._study = self._loaded(storage)

    def close(self) -> None:
        """Close the file."""
        if self._study is not None:
            backend = self.backend
            backend.remove_session()
            backend.engine.dispose()
            self._study = None
        for connection in self._connections:  # if making the storage failed, they are not in its pool
            connection.close()
        self._connections.clear()
        self._file = None

    def _begin(self, connection: Any) -> None:
        self._retried(lambda: connection.exec_driver_sql("BEGIN IMMEDIATE"), connection.rollback)

    def _damage(self) -> str | None:
        try:
            with contextlib.closing(self._connection()) as connection:
                (verdict,) = self._retried(lambda: connection.execute("PRAGMA integrity_check").fetchone())
        except DATABASE_ERRORS as error:
            if not is_damage(error):
                raise StoreError(f"cannot read {self.path}: {reason_of(error)}") from error
            return f"it cannot be read: {reason_of(error)}"
        return None if verdict == "ok" else f"it is damaged: {verdict}"

    def _connect(self) -> None:
        try:
            with contextlib.closing(self._connection()) as connection:
                self._retried(lambda: connection.execute("PRAGMA journal_mode=WAL").fetchone())
            self._study = self._retried(lambda: self._loaded(self._storage()))
            self._file = _identity(self.path)
        except (*DATABASE_ERRORS, OSError) as error:
            self.close()
            raise StoreError(f"cannot open {self.path}: {reason_of(error)}") from error

    def _storage(self) -> RDBStorage:
        # The path is not part of the URL, in which some characters have a meaning.
        return RDBStorage("sqlite:///study.db", engine_kwargs={"creator": self._pooled})

    def _loaded(self, storage: Any) -> optuna.Study:
        if self.name in optuna.get_all_study_names(storage):
            return optuna.load_study(study_name=self.name, storage=storage)
        with without_warnings():
            return optuna.create_study(storage=storage, study_name=self.name, direction="minimize")

    def _pooled(self) -> sqlite3.Connection:
        connection = self._connection()
        self._connections.append(connection)
        return connection

    def _connection(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=ATTEMPT_SECONDS, check_same_thread=False)
        try:
            self._retried(lambda: connection.execute("PRAGMA synchronous=FULL"))
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _retried(self, attempt: Callable[[], Any], undo: Callable[[], None] = lambda: None) -> Any:
        """Return the result of the attempt, repeated while another program locks the database."""
        give_up = time.monotonic() + LOCK_SECONDS
        reported = False
        while True:
            try:
                return attempt()
            except (
                sqlite3.OperationalError,
                OperationalError,
                optuna.exceptions.StorageInternalError,
            ) as error:
                undo()
                if not _is_locked(error) or time.monotonic() > give_up:
                    raise
                if not reported:
                    self.say(f"waiting for another program that has locked {self.path}")
                    reported = True


def is_damage(error: BaseException | None) -> bool:
    """Return whether an error comes from the content of the file, not from a lock, the disk or permissions."""
    cause = _sqlite_error(error)
    if isinstance(cause, sqlite3.OperationalError):
        missing = getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR  # a table, a column
        return missing or "decode" in str(cause)  # a text is not UTF-8
    return isinstance(error, DATABASE_ERRORS)


def reason_of(error: BaseException | None) -> str:
    """Return an error of the database as one line, without the statement that caused it."""
    cause = _sqlite_error(error) or error
    return str(cause).strip().split("\n", 1)[0] or type(cause).__name__


def _is_locked(error: BaseException | None) -> bool:
    """Return whether the lock of another program is the cause of an error."""
    cause = _sqlite_error(error)
    return isinstance(cause, sqlite3.OperationalError) and "locked" in str(cause)


def _sqlite_error(error: BaseException | None) -> sqlite3.Error | None:
    """Return the error of SQLite among an error and its causes, None if there is none."""
    while error is not None and not isinstance(error, sqlite3.Error):
        error = error.__cause__
    return error


def _identity(path: Path) -> tuple[int, int] | None:
    """Return device and inode of a file, None if it does not exist."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino
