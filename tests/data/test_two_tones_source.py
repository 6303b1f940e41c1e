import numpy as np
import pytest

from sweep.config.data_section import DataConfig
from sweep.config.errors import DataError
from sweep.config.sections import ScoreConfig
from sweep.data import SOURCES, load
from sweep.data.sources.two_tones import tones

SCORE = ScoreConfig(warmup=50, horizon=40, starts=8)


def test_tones_equal_plain_loops():
    options = SOURCES["two_tones"].complete({"period_1": 10.0, "amplitude_2": 0.25, "seed": 4})
    phases = np.random.default_rng([4, 2]).uniform(0, 2 * np.pi, (3, 2))
    twin = [
        [
            np.sin(2 * np.pi * t / 10 + first) + 0.25 * np.sin(2 * np.pi * t / options["period_2"] + second)
            for t in range(30)
        ]
        for first, second in phases
    ]
    assert tones(options, 30, 3, 2) == pytest.approx(np.array(twin))


def test_the_spectrum_has_the_two_periods_and_amplitudes():
    row = tones(SOURCES["two_tones"].complete({"period_1": 50.0, "period_2": 32.0}), 1600, 1, 0)[0]
    spectrum = 2 * np.abs(np.fft.rfft(row)) / 1600
    assert spectrum[[1600 // 50, 1600 // 32]] == pytest.approx([1.0, 0.6])
    assert np.sort(spectrum)[-3] < 1e-9


def test_default_periods_share_no_multiple():
    options = SOURCES["two_tones"].complete({})
    ratio = options["period_1"] / options["period_2"]
    fractions = [(p, q) for q in range(1, 100) for p in (round(ratio * q),)]
    # the golden ratio keeps this far from every fraction (Hurwitz); 13/8 = 1.625 would not
    assert min(abs(ratio - p / q) * q**2 for p, q in fractions) > 0.38


def test_one_start_per_series_and_more_starts_begin_with_the_same():
    few = load(DataConfig(source="two_tones"), SCORE)
    many = load(DataConfig(source="two_tones"), SCORE.model_copy(update={"starts": 12}))
    assert len(few.train_raw) == 100 and few.train_raw[0].shape == (1000, 1)
    assert few.validation.n_eff == 8 and (few.validation.series == -1).all()
    np.testing.assert_array_equal(few.validation.past, many.validation.past[:8])
    np.testing.assert_array_equal(few.test.truth, many.test.truth[:8])


def test_parts_have_other_phases():
    data = load(DataConfig(source="two_tones"), SCORE)
    firsts = [values[0, 0] for values in data.train_raw]
    firsts += [*data.validation.past[:, 0, 0], *data.test.past[:, 0, 0]]
    assert len(set(firsts)) == 116


def test_noise_has_the_given_spread():
    clean = load(DataConfig(source="two_tones"), SCORE)
    noisy = load(DataConfig(source="two_tones", options={"noise": 0.1}), SCORE)
    added = np.stack(noisy.train_raw) - np.stack(clean.train_raw)
    assert added.std() == pytest.approx(0.1, rel=0.02)
    assert (noisy.test.truth - clean.test.truth).std() == pytest.approx(0.1, rel=0.2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"series": 0}, r"series must be above 0"),
        ({"period_1": 2.0}, r"period_1 must be above 2 steps, got 2.0"),
        ({"amplitude_2": 0.0}, r"amplitude_2 must be above 0"),
        ({"length": 1}, r"length must be at least 2"),
        ({"noise": -0.5}, r"noise must not be negative"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(DataError, match=message):
        load(DataConfig(source="two_tones", options=options), SCORE)
