"""study.db: the Optuna study of a folder, a projection of the records of its trials for Optuna's tools."""

from collections.abc import Callable, Sequence
from pathlib import Path

from sweep.config.errors import StoreError
from sweep.config.records import TrialRecord
from sweep.config.space import Space
from sweep.store.database import DATABASE_ERRORS, Database, is_damage, reason_of
from sweep.store.folder import StudyFolder
from sweep.store.optuna_rows import OptunaRows


class OptunaProjection:
    """study.db: SQLite in WAL mode, with one writer and any readers. It can always be rebuilt from the records.

    If it is removed or damaged while the study runs, it is rebuilt from the trial folders beside it, and `say` tells.
    Each change is one transaction: a reader sees all of a trial or nothing.
    """

    def __init__(
        self, path: Path, name: str, space: Space, say: Callable[[str], None] = lambda text: None
    ) -> None:
        self.path = path
        self._database = Database(path, name, say)
        self._rows = OptunaRows(self._database, space)

    @property
    def say(self) -> Callable[[str], None]:
        """Return the function that is called with a message when the database is locked."""
        return self._database.say

    @say.setter
    def say(self, say: Callable[[str], None]) -> None:
        self._database.say = say

    def open(self, records: Sequence[TrialRecord]) -> str | None:
        """Open the database and make it agree with the records.

        Changes that a killed driver did not write are added. If the database contradicts the records, it is rebuilt in
        one transaction; if it is damaged or has foreign tables, it is rebuilt as a new file.

        Args:
            records: by number, rising; a number is missing if its damaged record was renamed.

        Returns:
            The reason why it was rebuilt, None if it was not.

        Raises:
            StoreError: the path cannot be written, or another program keeps it locked.
        """
        reason = self._database.open()
        try:
            try:
                contradiction = self._rows.agree(records)
                return reason or contradiction
            except DATABASE_ERRORS as error:
                if reason is not None or not is_damage(error):
                    raise
                self._database.replace()
                self._rows.agree(records)
                return f"it cannot be used: {reason_of(error)}"
        except BaseException as error:
            self.close()  # the caller gets an error and cannot close it
            if isinstance(error, DATABASE_ERRORS):
                raise StoreError(f"cannot write {self.path}: {reason_of(error)}") from error
            raise

    def start(self, record: TrialRecord) -> None:
        """Add all of a trial: a running one, or one that failed before it ran."""
        self._guarded(lambda: self._rows.add(record))

    def settle(self, record: TrialRecord) -> None:
        """Add the result of a running trial; a trial that has ended is not changed."""
        self._guarded(lambda: self._rows.finish(record))

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _guarded(self, write: Callable[[], None]) -> None:
        """Write; a database that was removed or damaged since it was opened is first rebuilt from the folders."""
        if self._database.is_gone:
            self._rebuild("it was removed while the study was running")
        try:
            try:
                write()
            except DATABASE_ERRORS as error:
                if not is_damage(error):
                    raise
                self._rebuild(f"it cannot be used: {reason_of(error)}")
                write()
        except DATABASE_ERRORS as error:
            raise StoreError(f"cannot write {self.path}: {reason_of(error)}") from error

    def _rebuild(self, reason: str) -> None:
        self._database.replace()
        self._rows.agree(StudyFolder(self.path.parent).records(whole=False))
        self.say(rebuilt_text(reason))


def rebuilt_text(reason: str, what: str = "study.db") -> str:
    """Return the message that the database, or a study in it, was rebuilt."""
    return f"{what} was rebuilt from the trial folders: {reason}"
