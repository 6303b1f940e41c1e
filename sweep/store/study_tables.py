"""An open study in the tables of Optuna, and transactions of what is written to them."""

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

import optuna
from optuna.storages import RDBStorage


class StudyTables(ABC):
    """One study in a database."""

    # Errors at the end of a transaction that are passed over, because the connection may be lost by then.
    lost: ClassVar[tuple[type[Exception], ...]] = ()

    @property
    @abstractmethod
    def study(self) -> optuna.Study:
        """Return the study."""

    @abstractmethod
    def empty(self) -> None:
        """Remove the study's trials."""

    @abstractmethod
    def _begin(self, connection: Any) -> None:
        """Begin a transaction on a connection."""

    @property
    def backend(self) -> RDBStorage:
        """Return Optuna's storage."""
        storage: Any = self.study._storage
        backend: RDBStorage = getattr(storage, "_backend", storage)
        return backend

    @property
    def session(self) -> Any:
        """Return the session of SQLAlchemy that writes; within `transaction` it is one transaction."""
        return self.backend.scoped_session()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Combine everything inside, which Optuna would commit in steps, into one transaction. It is also faster."""
        backend = self.backend
        backend.remove_session()
        with backend.engine.connect() as connection:
            self._begin(connection)
            backend.scoped_session.configure(bind=connection, join_transaction_mode="rollback_only")
            try:
                yield
                backend.scoped_session().flush()
                connection.commit()
            finally:
                with contextlib.suppress(*self.lost):
                    connection.rollback()
                    backend.remove_session()
                backend.scoped_session.configure(
                    bind=backend.engine, join_transaction_mode="conditional_savepoint"
                )


@contextlib.contextmanager
def without_warnings() -> Iterator[None]:
    """Let Optuna print errors only."""
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(verbosity)
