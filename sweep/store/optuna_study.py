"""The Optuna study of a folder: a projection of the trial records for the Optuna world."""

import contextlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, distribution_to_json
from optuna.storages import RDBStorage
from optuna.storages._rdb import models
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from sweep.config.errors import StoreError
from sweep.config.ranges import Value
from sweep.config.records import TrialRecord
from sweep.config.space import Space

LOCK_SECONDS = 120.0  # how long a write waits for somebody else's lock on the database
ATTEMPT_SECONDS = 2.0  # of it at a time; then it says that it waits
STATES = {
    "running": TrialState.RUNNING,
    "complete": TrialState.COMPLETE,
    "diverged": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "failed": TrialState.FAIL,
}
DATABASE_ERRORS = (
    sqlite3.Error,
    SQLAlchemyError,
    optuna.exceptions.OptunaError,
    RuntimeError,
    KeyError,
    ValueError,
    AssertionError,  # Optuna's way of saying that a table lacks a row
)


class OptunaProjection:
    """study.db: SQLite in WAL mode, one writer and free readers. It can always be made again.

    Each change is one transaction: a reader sees a trial whole or not at all.
    """

    def __init__(
        self, path: Path, name: str, space: Space, say: Callable[[str], None] = lambda text: None
    ) -> None:
        self.path = path
        self.name = name
        self.space = space
        self.say = say
        self._study: optuna.Study | None = None

    def open(self, records: Sequence[TrialRecord]) -> str | None:
        """Open the database and let it tell what the records tell.

        What a killed driver had no time to tell is made up for. Where it contradicts the records it is
        made again, in one transaction; where it is damaged, as a new file.

        Args:
            records: by number, rising; a number may be missing, where a damaged record was put aside.

        Returns:
            Why it was made again; None where it was sound or new.

        Raises:
            StoreError: the path cannot be written, or another program locks it all the time.
        """
        reason = self._opened()
        try:
            with self._at_once():
                contradiction = self._contradiction(records)
                if contradiction is not None:
                    optuna.delete_study(study_name=self.name, storage=self._study_open._storage)
                    self._study = self._loaded(self._study_open._storage)
                self._catch_up(records)
        except DATABASE_ERRORS as error:
            raise StoreError(f"cannot write {self.path}: {error}") from error
        return reason or contradiction

    def start(self, record: TrialRecord) -> None:
        """Add a trial, whole: a running one, or one that failed before it ran."""
        self._guarded(lambda: self._add(record))

    def settle(self, record: TrialRecord) -> None:
        """Tell how a running trial ended; one that has ended already is left alone."""
        self._guarded(lambda: self._tell(record))

    def close(self) -> None:
        """Let go of the database."""
        if self._study is not None:
            backend = self._backend
            backend.remove_session()
            backend.engine.dispose()
            self._study = None

    # --- writing ---------------------------------------------------------------------------------

    # In the tables of Optuna's own models, since its calls query them before each single value: 30 ms a trial.

    def _add(self, record: TrialRecord) -> None:
        trial, known = self._trial(record), self._row(record.number)
        if known is None:
            self._insert(record.number, trial)
        elif not known.state.is_finished():  # a placeholder, or a trial whose record was put aside
            session = self._backend.scoped_session()
            if not session.query(models.TrialParamModel).filter_by(trial_id=known.trial_id).count():
                self._insert_params(known.trial_id, trial)
            self._set_attributes(known.trial_id, trial.user_attrs)
            if record.settled:
                self._tell(record)

    def _insert(self, number: int, trial: FrozenTrial) -> None:
        session = self._backend.scoped_session()
        row: Any = models.TrialModel(study_id=self._study_open._study_id, number=number, state=trial.state)
        row.datetime_start, row.datetime_complete = trial.datetime_start, trial.datetime_complete
        session.add(row)
        session.flush()
        self._insert_params(row.trial_id, trial)
        session.add_all(
            models.TrialUserAttributeModel(trial_id=row.trial_id, key=key, value_json=json.dumps(value))
            for key, value in trial.user_attrs.items()
        )
        self._insert_value(row.trial_id, trial.value)

    def _insert_params(self, trial_id: int, trial: FrozenTrial) -> None:
        self._backend.scoped_session().add_all(
            models.TrialParamModel(
                trial_id=trial_id,
                param_name=name,
                param_value=distribution.to_internal_repr(trial.params[name]),
                distribution_json=distribution_to_json(distribution),
            )
            for name, distribution in trial.distributions.items()
        )

    def _insert_value(self, trial_id: int, value: float | None) -> None:
        if value is not None:
            kind = models.TrialValueModel.TrialValueType.FINITE
            row = models.TrialValueModel(trial_id=trial_id, objective=0, value=value, value_type=kind)
            self._backend.scoped_session().add(row)

    def _set_attributes(self, trial_id: int, attributes: Mapping[str, Any]) -> None:
        session = self._backend.scoped_session()
        rows = session.query(models.TrialUserAttributeModel).filter_by(trial_id=trial_id)
        known: dict[str, Any] = {str(row.key): row for row in rows}
        for key, value in attributes.items():
            if key not in known:
                known[key] = models.TrialUserAttributeModel(trial_id=trial_id, key=key)
                session.add(known[key])
            known[key].value_json = json.dumps(value)

    def _tell(self, record: TrialRecord) -> None:
        row = self._row(record.number)
        if row is None:
            raise KeyError(f"it has no trial {record.number}")
        if row.state.is_finished():
            return
        self._set_attributes(row.trial_id, self._attributes(record))
        self._insert_value(row.trial_id, record.rollout_error)
        row.state = STATES[record.state]
        row.datetime_complete = datetime.now()

    def _row(self, number: int) -> Any:
        """Return the row of a trial, None where there is none."""
        session = self._backend.scoped_session()
        study_id = self._study_open._study_id
        return session.query(models.TrialModel).filter_by(study_id=study_id, number=number).one_or_none()

    def _catch_up(self, records: Sequence[TrialRecord]) -> None:
        """Add the trials that the database lacks, and tell the ends that it has not heard of."""
        told = self._study_open.get_trials(deepcopy=False)
        known, expected = {record.number: record for record in records}, len(told)
        for trial in told:
            record = known.get(trial.number)
            if record is not None and record.settled and not trial.state.is_finished():
                self._tell(record)
        for record in records:
            while expected < record.number:  # keep the numbers right: this trial is yet to be run again
                self._insert(expected, optuna.create_trial(state=TrialState.RUNNING))
                expected += 1
            if record.number == expected:
                self._insert(record.number, self._trial(record))
                expected += 1

    def _contradiction(self, records: Sequence[TrialRecord]) -> str | None:
        """Return what the database tells that the records do not, None if there is nothing."""
        trials = {trial.number: trial for trial in self._study_open.get_trials(deepcopy=False)}
        last = records[-1].number if records else -1
        if len(trials) > last + 1:
            return f"it has {len(trials)} trials, the folders have {last + 1}"
        for record in records:
            trial = trials.get(record.number)
            if trial is None or (trial.state is TrialState.RUNNING and not trial.params):
                continue
            expected = (STATES[record.state], record.rollout_error if record.settled else None)
            params, _ = sampled(self.space, record.params)
            if trial.params != params or (
                trial.state.is_finished() and (trial.state, trial.value) != expected
            ):
                return f"it says {trial.state.name} {trial.value} of trial {record.number}"
        return None

    def _trial(self, record: TrialRecord) -> FrozenTrial:
        params, distributions = sampled(self.space, record.params)
        origin: dict[str, Any] = {"origin": record.origin}
        if "seed" in record.config:
            origin["seed"] = str(record.config["seed"])
        return optuna.create_trial(
            state=STATES[record.state],
            value=record.rollout_error if record.settled else None,
            params=params,
            distributions=distributions,
            user_attrs=origin | self._attributes(record),
        )

    def _attributes(self, record: TrialRecord) -> dict[str, Any]:
        if not record.settled:
            return {}
        attributes: dict[str, Any] = {"state": record.state, "sequence_steps": record.sequence_steps}
        if record.scores is not None:
            attributes |= {
                "valid_steps": record.scores.valid_steps,
                "one_step_error": record.scores.one_step_error,
            }
        if record.reason:
            attributes["reason"] = record.reason
        return attributes

    # --- the database ----------------------------------------------------------------------------

    @property
    def _study_open(self) -> optuna.Study:
        if self._study is None:
            self._connect()
        assert self._study is not None
        return self._study

    @property
    def _backend(self) -> RDBStorage:
        storage: Any = self._study_open._storage
        backend: RDBStorage = getattr(storage, "_backend", storage)
        return backend

    def _opened(self) -> str | None:
        """Connect, to a new file where the old one is beyond use; return why it was, None if it was not."""
        reason = self._damage() if self.path.exists() else None
        if reason is None:
            try:
                self._connect()
                return None
            except StoreError as error:
                reason = f"it cannot be read: {error.__cause__}"
                if not self.path.exists() or _is_locked(error.__cause__):
                    raise
        self.close()
        try:
            for suffix in ("", "-wal", "-shm", "-journal"):
                Path(f"{self.path}{suffix}").unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(
                f"cannot remove {self.path}, which is damaged: {error.strerror or error}"
            ) from error
        self._connect()
        return reason

    def _damage(self) -> str | None:
        try:
            with contextlib.closing(self._connection()) as connection:
                (verdict,) = self._patiently(lambda: connection.execute("PRAGMA integrity_check").fetchone())
        except sqlite3.Error as error:
            if _is_locked(error):
                raise StoreError(f"cannot read {self.path}: {error}") from error
            return f"it cannot be read: {error}"
        return None if verdict == "ok" else f"it is damaged: {verdict}"

    def _connect(self) -> None:
        try:
            with contextlib.closing(self._connection()) as connection:
                self._patiently(lambda: connection.execute("PRAGMA journal_mode=WAL").fetchone())
            self._study = self._patiently(lambda: self._loaded(self._storage()))
        except (*DATABASE_ERRORS, OSError) as error:
            raise StoreError(f"cannot open {self.path}: {error}") from error

    def _storage(self) -> RDBStorage:
        # The path goes in by the connection, so that no character of it means anything in a URL.
        return RDBStorage("sqlite:///study.db", engine_kwargs={"creator": self._connection})

    def _loaded(self, storage: Any) -> optuna.Study:
        if self.name in optuna.get_all_study_names(storage):
            return optuna.load_study(study_name=self.name, storage=storage)
        verbosity = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        try:
            return optuna.create_study(storage=storage, study_name=self.name, direction="minimize")
        finally:
            optuna.logging.set_verbosity(verbosity)

    def _connection(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=ATTEMPT_SECONDS, check_same_thread=False)
        try:
            self._patiently(lambda: connection.execute("PRAGMA synchronous=FULL"))
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    @contextlib.contextmanager
    def _at_once(self) -> Iterator[None]:
        """Make one transaction of what Optuna would commit piece by piece: faster, and never half done."""
        backend = self._backend
        backend.remove_session()
        with backend.engine.connect() as connection:
            self._patiently(lambda: connection.exec_driver_sql("BEGIN IMMEDIATE"), connection.rollback)
            backend.scoped_session.configure(bind=connection, join_transaction_mode="rollback_only")
            try:
                yield
                backend.scoped_session().flush()
                connection.commit()
            finally:
                connection.rollback()
                backend.remove_session()
                backend.scoped_session.configure(
                    bind=backend.engine, join_transaction_mode="conditional_savepoint"
                )

    def _patiently(self, attempt: Callable[[], Any], undo: Callable[[], None] = lambda: None) -> Any:
        """Return what the attempt returns, waiting while another program holds the database."""
        give_up = time.monotonic() + LOCK_SECONDS
        said = False
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
                if not said:
                    self.say(f"waiting for another program that has locked {self.path}")
                    said = True

    def _guarded(self, write: Callable[[], None]) -> None:
        try:
            with self._at_once():
                write()
        except DATABASE_ERRORS as error:
            raise StoreError(f"cannot write {self.path}: {error}") from error


def _is_locked(error: BaseException | None) -> bool:
    """Return whether somebody else's lock is behind an error."""
    while error is not None:
        if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
            return True
        error = error.__cause__
    return False


def sampled(space: Space, params: Mapping[str, Value]) -> tuple[dict[str, Any], dict[str, BaseDistribution]]:
    """Return parameters as Optuna names and holds them, and their distributions."""
    values: dict[str, Any] = {}
    distributions: dict[str, BaseDistribution] = {}
    for axis in space.axes:
        if axis.name in params:
            value = params[axis.name]
            key = axis.span.key(axis.name)
            values[key] = axis.span.sampled(tuple(value) if isinstance(value, list) else value)
            distributions[key] = axis.span.distribution()
    return values, distributions
