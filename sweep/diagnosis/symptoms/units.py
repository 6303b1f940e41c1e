"""Symptoms of every start and target channel of a rollout."""

from dataclasses import dataclass

import numpy as np

from sweep.config.records import PREFIXES
from sweep.data.types import Array
from sweep.diagnosis.symptoms.climate import climate_is_right
from sweep.diagnosis.symptoms.evidence import RolloutEvidence
from sweep.diagnosis.symptoms.limits import Limit, as_far_as_possible, limit_of
from sweep.diagnosis.symptoms.measures import Measures, irregular_measures, tonal_measures
from sweep.diagnosis.symptoms.recurrence import recurrence
from sweep.diagnosis.symptoms.rules import REPEATS, Setting, Verdict, irregular_verdict, tonal_verdict
from sweep.diagnosis.symptoms.tones import Tones, tones_of
from sweep.score.metrics import DIVERGED_BEYOND, rollout_error_of_prefix, valid_steps

FORETOLD = 0.6  # share of the variance that tones must foretell for the truth to be tonal; our choice
SAMPLED = 6  # starts from which a channel's character is read; all are searched only if it is tonal


@dataclass(frozen=True)
class Unit:
    """One start and channel."""

    start: int
    channel: int
    verdict: Verdict
    measures: Measures | None  # None where the forecast diverged


@dataclass(frozen=True)
class Units:
    """All starts and channels, and what was found out about the truth on the way."""

    units: tuple[Unit, ...]
    tonal: tuple[bool, ...]  # by channel
    tones: tuple[int, ...]  # by channel, the usual number of tones; 0 where not tonal
    foretold: tuple[float, ...]  # by channel, the median share that tones foretell
    limit: Limit


def units_of(evidence: RolloutEvidence) -> Units:
    """Return the symptom of each start and channel, starts first."""
    truth, past = evidence.scaled(evidence.truth), evidence.scaled(evidence.past)
    with np.errstate(over="ignore", invalid="ignore"):
        forecast = evidence.scaled(evidence.forecast)
        diverged = ~(np.abs(forecast) <= DIVERGED_BEYOND).all(axis=(1, 2))
    limit = limit_of(
        past,
        truth,
        evidence.block,
        evidence.lyapunov_time,
        evidence.noise,
        evidence.series,
        evidence.position,
    )
    limited = _limited(evidence, limit)
    found: list[Unit] = []
    tonal, tones, foretold = [], [], []
    for channel in range(truth.shape[2]):
        whole = np.concatenate([past[..., channel], truth[..., channel]], axis=1)
        by_start, share = _tones_by_start(whole)
        tonal.append(by_start is not None)
        tones.append(int(np.median([len(t.omega) for t in by_start])) if by_start else 0)
        foretold.append(share)
        said, true = forecast[..., channel], truth[..., channel]
        alone = _valid(evidence, channel)
        well = np.flatnonzero(~diverged)
        settings = _settings(said, true, well, alone) if by_start is None else {}
        for start in range(len(truth)):
            if diverged[start]:
                found.append(Unit(start, channel, Verdict("S13", 1.0), None))
                continue
            args = (said[start], true[start])
            if by_start is not None:
                seen = tonal_measures(*args, by_start[start], evidence.block, int(alone[start]))
                verdict = tonal_verdict(seen, truth.shape[1])
            else:
                seen = irregular_measures(*args, true, evidence.block, int(alone[start]))
                verdict = irregular_verdict(seen, settings[start], truth.shape[1])
            if limited[start] and _excused(verdict, limit):
                verdict = Verdict("S12", 0.8)
            found.append(Unit(start, channel, verdict, seen))
    found.sort(key=lambda unit: (unit.start, unit.channel))
    return Units(tuple(found), tuple(tonal), tuple(tones), tuple(foretold), limit)


def _excused(verdict: Verdict, limit: Limit) -> bool:
    """Return whether a failure is what an optimal forecast shows: by a known exponent only a lost phase is."""
    if limit.reference is None:
        return verdict.code in ("S10", "S11")
    return verdict.code not in ("S01", "S04", "S13")


def _tones_by_start(whole: Array) -> tuple[list[Tones] | None, float]:
    """Return the tones of each start, None where the channel is not tonal, and the share they foretell."""
    sampled = np.unique(np.linspace(0, len(whole) - 1, min(SAMPLED, len(whole))).astype(int))
    first = {int(start): tones_of(whole[start]) for start in sampled}
    share = float(np.median([tones.foretold for tones in first.values()]))
    if share < FORETOLD:
        return None, share
    by_start = [first.get(start) or tones_of(whole[start]) for start in range(len(whole))]
    known = max(first.values(), key=lambda tones: tones.foretold)
    # a start at which the search failed borrows the tones of the clearest one
    return [tones if len(tones.omega) else known for tones in by_start], share


def _valid(evidence: RolloutEvidence, channel: int) -> Array:
    pick = slice(channel, channel + 1)
    return valid_steps(
        evidence.forecast[..., pick], evidence.truth[..., pick], evidence.scale[:, pick], evidence.block
    )


def _settings(said: Array, true: Array, well: Array, valid: Array) -> dict[int, Setting]:
    """Return by start what an irregular truth is like, and whether the forecast's late half is like it."""
    horizon = true.shape[1]
    half = horizon // 2
    late = true[:, half:]
    own = late.std(axis=1) / max(float(np.sqrt(late.var(axis=1).mean())), 1e-12)
    records = late if len(late) >= 4 else np.concatenate([true[:, : horizon - half], late])
    right = climate_is_right(said[well][:, half:], records[:, : horizon - half]) if len(well) else np.empty(0)
    repeats = float(np.median([recurrence(values[horizon // 3 :])[0] for values in true])) <= REPEATS
    return {
        int(start): Setting(
            right_climate=bool(good),
            least_amplitude=float(own.min()),
            most_amplitude=float(own.max()),
            level_spread=float(late.mean(axis=1).std()),
            repeats=repeats,
        )
        for start, good in zip(well, right, strict=True)
    }


def _limited(evidence: RolloutEvidence, limit: Limit) -> Array:
    truth, said, scale = evidence.truth, evidence.forecast, evidence.scale
    with np.errstate(over="ignore", invalid="ignore"):
        squares = np.square((said.astype(np.float64) - truth) / scale[:, None]).mean(axis=2)
    squares = np.where(np.isfinite(squares), squares, np.inf)
    errors = tuple(rollout_error_of_prefix(said, truth, scale, evidence.block, share) for share in PREFIXES)
    valid = valid_steps(said, truth, scale, evidence.block)
    return as_far_as_possible(limit, squares, valid, errors, list(evidence.baselines.values()))
