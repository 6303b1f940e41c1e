"""The rollouts that fit data: horizon, split, warm-up and starts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sweep.config.errors import DataError
from sweep.data import DataSummary
from sweep.data.starts import planned_n_eff
from sweep.stats.conformal import starts_for

Split = tuple[float, float, float]

SPLITS: tuple[Split, ...] = ((0.7, 0.15, 0.15), (0.6, 0.2, 0.2), (0.5, 0.25, 0.25))
FEWEST_ROWS = 60  # half of them train, and a quarter each holds a few starts of SHORTEST steps
SHORTEST, LONGEST = 10, 1000  # steps of a horizon: the least that a study scores; our choice
WANTED = (8, 4, 2)  # starts that do not overlap; below 8 no claim is made between settings
PERIODS = 2  # of a horizon, and of a warm-up
WITHOUT_PERIOD = 500  # steps of a horizon at most, where there is no period; our choice
READABLE = 100  # steps of a horizon of data with a short period; our choice
STARTS, FEW_STARTS = 32, 16  # of an evaluation; the second for long rollouts
LONG = 1000  # steps of warm-up and horizon
CALIBRATING = (0.1, 0.15, 0.2)  # shares of the samples, of which the first that holds enough starts is taken
LEAST_TRAINING = 0.5  # share of the samples that stays for training; our choice


@dataclass(frozen=True)
class Rollouts:
    """The rollouts of a study, with the reasons for their numbers."""

    split: Split
    calibration: float  # share of the validation part that chooses nothing; 0: none
    horizon: int
    warmup: int
    starts: int
    apart: int  # starts that do not overlap, in the smaller of validation and test
    why_split: str
    why_calibration: str
    why_horizon: str
    why_warmup: str
    why_starts: str


@dataclass(frozen=True)
class _Fit:
    split: Split
    horizon: int
    apart: int


def rollouts_of(
    summary: DataSummary,
    horizon: int | None,
    split: Split | None,
    warmup: int | None,
    lag: int,
    calibrated: bool = True,
) -> Rollouts:
    """Return the rollouts that fit data, with the horizon, split and warm-up that were given.

    Samples for calibration are taken from the training part; validation and test keep theirs.

    Args:
        summary: of the data.
        horizon: None: chosen.
        split: None: chosen.
        warmup: None: chosen.
        lag: steps that the transforms consume.
        calibrated: whether samples are kept for calibration if there is room; a given split has none.

    Raises:
        DataError: the data are too few; the text says how many rows would do.
    """
    splits = SPLITS if split is None else (split,)
    fit = _given(summary, horizon, splits) if horizon else _chosen(summary, splits)
    final = fit.split
    kept = _calibration(summary, fit) if calibrated and split is None else None
    if kept is not None:
        final = kept.split
    train = max(round(length * final[0]) for length in summary.lengths)
    most = max(1, train // 2 - lag)
    if warmup is None:
        wanted = max(PERIODS * (summary.period or 0), min(max(fit.horizon, 50), 200))
        warmup = min(round(wanted), LONGEST, most)
        why_warmup = (
            "true steps that set the hidden state before a forecast"
            + (f": {warmup / summary.period:.2g} times the period" if summary.period else "")
            + ("; half of the training part" if warmup == most else "")
        )
    else:
        why_warmup = "as given"
    places = sum(max(0, part - fit.horizon + 1) for part in _parts(summary.lengths, fit.split))
    most_starts = STARTS if warmup + fit.horizon <= LONG else FEW_STARTS
    starts = max(1, min(max(most_starts, min(summary.series, 2 * STARTS)), places, max(8, 4 * fit.apart)))
    share = f"{100 * fit.split[2]:g} %"
    apart = _apart(summary, fit.split, fit.horizon, starts)
    return Rollouts(
        split=final,
        calibration=0.0 if kept is None else kept.share,
        horizon=fit.horizon,
        warmup=warmup,
        starts=starts,
        apart=apart,
        why_split=(
            "shares of training, validation and test, in time"
            + (f"; {share} of so few rows hold more starts" if fit.split in SPLITS[1:] and not split else "")
            + ("" if kept is None else "; the validation part includes the samples for calibration")
        ),
        why_calibration=""
        if kept is None
        else (
            "share of the validation part, its latest, that chooses nothing: intervals of the forecasts are calibrated "
            f"on its {kept.starts} starts that do not overlap (90 % needs {starts_for(90)})"
        ),
        why_horizon=_why_horizon(summary, fit, horizon),
        why_warmup=why_warmup,
        why_starts=(
            f"forecasts per evaluation; {apart} of them do not overlap"
            + ("" if apart >= WANTED[0] else ", too few to claim that one setting beats another")
        ),
    )


@dataclass(frozen=True)
class _Kept:
    split: Split
    share: float  # of the validation part
    starts: int  # that do not overlap


def _calibration(summary: DataSummary, fit: _Fit) -> _Kept | None:
    """Return a split with samples for calibration beside those of validation; None without room for levels of 90 %."""
    train, validation, test = fit.split
    for part in CALIBRATING:
        if train - part < LEAST_TRAINING - 1e-9:
            continue
        split = (round(train - part, 2), round(validation + part, 2), test)
        share = math.floor(100 * part / split[1] + 1e-9) / 100  # rounded down: validation keeps its samples
        starts = 0
        for length in summary.lengths:
            first, second = round(length * split[0]), round(length * (split[0] + split[1]))
            starts += round((second - first) * share) // fit.horizon
        if starts >= starts_for(90):
            return _Kept(split, share, starts)
    return None


def _chosen(summary: DataSummary, splits: Sequence[Split]) -> _Fit:
    """Return the horizon of about two periods, or by the length of the parts, and a split that holds it often."""
    for count in WANTED[:2]:
        for horizon in _candidates(summary, splits[0]):
            for split in splits:
                apart = _apart(summary, split, horizon)
                if apart >= count:
                    return _Fit(split, horizon, apart)
    split = splits[-1]
    longest = max(_parts(summary.lengths, split))
    for horizon in (longest // count for count in WANTED[1:]):
        if horizon >= SHORTEST:
            return _Fit(split, horizon, _apart(summary, split, horizon))
    if longest < SHORTEST or summary.rows < FEWEST_ROWS:
        raise DataError(_too_few(summary, SHORTEST, split))
    return _Fit(split, SHORTEST, _apart(summary, split, SHORTEST))


def _candidates(summary: DataSummary, split: Split) -> list[int]:
    part = max(_parts(summary.lengths, split))
    period = summary.period
    if period is None:
        return [min(max(part // 8, SHORTEST), WITHOUT_PERIOD)]
    readable = min(READABLE, part // 8)
    wanted = max(PERIODS * period, readable)
    if period >= 20:  # whole periods; with shorter ones the numbers would only be odd
        wanted = period * max(PERIODS, round(readable / period))
    fitting = [horizon for horizon in (round(wanted), round(period)) if horizon <= LONGEST] or [LONGEST]
    return [max(horizon, SHORTEST) for horizon in dict.fromkeys(fitting)]


def _given(summary: DataSummary, horizon: int, splits: Sequence[Split]) -> _Fit:
    """Return the first split that holds a given horizon often enough, or else the one that holds it most often."""
    if horizon < SHORTEST:
        raise DataError(f"horizon = {horizon}: wanted at least {SHORTEST} steps")
    fits = [_Fit(split, horizon, _apart(summary, split, horizon)) for split in splits]
    best = max(fits, key=lambda fit: min(fit.apart, WANTED[0]))  # of equal ones the first
    if best.apart and summary.rows >= FEWEST_ROWS:
        return best
    raise DataError(_too_few(summary, horizon, splits[-1]))


def _too_few(summary: DataSummary, horizon: int, split: Split) -> str:
    longest = max(summary.lengths)
    rows = max(FEWEST_ROWS, int(horizon / min(split[1:])) + 2)
    of = (
        f"the longest of {summary.series} series has {longest} rows"
        if summary.series > 1
        else f"{longest} rows"
    )
    text = f"{summary.name}: {of}, too few for a study with a horizon of {horizon}: {rows} would do"
    fitting = max(_parts(summary.lengths, split))
    if SHORTEST <= fitting < horizon and summary.rows >= FEWEST_ROWS:
        text += f"; with these rows a horizon of up to {fitting}"
    return text


def _why_horizon(summary: DataSummary, fit: _Fit, given: int | None) -> str:
    text = "free-running steps that are scored: "
    if given:
        text += "as given"
    elif summary.period and fit.horizon >= 0.9 * summary.period:
        text += f"{fit.horizon / summary.period:.2g} times the period of {summary.period:.4g} steps"
    elif summary.period:
        text += f"less than the period of {summary.period:.4g} steps, as the rows hold no more"
    else:
        text += "by the length of the test part, as no period is clear"
    return text


def _parts(lengths: Sequence[int], split: Split) -> list[int]:
    """Return the samples of each series in the smaller of its validation and test part."""
    parts = []
    for length in lengths:
        first, second = round(length * split[0]), round(length * (split[0] + split[1]))
        parts.append(min(second - first, length - second))
    return parts


def _apart(summary: DataSummary, split: Split, horizon: int, starts: int = STARTS) -> int:
    """Return how many of the starts do not overlap, in the smaller of validation and test."""
    bounds = [
        (round(length * split[0]), round(length * (split[0] + split[1])), length)
        for length in summary.lengths
    ]
    validation = planned_n_eff("validation", [(a, b) for a, b, _ in bounds], starts, horizon)
    return min(validation, planned_n_eff("test", [(b, c) for _, b, c in bounds], starts, horizon))
