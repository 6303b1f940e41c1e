"""The study in a PostgreSQL database: connecting, who owns it, transactions, and the reasons of failures."""

import contextlib
from typing import Any

import optuna
from optuna.storages import RDBStorage
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from sweep.config.errors import UsageError
from sweep.store.database import DATABASE_ERRORS
from sweep.store.server_url import DRIVER, ServerAddress
from sweep.store.study_tables import StudyTables

OWNER = "sweep_folder"  # the attribute of the study that names its results folder
CONNECT_SECONDS = 3  # our choice: a study must stop within 10 s, also when nothing answers
STATEMENT_SECONDS = 20  # longest time of a statement, also of one that waits for a lock; our choice
# Keep-alive packets find a server that vanished without a word within about 10 s.
CONNECTION: dict[str, Any] = {
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 4,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "application_name": "sweep",
    "options": f"-c statement_timeout={STATEMENT_SECONDS}s",
}
# SQLSTATE classes of a server that is there and will serve again: connection, resources, operator intervention,
# transaction rollback, object in use. Source: PostgreSQL, appendix A.
PASSING = ("08", "53", "57", "40", "55")
PASSING_WORDS = ("starting up", "shutting down", "recovery", "too many", "connection slots")
SERVER_ERRORS = (*DATABASE_ERRORS, OSError)


class Server(StudyTables):
    """One study in a database, which may hold the studies of others. Nothing of theirs is changed."""

    lost = (SQLAlchemyError,)

    def __init__(self, address: ServerAddress, name: str, owner: str) -> None:
        """Name a study.

        Args:
            address: of the database.
            name: of the study.
            owner: a text that no other results folder has.

        Raises:
            UsageError: psycopg is not installed.
        """
        self.address = address
        self.name = name
        self.owner = owner
        self._connect = address.connector(CONNECTION)
        self._connections: list[Any] = []
        self._study: optuna.Study | None = None

    @property
    def study(self) -> optuna.Study:
        """Return the study of the open connection."""
        assert self._study is not None, "the connection is not open"
        return self._study

    def open(self) -> None:
        """Connect; create Optuna's tables and the study where they are missing.

        Raises:
            UsageError: the study there belongs to another results folder.
            Exception: one of SERVER_ERRORS.
        """
        self.close()
        try:
            # The connections are made here, so that no engine knows the password.
            storage = RDBStorage(
                f"{DRIVER}://", engine_kwargs={"creator": self._connection, "poolclass": NullPool}
            )
            self._study = self._loaded(storage)
        except BaseException:
            self.close()
            raise

    def empty(self) -> None:
        """Remove the study's trials."""
        storage = self.study._storage
        optuna.delete_study(study_name=self.name, storage=storage)
        self._study = self._created(storage)

    def close(self) -> None:
        """Close the connections."""
        if self._study is not None:
            with contextlib.suppress(*SERVER_ERRORS):  # the server may be gone
                self.backend.remove_session()
            self._study = None
        for connection in self._connections:
            connection.close()
        self._connections.clear()

    def _begin(self, connection: Any) -> None:
        connection.begin()

    def _loaded(self, storage: Any) -> optuna.Study:
        if self.name not in optuna.get_all_study_names(storage):
            return self._created(storage)
        study = optuna.load_study(study_name=self.name, storage=storage)
        if study.user_attrs.get(OWNER) != self.owner:
            raise UsageError(
                f"{self.address} has a study {self.name!r} of another results folder: choose another name "
                f"(--name), or remove that study with `optuna delete-study --study-name {self.name}`"
            )
        return study

    def _created(self, storage: Any) -> optuna.Study:
        study = optuna.create_study(storage=storage, study_name=self.name, direction="minimize")
        study.set_user_attr(OWNER, self.owner)
        return study

    def _connection(self) -> Any:
        self._connections = [connection for connection in self._connections if not connection.closed]
        connection = self._connect()
        self._connections.append(connection)
        return connection

    def reason_of(self, error: BaseException) -> str:
        """Return an error of the server as one line, without statement and password."""
        text = str(_cause(error)).strip().split("\n", 1)[0]
        return self.address.masked(text) or type(error).__name__


def is_refusal(error: BaseException) -> bool:
    """Return whether the server answered, and would answer the same again: a wrong password, a missing right."""
    cause = _cause(error)
    state = getattr(cause, "sqlstate", None)
    if state is not None:
        return not state.startswith(PASSING)
    text = str(cause)  # of a failed connection, which has no code
    return "FATAL" in text and not any(word in text for word in PASSING_WORDS)


def _cause(error: BaseException) -> BaseException:
    """Return the error of the driver among an error and its causes, else the last cause."""
    while not hasattr(error, "sqlstate") and error.__cause__ is not None:
        error = error.__cause__
    return error
