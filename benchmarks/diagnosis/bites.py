"""Whether a fault bites: decided by cause, severity, cell and kind of data, on the labelling runs alone."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from benchmarks.diagnosis.faults import FAULTS
from benchmarks.diagnosis.runs import Key
from sweep.config.records import TrialRecord
from sweep.data import Data
from sweep.stats import paired_effect as effect

Verdict = Literal["bites", "ambiguous", "too few"]

BITE = 0.1  # decades of rollout error; the whole interval must lie above. Set before any run
FEWEST = 4  # pairs of a bootstrap interval; our choice
RESAMPLES, CONFIDENCE = 4000, 0.95
LEAKED = 0.05  # least share of exactly repeated validation targets for a leak to bite


@dataclass(frozen=True)
class Bite:
    """The effect of one fault on the rollout at one severity, for one cell and kind of data."""

    cause: str
    severity: int
    cell: str
    kind: str
    pairs: int
    decades: float  # mean difference of log10 rollout error, faulty minus healthy twin
    low: float  # of its bootstrap interval
    high: float
    verdict: Verdict

    def json(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)


def decades_worse(faulty: float, healthy: float) -> float:
    """Return log10 of the ratio of two rollout errors, with the floor of all comparisons in decades."""
    return float(effect.decades_worse(np.asarray(faulty), np.asarray(healthy)))


def interval(differences: Sequence[float], groups: Sequence[int], seed: int = 0) -> tuple[float, float]:
    """Return the bootstrap interval of the mean, resampling groups, and pairs within each group drawn.

    Pairs alone would take those of one background for independent witnesses; groups alone would give an interval
    without width where only one background takes the fault.

    Args:
        differences: one per pair.
        groups: the background of each.
        seed: of the resampling.
    """
    values, labels = np.asarray(differences), np.asarray(groups)
    names, counts = np.unique(labels, return_counts=True)
    padded = np.zeros((len(names), counts.max()))
    for row, name in enumerate(names):
        padded[row, : counts[row]] = values[labels == name]
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, len(names), (RESAMPLES, len(names)))
    share = rng.uniform(size=(*drawn.shape, padded.shape[1]))
    within = (share * counts[drawn][..., None]).astype(int)
    used = np.arange(padded.shape[1]) < counts[drawn][..., None]
    sums = np.where(used, padded[drawn[..., None], within], 0.0).sum(axis=(1, 2))
    means = sums / counts[drawn].sum(axis=1)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


def leaked_share(data: Data) -> float:
    """Return the share of scored validation steps that occur, exactly, among the training samples."""
    known = {row.tobytes() for series in data.train_raw for row in np.ascontiguousarray(series)}
    truth = data.validation.truth
    rows = np.ascontiguousarray(truth.reshape(-1, truth.shape[2]))
    return float(np.mean([row.tobytes() in known for row in rows]))


def bites(records: Mapping[Key, TrialRecord], leaked: Mapping[Key, float] | None = None) -> list[Bite]:
    """Return the table of biting faults, in the order of the keys.

    Args:
        records: of labelling runs; a faulty one without its twin does not count.
        leaked: `leaked_share` of the runs whose fault bites by it.
    """
    groups: dict[tuple[str, int, str, str], list[Key]] = {}
    for key in records:
        if key.cause in FAULTS and (key.twin in records):
            groups.setdefault((key.cause, key.severity, key.cell, key.kind), []).append(key)
    return [_bite(place, keys, records, leaked or {}) for place, keys in groups.items()]


def _bite(
    place: tuple[str, int, str, str],
    keys: Sequence[Key],
    records: Mapping[Key, TrialRecord],
    leaked: Mapping[Key, float],
) -> Bite:
    differences = [decades_worse(error(records[key]), error(records[key.twin])) for key in keys]
    low, high = interval(differences, [key.background for key in keys])
    verdict: Verdict = "bites" if low > BITE else "ambiguous"
    if FAULTS[place[0]].bites_by == "leak":
        verdict = "bites" if min(leaked.get(key, 0.0) for key in keys) >= LEAKED else "ambiguous"
    elif len(keys) < FEWEST:
        verdict = "too few"
    return Bite(*place, len(keys), float(np.mean(differences)), low, high, verdict)


def error(record: TrialRecord) -> float:
    """Return a run's rollout error; 1 if it has none."""
    return 1.0 if record.rollout_error is None else record.rollout_error


def by_cause(table: Iterable[Bite]) -> dict[str, list[Bite]]:
    """Return the table's rows by cause."""
    rows: dict[str, list[Bite]] = {}
    for bite in table:
        rows.setdefault(bite.cause, []).append(bite)
    return rows
