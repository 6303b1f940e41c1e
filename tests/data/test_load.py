"""The whole path: splits that never overlap, no leak from validation and test, clear refusals."""

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.config.data_section import DataConfig
from sweep.config.errors import DataError
from sweep.config.sections import ScoreConfig
from sweep.data import load
from sweep.data.recording import Need, Recording, Series
from sweep.data.split import split_in_time
from sweep.data.starts import build_starts, level_of, places_spread

SCORE = ScoreConfig(warmup=20, horizon=30, starts=6)


@pytest.fixture
def file(tmp_path):
    def written(values):
        np.save(tmp_path / "values.npy", values)
        return tmp_path

    return written


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape) + 5.0


def ids(length, number):
    """A series whose values tell where they come from: no two samples are alike."""
    return (np.arange(length, dtype=float) + 1e6 * number)[:, None] + 0.0


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(60, 400), min_size=1, max_size=4),
    shares=st.sampled_from([(0.7, 0.15, 0.15), (0.5, 0.3, 0.2), (0.34, 0.33, 0.33)]),
    warmup=st.integers(1, 40),
    horizon=st.integers(10, 60),
    count=st.integers(1, 20),
)
def test_parts_never_share_a_target(lengths, shares, warmup, horizon, count):
    need = Need(warmup, horizon, count)
    recording = Recording("r", ("y",), tuple(Series(f"s{n}", ids(k, n)) for n, k in enumerate(lengths)))
    series = split_in_time(recording, shares).series
    raw = [one.values[: one.parts["train"][1]] for one in series]
    known = [np.zeros((len(one.values), 0)) for one in series]
    seen = {"train": set(np.concatenate(raw).ravel())}
    for part in ("validation", "test"):
        try:
            places = places_spread(part, series, need, 0)
        except DataError:
            fits = [one.parts[part][1] - max(one.parts[part][0], warmup) >= horizon for one in series]
            assert not any(fits)
            continue
        starts = build_starts(places, series, range(len(series)), need.past, 0, known, level_of(raw))
        assert 1 <= len(starts.position) <= count and 1 <= starts.n_eff <= len(starts.position)
        assert len(set(zip(starts.series, starts.position, strict=True))) == len(starts.position)
        for past, truth, number, position in zip(
            starts.past, starts.truth, starts.series, starts.position, strict=True
        ):
            whole = np.concatenate([past, truth])[:, 0]
            np.testing.assert_array_equal(
                whole, 1e6 * number + np.arange(position - warmup, position + horizon)
            )
            begin, end = series[number].parts[part]
            assert begin <= position and position + horizon <= end
        seen[part] = set(starts.truth.ravel())
    for one in seen:
        for other in seen:
            assert one == other or not seen[one] & seen[other]


def test_changing_validation_and_test_changes_nothing_of_training(file):
    values = noise(600, 2)
    config = DataConfig(path="values.npy", transforms=("log",))
    before = load(config, SCORE, file(values))
    altered = values.copy()
    altered[420:] = 100 * noise(180, 2, seed=1) ** 2
    after = load(config, SCORE, file(altered))
    np.testing.assert_array_equal(before.train[0], after.train[0])
    np.testing.assert_array_equal(before.codec.mean, after.codec.mean)
    np.testing.assert_array_equal(before.codec.std, after.codec.std)
    np.testing.assert_array_equal(before.validation.mean, after.validation.mean)
    np.testing.assert_array_equal(before.validation.position, after.validation.position)
    assert before.period == after.period and before.fingerprint != after.fingerprint


def test_changing_test_changes_nothing_of_validation(file):
    values = noise(600, 1)
    before = load(DataConfig(path="values.npy"), SCORE, file(values))
    values[510:] += 100
    after = load(DataConfig(path="values.npy"), SCORE, file(values))
    for name in ("past", "truth", "mean", "scale", "position"):
        np.testing.assert_array_equal(getattr(before.validation, name), getattr(after.validation, name))


def test_changing_training_changes_the_codec(file):
    # the control of the two tests above
    values = noise(600, 1)
    before = load(DataConfig(path="values.npy"), SCORE, file(values))
    values[419] += 100
    after = load(DataConfig(path="values.npy"), SCORE, file(values))
    assert (before.codec.mean != after.codec.mean).all()


