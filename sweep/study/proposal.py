"""The proposal: the text of a study file that fits data, each setting with the reason for its value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sweep.config.summary_words import forecast_text, percent, seen_text
from sweep.config.text import plural
from sweep.data import DataSummary
from sweep.data.spread import APART
from sweep.data.transforms import build_transforms
from sweep.data.trend import STRONG
from sweep.study.proposed_calibration import Split
from sweep.study.proposed_rollouts import Rollouts, rollouts_of
from sweep.study.proposed_training import CORES, MINUTES, Sizes, sizes_of
from sweep.study.study_text import Setting, Table, text_of, with_given

# Noise as a share of the standard deviation; our choices. Up to CLEAN the dynamics decide, from NOISY on the noise.
CLEAN, NOISY = 0.01, 0.1
SMOOTH = 12  # steps of a period; with fewer the noise cannot be told from the signal
WHITE = 0.5  # noise from which on a change from step to step is mostly noise
GUESSED = 0.03  # input noise at most where little is known of the data's; our choice
MOST_INPUT_NOISE = 0.2  # where noise dominates; our choice
DIVIDES = (  # given values with which no samples for calibration are proposed
    "data.calibration",
    "data.split_by",
    "data.validation_path",
    "data.test_path",
    "score.from_start",
)
DAILY = 0.05  # relative difference of a period from a day, or half a day


@dataclass(frozen=True)
class Proposal:
    """A study file that fits data."""

    text: str  # TOML
    intervals: str  # which intervals its forecasts will have, or why none; empty: a given division decides


def proposal(
    summary: DataSummary,
    file: str,
    horizon: int | None = None,
    targets: Sequence[str] = (),
    known: Sequence[str] = (),
    given: Mapping[str, Any] | None = None,
    speed: float | None = None,
) -> Proposal:
    """Return a study file.

    Args:
        summary: of the data, with the targets as scored channels.
        file: the path of the data, as the study file should have it.
        horizon: free-running steps to score; None: chosen.
        targets: channels to forecast; empty: all.
        known: columns of inputs whose future is given.
        given: values by key path that replace the proposed ones.
        speed: of training, as in `sizes_of`; None: a constant.

    Raises:
        DataError: the data are too few; the text says how many rows would do.
    """
    given = dict(given or {})
    transforms = _transforms(summary, given)
    lag = sum(one.lag for one in build_transforms(transforms.value, given.get("data.season")))
    horizon = given.get("score.horizon", horizon)
    split: Split | None = tuple(given["data.split"]) if "data.split" in given else None
    calibrated = not any(key in given for key in DIVIDES)
    rollouts = rollouts_of(summary, horizon, split, given.get("score.warmup"), lag, calibrated)
    noise = summary.noise
    if transforms.value == ["difference"]:
        noise = summary.difference or 0.0
    level = _level(noise, summary.period)
    sizes = sizes_of(summary, rollouts, lag, level == "noisy", speed)
    tables = (
        Table(
            "", (Setting("description", f"{summary.name}: {plural(rollouts.horizon, 'free-running step')}"),)
        ),
        _data(summary, file, targets, known, transforms, rollouts),
        _score(rollouts),
        _model(noise),
        _training(sizes),
        _search(sizes, level),
        *_space(sizes, level, noise),
    )
    text = text_of(with_given(tables, given), seen_text(summary.document()))
    return Proposal(text, rollouts.intervals)


def _level(noise: float, period: float | None) -> str:
    """Return "clean", "some" or "noisy"; oscillations of few steps are not smooth and prove no noise."""
    if noise < CLEAN:
        return "clean"
    return "some" if noise < NOISY or (period is not None and period < SMOOTH) else "noisy"


def _transforms(summary: DataSummary, given: Mapping[str, Any]) -> Setting:
    if "data.transforms" in given:
        return Setting("transforms", list(given["data.transforms"]))
    if summary.trend < STRONG:
        return Setting("transforms", [])
    line = f"a straight line explains {100 * summary.trend:.0f} % of the training variance"
    if summary.difference is None:
        return Setting("transforms", [], f"{line}, but a difference would leave nothing to learn")
    why = f"{line}: a forecast of the level would have to extrapolate it, one of the change need not"
    return Setting("transforms", ["difference"], why)


def _data(
    summary: DataSummary,
    file: str,
    targets: Sequence[str],
    known: Sequence[str],
    transforms: Setting,
    rollouts: Rollouts,
) -> Table:
    settings = [Setting("path", file)]
    if targets:
        others = [name for name in summary.channels if name not in summary.targets]
        why = "the channels that are scored"
        if others:
            why += f"; {', '.join(others)}: forecast as well, but not scored"
        settings.append(Setting("target", list(targets), why))
    elif len(summary.channels) > 1:
        settings.append(Setting("target", [], f"{forecast_text(summary.document())}; name those that matter"))
    guess = next((fact for fact in summary.facts if fact.name == "inputs" and fact.guessed), None)
    if known:
        why = (
            "inputs whose future is given, not forecast: a forecast of a time sees their values at that time"
        )
        settings.append(Setting("known", list(known), why))
    elif guess is not None:
        settings.append(Setting("known", [], f"a guess, not applied: {guess.text}, or {guess.key} here"))
    if transforms.value or transforms.why:
        settings.append(transforms)
    if summary.spread > APART:
        why = f"the standard deviations of the series differ by a factor of {summary.spread:.3g}"
        settings.append(Setting("scaling", "series", f"{why}, so each is scaled by its own"))
    days = _daily(summary)
    if days is not None:
        why = f"a day is {days:.4g} steps, and the data have a period of {summary.period:.4g}"
        settings.append(Setting("calendar", ["time_of_day"], f"{why}: the time of day is known ahead"))
    settings.append(Setting("split", list(rollouts.split), rollouts.why_split))
    if rollouts.why_calibration:
        settings.append(Setting("calibration", rollouts.calibration, rollouts.why_calibration))
    return Table("data", tuple(settings))


def _daily(summary: DataSummary) -> float | None:
    """Return the steps of a day if the data are dated and have a period of a day or half a day, else None."""
    days, period = summary.steps_per_day, summary.period
    if days is None or period is None:
        return None
    return days if any(abs(part * period / days - 1) < DAILY for part in (1, 2)) else None


def _score(rollouts: Rollouts) -> Table:
    return Table(
        "score",
        (
            Setting("warmup", rollouts.warmup, rollouts.why_warmup),
            Setting("horizon", rollouts.horizon, rollouts.why_horizon),
            Setting("starts", rollouts.starts, rollouts.why_starts),
        ),
    )


def _model(noise: float) -> Table:
    if noise >= WHITE:
        why = "the network predicts the value itself: a change from step to step would be mostly noise"
        readout = Setting("readout", "value", why)
    else:
        readout = Setting("readout", "increment", "the network predicts the change of the current value")
    return Table("model", (Setting("layers", 1, "one layer suffices on most data and trains fast"), readout))


def _training(sizes: Sizes) -> Table:
    why = f"sequence-steps of a full trial: {sizes.epochs:.3g} passes over the training data"
    return Table(
        "training",
        (
            Setting("window", sizes.window, "steps of a training window, of which the data hold several"),
            Setting("budget", sizes.budget, why),
            Setting("evaluations", 14, "points of the budget at which a trial is scored"),
        ),
    )


def _search(sizes: Sizes, level: str) -> Table:
    values = "half" if level == "clean" else "a third"
    return Table(
        "search",
        (
            Setting(
                "trials", sizes.trials, f"for about {MINUTES:.0f} minutes on {CORES} cores, with pruning"
            ),
            Setting(
                "in_turn",
                "readout_refit",
                f"{values} of the trials each, or nearly all would soon be of one kind",
            ),
        ),
    )


def _space(sizes: Sizes, level: str, noise: float) -> list[Table]:
    axes = [
        Setting("cell", ["lstm", "gru"]),
        Setting("hidden", list(sizes.hidden), "units, few for short series"),
        Setting("batch_size", list(sizes.batches), "windows per update, of which an epoch needs several"),
        Setting("scheduler", ["none", "cosine", "warmup_cosine", "plateau"]),
    ]
    if level == "noisy":
        axes.append(Setting("weight_decay", [0.0, 1e-4, 1e-3], "against learning the noise"))
    if level != "clean":
        why = "in standard deviations, up to the noise of the data: trained with it, a rollout bears its own errors"
        axes.append(Setting("input_noise", _input_noises(level, noise), why))
    refit = "the last layer: trained as the rest, solved at the end, or solved in each evaluation of the loss"
    tables = [Table("space", tuple(axes))]
    if level == "clean":
        refit = (
            "the last layer: solved at the end, or in each evaluation of the loss; on data with little noise "
            "a trained one is worse by orders of magnitude"
        )
        tables.append(Table("space.readout_refit.end", (), refit))
    else:
        tables += [Table("space.readout_refit.never", (), refit), Table("space.readout_refit.end")]
    momentum = Setting("momentum", {"log1m": [0.0, 0.99]})
    tables.append(_always(sizes, level, noise))
    low = 3e-4 if level == "noisy" else 1e-3
    tables.append(Table("space.optimizer.adam", (Setting("lr", {"log": [low, 3e-2]}), momentum)))
    tables.append(Table("space.optimizer.rmsprop", (Setting("lr", {"log": [1e-4, 1e-2]}), momentum)))
    tables.append(Table("space.optimizer.sgd", (Setting("lr", {"log": [3e-3, 1.0]}), momentum)))
    return tables


def _always(sizes: Sizes, level: str, noise: float) -> Table:
    """Return the settings of variable projection; noise needs a ridge of its size."""
    size = f"a full batch of {sizes.full_batch:,} steps"
    closures = round(sizes.full_batch_budget / sizes.full_batch)
    settings = [
        Setting("optimizer", {"name": "lbfgs", "history": 30}),
        Setting("scheduler", "none"),
        Setting("budget", sizes.full_batch_budget, f"about {closures} evaluations of {size}"),
        Setting("evaluations", 8),
        Setting("window", list(sizes.long_windows), "longer than those of mini-batches"),
    ]
    if sizes.stride > 1:
        settings.append(Setting("window_stride", sizes.stride, f"one window in {sizes.stride}, for {size}"))
    settings.append(Setting("burn_in", [0.1, 0.2, 0.4]))
    ridges = {"clean": [1e-16, 1e-8], "some": [1e-14, 1e-3], "noisy": [1e-9, 1e-2]}
    why = f"by the noise, at most {percent(noise)} of the standard deviation"
    settings.append(Setting("ridge", {"log": ridges[level]}, why))
    if level != "clean":
        settings.append(Setting("input_noise", _input_noises(level, noise)))
    return Table("space.readout_refit.always", tuple(settings), "variable projection, docs/study-files.md")


def _input_noises(level: str, noise: float) -> list[float]:
    """Return noises on the inputs up to that of the data; where the noise is not known, the most is a guess."""
    if level == "some":
        return [0.0, float(f"{min(noise, GUESSED):.1g}")]
    most = min(noise, MOST_INPUT_NOISE)
    return [0.0, *(float(f"{share * most:.1g}") for share in (1 / 3, 1))]
