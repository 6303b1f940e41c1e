"""The rows of a study in the tables of Optuna, compared with the records of its trials and brought up to date."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, distribution_to_json
from optuna.storages._rdb import models
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import insert, select, update

from sweep.config.ranges import Value
from sweep.config.records import TrialRecord
from sweep.config.space import Space
from sweep.store.stored_trials import StoredTrial, stored_trials
from sweep.store.study_tables import StudyTables

STATES = {
    "running": TrialState.RUNNING,
    "complete": TrialState.COMPLETE,
    "diverged": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "failed": TrialState.FAIL,
}


class OptunaRows:
    """The trials of one study in the tables of a database. Each change is one transaction."""

    def __init__(self, tables: StudyTables, space: Space) -> None:
        self.tables = tables
        self.space = space
        self._distributions = {axis.key: distribution_to_json(axis.distribution) for axis in space.axes}
        self._keys: dict[int, int] = {}  # in the database, by number of the trial
        self._latest_key = 0

    def agree(self, records: Sequence[TrialRecord]) -> str | None:
        """Make the rows agree with the records; return how they contradicted them, None if they did not."""
        with self.tables.transaction():
            stored = stored_trials(self.tables.session, self.tables.study._study_id)
            contradiction = self._contradiction(records, stored)
            self._keys, self._latest_key = {}, 0
            for trial in stored if contradiction is None else ():
                self._know(trial.number, trial.key)
            if contradiction is not None:
                self.tables.empty()
                stored = []
            self._catch_up(records, stored)
        return contradiction

    def add(self, record: TrialRecord) -> None:
        """Add all of a trial: a running one, or one that failed before it ran."""
        with self.tables.transaction():
            self._add(record)

    def finish(self, record: TrialRecord) -> None:
        """Add the result of a running trial; a trial that has ended is not changed."""
        with self.tables.transaction():
            self._finish(record)

    # Directly into the tables of Optuna's models, because its calls query them before each value: 30 ms per trial.

    def _add(self, record: TrialRecord) -> None:
        trial, known = self._trial(record), self._row(record.number)
        if known is None:
            self._insert(record.number, trial)
        elif not known.state.is_finished():  # a placeholder, or a trial whose damaged record was renamed
            session = self.tables.session
            if not session.query(models.TrialParamModel).filter_by(trial_id=known.trial_id).count():
                self._insert_params(known.trial_id, trial)
            self._set_attributes(known.trial_id, trial.user_attrs)
            if record.settled:
                self._finish(record)

    def _insert(self, number: int, trial: FrozenTrial) -> None:
        row: Any = models.TrialModel()  # not added to the session: it converts the times
        row.datetime_start, row.datetime_complete = trial.datetime_start, trial.datetime_complete
        added = self.tables.session.execute(
            insert(models.TrialModel.__table__).values(
                study_id=self.tables.study._study_id,
                number=number,
                state=trial.state,
                datetime_start=row._datetime_start_utc,
                datetime_complete=row._datetime_complete_utc,
            )
        )
        (trial_id,) = added.inserted_primary_key
        self._know(number, trial_id)
        self._insert_params(trial_id, trial)
        self._insert_rows(
            models.TrialUserAttributeModel,
            [
                {"trial_id": trial_id, "key": key, "value_json": json.dumps(value)}
                for key, value in trial.user_attrs.items()
            ],
        )
        self._insert_value(trial_id, trial.value)

    def _know(self, number: int, key: int) -> None:
        self._keys[number] = key
        self._latest_key = max(self._latest_key, key)

    def _insert_params(self, trial_id: int, trial: FrozenTrial) -> None:
        self._insert_rows(
            models.TrialParamModel,
            [
                {
                    "trial_id": trial_id,
                    "param_name": name,
                    "param_value": distribution.to_internal_repr(trial.params[name]),
                    "distribution_json": self._distributions[name],
                }
                for name, distribution in trial.distributions.items()
            ],
        )

    def _insert_value(self, trial_id: int, value: float | None) -> None:
        if value is not None:
            kind = models.TrialValueModel.TrialValueType.FINITE
            row = {"trial_id": trial_id, "objective": 0, "value": value, "value_type": kind}
            self._insert_rows(models.TrialValueModel, [row])

    def _insert_rows(self, model: Any, rows: list[dict[str, Any]]) -> None:
        """Insert rows without objects, for each of which SQLAlchemy would query the trial."""
        if rows:
            self.tables.session.execute(insert(model.__table__), rows)

    def _set_attributes(self, trial_id: int, attributes: Mapping[str, Any]) -> None:
        session, own = self.tables.session, models.TrialUserAttributeModel.__table__
        known = set(session.execute(select(own.c.key).where(own.c.trial_id == trial_id)).scalars())
        rows = [
            {"trial_id": trial_id, "key": key, "value_json": json.dumps(value)}
            for key, value in attributes.items()
        ]
        for row in rows:
            if row["key"] in known:
                of_key = (own.c.trial_id == trial_id) & (own.c.key == row["key"])
                session.execute(update(own).where(of_key).values(value_json=row["value_json"]))
        self._insert_rows(models.TrialUserAttributeModel, [row for row in rows if row["key"] not in known])

    def _finish(self, record: TrialRecord) -> None:
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
        """Return the row of a trial, None if the database does not have it.

        The tables have no index by number: a trial is looked up by its key, or among those added since the latest.
        """
        session = self.tables.session
        study_id = self.tables.study._study_id
        query = session.query(models.TrialModel).filter_by(study_id=study_id, number=number)
        key = self._keys.get(number)
        if key is not None:
            return query.filter_by(trial_id=key).one_or_none()
        return query.filter(models.TrialModel.trial_id > self._latest_key).one_or_none()

    def _catch_up(self, records: Sequence[TrialRecord], stored: Sequence[StoredTrial]) -> None:
        """Add the trials and results that the database lacks.

        Args:
            records: by number, rising.
            stored: the trials that the database has, which do not contradict the records.
        """
        known, expected = {record.number: record for record in records}, len(stored)
        for trial in stored:
            record = known.get(trial.number)
            if record is not None and record.settled and not trial.state.is_finished():
                self._finish(record)
        for record in records:
            while (
                expected < record.number
            ):  # a placeholder keeps the numbers right until this trial runs again
                self._insert(expected, optuna.create_trial(state=TrialState.RUNNING))
                expected += 1
            if record.number == expected:
                self._insert(record.number, self._trial(record))
                expected += 1

    def _contradiction(self, records: Sequence[TrialRecord], stored: Sequence[StoredTrial]) -> str | None:
        """Return how the trials in the database contradict the records, None if they do not."""
        if self.tables.study.directions != [optuna.study.StudyDirection.MINIMIZE]:
            return "its study does not minimise"
        trials = {trial.number: trial for trial in stored}
        if sorted(trial.number for trial in stored) != list(range(len(stored))):
            return "it lacks a trial, or has one twice"
        last = records[-1].number if records else -1
        if len(stored) > last + 1:
            return f"it has {len(stored)} trials, the folders have {last + 1}"
        for record in records:
            trial = trials.get(record.number)
            if trial is not None and not trial.is_placeholder and not self._agree(trial, record):
                value = trial.values[0] if trial.values else None
                return f"it has {trial.state.name} {value} for trial {record.number}"
        return None

    def _agree(self, trial: StoredTrial, record: TrialRecord) -> bool:
        """Return whether a trial does not contradict its record: it may lack the result."""
        if trial.params != self._params(record):
            return False
        if not trial.state.is_finished():
            return True
        value = record.rollout_error if record.settled else None
        expected = (STATES[record.state], [] if value is None else [value])
        return (trial.state, trial.values) == expected and self._has_attributes(trial, record)

    def _params(self, record: TrialRecord) -> dict[str, tuple[float, str]]:
        """Return the parameters of a trial in the form in which the database holds them."""
        params, distributions = sampled(self.space, record.params)
        return {
            key: (distribution.to_internal_repr(params[key]), self._distributions[key])
            for key, distribution in distributions.items()
        }

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

    def _has_attributes(self, trial: StoredTrial, record: TrialRecord) -> bool:
        """Return whether a trial has the attributes of its record; other programs may add theirs."""
        expected = self._attributes(record)
        return all(
            json.dumps(trial.attributes.get(key)) == json.dumps(value) for key, value in expected.items()
        )


def sampled(space: Space, params: Mapping[str, Value]) -> tuple[dict[str, Any], dict[str, BaseDistribution]]:
    """Return parameters by the names and in the form that Optuna uses, and their distributions."""
    values: dict[str, Any] = {}
    distributions: dict[str, BaseDistribution] = {}
    for axis in space.axes:
        if axis.name in params:
            value = params[axis.name]
            values[axis.key] = axis.span.sampled(tuple(value) if isinstance(value, list) else value)
            distributions[axis.key] = axis.distribution
    return values, distributions
