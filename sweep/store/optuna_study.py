"""The Optuna study of a folder: a projection of the trial records for the Optuna world."""

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.storages import RDBStorage
from optuna.trial import TrialState
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError

from sweep.config.errors import StoreError
from sweep.config.ranges import Value
from sweep.config.records import TrialRecord
from sweep.config.space import Space

LOCK_SECONDS = 120.0  # how long a write waits for somebody else's lock on the database
STATES = {
    "running": TrialState.RUNNING,
    "complete": TrialState.COMPLETE,
    "diverged": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "failed": TrialState.FAIL,
}


class OptunaProjection:
    """study.db: SQLite in WAL mode, one writer and free readers. It can always be made again."""

    def __init__(self, path: Path, name: str, space: Space) -> None:
        self.path = path
        self.name = name
        self.space = space
        self._study: optuna.Study | None = None

    def open(self, records: Sequence[TrialRecord]) -> str | None:
        """Open the database, making it again where it does not tell what the records tell.

        Returns:
            Why it was made again; None where it was sound or new.

        Raises:
            StoreError: the path cannot be written.
        """
        reason = None
        if self.path.exists():
            reason = self._mismatch(records)
            if reason is None:
                return None
        self.close()
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)
        self._connect()
        for record in records:
            self._study_open.add_trial(self._trial(record))
        return reason

    def start(self, record: TrialRecord) -> None:
        """Add a running trial, whole."""
        self._guarded(lambda: self._study_open.add_trial(self._trial(record)))

    def settle(self, record: TrialRecord) -> None:
        """Tell how a running trial ended."""

        def tell() -> None:
            study = self._study_open
            storage = study._storage
            trial_id = storage.get_trial_id_from_study_id_trial_number(study._study_id, record.number)
            if storage.get_trial(trial_id).state.is_finished():
                return
            for key, value in self._attributes(record).items():
                storage.set_trial_user_attr(trial_id, key, value)
            values = None if record.rollout_error is None else [record.rollout_error]
            storage.set_trial_state_values(trial_id, STATES[record.state], values)

        self._guarded(tell)

    def close(self) -> None:
        """Let go of the database."""
        if self._study is not None:
            storage: Any = self._study._storage
            getattr(storage, "_backend", storage).engine.dispose()
            self._study = None

    @property
    def _study_open(self) -> optuna.Study:
        if self._study is None:
            self._connect()
        assert self._study is not None
        return self._study

    def _connect(self) -> None:
        verbosity = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        try:
            with sqlite3.connect(self.path, timeout=LOCK_SECONDS) as connection:
                connection.execute("PRAGMA journal_mode=WAL")
            connection.close()
            storage = RDBStorage(
                f"sqlite:///{self.path}", engine_kwargs={"connect_args": {"timeout": LOCK_SECONDS}}
            )
            event.listen(storage.engine, "connect", _synchronous_full)
            storage.engine.dispose()
            self._study = optuna.create_study(
                storage=storage, study_name=self.name, direction="minimize", load_if_exists=True
            )
        except (sqlite3.Error, SQLAlchemyError, OSError) as error:
            raise StoreError(f"cannot open {self.path}: {error}") from error
        finally:
            optuna.logging.set_verbosity(verbosity)

    def _mismatch(self, records: Sequence[TrialRecord]) -> str | None:
        """Return how the database differs from the records, None if it does not."""
        try:
            with sqlite3.connect(self.path, timeout=LOCK_SECONDS) as connection:
                (verdict,) = connection.execute("PRAGMA integrity_check").fetchone()
            connection.close()
            if verdict != "ok":
                return f"it is damaged: {verdict}"
            self._connect()
            trials = self._study_open.get_trials(deepcopy=False)
        except (sqlite3.DatabaseError, StoreError, SQLAlchemyError, RuntimeError, ValueError) as error:
            return f"it cannot be read: {error}"
        if len(trials) != len(records):
            return f"it has {len(trials)} trials, the folders have {len(records)}"
        for trial, record in zip(trials, records, strict=True):
            told = (trial.state, trial.value if record.settled else None)
            if told != (STATES[record.state], record.rollout_error if record.settled else None):
                return f"it says {trial.state.name} {trial.value} of trial {record.number}"
        return None

    def _trial(self, record: TrialRecord) -> optuna.trial.FrozenTrial:
        params, distributions = sampled(self.space, dict(record.params))
        value = record.rollout_error if record.settled else None
        return optuna.create_trial(
            state=STATES[record.state],
            value=value,
            params=params,
            distributions=distributions,
            user_attrs=self._attributes(record),
        )

    def _attributes(self, record: TrialRecord) -> dict[str, Any]:
        if not record.settled:
            return {"origin": record.origin, "seed": str(record.config["seed"])}
        attributes: dict[str, Any] = {"state": record.state, "sequence_steps": record.sequence_steps}
        if record.scores is not None:
            attributes |= {
                "valid_steps": record.scores.valid_steps,
                "one_step_error": record.scores.one_step_error,
            }
        if record.reason:
            attributes["reason"] = record.reason
        return attributes

    def _guarded(self, write: Any) -> None:
        try:
            write()
        except (SQLAlchemyError, optuna.exceptions.StorageInternalError, KeyError) as error:
            raise StoreError(f"cannot write {self.path}: {error}") from error


def sampled(
    space: Space, params: Mapping[str, Value]
) -> tuple[dict[str, Any], dict[str, BaseDistribution]]:
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


def _synchronous_full(connection: Any, record: Any) -> None:
    connection.execute("PRAGMA synchronous=FULL")
