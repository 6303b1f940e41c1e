"""Transforms and scaling: exact inverses, one step as in plain loops, and errors that stay where they are."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.config.errors import DataError, UnknownName
from sweep.data.codec import fit_codec
from sweep.data.transforms import TRANSFORMS, build_transforms

CHAINS = [
    (),
    *((name,) for name in TRANSFORMS),
    *itertools.permutations(["log", "difference", "seasonal_difference"]),
    ("sqrt", "seasonal_difference"),
    ("difference", "difference"),
]
CHAINS = [
    chain
    for chain in CHAINS
    if not any(a.endswith("difference") and b == "log" for a, b in itertools.combinations(chain, 2))
]
SEASON = 5


def fitted(chain, scaling="global", series=3, length=60, channels=2, seed=0):
    rng = np.random.default_rng(seed)
    level = np.arange(1, series + 1)[:, None, None] * np.array([1.0, 40.0])[:channels]
    train = list(level * (1.5 + rng.uniform(size=(series, length, channels))))
    season = SEASON if "seasonal_difference" in chain else None
    transforms = build_transforms(chain, season)
    codec = fit_codec(
        transforms, train, ["a", "b"][:channels], scaling, [f"series {n}" for n in range(series)]
    )
    return codec, train


def test_the_chains_cover_the_table():
    assert set(itertools.chain(*CHAINS)) == set(TRANSFORMS) and len(CHAINS) >= 8


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("scaling", ["global", "series", "none"])
def test_decode_inverts_encode(chain, scaling):
    codec, train = fitted(chain, scaling)
    values = np.stack(train)
    index = np.array([0, 2, -1])
    encoded = codec.encode(values, index)
    assert encoded.shape == (3, 60 - codec.lag, 2)
    past, truth = values[:, :20], values[:, 20:]
    forecast = encoded[:, 20 - codec.lag :]
    np.testing.assert_allclose(codec.decode(forecast, past, index), truth, rtol=1e-10)
    np.testing.assert_allclose(codec.decode_one_step(forecast, past, truth, index), truth, rtol=1e-10)


@pytest.mark.parametrize("chain", CHAINS)
@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), steps=st.integers(1, 23), extra=st.integers(0, 7))
def test_inverse_for_any_numbers(chain, seed, steps, extra):
    codec, _ = fitted(chain)
    rng = np.random.default_rng(seed)
    scale = 10.0 ** rng.uniform(-3, 3)
    values = scale * (0.5 + rng.uniform(size=(2, codec.lag + extra + 1 + steps, 2)))
    index = np.array([1, -1])
    cut = codec.lag + extra + 1
    forecast = codec.encode(values, index)[:, extra + 1 :]
    assert forecast.shape[1] == steps
    decoded = codec.decode(forecast, values[:, :cut], index)
    assert np.abs(decoded - values[:, cut:]).max() <= 1e-8 * (scale + 100)


@pytest.mark.parametrize("chain", CHAINS)
def test_one_step_forecasts_are_those_of_one_step_rollouts(chain):
    codec, train = fitted(chain)
    values = np.stack(train)
    index = np.arange(3)
    past, truth = values[:, :25], values[:, 25:]
    forecast = np.random.default_rng(1).normal(size=truth.shape)
    fast = codec.decode_one_step(forecast, past, truth, index)
    for step in range(truth.shape[1]):
        known = np.concatenate([past, truth[:, :step]], axis=1)
        slow = codec.decode(forecast[:, step : step + 1], known, index)
        np.testing.assert_allclose(fast[:, step : step + 1], slow, rtol=1e-10)


def test_a_rollout_of_differences_by_hand():
    (transform,) = build_transforms(["seasonal_difference"], 2)
    past = np.array([[[9.0], [1.0], [2.0]]])
    steps = np.array([[[10.0], [20.0], [30.0]]])
    assert transform.decode(steps, past).ravel().tolist() == [11.0, 22.0, 41.0]
    before = np.array([[[1.0], [2.0], [5.0], [7.0], [8.0]]])
    assert transform.decode_one_step(steps, before).ravel().tolist() == [11.0, 22.0, 35.0]
    assert transform.encode(before).ravel().tolist() == [4.0, 5.0, 3.0]


def test_statistics_by_hand():
    train = [np.array([[1.0], [3.0]]), np.array([[10.0], [30.0]])]
    common = fit_codec((), train, ["y"], "global", ["s", "t"])
    assert common.mean.ravel().tolist() == [11.0] * 3
    own = fit_codec((), train, ["y"], "series", ["s", "t"])
    assert own.mean.ravel().tolist() == [2.0, 20.0, 11.0]
    np.testing.assert_allclose(own.std.ravel(), [1.0, 10.0, np.std([1, 3, 10, 30])])
    assert own.encode(np.array([[[3.0]]]), np.array([0])).item() == 1.0
    assert own.encode(np.array([[[30.0]]]), np.array([1])).item() == 1.0
    assert own.encode(np.array([[[11.0]]]), np.array([-1])).item() == 0.0
    unscaled = fit_codec((), train, ["y"], "none", ["s", "t"])
    assert unscaled.encode(np.array([[[11.0]]] * 3), np.array([0, 1, -1])).ravel().tolist() == [11.0] * 3


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_stays_and_touches_no_neighbour(chain, bad):
    codec, train = fitted(chain)
    values = np.stack(train)
    past, truth, index = values[:, :20], values[:, 20:], np.arange(3)
    forecast = codec.encode(values, index)[:, 20 - codec.lag :].copy()
    forecast[1, 4, 0] = bad
    for decoded in (
        codec.decode(forecast, past, index),
        codec.decode_one_step(forecast, past, truth, index),
    ):
        assert not np.isfinite(decoded[1, 4, 0])
        touched = ~np.isclose(decoded, truth, rtol=1e-9)
        assert not touched[[0, 2]].any() and not touched[:, :, 1].any() and not touched[1, :4].any()


@pytest.mark.parametrize("chain", CHAINS)
def test_huge_forecasts_make_no_warning(chain):
    codec, train = fitted(chain)
    values = np.stack(train)
    forecast = np.full((3, 30, 2), 1e308)
    forecast[:, 1::2] = -1e308
    with np.errstate(all="raise"):  # the codec must guard itself
        codec.decode(forecast, values[:, :20], np.arange(3))
        codec.decode_one_step(forecast, values[:, :20], values[:, 20:50], np.arange(3))


def test_negative_forecasts_of_a_root_are_zero():
    codec, train = fitted(("sqrt",))
    forecast = np.full((1, 2, 2), -50.0)
    assert codec.decode(forecast, train[0][None], np.array([0])).max() == 0


def test_a_channel_without_spread_after_the_transforms():
    line = [np.arange(20.0)[:, None] * [1.0, 0.0] + [[0.0, 1.0]] * np.arange(20)[:, None] ** 2]
    with pytest.raises(
        DataError, match=r"channel 'a' is constant in the training data \(after the transforms"
    ):
        fit_codec(build_transforms(["difference"], None), line, ["a", "b"], "global", ["s"])
    with pytest.raises(DataError, match=r"channel 'b' is constant in the training part of t"):
        flat = np.array([[1.0, 2.0], [2.0, 2.0]])
        fit_codec((), [np.array([[1.0, 3.0], [2.0, 5.0]]), flat], ["a", "b"], "series", ["s", "t"])


def test_values_that_cannot_be_squared_are_refused():
    huge = 1e200 * np.arange(10.0)[:, None]
    with pytest.raises(DataError, match="channel 'y': the values are too large to be squared"):
        fit_codec((), (huge,), ("y",), "global", ["s"])

    with pytest.raises(
        DataError, match="channel 'y': the values are too small to be squared: use a smaller unit"
    ):
        fit_codec((), (1e-165 * np.arange(10.0)[:, None],), ("y",), "global", ["s"])


@pytest.mark.parametrize("offset", [1e9, -1e12])
def test_an_offset_is_not_a_reason_to_call_data_constant(offset):
    wave = np.sin(np.arange(200) / 5)[:, None] + offset
    codec = fit_codec((), (wave,), ("y",), "global", ["s"])
    assert codec.std[0, 0] == pytest.approx(np.sin(np.arange(200) / 5).std(), rel=0.02)
    fit_codec(build_transforms(["difference"], None), (wave,), ("y",), "global", ["s"])


@pytest.mark.parametrize("slope", [0.01, 1 / 3, 1e5 / 7])
def test_the_rounding_of_a_line_is_constant_after_a_difference(slope):
    # its differences differ by rounding of the line's values, which is large beside a small slope
    line = 1e6 + slope * np.arange(3000.0)[:, None]
    with pytest.raises(DataError, match="constant in the training data"):
        fit_codec(build_transforms(["difference"], None), (line,), ("y",), "global", ["s"])


def test_a_series_too_short_for_its_transforms():
    with pytest.raises(
        DataError, match=r"s: the training part has 6 samples, scaling needs 2 and the transforms consume 5"
    ):
        fit_codec(build_transforms(["seasonal_difference"], 5), [np.ones((6, 1))], ["y"], "global", ["s"])


@pytest.mark.parametrize(
    ("names", "season", "error", "message"),
    [
        (["seasonal_difference"], None, DataError, r"seasonal_difference needs data.season"),
        (["difference"], 12, DataError, r"data.season = 12 has no effect without seasonal_difference"),
        (["diference"], None, UnknownName, r"no transform named 'diference'. Did you mean 'difference'\?"),
    ],
)
def test_wrong_names(names, season, error, message):
    with pytest.raises(error, match=message):
        build_transforms(names, season)
