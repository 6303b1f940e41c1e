"""The rollouts that fit data: horizon, split, warm-up and starts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sweep.config.errors import DataError
from sweep.config.text import plural
from sweep.data import DataSummary
from sweep.stats.conformal import starts_for
from sweep.study.proposed_calibration import (
    LEAST_TEST,
    LEAST_VALIDATION,
    LEVEL,
    Kept,
    Split,
    kept_samples,
    smaller_parts,
    starts_apart,
)

SPLITS: tuple[Split, ...] = ((0.7, 0.15, 0.15), (0.6, 0.2, 0.2), (0.5, 0.25, 0.25))
FEWEST_ROWS = 60  # half of them train, and a quarter each holds a few starts of SHORTEST steps
SHORTEST, LONGEST = 10, 1000  # steps of a horizon: the least that a study scores; our choice
WANTED = (8, 4, 2)  # starts that do not overlap; below 8 no claim is made between settings
PERIODS = 2  # of a horizon, and of a warm-up
WITHOUT_PERIOD = 500  # steps of a horizon at most, where there is no period; our choice
READABLE = 100  # steps of a horizon of data with a short period; our choice
STARTS, FEW_STARTS = 32, 16  # of an evaluation; the second for long rollouts
LONG = 1000  # steps of warm-up and horizon
MOST_TIMES = 100  # up to this multiple of the rows, the text says how many would do; our choice


@dataclass(frozen=True)
class Rollouts:
    """The rollouts of a study, with the reasons for their numbers."""

    split: Split
    calibration: float  # share of the validation part that chooses nothing; 0: none
    horizon: int
    warmup: int
    starts: int
    why_split: str
    why_calibration: str  # or why there are no samples for it; empty: not chosen here
    intervals: str  # of forecasts, in a few words; empty: not chosen here
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

    Samples for calibration are taken as `kept_samples` says.

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
    wanted = calibrated and split is None
    kept = _kept(summary, fit) if wanted else None
    final, share = (fit.split, 0.0) if kept is None else (kept.split, kept.share)
    train = max(round(length * final[0]) for length in summary.lengths)
    most = max(1, train // 2 - lag)
    if warmup is None:
        warmup = min(_warmup(summary, fit.horizon), most)
        why_warmup = (
            "true steps that set the hidden state before a forecast"
            + (f": {warmup / summary.period:.2g} times the period" if summary.period else "")
            + ("; half of the training part" if warmup == most else "")
        )
    else:
        why_warmup = "as given"
    places = sum(max(0, part - fit.horizon + 1) for part in smaller_parts(summary.lengths, final, share))
    most_starts = STARTS if warmup + fit.horizon <= LONG else FEW_STARTS
    most_starts = max(most_starts, min(summary.series, 2 * STARTS))
    validation, _ = starts_apart(summary.lengths, final, fit.horizon, most_starts, share)
    starts = max(1, min(most_starts, places, max(8, 4 * validation)))
    validation, test = starts_apart(summary.lengths, final, fit.horizon, starts, share)
    none = _why_no_calibration(summary, fit, horizon) if wanted and kept is None else ""
    return Rollouts(
        split=final,
        calibration=share,
        horizon=fit.horizon,
        warmup=warmup,
        starts=starts,
        why_split=_why_split(fit, kept, split),
        why_calibration=none if kept is None else _why_calibration(kept),
        intervals=none
        if kept is None
        else f"{LEVEL} %, calibrated on {kept.calibration} starts that do not overlap",
        why_horizon=_why_horizon(summary, fit, horizon),
        why_warmup=why_warmup,
        why_starts=_why_starts(validation, test),
    )


def _warmup(summary: DataSummary, horizon: int) -> int:
    """Return the true steps before a forecast, if the rows hold them."""
    return min(round(max(PERIODS * (summary.period or 0), min(max(horizon, 50), 200))), LONGEST)


def _kept(summary: DataSummary, fit: _Fit) -> Kept | None:
    starts = STARTS if _warmup(summary, fit.horizon) + fit.horizon <= LONG else FEW_STARTS
    return kept_samples(summary.lengths, fit.split, fit.horizon, starts)


def _why_split(fit: _Fit, kept: Kept | None, given: Split | None) -> str:
    text = "shares of training, validation and test, in time"
    if kept is not None and kept.given_by != ("training",):
        parts = " and ".join(", ".join(kept.given_by).rsplit(", ", 1))
        return f"{text}; {parts} gave the samples for calibration, which are in the validation part"
    if fit.split in SPLITS[1:] and not given:
        text += f"; {100 * fit.split[2]:g} % of so few rows hold more starts"
    return text if kept is None else f"{text}; the validation part includes the samples for calibration"


def _why_calibration(kept: Kept) -> str:
    return (
        "share of the validation part, its latest, that chooses nothing: intervals of the forecasts are calibrated "
        f"on its {kept.calibration} starts that do not overlap ({LEVEL} % needs {starts_for(LEVEL)})"
    )


def _why_no_calibration(summary: DataSummary, fit: _Fit, given: int | None) -> str:
    """Return why no samples are kept for calibration, and how many more rows, or which horizon, would give some."""

    def kept_with(more: int, horizon: int | None) -> bool:
        longer = replace(summary, lengths=tuple(length + more for length in summary.lengths))
        try:
            fit = _given(longer, horizon, SPLITS) if horizon else _chosen(longer, SPLITS)
        except DataError:
            return False
        return _kept(longer, fit) is not None

    text = (
        f"no intervals of forecasts: {LEVEL} % needs {starts_for(LEVEL)} starts that do not overlap, beside "
        f"{LEAST_VALIDATION} for validation, {LEAST_TEST} for test, and half of the rows for training"
    )
    most = MOST_TIMES * max(summary.lengths)
    more = _least(lambda rows: kept_with(rows, given), most)
    ways = []
    if more is not None:
        ways.append(f"{plural(more, 'more row')}{' of each series' if summary.series > 1 else ''}")
    less = _least(lambda steps: kept_with(0, fit.horizon - steps), fit.horizon - SHORTEST)
    if less is not None:
        ways.append(f"a horizon of at most {fit.horizon - less} (--horizon {fit.horizon - less})")
    return f"{text}; {' or '.join(ways)} would be enough" if ways else text


def _least(holds: Callable[[int], bool], most: int) -> int | None:
    """Return the least number from 1 to `most` for which a condition holds that larger ones meet too, None if none."""
    if most < 1 or not holds(most):
        return None
    low, high = 0, most  # the condition holds at `high`
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _why_starts(validation: int, test: int) -> str:
    apart = (
        f"{validation} of them" if validation == test else f"{validation} in validation and {test} in test"
    )
    text = f"forecasts per evaluation; {apart} do not overlap"
    return (
        text if validation >= LEAST_VALIDATION else f"{text}, too few to claim that one setting beats another"
    )


def _chosen(summary: DataSummary, splits: Sequence[Split]) -> _Fit:
    """Return the horizon of about two periods, or by the length of the parts, and a split that holds it often."""
    for count in WANTED[:2]:
        for horizon in _candidates(summary, splits[0]):
            for split in splits:
                apart = _apart(summary, split, horizon)
                if apart >= count:
                    return _Fit(split, horizon, apart)
    split = splits[-1]
    longest = max(smaller_parts(summary.lengths, split))
    for horizon in (longest // count for count in WANTED[1:]):
        if horizon >= SHORTEST:
            return _Fit(split, horizon, _apart(summary, split, horizon))
    if longest < SHORTEST or summary.rows < FEWEST_ROWS:
        raise DataError(_too_few(summary, SHORTEST, split))
    return _Fit(split, SHORTEST, _apart(summary, split, SHORTEST))


def _candidates(summary: DataSummary, split: Split) -> list[int]:
    part = max(smaller_parts(summary.lengths, split))
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
    fitting = max(smaller_parts(summary.lengths, split))
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


def _apart(summary: DataSummary, split: Split, horizon: int) -> int:
    """Return how many of the starts do not overlap, in the smaller of validation and test."""
    return min(starts_apart(summary.lengths, split, horizon, STARTS))