def test_mean_and_scale_in_plain_loops(file):
    values = noise(3, 300, 2) * np.array([1.0, 10.0, 100.0])[:, None, None]
    data = load(DataConfig(path="values.npy"), SCORE, file(values))
    for part in (data.validation, data.test):
        assert set(part.series) == {0, 1, 2}
        for row, series in enumerate(part.series):
            for channel in range(2):
                mean = values[series, :210, channel].mean()
                squares = [
                    (value - mean) ** 2
                    for other, truth in zip(part.series, part.truth, strict=True)
                    for value in truth[:, channel]
                    if other == series
                ]
                assert part.mean[row, channel] == pytest.approx(mean)
                assert part.scale[row, channel] == pytest.approx(np.sqrt(np.mean(squares)))


def test_scale_follows_a_level_that_moves(file):
    values = noise(600, 1)
    values[510:] += 50
    data = load(DataConfig(path="values.npy"), SCORE, file(values))
    # the training mean is 50 wrong; the last value is wrong by the noise before and after it
    assert set(data.validation.scale_from[:, 0]) == {"mean"} and data.validation.scale.max() < 2
    assert set(data.test.scale_from[:, 0]) == {"persistence"} and 1 < data.test.scale.max() < 2.5


def test_exact_data_are_said_to_be_exact_and_their_scale_is_small_but_not_zero(file):
    values = noise(600, 1)
    values[510:] = values[:420].mean()
    data = load(DataConfig(path="values.npy"), SCORE, file(values))
    np.testing.assert_allclose(data.test.scale, values[:420].std() * 2**-20)
    assert data.test.exact.all() and not data.validation.exact.any()
    (text,) = data.warnings
    assert text.startswith("test: channel 'y' is exact: ") and "forecasts it to rounding" in text


def test_per_series_scaling(file):
    values = noise(3, 300, 1) * np.array([1.0, 10.0, 100.0])[:, None, None]
    own = load(DataConfig(path="values.npy", scaling="series"), SCORE, file(values))
    common = load(DataConfig(path="values.npy"), SCORE, file(values))
    for train in own.train:
        assert train.mean() == pytest.approx(0, abs=1e-9) and train.std() == pytest.approx(1)
    assert common.train[0].std() < 0.01 < 0.3 < common.train[2].std()
    encoded = own.codec.encode(own.validation.past, own.validation.series)
    assert encoded.std() == pytest.approx(1, abs=0.2)


def test_past_and_known_inputs_grow_with_the_lag_of_the_transforms(file):
    config = DataConfig(path="values.npy", transforms=("difference", "seasonal_difference"), season=7)
    data = load(config, SCORE, file(noise(600, 1)))
    assert data.codec.lag == 8
    assert data.validation.past.shape == (6, 28, 1) and data.validation.known.shape == (6, 50, 0)
    assert len(data.train[0]) + 8 == len(data.train_raw[0]) == 420 and len(data.train_known[0]) == 412


def test_starts_are_reduced_to_what_fits_and_said_so(file):
    data = load(DataConfig(path="values.npy"), SCORE, file(noise(210, 1)))  # 31 or 32 samples per part
    assert len(data.validation.position) == len(set(data.validation.position)) <= 3
    assert any(text.startswith("validation: only") for text in data.warnings)
    enough = load(DataConfig(path="values.npy"), SCORE, file(noise(600, 1)))
    assert enough.warnings == ()


def test_series_too_short_for_a_rollout_are_named(tmp_path):
    rng = np.random.default_rng(0)
    rows = [f"{name},{t},{rng.normal()}" for name, length in (("a", 400), ("b", 60)) for t in range(length)]
    (tmp_path / "two.csv").write_text("\n".join(["unique_id,ds,y", *rows]) + "\n")
    data = load(DataConfig(path="two.csv"), SCORE, tmp_path)
    assert set(data.validation.series) == {0} and len(data.train) == 2
    assert "validation: 1 of 2 series is too short" in data.warnings[0]


