"""Symptoms of every start and target channel of a rollout."""

import functools
import hashlib
from dataclasses import dataclass, field, replace

import numpy as np

from sweep.config.records import PREFIXES
from sweep.data.types import Array
from sweep.diagnosis.symptoms.climate import climate_is_right
from sweep.diagnosis.symptoms.evidence import RolloutEvidence
from sweep.diagnosis.symptoms.limits import AS_GOOD, Limit, as_far_as_possible, hopeless, limit_of
from sweep.diagnosis.symptoms.measures import Measures, irregular_measures, tonal_measures, wanders
from sweep.diagnosis.symptoms.recurrence import recurrence
from sweep.diagnosis.symptoms.tones import Tones, tones_of
from sweep.diagnosis.symptoms.verdicts import (
    OFF,
    StartVerdict,
    TruthStatistics,
    irregular_verdict,
    tonal_verdict,
)
from sweep.score.comparisons import SIGHTED
from sweep.score.metrics import DIVERGED_BEYOND, diverged, error_of_prefix, nrmse, valid_steps
from sweep.score.objectives import objective_of

# Share of the variance that tones must forecast for the truth to be tonal, and its ratio to the share that they
# explain in the fitted part, so that noise does not count against them. Calibrated: medians are 0.98 and more for
# sums of tones, 0.66 of 0.67 with noise of half a scale; Mackey-Glass reaches 0.76 of 0.95, Lorenz and a
# second-order autoregression with a pole at 0.995 stay below 0.2.
FORETOLD, LASTING = 0.5, 0.85
FEW_STEPS = 8  # of a record; with fewer the climate is not judged and counts as right
FEW_RECORDS = 6  # of the truth; with fewer the starts are cut in halves to see how true records differ
BY_CHANCE = 0.1  # scales; if most starts are wrong from the first step, a start above it is wrong, too
SAMPLED = 8  # starts that decide whether a channel is tonal; all are searched only if it is


@dataclass(frozen=True)
class StartSymptom:
    """The symptom of one start and channel."""

    start: int
    channel: int
    verdict: StartVerdict
    measures: Measures | None  # None if the forecast diverged


@dataclass(frozen=True)
class StartSymptoms:
    """The symptoms of all starts and channels, and the facts about the truth that they rest on."""

    symptoms: tuple[StartSymptom, ...]
    tonal: tuple[bool, ...]  # by channel
    tones: tuple[int, ...]  # by channel, the median number of tones; 0 if not tonal
    foretold: tuple[float, ...]  # by channel, the median share of the variance that tones forecast
    limit: Limit
    skill: float | None  # against the best trivial forecast; None: that one is exact or not known
    hopeless: str  # why no forecast is known to be better than the best trivial one, or ""


@dataclass(frozen=True)
class Truth:
    """The truth and its past, without any forecast; equal arrays have equal digests."""

    digest: str
    past: Array = field(compare=False)  # (start, past step, channel), in scales
    truth: Array = field(compare=False)  # (start, step, channel), in scales
    series: Array | None = field(compare=False)
    position: Array | None = field(compare=False)
    block: int
    lyapunov_time: float | None
    noise: float | None
    driven: bool


