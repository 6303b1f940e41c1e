"""The stored records of a trial, and their conversion to and from JSON without loss of meaning."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import pydantic_core

from sweep.config.breakdown import Breakdown, breakdown_from_json

State = Literal["running", "complete", "pruned", "diverged", "failed"]
# replicated: a known configuration on a new seed; completed: a pruned trial, trained again to its end
Origin = Literal["sampled", "enqueued", "replicated", "completed"]
SETTLED: tuple[State, ...] = ("complete", "pruned", "diverged", "failed")

# The definition of scores (docs/metrics.md). 1: `scale` was the RMS distance of the truth from the training mean.
SCORE_FORMAT = 2

# Shares of the horizon for which the rollout error is recorded.
PREFIXES = (0.03, 0.1, 0.3, 1.0)

FAILED = 1.0  # rollout error that a training without a score counts with
LEFT_OUT = "left out"  # in the metadata of a field: `to_json` leaves it out where it is None


@dataclass(frozen=True, slots=True)  # a study of 5,000 trials holds 70,000
class Scores:
    """The scores of one evaluation, as docs/metrics.md defines them.

    nrmse, one_step_nrmse and rmse may be +inf; rollout_error, one_step_error and diverged_fraction lie in [0, 1];
    trivial_skill is 1 at most.
    """

    rollout_error: float
    prefix_errors: tuple[float, ...]  # rollout error over each share of PREFIXES
    nrmse: float
    valid_steps: float  # median over starts, 0..horizon
    valid_steps_low: float  # 10 % quantile over starts
    valid_steps_high: float  # 90 % quantile
    diverged_fraction: float
    one_step_error: float
    one_step_nrmse: float
    trivial_skill: float | None = (
        None  # against the best trivial forecast; None: that one is exact, or not recorded
    )
    rmse: tuple[float, ...] = ()  # by target channel, data units; empty: not recorded


# The scores at the evaluation points of a network that is trained on all data: there is nothing left to score it on.
NOT_SCORED = Scores(
    rollout_error=math.nan,
    prefix_errors=(),
    nrmse=math.nan,
    valid_steps=math.nan,
    valid_steps_low=math.nan,
    valid_steps_high=math.nan,
    diverged_fraction=math.nan,
    one_step_error=math.nan,
    one_step_nrmse=math.nan,
)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A trial at one evaluation point."""

    point: int  # index among the evaluation points
    sequence_steps: int
    updates: int
    scores: Scores
    train_loss: float  # mean since the previous evaluation
    lr: float
    evidence: Mapping[str, Any] = field(default_factory=dict)  # gate saturation, gradients by lag


@dataclass(frozen=True)
class TrialRecord:
    """A trial as stored in trials/<number>/trial.json."""

    number: int
    state: State
    params: Mapping[str, Any]  # sampled hyperparameters by flat name
    config: Mapping[str, Any]  # the whole TrialConfig
    origin: Origin
    evaluations: tuple[Evaluation, ...] = ()
    rollout_error: float | None = None  # the score: best evaluation; None while running, failed or not scored
    best: int | None = None  # index into evaluations: lowest rollout error
    best_one_step: int | None = None  # lowest one-step error
    reason: str | None = None  # why it diverged, was pruned or failed
    diverged_at: int | None = None  # sequence-steps
    exposure_gap: float | None = None  # mean over steps; its curve is in rollout.npz; None without feedback
    sequence_steps: int = 0
    updates: int = 0
    seconds: float = 0.0  # worker time; only this field and `host` may differ between equal runs
    host: Mapping[str, Any] = field(default_factory=dict)  # engine, versions, machine
    score_format: int = SCORE_FORMAT  # of its scores
    # of the best checkpoint; None, and left out of the file, with one series and one channel
    breakdown: Breakdown | None = field(default=None, metadata={LEFT_OUT: True})

    @property
    def settled(self) -> bool:
        """Return whether the trial has ended."""
        return self.state in SETTLED

    @property
    def scores(self) -> Scores | None:
        """Return the scores of the best checkpoint, None if there is no checkpoint."""
        return None if self.best is None else self.evaluations[self.best].scores


def error_of(record: TrialRecord) -> float:
    """Return the rollout error of a training; FAILED where it has none."""
    return FAILED if record.rollout_error is None else record.rollout_error


def to_json(value: Any) -> Any:
    """Return a record as JSON values; numbers that are not finite become None, fields marked LEFT_OUT may be absent."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): to_json(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(entry) for entry in value]
    if hasattr(value, "__dataclass_fields__"):
        return {
            name: to_json(getattr(value, name))
            for name, entry in value.__dataclass_fields__.items()
            if not (entry.metadata.get(LEFT_OUT) and getattr(value, name) is None)
        }
    return value


def json_bytes(value: Any, indent: int | None = None) -> bytes:
    """Return the JSON text of `to_json(value)` in UTF-8. It is written without the values in between: ten times faster.

    Args:
        value: a record, or mappings, lists and dataclasses of which only the outermost has fields marked LEFT_OUT.
        indent: spaces per level; None: no line breaks.
    """
    if hasattr(value, "__dataclass_fields__"):
        fields = value.__dataclass_fields__.items()
        value = {
            name: getattr(value, name)
            for name, entry in fields
            if not (entry.metadata.get(LEFT_OUT) and getattr(value, name) is None)
        }
    return pydantic_core.to_json(value, indent=indent, inf_nan_mode="null")


def scores_from_json(values: Mapping[str, Any]) -> Scores:
    """Return Scores from JSON; null, written for a number that is not finite, becomes +inf, except trivial_skill.

    Scores without errors over shares of the horizon are NOT_SCORED.
    """
    filled: dict[str, Any] = {key: math.inf if value is None else value for key, value in values.items()}
    if not filled["prefix_errors"]:
        return NOT_SCORED
    more = {
        "prefix_errors": tuple(values["prefix_errors"]),
        "trivial_skill": values.get("trivial_skill"),
        "rmse": tuple(math.inf if value is None else value for value in values.get("rmse") or ()),
    }
    return Scores(**{**filled, **more})


def slim(record: TrialRecord) -> TrialRecord:
    """Return a record without evidence and breakdown, which are on disk and large in memory."""
    evaluations = tuple(
        replace(entry, evidence={}) if entry.evidence else entry for entry in record.evaluations
    )
    return replace(record, evaluations=evaluations, breakdown=None)


def record_from_json(values: Mapping[str, Any], whole: bool = True) -> TrialRecord:
    """Return a TrialRecord from its JSON values, the inverse of `to_json`; the first format had no number.

    Args:
        values: as JSON.
        whole: whether with evidence and breakdown; see `slim`.

    Raises:
        KeyError, TypeError: a field is missing or unknown.
    """
    entries = (
        values["evaluations"] if whole else ({**entry, "evidence": {}} for entry in values["evaluations"])
    )
    evaluations = tuple(evaluation_from_json(entry) for entry in entries)
    stored = values.get("breakdown") if whole else None
    breakdown = None if stored is None else breakdown_from_json(stored)
    return TrialRecord(**{"score_format": 1, **values, "evaluations": evaluations, "breakdown": breakdown})


def evaluation_from_json(values: Mapping[str, Any]) -> Evaluation:
    """Return an Evaluation from JSON; a null train_loss becomes NaN (no update since the previous evaluation)."""
    loss = math.nan if values["train_loss"] is None else values["train_loss"]
    return Evaluation(**{**values, "scores": scores_from_json(values["scores"]), "train_loss": loss})
