import numpy as np
import pytest

from sweep.config.data_section import DataConfig
from sweep.config.errors import DataError
from sweep.config.sections import ScoreConfig
from sweep.data import load
from sweep.data.sources.sine import fresh_offsets, training_rows

SCORE = ScoreConfig(warmup=50, horizon=40, starts=8)
PERIOD = 2 * np.pi * 20


def published_rows(period=20, length=1000, series=100, seed=2):
    """generate_sine_wave.py of pytorch/examples in plain loops; its train.py trains on data[3:]."""
    offsets = np.random.RandomState(seed).randint(-4 * period, 4 * period, series)
    return [[np.sin((step + offset) / 1.0 / period) for step in range(length)] for offset in offsets][3:]


def phase_distance(a, b):
    """Distance of two offsets in steps, modulo the period."""
    gap = np.abs(np.subtract.outer(a, b)) % PERIOD
    return np.minimum(gap, PERIOD - gap)


def test_training_rows_are_those_of_the_published_recipe():
    np.testing.assert_array_equal(training_rows(20, 1000, 100, 2), np.array(published_rows()))
    np.testing.assert_array_equal(training_rows(7, 5, 900, 3), np.array(published_rows(7, 5, 900, 3)))


def test_loaded_training_data_are_these_rows():
    data = load(DataConfig(source="sine"), SCORE)
    assert len(data.train_raw) == 97
    np.testing.assert_array_equal(np.stack(data.train_raw)[..., 0], np.array(published_rows()))


def test_global_random_state_is_left_alone():
    np.random.seed(5)
    expected = np.random.random()
    np.random.seed(5)
    load(DataConfig(source="sine"), SCORE)
    assert np.random.random() == expected


def test_the_examples_own_test_rows_duplicate_training_rows():
    # why validation and test are our own: the control for the next test
    draw = np.random.RandomState(2).randint(-80, 80, 100)
    assert phase_distance(draw[:3], draw[3:]).min() == 0


def test_validation_and_test_phases_are_fresh():
    train = np.random.RandomState(2).randint(-80, 80, 100)[3:]
    validation, test = fresh_offsets(20, 32, 2, 1), fresh_offsets(20, 32, 2, 2)
    for one, other in ((validation, train), (test, train), (validation, test)):
        assert phase_distance(one, other).min() > 1e-3
    for one in (validation, test):
        assert (phase_distance(one, one) + np.eye(32) * PERIOD).min() > 1e-3


def test_phases_cover_the_whole_period():
    offsets = fresh_offsets(20, 2000, 2, 1)
    counts, _ = np.histogram(offsets, bins=10, range=(0, PERIOD))
    assert counts.sum() == 2000 and counts.min() > 140


def test_one_start_per_series_and_more_starts_begin_with_the_same():
    few = load(DataConfig(source="sine"), SCORE)
    many = load(DataConfig(source="sine"), SCORE.model_copy(update={"starts": 12}))
    assert few.validation.truth.shape == (8, 40, 1)
    assert few.validation.n_eff == 8
    assert (few.validation.series == -1).all() and (few.validation.position == 50).all()
    np.testing.assert_array_equal(few.validation.past, many.validation.past[:8])
    np.testing.assert_array_equal(few.test.truth, many.test.truth[:8])


def test_scale_is_per_start():
    data = load(DataConfig(source="sine"), SCORE)
    mean = np.concatenate(data.train_raw).mean()
    starts = data.validation
    by_mean = np.array([np.sqrt(np.mean((truth - mean) ** 2)) for truth in starts.truth])
    by_last = np.sqrt(np.mean((starts.truth - starts.past[:, -1:]) ** 2, axis=(1, 2)))
    np.testing.assert_allclose(starts.scale[:, 0], np.minimum(by_mean, by_last))
    assert set(starts.scale_from[:, 0]) == {"mean", "persistence"}
    assert np.ptp(data.validation.scale) > 0.1  # 40 steps are a third of a period: starts differ


def test_truth_continues_the_past():
    data = load(DataConfig(source="sine"), SCORE)
    whole = np.concatenate([data.validation.past, data.validation.truth], axis=1)[..., 0]
    residue = whole[:, 2:] - 2 * np.cos(1 / 20) * whole[:, 1:-1] + whole[:, :-2]  # 0 for this frequency only
    assert np.abs(residue).max() < 1e-12


def test_noise_has_the_given_spread_and_differs_between_series():
    clean = load(DataConfig(source="sine"), SCORE)
    noisy = load(DataConfig(source="sine", options={"noise": 0.1}), SCORE)
    added = np.stack(noisy.train_raw) - np.stack(clean.train_raw)
    assert added.std() == pytest.approx(0.1, rel=0.02)
    assert np.abs(np.corrcoef(added[..., 0]) - np.eye(97)).max() < 0.2
    on_test = noisy.test.truth - clean.test.truth
    assert on_test.std() == pytest.approx(0.1, rel=0.2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"series": 3}, r"series must be above 3"),
        ({"T": 0}, r"T must be above 0, got 0"),
        ({"length": 1}, r"length must be at least 2"),
        ({"noise": -0.5}, r"noise must not be negative"),
        ({"T": 2.5}, r"data.options.T of source 'sine': wanted int, got 2.5"),
        ({"nois": 0.1}, r"no option 'nois'. Did you mean 'noise'\?"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(DataError, match=message):
        load(DataConfig(source="sine", options=options), SCORE)
