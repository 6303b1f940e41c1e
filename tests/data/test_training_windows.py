import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep.config.data_section import DataConfig
from sweep.config.errors import DataError
from sweep.config.sections import ScoreConfig
from sweep.data import batch_arrays, load, window_offsets, window_source, window_warnings

SCORE = ScoreConfig(warmup=10, horizon=20, starts=4)


@given(
    st.lists(st.integers(1, 60), min_size=1, max_size=5), st.integers(1, 59), st.none() | st.integers(0, 99)
)
def test_windows_never_overlap_and_always_fit(lengths, window, seed):
    if max(lengths) <= window:
        lengths = [*lengths, window + 1]
    picks = window_offsets(lengths, window, None if seed is None else np.random.default_rng(seed))
    for series, length in enumerate(lengths):
        offsets = picks[picks[:, 0] == series, 1]
        shift = offsets[0] if len(offsets) else 0
        assert len(offsets) == max(length - 1 - shift, 0) // window  # as many as fit behind the shift
        assert (np.diff(offsets) == window).all()
        assert shift < window and (seed is not None or shift == 0)
        assert not len(offsets) or (offsets[0] >= 0 and offsets[-1] + window + 1 <= length)


def test_by_hand():
    assert window_offsets([7, 2, 10], 3, None).tolist() == [[0, 0], [0, 3], [2, 0], [2, 3], [2, 6]]
    assert window_offsets([5, 5], 0, None).tolist() == [[0, 0], [1, 0]]
    assert window_offsets([5, 5], 0, np.random.default_rng(0)).tolist() == [[0, 0], [1, 0]]


def test_random_shifts_reach_every_step_of_a_window():
    rng = np.random.default_rng(0)
    long = {int(window_offsets([11], 4, rng)[0, 1]) for _ in range(100)}
    short = {int(window_offsets([7], 4, rng)[0, 1]) for _ in range(100)}
    assert long == {0, 1, 2, 3}  # less than a window
    assert short == {0, 1, 2}  # the one window must fit: 4 inputs and the last target


@pytest.mark.parametrize(
    ("lengths", "window", "message"),
    [
        ([5, 8], 8, r"training.window = 8 needs 9 samples in a row, .* has 8: set training.window to 7"),
        ([5, 8], 0, r"training.window = 0 takes whole series, .* have 5 to 8 samples: .* to 4 or less"),
    ],
)
def test_windows_that_do_not_fit(lengths, window, message):
    with pytest.raises(DataError, match=message):
        window_offsets(lengths, window, None)


def test_series_too_short_for_a_window_are_told_of(data):
    assert [len(values) for values in data.train] == [35, 23]
    assert window_warnings(data, [16, 22]) == ()
    (warning,) = window_warnings(data, [8, 30, 25])  # the longest that fits, once
    assert warning.startswith("1 of 2 training series has fewer than the 31 samples of a window")
    refused, warning = window_warnings(data, [500, 30])
    assert refused.startswith("training.window = 500 needs") and refused.endswith(
        "; trials with this window fail"
    )
    assert "training.window = 30" in warning
    with pytest.raises(DataError, match=r"training\.window = 500 needs"):
        window_warnings(data, [500, 600])
    with pytest.raises(DataError, match="takes whole series"):
        window_warnings(data, [0])


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("windows")
    rng = np.random.default_rng(0)
    rows = ["unique_id,ds,y,x"]
    for name, length in (("a", 90), ("b", 60)):
        for hour in range(length):
            stamp = np.datetime64("2024-01-01T00") + np.timedelta64(hour, "h")
            rows.append(f"{name},{stamp}:00,{rng.normal()},{rng.normal()}")
    (folder / "two.csv").write_text("\n".join(rows) + "\n")
    config = DataConfig(
        path="two.csv", calendar=("time_of_day",), transforms=("difference",), split=(0.4, 0.3, 0.3)
    )
    return load(config, ScoreConfig(warmup=3, horizon=10, starts=4), folder)


def test_a_batch_equals_plain_loops(data):
    assert [len(values) for values in data.train] == [35, 23] and data.inputs == 4
    picks = window_offsets([35, 23], 7, np.random.default_rng(1))[::-1]
    inputs, targets = batch_arrays(data, picks, 7)
    assert inputs.shape == (len(picks), 7, 4) and targets.shape == (len(picks), 7, 2)
    assert inputs.dtype == targets.dtype == np.float64
    for row, (series, offset) in enumerate(picks):
        for step in range(7):
            now = offset + step
            np.testing.assert_array_equal(inputs[row, step, :2], data.train[series][now])
            np.testing.assert_array_equal(inputs[row, step, 2:], data.train_known[series][now + 1])
            np.testing.assert_array_equal(targets[row, step], data.train[series][now + 1])


def test_calendar_of_training_and_of_starts_is_that_of_the_same_hours(data):
    # the calendar row of a sample is that of its own hour, after the difference has consumed the first
    hours = np.arange(1, 36)
    expected = np.column_stack([np.sin(2 * np.pi * hours / 24), np.cos(2 * np.pi * hours / 24)])
    np.testing.assert_allclose(data.train_known[0], expected, atol=1e-12)
    starts = data.validation
    for row, position in enumerate(starts.position):
        hours = np.arange(position - 3, position + 10)
        np.testing.assert_allclose(starts.known[row, :, 0], np.sin(2 * np.pi * hours / 24), atol=1e-12)


def test_precision_and_whole_series():
    data = load(DataConfig(source="sine"), SCORE)
    source = window_source(data, 0, np.float32)
    picks = source.offsets(None)
    assert source.window == 999 and len(picks) == 97
    inputs, targets = source.batch(picks[[3, 50]])
    assert inputs.dtype == np.float32 and inputs.shape == (2, 999, 1)
    np.testing.assert_array_equal(inputs[1, 1:], targets[1, :-1])
    np.testing.assert_array_equal(targets[0], data.train[3][1:].astype(np.float32))


def test_an_epoch_of_fixed_windows_uses_every_input_once():
    data = load(DataConfig(source="sine"), SCORE)
    source = window_source(data, 111)
    inputs, _ = source.batch(source.offsets(None))
    np.testing.assert_array_equal(inputs.reshape(97, 999), np.stack(data.train)[:, :999, 0])
