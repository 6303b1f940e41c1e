"""The starts on which two studies are compared: those of both, or those that they share, scored again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from sweep.config.errors import StoreError, SweepError
from sweep.config.records import FAILED, SCORE_FORMAT, TrialRecord
from sweep.data.positions import n_apart
from sweep.data.types import Array
from sweep.results.comparison.search_scores import (
    SearchScores,
    fresh_records,
    scores_of,
    settled,
    stored_scores,
)
from sweep.results.study import StoredStudy
from sweep.score.metrics import block_length
from sweep.score.objectives import objective_of
from sweep.store.folder import StudyFolder


class NotComparable(SweepError):
    """The scores of two studies are of different tasks, and no stored rollouts make them comparable."""


@dataclass(frozen=True)
class Basis:
    """What the compared scores are of."""

    kind: Literal["stored", "rescored"]
    horizon: int
    starts: int
    n_eff: int | None  # of these, those that do not overlap; None: not recorded
    reasons: tuple[str, ...] = ()  # why the stored scores cannot be compared


@dataclass(frozen=True)
class Task:
    """The starts that two studies share: their rows in the rollouts of each, and how errors are measured there."""

    rows: tuple[Array, Array]  # (shared,) each
    horizon: int
    scale: Array  # (shared, target), the first study's
    block: int
    n_eff: int


def on_equal_terms(first: StoredStudy, second: StoredStudy) -> tuple[Basis, SearchScores, SearchScores]:
    """Return the basis of a comparison, and the scores of both studies on it.

    Where both studies have the same data, starts and definition of scores, their stored scores count. Otherwise the
    stored rollouts are scored again on the starts that both share (the same true values), over the shorter horizon,
    with the scales of the first study.

    Raises:
        NotComparable: a study has no score, the definitions of scores or the channels differ, or no start is shared.
        StoreError: a rollout that has to be scored again is missing or damaged.
    """
    scored = [stored_scores(study) for study in (first, second)]
    for study, scores in zip((first, second), scored, strict=True):
        if scores is None:
            raise NotComparable(f"the study {study.name} has no trial with a score: run it first")
    before, after = scored
    assert before is not None and after is not None
    reasons = _other_tasks(first, second)
    if not reasons:
        starts = int((first.document.get("score") or {}).get("starts") or first.n_eff or 0)
        return Basis("stored", first.horizon or 0, starts, first.n_eff), before, after
    task = _shared_task(first, second, reasons)
    basis = Basis("rescored", task.horizon, len(task.rows[0]), task.n_eff, reasons)
    return basis, _rescored(first, before.leader, task, 0), _rescored(second, after.leader, task, 1)


def _other_tasks(first: StoredStudy, second: StoredStudy) -> tuple[str, ...]:
    """Return why the stored scores of two studies cannot be compared; empty if they can.

    Raises:
        NotComparable: nor can their rollouts.
    """
    must_agree: tuple[tuple[str, Any, Any], ...] = (
        ("definitions of scores", first.score_format, second.score_format),
        ("objectives", _objective(first), _objective(second)),
        ("channels", list(first.facts.get("channels") or ()), list(second.facts.get("channels") or ())),
        ("targets", list(first.facts.get("targets") or ()), list(second.facts.get("targets") or ())),
    )
    for name, one, other in must_agree:
        if one != other:
            raise NotComparable(
                f"{first.name} and {second.name} cannot be compared: their {name} differ ({one} and {other})"
            )
    if first.score_format != SCORE_FORMAT:
        raise NotComparable(
            f"{first.name} and {second.name} cannot be compared: their scores have an older definition; run them "
            "again under other names (--name)"
        )
    if first.facts.get("data_fingerprint") == second.facts.get("data_fingerprint"):
        return ()
    before, after = first.document.get("score") or {}, second.document.get("score") or {}
    keys = ("horizon", "starts", "warmup", "from_start")
    changed = [key for key in keys if before.get(key) != after.get(key)]
    return tuple(f"{key} {before.get(key)} and {after.get(key)}" for key in changed) or ("other data",)


def _objective(study: StoredStudy) -> str:
    return str((study.document.get("score") or {}).get("objective", "rollout_error"))


def _shared_task(first: StoredStudy, second: StoredStudy, reasons: Sequence[str]) -> Task:
    arrays = [_any_rollout(study) for study in (first, second)]
    if any(one is None for one in arrays) or arrays[0]["truth"].shape[2] != arrays[1]["truth"].shape[2]:  # type: ignore[index]
        raise NotComparable(_nothing_shared(first, second, reasons))
    one, other = (dict(entry or {}) for entry in arrays)
    horizon = min(one["truth"].shape[1], other["truth"].shape[1])
    places = {key: row for row, key in reversed(list(enumerate(_keys(other, horizon))))}
    rows = [(row, places[key]) for row, key in enumerate(_keys(one, horizon)) if key in places]
    if not rows:
        raise NotComparable(_nothing_shared(first, second, reasons))
    mine, theirs = (np.array(column) for column in zip(*rows, strict=True))
    targets = _targets(one)
    return Task(
        rows=(mine, theirs),
        horizon=horizon,
        scale=one["scale"][mine][:, targets],
        block=block_length(first.facts.get("period"), horizon),
        n_eff=_apart(one, mine, horizon),
    )


def _nothing_shared(first: StoredStudy, second: StoredStudy, reasons: Sequence[str]) -> str:
    return (
        f"{first.name} and {second.name} cannot be compared: their scores are of different tasks "
        f"({'; '.join(reasons)}), and their stored rollouts share no start; run one of them again with the data and "
        "[score] of the other"
    )


def _any_rollout(study: StoredStudy) -> Mapping[str, Array] | None:
    """Return the arrays of some rollout of a study; None if none is stored."""
    for record in settled(study):
        try:
            return study.folder.rollout(record.number)
        except StoreError:
            continue
    return None


def _keys(arrays: Mapping[str, Array], horizon: int) -> list[bytes]:
    """Return what makes a start the same in two studies: the last true value before it, and the truth after it."""
    whole = np.concatenate([arrays["past"][:, -1:], arrays["truth"][:, :horizon]], axis=1)
    return [row.tobytes() for row in np.asarray(whole, dtype=np.float64)]


def _apart(arrays: Mapping[str, Array], rows: Array, horizon: int) -> int:
    """Return how many of these starts do not overlap; 1, at least, where an older version stored no positions."""
    if "position" not in arrays or "series" not in arrays:
        return 1
    return n_apart(arrays["position"][rows], arrays["series"][rows], horizon)


def _targets(arrays: Mapping[str, Array]) -> list[int]:
    stored = arrays.get("targets")
    return list(range(arrays["truth"].shape[2])) if stored is None else [int(index) for index in stored]


def _rescored(study: StoredStudy, leader: int, task: Task, side: int) -> SearchScores:
    errors = [_error(study, study.folder, record, task, side) for record in settled(study)]
    below = study.folder.below("confirm")
    fresh = [_error(study, below, record, task, side) for record in fresh_records(study)]
    return scores_of(study, leader, errors, fresh)


def _error(study: StoredStudy, folder: StudyFolder, record: TrialRecord, task: Task, side: int) -> float:
    """Return the error of a training on the shared starts; 1 where it failed."""
    if record.rollout_error is None:
        return FAILED
    arrays, rows = folder.rollout(record.number), task.rows[side]
    targets = _targets(arrays)
    forecast, truth = (arrays[name][rows][:, : task.horizon, targets] for name in ("forecast", "truth"))
    return objective_of(_objective(study))(forecast, truth, task.scale, task.block)
