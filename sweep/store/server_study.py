"""The Optuna study on a database server, a projection of the records of its trials that a team can watch."""

import time
import uuid
from collections.abc import Callable, Sequence

from sweep.config.errors import StoreError, UsageError
from sweep.config.records import TrialRecord
from sweep.config.space import Space
from sweep.store.folder import StudyFolder
from sweep.store.optuna_rows import OptunaRows
from sweep.store.optuna_study import rebuilt_text
from sweep.store.server import SERVER_ERRORS, Server, is_refusal
from sweep.store.server_url import server_address
from sweep.store.study_tables import without_warnings

WAIT_SECONDS = 3.0  # how long the beginning and the end of a run wait for the server; our choice
PAUSE_SECONDS = 5.0  # shortest time between two attempts while it is away; our choice
SHARE = 10  # an attempt takes at most this part of the time: one of 3 s is followed by 30 s; our choice


class ServerProjection:
    """The study on a PostgreSQL server. A server that is away delays a run by seconds and never ends it.

    What the server misses is added as soon as it answers, from the trial folders, or by the next run. `say` tells
    once that it is away, and once that it is back.
    """

    def __init__(
        self,
        folder: StudyFolder,
        storage: str,
        space: Space,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        """Name the study.

        Args:
            folder: of the study; it must exist.
            storage: address of the database.
            space: of the study.
            say: called with messages.

        Raises:
            UsageError: the address is invalid, or psycopg is not installed.
        """
        self.say = say
        self._folder = folder
        self._server = Server(server_address(storage), folder.name, _owner(folder))
        self._rows = OptunaRows(self._server, space)
        self._is_away = False
        self._next_attempt = 0.0  # time.monotonic()

    @property
    def title(self) -> str:
        """Return the study's name and place."""
        return f"the study {self._server.name!r} on {self._server.address}"

    def open(self, records: Sequence[TrialRecord]) -> None:
        """Connect and make the study there agree with the records; a server that does not answer may come later.

        Args:
            records: by number, rising.

        Raises:
            UsageError: the study there belongs to another results folder.
            StoreError: the server refuses: user, password, database or rights are wrong.
        """
        give_up = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                self._connect(records)
                return
            except SERVER_ERRORS as error:
                self._server.close()
                if is_refusal(error):
                    raise StoreError(
                        f"cannot use {self._server.address}: {self._server.reason_of(error)}; check user, password, "
                        "database and rights, or leave out --storage"
                    ) from None
                if time.monotonic() > give_up:
                    self._wait_for_it(error, 0.0)
                    return
            time.sleep(0.2)

    def start(self, record: TrialRecord) -> None:
        """Add all of a trial: a running one, or one that failed before it ran."""
        self._write(lambda: self._rows.add(record))

    def settle(self, record: TrialRecord) -> None:
        """Add the result of a running trial; a trial that has ended is not changed."""
        self._write(lambda: self._rows.finish(record))

    def close(self) -> None:
        """Close the connection; a server that is away is waited for a little first."""
        give_up = time.monotonic() + WAIT_SECONDS
        while self._is_away and time.monotonic() < give_up:
            self._next_attempt = 0.0
            self._come_back()
            if self._is_away:
                time.sleep(0.2)
        if self._is_away:
            self.say(
                f"{self.title} lacks results: the next run with --storage adds them from the trial folders"
            )
        self._server.close()

    def _connect(self, records: Sequence[TrialRecord]) -> None:
        with without_warnings():  # Optuna prints the statements that fail
            self._server.open()
            contradiction = self._rows.agree(records)
        if contradiction is not None:
            self.say(rebuilt_text(contradiction, self.title))

    def _write(self, write: Callable[[], None]) -> None:
        if not self._is_away:
            began = time.monotonic()
            try:
                write()
                return
            except SERVER_ERRORS as error:
                self._wait_for_it(error, time.monotonic() - began)
                self._next_attempt = 0.0  # it may have restarted
        self._come_back()

    def _come_back(self) -> None:
        """Connect again if it is time to; what is missing comes from the folders, the last change included."""
        began = time.monotonic()
        if began < self._next_attempt:
            return
        try:
            self._connect(self._folder.readable_records()[0])
        except (UsageError, *SERVER_ERRORS) as error:
            self._wait_for_it(error, time.monotonic() - began)
            return
        self._is_away = False
        self.say(f"{self.title} is up to date again")

    def _wait_for_it(self, error: BaseException, seconds: float) -> None:
        """Note that the server is away; the next attempt follows the longer, the longer this one took."""
        self._server.close()
        if not self._is_away:
            reason = self._server.reason_of(error)
            self.say(
                f"{self.title} cannot be written ({reason}): the run continues and adds the results later"
            )
        self._is_away = True
        self._next_attempt = time.monotonic() + max(PAUSE_SECONDS, SHARE * seconds)


def _owner(folder: StudyFolder) -> str:
    """Return the text in storage.json that tells this results folder from all others; the first use stores it.

    Raises:
        StoreError: the file is damaged, or cannot be written.
    """
    stored = folder.read_document("storage")
    if stored is None:
        stored = {"folder": uuid.uuid4().hex}
        folder.write_document("storage", stored)
    owner = stored.get("folder")
    if not isinstance(owner, str):
        raise StoreError(
            f"{folder.path / 'storage.json'} is damaged: it names no folder; remove it, and the study on the server "
            "with `optuna delete-study`"
        )
    return owner
