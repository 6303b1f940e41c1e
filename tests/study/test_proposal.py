"""Proposed study files: each can be run, whatever its data, and each choice has its reason."""

import re
import tomllib
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from sweep import api
from sweep.api.init_study import Asked, proposed_study
from sweep.config.errors import DataError
from sweep.data import DataSummary
from sweep.data.facts import Fact
from sweep.study.proposal import proposal

KINDS = ("periodic", "noisy", "trending", "chaotic")


@cache
def made(kind: str, series: int, rows: int, channels: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    time = np.arange(rows)[None, :, None]
    wave = np.sin(2 * np.pi * time / 25 + rng.uniform(0, 6, (series, 1, channels)))
    if kind == "periodic":
        return wave
    if kind == "noisy":
        return wave + rng.standard_normal(wave.shape)
    if kind == "trending":
        return 0.05 * time + wave + 0.05 * rng.standard_normal(wave.shape)
    logistic, value = np.empty(wave.shape), rng.uniform(0.1, 0.9, (series, channels))
    for step in range(rows):
        value = 3.9 * value * (1 - value)
        logistic[:, step] = value
    return logistic


SIZES = [
    (rows, channels, series)
    for rows in (60, 200, 1500, 100_000)
    for channels, series in ((1, 1), (3, 1), (1, 30), (3, 30))
    if rows < 100_000 or series == 1
]


def uncommented(text: str) -> str:
    """Return the comments of a study file as running text."""
    return " ".join(line.removeprefix("# ") for line in text.splitlines() if line.startswith("#"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("rows", "channels", "series"), SIZES)
def test_each_proposal_can_be_run(tmp_path: Path, kind: str, rows: int, channels: int, series: int):
    np.save(tmp_path / "made.npy", made(kind, series, rows, channels))
    path = tmp_path / "made.toml"
    proposed = proposed_study(tmp_path / "made.npy", path)
    path.write_text(proposed.text)
    previewed = api.preview(str(path), measure=False, results=tmp_path)
    assert previewed.warnings == ()
    assert min(previewed.data.n_eff) >= min(8, series, rows // 60)
    assert all(cost.updates >= 40 for cost in previewed.costs)
    kept = proposed.study.data.calibration
    assert (kept > 0) == (previewed.data.calibration is not None)
    if previewed.data.calibration is not None:
        assert previewed.data.calibration[1] >= 9
        assert f"on its {previewed.data.calibration[1]} starts" in uncommented(proposed.text)
    full_batches = [cost.sequence_steps / cost.updates for cost in previewed.costs if cost.full_batch]
    assert full_batches and max(full_batches) < 30_000
    assert 10 <= proposed.study.score.horizon <= 500


def test_a_million_rows(tmp_path: Path):
    time = np.arange(1_000_000)
    np.save(
        tmp_path / "made.npy", np.sin(time / 8) + 0.2 * np.random.default_rng(0).standard_normal(1_000_000)
    )
    path = tmp_path / "made.toml"
    path.write_text(proposed_study(tmp_path / "made.npy", path).text)
    previewed = api.preview(str(path), measure=False, results=tmp_path)
    assert previewed.warnings == ()
    assert max(c.sequence_steps / c.updates for c in previewed.costs if c.full_batch) < 30_000
    assert previewed.study.training.budget < 30_000_000


@pytest.mark.parametrize("rows", [1, 3, 20, 59])
def test_too_few_rows_are_refused_with_the_number_that_would_do(tmp_path: Path, rows: int):
    values = np.random.default_rng(0).standard_normal(max(60, rows))
    np.save(tmp_path / "made.npy", values[:rows])
    with pytest.raises(DataError, match="60 would do" if rows > 1 else "60 would do|training"):
        proposed_study(tmp_path / "made.npy", tmp_path / "made.toml")
    np.save(tmp_path / "made.npy", values[:60])
    proposed_study(tmp_path / "made.npy", tmp_path / "made.toml")


def summary(**changes) -> DataSummary:
    plain = DataSummary(
        name="made", channels=("a", "b"), targets=("a", "b"), lengths=(2000,), train_lengths=(1400,), period=None,
        noise=1e-4, trend=0.0, difference=0.5, spread=1.0,
    )  # fmt: skip
    return replace(plain, **changes)


def document(summary: DataSummary, **options) -> dict:
    return tomllib.loads(proposal(summary, "made.csv", **options).text)


def test_a_given_horizon_is_kept_or_refused_with_what_would_fit():
    made = document(summary(), horizon=200)
    assert made["score"]["horizon"] == 200 and made["data"]["split"] == [0.5, 0.25, 0.25]
    assert document(summary(), horizon=20)["data"]["split"][2] == 0.15
    with pytest.raises(DataError, match=r"2000 rows, too few .* horizon of 700: 2802 would do; .* up to 500"):
        document(summary(), horizon=700)
    assert document(summary(lengths=(2802,)), horizon=700)["score"]["horizon"] == 700
    assert document(summary(), horizon=500)["score"]["horizon"] == 500


@pytest.mark.parametrize(
    ("horizon", "split", "share"),
    [
        (22, [0.6, 0.25, 0.15], 0.4),  # 200 samples hold 9 starts
        (23, [0.55, 0.3, 0.15], 0.5),  # 8, but 300 samples 13
        (
            40,
            [0.5, 0.37, 0.13],
            0.486,
        ),  # 200 of training hold 5 starts, the others come from validation and test
        (
            48,
            [0.5, 0.25, 0.25],
            0.0,
        ),  # 9 x 48 of calibration, 8 x 48 of validation and 4 x 48 of test exceed 1000
    ],
)
def test_samples_for_calibration_are_kept_where_there_is_room(horizon, split, share):
    made = document(summary(), horizon=horizon)["data"]
    assert (made["split"], made["calibration"]) == (split, share)


def test_700_days_have_intervals(tmp_path: Path):
    np.save(tmp_path / "days.npy", made("noisy", 1, 700, 1))
    path = tmp_path / "days.toml"
    proposed = proposed_study(tmp_path / "days.npy", path, Asked(horizon=14))
    path.write_text(proposed.text)
    data = api.preview(str(path), measure=False, results=tmp_path).data
    assert data.calibration == (126, 9) and data.samples[0] == 350
    assert data.n_eff[0] >= 8 and data.n_eff[1] >= 4
    assert f"{data.n_eff[0]} in validation and {data.n_eff[1]} in test do not overlap" in uncommented(
        proposed.text
    )
    assert proposed.intervals == "90 %, calibrated on 9 starts that do not overlap"


@pytest.mark.parametrize("lengths", [(500,), (200, 180, 160)], ids=["one", "three"])
def test_a_study_without_intervals_says_what_would_be_enough(lengths):
    def intervals(more: int, horizon: int) -> str:
        longer = summary(lengths=tuple(length + more for length in lengths))
        return proposal(longer, "made.csv", horizon=horizon).intervals

    text = intervals(0, 14)
    assert text.startswith("no intervals of forecasts: 90 % needs 9 starts")
    assert text in uncommented(proposal(summary(lengths=lengths), "made.csv", horizon=14).text)
    words = re.search(
        r"; (\d+) more rows(?: of each series)? or a horizon of at most (\d+) \(--horizon \2\) would be enough",
        text,
    )
    rows, horizon = int(words[1]), int(words[2])
    assert [intervals(more, 14).startswith("90 %") for more in (rows - 1, rows)] == [False, True]
    assert [intervals(0, steps).startswith("90 %") for steps in (horizon + 1, horizon)] == [False, True]
    assert ("of each series" in text) == (len(lengths) > 1)


def test_validation_and_test_keep_their_starts():
    free, kept = (document(summary(), horizon=22, given=given) for given in ({"data.calibration": 0.0}, {}))
    assert (free["data"]["split"], free["data"]["calibration"]) == ([0.7, 0.15, 0.15], 0.0)
    assert free["score"] == kept["score"]


@pytest.mark.parametrize(
    "given",
    [{"data.split": [0.6, 0.2, 0.2]}, {"data.split_by": "series"}, {"score.from_start": True}],
    ids=["split", "split_by", "from_start"],
)
def test_a_given_division_is_kept(given):
    made = document(summary(), horizon=22, given=given)["data"]
    assert "calibration" not in made and made["split"][2] in (0.15, 0.2)


@pytest.mark.parametrize(
    ("period", "rows", "horizon"),
    [(48.0, 20_000, 96), (48.0, 1500, 48), (12.0, 20_000, 100), (700.0, 40_000, 700), (None, 20_000, 375)],
)
def test_a_horizon_is_some_periods_or_by_the_length(period, rows, horizon):
    assert document(summary(period=period, lengths=(rows,)))["score"]["horizon"] == horizon


def test_noise_decides_ridge_and_input_noise():
    ridges = []
    for noise, inputs in ((1e-4, None), (0.05, [0.0, 0.03]), (0.3, [0.0, 0.07, 0.2])):
        space = document(summary(noise=noise))["space"]
        assert space.get("input_noise") == inputs == space["readout_refit"]["always"].get("input_noise")
        assert ("never" in space["readout_refit"]) == (inputs is not None)
        ridges.append(space["readout_refit"]["always"]["ridge"]["log"])
    assert ridges == sorted(ridges)
    assert document(summary(noise=0.3))["model"]["readout"] == "increment"
    assert document(summary(noise=0.6))["model"]["readout"] == "value"
    fast = document(summary(noise=0.3, period=7.0))["space"]  # no noise can be told from so short a period
    assert fast["readout_refit"]["always"]["ridge"]["log"] == ridges[1]


def test_a_strong_trend_is_differenced_if_that_leaves_something():
    assert "transforms" not in document(summary())["data"]
    assert document(summary(trend=0.9))["data"]["transforms"] == ["difference"]
    assert document(summary(trend=0.9, difference=0.7))["model"]["readout"] == "value"  # of the differences
    line = proposal(summary(trend=0.9, difference=None), "made.csv").text
    assert "transforms = []" in line and "would leave nothing" in line


def test_series_of_different_spread_are_scaled_by_their_own():
    assert "scaling" not in document(summary(spread=9.0))["data"]
    assert document(summary(spread=11.0))["data"]["scaling"] == "series"


@pytest.mark.parametrize(
    ("step", "period", "calendar"),
    [(1800.0, 48.1, True), (1800.0, 24.0, True), (1800.0, 30.0, False), (1800.0, None, False),
     (86_400.0, 7.0, False), (None, 48.0, False)],
)  # fmt: skip
def test_the_time_of_day_is_an_input_where_there_is_a_daily_period(step, period, calendar):
    data = document(summary(step_seconds=step, period=period))["data"]
    assert data.get("calendar") == (["time_of_day"] if calendar else None)


def test_known_inputs_have_their_reason_and_leave_the_calendar():
    driven = summary(channels=("a",), targets=("a",), known=("u",), step_seconds=1800.0, period=48.0)
    text = proposal(driven, "made.csv", known=["u"]).text
    data = tomllib.loads(text)["data"]
    assert (data["known"], data["calendar"]) == (["u"], ["time_of_day"])
    assert (
        "# inputs whose future is given, not forecast" in text
        and "1 channel and 1 input from outside" in text
    )
    assert "known" not in document(summary())["data"]


def test_a_guess_is_a_comment_and_no_setting():
    guess = Fact("inputs", "b looks like an input", 'known = ["b"]', guessed=True)
    text = proposal(summary(facts=(guess,)), "made.csv").text
    assert '# a guess, not applied: b looks like an input, or known = ["b"] here\nknown = []' in text
    settled = proposal(summary(facts=(replace(guess, guessed=False),)), "made.csv").text
    assert "known =" not in settled


def test_targets_and_given_values():
    assert "# All 2 channels are forecast and scored: a, b" in proposal(summary(), "made.csv").text
    named = summary(targets=("a",))
    assert "b: forecast as well, but not scored" in proposal(named, "made.csv", targets=["a"]).text
    made = document(
        named, targets=["a"], given={"score.horizon": 40, "data.split": [0.6, 0.2, 0.2], "search.seed": 3}
    )
    assert (made["data"]["target"], made["data"]["split"]) == (["a"], [0.6, 0.2, 0.2])
    assert (made["score"]["horizon"], made["search"]["seed"]) == (40, 3)


def test_a_faster_machine_gets_more_trials():
    slow, fast = (
        document(summary(lengths=(50_000,)), speed=speed)["search"]["trials"] for speed in (2e9, 1e11)
    )
    assert slow < fast