def start_symptoms_of(evidence: RolloutEvidence) -> StartSymptoms:
    """Return the symptom of each start and channel, starts first."""
    truth, past = evidence.scaled(evidence.truth), evidence.scaled(evidence.past)
    with np.errstate(over="ignore", invalid="ignore"):
        forecast = evidence.scaled(evidence.forecast)
    left = diverged(evidence.forecast, evidence.truth, evidence.scale, evidence.std)
    limit, characters = _truth_facts(_truth(evidence, past, truth))
    errors = _prefix_errors(evidence)
    limited = _limited(evidence, limit, errors)
    trivial = evidence.trivial
    skill = None if trivial is None else trivial.skill_of(errors[-1])
    # where inputs from outside drive the data, baselines that do not see them prove nothing by themselves
    proof = evidence.baselines if not evidence.driven or SIGHTED & set(evidence.baselines) else {}
    known = hopeless(trivial, errors[-1], proof)
    as_good = bool(known) and _as_good_as_trivial(evidence, errors[-1])
    first = _first_errors(forecast, truth, evidence.block)
    never = bool(np.median(first) >= OFF)
    tones_by_channel = [tones for tones, _ in characters]
    well = np.flatnonzero(~left)
    right = _right_climate(forecast, truth, well, [k for k, t in enumerate(tones_by_channel) if t is None])
    symptoms = [
        StartSymptom(start, channel, StartVerdict("S13", 1.0), None)
        for start in np.flatnonzero(left).tolist()
        for channel in range(truth.shape[2])
    ]
    for channel, by_start in enumerate(tones_by_channel):
        own, true = forecast[..., channel], truth[..., channel]
        alone = _valid(evidence, channel)
        usual = _truth_statistics(true, never)
        for start in well.tolist():
            pair, valid = (own[start], true[start]), int(alone[start])
            if by_start is not None:
                seen = tonal_measures(*pair, by_start[start], evidence.block, valid)
                verdict = tonal_verdict(seen, truth.shape[1])
            else:
                seen = irregular_measures(*pair, true, evidence.block, valid)
                statistics = replace(usual, right_climate=bool(right[start, channel]))
                verdict = irregular_verdict(seen, statistics, truth.shape[1])
            if as_good or (limited[start] and _excused(verdict, limit)):
                verdict = StartVerdict("S12", 0.8)
            elif verdict.code == "S01" and trivial is not None and (skill is None or skill <= 0):
                verdict = StartVerdict("S14", 0.8)
            symptoms.append(StartSymptom(start, channel, verdict, seen))
    symptoms.sort(key=lambda symptom: (symptom.start, symptom.channel))
    return StartSymptoms(
        symptoms=tuple(symptoms),
        tonal=tuple(tones is not None for tones in tones_by_channel),
        tones=tuple(
            int(np.median([len(t.omega) for t in tones])) if tones else 0 for tones in tones_by_channel
        ),
        foretold=tuple(share for _, share in characters),
        limit=limit,
        skill=skill,
        hopeless=known,
    )


def _truth(evidence: RolloutEvidence, past: Array, truth: Array) -> Truth:
    content = hashlib.sha256()
    for values in (past, truth, evidence.series, evidence.position):
        content.update(repr(None if values is None else values.shape).encode())
        content.update(b"" if values is None else np.ascontiguousarray(values).tobytes())
    return Truth(
        digest=content.hexdigest(),
        past=past,
        truth=truth,
        series=evidence.series,
        position=evidence.position,
        block=evidence.block,
        lyapunov_time=evidence.lyapunov_time,
        noise=evidence.noise,
        driven=evidence.driven,
    )


@functools.lru_cache(maxsize=2)
def _truth_facts(known: Truth) -> tuple[Limit, list[tuple[list[Tones] | None, float]]]:
    """Return how far the truth can be forecast, and each channel's tones.

    The result is cached: a study's trials share their truth, and this is two thirds of the time of a symptom.
    """
    limit = limit_of(
        known.past,
        known.truth,
        known.block,
        known.lyapunov_time,
        known.noise,
        known.series,
        known.position,
        known.driven,
    )
    wholes = np.concatenate([known.past, known.truth], axis=1)
    return limit, [_tones_by_start(wholes[..., channel]) for channel in range(wholes.shape[2])]


def _excused(verdict: StartVerdict, limit: Limit) -> bool:
    """Return whether an optimal forecast would fail in the same way; with a known Lyapunov time only by phase."""
    if limit.reference is None:
        return verdict.code in ("S10", "S11")
    return verdict.code not in ("S01", "S04", "S13")


def _tones_by_start(whole: Array) -> tuple[list[Tones] | None, float]:
    """Return the tones of each start, or None if the channel is not tonal, and the share that they forecast."""
    sampled = np.unique(np.linspace(0, len(whole) - 1, min(SAMPLED, len(whole))).astype(int))
    first = {int(start): tones_of(whole[start]) for start in sampled}
    share = float(np.median([tones.foretold for tones in first.values()]))
    explained = float(np.median([tones.explained for tones in first.values()]))
    if share < max(FORETOLD, LASTING * explained):
        return None, share
    by_start = [first.get(start) or tones_of(whole[start]) for start in range(len(whole))]
    known = max(first.values(), key=lambda tones: tones.foretold)
    # a start at which the search failed takes the tones of the clearest start
    return [tones if len(tones.omega) else known for tones in by_start], share


