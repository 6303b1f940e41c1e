"""The seasonal naive forecast by the calendar: which seasons dates give, and which day a forecast repeats."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sweep.config.data_section import DataConfig
from sweep.config.sections import ScoreConfig
from sweep.data import load
from sweep.score.baselines.calendar_naive import flags_of, seasons_of
from sweep.score.baselines.simple import CannotServe
from sweep.score.baselines.table import BASELINES, score_baselines

NAME = "seasonal_naive_calendar"
CHOSEN = BASELINES[NAME]


def loaded(folder, times, y, warmup=24 * 8, horizon=72, transforms=(), **known):
    frame = pd.DataFrame({"ds": times, "y": y, **known})
    frame.to_csv(folder / "a.csv", index=False)
    config = DataConfig(path="a.csv", channels=("y",), known=tuple(known), transforms=transforms)
    return load(config, ScoreConfig(warmup=warmup, horizon=horizon, starts=6), folder)


def hours(folder, **settings):
    """Hours of 8 weeks: a daily wave by the hour, 10 higher on free days, of which one is a Wednesday."""
    times = pd.date_range("2024-01-01", periods=56 * 24, freq="h")
    free = np.asarray((times.day_of_week >= 5) | (times.day_of_year == 45)).astype(int)
    y = np.asarray(times.hour**2 / 100 + 10 * free)
    trend = np.arange(len(times)) * 0.001  # so that repeating is never exact
    return loaded(folder, times, y + trend, workday=1 - free, heat=np.sin(np.arange(len(times))), **settings)


STEPS = [
    ("h", {"day": 24, "week": 168, "year": 8766}),
    ("30min", {"day": 48, "week": 336, "year": 17532}),
    ("7h", {"week": 24, "year": 1252}),
    ("D", {"week": 7, "year": 365}),
    ("B", {"week": 5}),
    ("MS", {"year": 12}),
    ("QS", {"year": 4}),
    ("YS", {}),
]


@pytest.mark.parametrize(("step", "wanted"), STEPS, ids=[step for step, _ in STEPS])
def test_seasons_follow_from_the_step(step, wanted, tmp_path):
    times = pd.date_range("1950-01-02", periods=200, freq=step)
    data = loaded(tmp_path, times, np.random.default_rng(0).normal(size=200), warmup=5, horizon=10)
    assert seasons_of(data) == wanted
    assert (NAME in score_baselines(data)) == bool(wanted)


def test_numbers_have_no_season(tmp_path):
    data = loaded(tmp_path, np.arange(200), np.random.default_rng(0).normal(size=200), warmup=5, horizon=10)
    assert seasons_of(data) == {} and NAME not in score_baselines(data)
    assert seasons_of(replace(data, recorded=None)) == {}
    with pytest.raises(CannotServe, match="no dates that give a day"):
        CHOSEN.choose(data)


def test_flags_are_inputs_of_few_values(tmp_path):
    assert flags_of(hours(tmp_path)) == [0]  # the workday, not the temperature


@pytest.mark.parametrize("transforms", [(), ("difference",)])
def test_a_forecast_repeats_the_last_day_with_equal_flags(transforms, tmp_path):
    data = hours(tmp_path, transforms=transforms)
    settings = CHOSEN.choose(data)
    assert settings == {"lag": 24, "season": "day", "flags": [0]}
    starts = data.validation
    made = CHOSEN.fit(data, settings)(starts, 72)
    lag = data.codec.lag
    for start in range(len(starts.past)):
        past, known = starts.past[start, lag:, 0], starts.known[start, :, 0]
        for step in range(72):
            time = len(past) + step
            same = [t for t in range(time % 24, len(past), 24) if known[t] == known[time]]
            assert made[start, step, 0] == past[same[-1]]
    # the trend apart, nothing is left to explain; by the day or week alone much is
    assert np.abs(made - starts.truth).max() < 0.3
    for lag in (24, 168):
        blind = CHOSEN.fit(data, {"lag": lag, "season": "", "flags": []})(starts, 72)
        assert np.abs(blind - starts.truth).max() > 5


def test_without_an_equal_day_the_last_season_is_repeated(tmp_path):
    data = hours(tmp_path)
    known = data.validation.known.copy()
    known[:, 24 * 8 :, 0] = 7.0
    starts = replace(data.validation, known=known)
    made = CHOSEN.fit(data, {"lag": 24, "season": "day", "flags": [0]})(starts, 72)
    np.testing.assert_array_equal(made, starts.past[:, -24:][:, np.arange(72) % 24])


def test_a_past_without_a_season_is_a_reason(tmp_path):
    data = hours(tmp_path, warmup=20)
    with pytest.raises(
        CannotServe, match=r"warm-up of 20 steps holds no season of 24 \(a day\), 168 \(a week\)"
    ):
        CHOSEN.choose(data)


def test_no_later_flag_is_seen(tmp_path):
    data = hours(tmp_path)
    forecast = CHOSEN.fit(data, {"lag": 24, "season": "day", "flags": [0]})
    known = data.validation.known.copy()
    known[:, 24 * 8 + 30 :, 0] = -known[:, 24 * 8 + 30 :, 0]
    first, again = forecast(data.validation, 72), forecast(replace(data.validation, known=known), 72)
    np.testing.assert_array_equal(first[:, :30], again[:, :30])
    assert (first[:, 30:] != again[:, 30:]).any()