@pytest.mark.parametrize(
    ("length", "score", "message"),
    [
        (
            200,
            SCORE.model_copy(update={"horizon": 40}),
            r"values.npy: the validation part holds 30 of 200 samples, too few for score.horizon = 40 after "
            r"score.warmup = 20: score.horizon = 30 or less would fit",
        ),
        (
            200,
            SCORE.model_copy(update={"warmup": 141}),
            r"score.horizon = 29 or less would fit, score.warmup = 140 or less would fit",
        ),
        (
            40,
            SCORE,
            r"holds 6 of 40 samples.*= 20: give more data, or a larger validation share in data.split",
        ),
    ],
)
def test_a_part_too_short_for_a_rollout_says_what_would_fit(file, length, score, message):
    folder = file(noise(length, 1))
    with pytest.raises(DataError, match=message):
        load(DataConfig(path="values.npy"), score, folder)


def test_the_numbers_that_were_said_to_fit_do_fit(file):
    folder = file(noise(200, 1))
    load(DataConfig(path="values.npy"), SCORE.model_copy(update={"horizon": 30}), folder)
    load(DataConfig(path="values.npy"), SCORE.model_copy(update={"warmup": 140}), folder)


def broken(row, value, channel=0):
    values = noise(600, 2)
    values[row, channel] = value
    return values


@pytest.mark.parametrize(
    ("values", "config", "message"),
    [
        (noise(600, 2), {"target": ("x00",)}, r"data.target: no channel named 'x00'. Did you mean 'x0'\?"),
        (noise(600, 2), {"target": ("x1", "x1")}, r"data.target names a channel twice"),
        (noise(600, 2), {"options": {"T": 3}}, r"data.options \(T\) are for a source"),
        (
            noise(600, 2),
            {"calendar": ("time_of_day",)},
            r"values.npy: data.calendar = .* needs a column of dates",
        ),
        (
            noise(600, 2) * [1, 0],
            {},
            r"column 'x1', sample 0 .* to sample 419 .*constant 0 throughout the training",
        ),
        (
            broken(77, 0.0),
            {"transforms": ("log",)},
            r"column 'x0', sample 77 .*: log needs values above 0, got 0",
        ),
        (
            broken(590, -1.0, 1),
            {"transforms": ("sqrt",)},
            r"column 'x1', sample 590 .*sqrt needs values of 0 or more",
        ),
        (noise(600, 2), {"transforms": ("difference", "log")}, r"sample \d+ .*: log needs values above 0"),
        (
            noise(6, 2),
            {"transforms": ("seasonal_difference",), "season": 9},
            r"6 samples are too few for transform",
        ),
        (
            noise(1, 1),
            {},
            r"values.npy: the training part has 1 sample, scaling needs 2: give more data .arrays are",
        ),
    ],
)
def test_refusals(file, values, config, message):
    folder = file(values)
    with pytest.raises(DataError, match=message) as caught:
        load(DataConfig(path="values.npy", **config), SCORE, folder)
    assert "\n" not in str(caught.value)


def test_the_line_of_a_file_is_named_beyond_the_reader(tmp_path):
    values = noise(600)
    values[99] = -2
    (tmp_path / "a.csv").write_text("y\n" + "\n".join(str(value) for value in values) + "\n")
    with pytest.raises(DataError, match=r"^a.csv, column 'y', line 101: log needs values above 0, got -2"):
        load(DataConfig(path="a.csv", transforms=("log",)), SCORE, tmp_path)


def test_targets_are_indices_of_channels(file):
    data = load(DataConfig(path="values.npy", target=("x2", "x0")), SCORE, file(noise(600, 3)))
    assert data.targets == (2, 0) and data.channels == ("x0", "x1", "x2")
    assert data.validation.truth.shape[2] == 3  # the rollout feeds all channels back


def test_fingerprint_depends_on_every_setting_that_changes_the_data(file):
    folder = file(noise(600, 2))
    configs = [
        {},
        {"target": ("x0",)},
        {"split": (0.6, 0.2, 0.2)},
        {"transforms": ("difference",)},
    ]
    scores = [SCORE, SCORE.model_copy(update={"starts": 5}), SCORE.model_copy(update={"warmup": 21})]
    prints = [load(DataConfig(path="values.npy", **config), SCORE, folder).fingerprint for config in configs]
    prints += [load(DataConfig(path="values.npy"), score, folder).fingerprint for score in scores[1:]]
    assert len(set(prints)) == len(prints)
    assert all(len(one) == len(hashlib.sha256().hexdigest()) for one in prints)