def _valid(evidence: RolloutEvidence, channel: int) -> Array:
    pick = slice(channel, channel + 1)
    return valid_steps(
        evidence.forecast[..., pick], evidence.truth[..., pick], evidence.scale[:, pick], evidence.block
    )


def _truth_statistics(true: Array, never: bool) -> TruthStatistics:
    """Return statistics of a channel's truth (start, step): how much its records differ among themselves."""
    horizon = true.shape[1]
    late = true[:, horizon // 2 :]
    moves = wanders(true)
    own = late.std(axis=1) / max(float(np.sqrt(late.var(axis=1).mean())), 1e-12)
    return TruthStatistics(
        wrong_first=BY_CHANCE if never else OFF,
        least_amplitude=float(own.min()),
        most_amplitude=float(own.max()),
        level_spread=0.0 if moves else float(late.mean(axis=1).std()),
        wanders=moves,
        least_recurrence=float(np.quantile([recurrence(values[horizon // 3 :])[0] for values in true], 0.1)),
    )


def _right_climate(forecast: Array, truth: Array, well: Array, channels: list[int]) -> Array:
    """Return (start, channel), whether the last two thirds are like the data, in this channel and in all."""
    right = np.ones((len(truth), truth.shape[2]), dtype=bool)
    horizon = truth.shape[1]
    begin = horizon // 3
    if not channels or not len(well) or horizon - begin < 2 * FEW_STEPS:
        return right
    late, true = forecast[well][:, begin:, channels], truth[:, begin:, channels]
    if len(true) < FEW_RECORDS:  # halves make more records of a few starts
        half = (horizon - begin) // 2
        late, true = late[:, -half:], np.concatenate([true[:, :half], true[:, -half:]])
    together = climate_is_right(late, true)
    for position, channel in enumerate(channels):
        pick = slice(position, position + 1)
        alone = together if len(channels) == 1 else climate_is_right(late[..., pick], true[..., pick])
        right[well, channel] = together & alone
    return right


def _as_good_as_trivial(evidence: RolloutEvidence, error: float) -> bool:
    """Return whether the forecast is about as good as the best trivial one, by the objective or by its RMS error.

    The scale is the RMS error of a trivial forecast. A training that minimises squares reaches that where nothing can
    be learnt, such as the mean of rare pulses, although the objective may prefer a forecast of no pulse.
    """
    if evidence.trivial is None or evidence.trivial.exact:
        return False
    by_rms = nrmse(evidence.forecast, evidence.truth, evidence.scale) <= AS_GOOD
    return by_rms or error <= AS_GOOD * evidence.trivial.rollout_error


def _prefix_errors(evidence: RolloutEvidence) -> tuple[float, ...]:
    """Return the rollout error over each prefix of the horizon, by the study's objective."""
    objective = objective_of(evidence.objective)
    return tuple(
        error_of_prefix(evidence.forecast, evidence.truth, evidence.scale, evidence.block, share, objective)
        for share in PREFIXES
    )


def _limited(evidence: RolloutEvidence, limit: Limit, errors: tuple[float, ...]) -> Array:
    truth, forecast, scale = evidence.truth, evidence.forecast, evidence.scale
    with np.errstate(over="ignore", invalid="ignore"):
        squares = np.square((forecast.astype(np.float64) - truth) / evidence.unit[:, None]).mean(axis=2)
    squares = np.where(np.isfinite(squares), squares, np.inf)
    valid = valid_steps(forecast, truth, scale, evidence.block)
    return as_far_as_possible(limit, squares, valid, errors, list(evidence.baselines.values()))


def _first_errors(forecast: Array, truth: Array, block: int) -> Array:
    """Return (start,), the RMS error over channels in the first quarter block, cut at ten scales."""
    steps = max(1, block // 4)
    distance = np.abs(forecast[:, :steps] - truth[:, :steps])
    distance = np.where(distance <= DIVERGED_BEYOND, distance, DIVERGED_BEYOND)
    error: Array = np.sqrt(np.square(distance).mean(axis=(1, 2)))
    return error
