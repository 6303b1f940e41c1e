"""The scores by series and by channel: of the leading configuration, as a table of all trials, and as columns."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sweep.config.breakdown import Breakdown, GroupScores, breakdown_from_json
from sweep.config.records import FAILED, TrialRecord, to_json
from sweep.results.contest import leading_trial
from sweep.results.selection import leading_arm
from sweep.results.study import StoredStudy, read_study
from sweep.score.comparisons import EXACT, skill
from sweep.stats.bootstrap import iqm
from sweep.stats.ranking import worse_median
from sweep.store.folder import StudyFolder

PARTS = ("by_series", "by_channel", "by_series_and_channel")
SERIES_MOST = 32  # scored series that get columns of their own in trials.csv
NO_STEPS = 0.0  # valid steps of a training that has no scores
METRICS = ("rollout_error", "trivial_skill", "valid_steps")
NO_BASELINE: Mapping[str, Any] = {"baseline": None, "baseline_error": None}


def breakdown_section(study: StoredStudy) -> dict[str, Any] | None:
    """Return `breakdown` of the report's document (docs/report.md); None with one series and one channel.

    On fresh seeds, the scores of a group are those that a confirmation has: the interquartile mean of the errors, and
    the worse middle one of the valid steps.
    """
    leader = leading_trial(study)
    if leader is None or leader.breakdown is None:
        return None
    fresh = _fresh(study, leader.breakdown)
    breakdown = fresh or leader.breakdown
    best = _best_baselines(study)
    return {
        "number": leader.number,
        "seeds": len(_arm_records(study)) if fresh else 0,
        **{
            part: [{**to_json(row), **best.get(_key(row), NO_BASELINE)} for row in getattr(breakdown, part)]
            for part in PARTS
        },
    }


def validation_errors(folder: StudyFolder, of: int | str) -> dict[tuple[str | None, str | None], float]:
    """Return the rollout errors of a trial or a baseline on validation, by series and channel; empty if unknown.

    The series is None where there is one or they have no names, the channel is None where there is one, or where the
    scores of both together are too many to be stored.

    Args:
        folder: of the study.
        of: number of the trial, or name of the baseline.

    Raises:
        StoreError: there is no such trial, or a file is damaged.
    """
    if isinstance(of, int):
        groups = folder.record(of).breakdown
    else:
        stored = folder.baselines().get(of, {}).get("breakdown")
        groups = None if stored is None else breakdown_from_json(stored)
    if groups is None:
        return {}
    rows = groups.by_series_and_channel or groups.by_series or groups.by_channel
    return {_key(row): row.rollout_error for row in rows}


def breakdown_frame(folder: StudyFolder | StoredStudy) -> pd.DataFrame:
    """Return a row per trial, series and channel, with the scores of its chosen checkpoint on validation.

    `series` or `channel` is None in the rows of all series, or of all target channels, together. Such rows are there
    beside those of each series and channel, since a median of valid steps does not follow from those. The table is
    empty with one series and one channel, and where series have no names.

    Raises:
        StoreError: there is no study, or a record is damaged.
    """
    study = folder if isinstance(folder, StoredStudy) else read_study(folder)
    columns = ("number", "state", *GroupScores.__dataclass_fields__)
    rows = [
        {"number": record.number, "state": record.state, **vars(row)}
        for record in study.records
        if record.breakdown is not None
        for row in record.breakdown.rows
    ]
    frame = pd.DataFrame(rows, columns=list(columns))
    numbers = ("rollout_error", "valid_steps", "trivial_error", "trivial_skill")
    return frame.astype({"number": int, "starts": int, **dict.fromkeys(numbers, float)}).astype(
        {"series": object, "channel": object}
    )


def breakdown_columns(records: Sequence[TrialRecord]) -> dict[int, dict[str, float | None]]:
    """Return the columns of trials.csv by trial: `rollout_error.channel.<channel>`, `rollout_error.series.<series>`.

    The same of `trivial_skill` and `valid_steps`. The second word tells a channel from a series of the same name, and
    no other column begins so. Series have columns if at most SERIES_MOST are scored.
    """
    columns: dict[int, dict[str, float | None]] = {}
    for record in records:
        groups = record.breakdown or Breakdown()
        series = groups.by_series if len(groups.by_series) <= SERIES_MOST else ()
        columns[record.number] = {
            f"{metric}.{kind}.{getattr(row, kind)}": getattr(row, metric)
            for metric in METRICS
            for kind, rows in (("channel", groups.by_channel), ("series", series))
            for row in rows
        }
    return columns


def _key(row: GroupScores) -> tuple[str | None, str | None]:
    return row.series, row.channel


def _arm_records(study: StoredStudy) -> list[TrialRecord | None]:
    """Return the leading configuration's trainings on fresh seeds; None for one whose record is missing."""
    if study.confirmation is None:
        return []
    stored = {record.number: record for record in study.fresh}
    return [stored.get(number) for number in leading_arm(study.confirmation)["replications"]]


def _fresh(study: StoredStudy, selected: Breakdown) -> Breakdown | None:
    """Return the scores on fresh seeds; None without them, or where an earlier version has stored the trainings."""
    records = _arm_records(study)
    if not records or any(
        record is None or (record.best is not None and record.breakdown is None) for record in records
    ):
        return None
    by_seed = [
        {}
        if record is None or record.breakdown is None
        else {_key(row): row for row in record.breakdown.rows}
        for record in records
    ]
    return Breakdown(
        **{part: tuple(_over_seeds(row, by_seed) for row in getattr(selected, part)) for part in PARTS}
    )


def _over_seeds(
    row: GroupScores, by_seed: Sequence[Mapping[tuple[str | None, str | None], GroupScores]]
) -> GroupScores:
    """Return a group's scores over seeds; a seed without scores has failed.

    Args:
        row: the group, with the scores of any training.
        by_seed: the scores of each seed, by group.
    """
    found = [groups.get(_key(row)) for groups in by_seed]
    error = float(iqm(np.array([FAILED if one is None else one.rollout_error for one in found])))
    steps = -worse_median([-(NO_STEPS if one is None else one.valid_steps) for one in found])
    gain = None if row.trivial_skill is None else skill(error, row.trivial_error)
    return GroupScores(row.series, row.channel, row.starts, error, steps, row.trivial_error, gain)


def _best_baselines(study: StoredStudy) -> dict[tuple[str | None, str | None], dict[str, Any]]:
    """Return the best baseline of each group, by series and channel; of equal ones, and of exact ones, the first."""
    best: dict[tuple[str | None, str | None], dict[str, Any]] = {}
    for name, entry in study.baselines.items():
        if entry.get("breakdown") is None:
            continue
        for row in breakdown_from_json(entry["breakdown"]).rows:
            error = max(row.rollout_error, EXACT)
            if error < max(best.get(_key(row), {}).get("baseline_error", math.inf), EXACT):
                best[_key(row)] = {"baseline": name, "baseline_error": row.rollout_error}
    return best
