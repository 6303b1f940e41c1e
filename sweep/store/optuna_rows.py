"""The rows of a study in the tables of Optuna, compared with the records of its trials and brought up to date."""

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import optuna
from optuna.distributions import BaseDistribution, distribution_to_json
from optuna.storages._rdb import models
from optuna.trial import FrozenTrial, TrialState

from sweep.config.ranges import Value
from sweep.config.records import TrialRecord
from sweep.config.space import Space

STATES = {
    "running": TrialState.RUNNING,
    "complete": TrialState.COMPLETE,
    "diverged": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "failed": TrialState.FAIL,
}


class Place(Protocol):
    """An open database with the study."""

    @property
    def study(self) -> optuna.Study:
        """Return the study."""

    @property
    def session(self) -> Any:
        """Return the session of SQLAlchemy that writes."""

    def transaction(self) -> contextlib.AbstractContextManager[None]:
        """Return a context that makes one transaction of all that is written inside."""

    def empty(self) -> None:
        """Remove the study's trials."""


class OptunaRows:
    """The trials of one study in the tables of a database. Each change is one transaction."""

    def __init__(self, place: Place, space: Space) -> None:
        self.place = place
        self.space = space

    def agree(self, records: Sequence[TrialRecord]) -> str | None:
        """Make the rows agree with the records; return how they contradicted them, None if they did not."""
        with self.place.transaction():
            contradiction = self._contradiction(records)
            if contradiction is not None:
                self.place.empty()
            self._catch_up(records)
        return contradiction

    def add(self, record: TrialRecord) -> None:
        """Add all of a trial: a running one, or one that failed before it ran."""
        with self.place.transaction():
            self._add(record)

    def finish(self, record: TrialRecord) -> None:
        """Add the result of a running trial; a trial that has ended is not changed."""
        with self.place.transaction():
            self._finish(record)

    # Directly into the tables of Optuna's models, because its calls query them before each value: 30 ms per trial.

    def _add(self, record: TrialRecord) -> None:
        trial, known = self._trial(record), self._row(record.number)
        if known is None:
            self._insert(record.number, trial)
        elif not known.state.is_finished():  # a placeholder, or a trial whose damaged record was renamed
            session = self.place.session
            if not session.query(models.TrialParamModel).filter_by(trial_id=known.trial_id).count():
                self._insert_params(known.trial_id, trial)
            self._set_attributes(known.trial_id, trial.user_attrs)
            if record.settled:
                self._finish(record)

    def _insert(self, number: int, trial: FrozenTrial) -> None:
        session = self.place.session
        row: Any = models.TrialModel(study_id=self.place.study._study_id, number=number, state=trial.state)
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
        self.place.session.add_all(
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
            self.place.session.add(row)

    def _set_attributes(self, trial_id: int, attributes: Mapping[str, Any]) -> None:
        session = self.place.session
        rows = session.query(models.TrialUserAttributeModel).filter_by(trial_id=trial_id)
        known: dict[str, Any] = {str(row.key): row for row in rows}
        for key, value in attributes.items():
            if key not in known:
                known[key] = models.TrialUserAttributeModel(trial_id=trial_id, key=key)
                session.add(known[key])
            known[key].value_json = json.dumps(value)

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
        """Return the row of a trial, None if the database does not have it."""
        session = self.place.session
        study_id = self.place.study._study_id
        return session.query(models.TrialModel).filter_by(study_id=study_id, number=number).one_or_none()

    def _catch_up(self, records: Sequence[TrialRecord]) -> None:
        """Add the trials and results that the database lacks."""
        trials = self.place.study.get_trials(deepcopy=False)
        known, expected = {record.number: record for record in records}, len(trials)
        for trial in trials:
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

    def _contradiction(self, records: Sequence[TrialRecord]) -> str | None:
        """Return how the database contradicts the records, None if it does not."""
        study = self.place.study
        if study.directions != [optuna.study.StudyDirection.MINIMIZE]:
            return "its study does not minimise"
        rows = study.get_trials(deepcopy=False)
        trials = {trial.number: trial for trial in rows}
        if sorted(trial.number for trial in rows) != list(range(len(rows))):
            return "it lacks a trial, or has one twice"
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
                trial.state.is_finished()
                and ((trial.state, trial.value) != expected or not self._has_attributes(trial, record))
            ):
                return f"it has {trial.state.name} {trial.value} for trial {record.number}"
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

    def _has_attributes(self, trial: FrozenTrial, record: TrialRecord) -> bool:
        """Return whether a trial has the attributes of its record; other programs may add theirs."""
        expected = self._attributes(record)
        return all(
            json.dumps(trial.user_attrs.get(key)) == json.dumps(value) for key, value in expected.items()
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


def sampled(space: Space, params: Mapping[str, Value]) -> tuple[dict[str, Any], dict[str, BaseDistribution]]:
    """Return parameters by the names and in the form that Optuna uses, and their distributions."""
    values: dict[str, Any] = {}
    distributions: dict[str, BaseDistribution] = {}
    for axis in space.axes:
        if axis.name in params:
            value = params[axis.name]
            key = axis.span.key(axis.name)
            values[key] = axis.span.sampled(tuple(value) if isinstance(value, list) else value)
            distributions[key] = axis.span.distribution()
    return values, distributions
