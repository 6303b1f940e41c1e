import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.config.records import PREFIXES
from sweep.data.types import Starts
from sweep.score.evaluation import scores
from sweep.score.metrics import (
    block_edges,
    block_errors,
    block_length,
    diverged_fraction,
    error_of_prefix,
    nrmse,
    nrmse_by_step,
    prefix_steps,
    rollout_error,
    valid_steps,
)

OMEGA = 0.05  # radians per step
PERIOD = 2 * np.pi / OMEGA  # 125.66 steps
HORIZON = 1000
BAD = (np.nan, np.inf, -np.inf, 1e300, -1e300)


def sines(count=32, seed=0, omega=OMEGA, steps=HORIZON):
    """Return (start, step, 1): unit sines with even phases, so that averages over phases are exact enough."""
    phases = np.random.default_rng(seed).permutation(np.arange(count) / count * 2 * np.pi)
    return np.sin(omega * np.arange(1, steps + 1) + phases[:, None])[..., None]


def rms_scale(truth):
    return np.sqrt((truth**2).mean(axis=1))


def starts_of(truth, mean=None, scale=None):
    count, horizon, channels = truth.shape
    return Starts(
        past=truth[:, :5],
        truth=truth,
        mean=np.zeros((count, channels)) if mean is None else mean,
        std=np.ones((count, channels)),
        scale=rms_scale(truth) if scale is None else scale,
        scale_from=np.full((count, channels), "mean"),
        exact=np.zeros((count, channels), dtype=bool),
        series=np.full(count, -1),
        owner=np.arange(count),
        position=np.zeros(count, dtype=int),
        known=np.zeros((count, 5 + horizon, 0)),
        n_eff=count,
    )


def random_case(seed, starts=3, steps=24, channels=2, size=1.0):
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=(starts, steps, channels))
    return truth + size * rng.normal(size=truth.shape), truth, rng.uniform(0.5, 2, size=(starts, channels))


# --- blocks


@pytest.mark.parametrize(
    ("period", "horizon", "wanted"),
    [
        (125.66, 1000, 126),
        (10.0, 1000, 50),
        (900.0, 1000, 200),
        (None, 1000, 50),
        (None, 10, 1),
        (2.0, 10, 2),
    ],
)
def test_a_block_is_a_period_within_bounds(period, horizon, wanted):
    assert block_length(period, horizon) == wanted


@pytest.mark.parametrize(("period", "horizon"), [(0.0, 100), (-3.0, 100), (math.nan, 100), (5.0, 0)])
def test_a_block_needs_positive_numbers(period, horizon):
    with pytest.raises(ValueError, match="positive numbers"):
        block_length(period, horizon)


@given(horizon=st.integers(1, 3000), data=st.data())
def test_blocks_cover_every_step_once_and_are_nearly_equal(horizon, data):
    block = data.draw(st.integers(1, horizon))
    edges = block_edges(horizon, block)
    sizes = np.diff(edges)
    assert edges[0] == 0 and edges[-1] == horizon
    assert sizes.min() >= 1 and sizes.max() - sizes.min() <= 1
    assert len(sizes) == max(1, round(horizon / block))


def test_a_block_longer_than_the_horizon_is_refused():
    with pytest.raises(ValueError, match="block=11, horizon=10"):
        block_edges(10, 11)


# --- rollout error


def test_rollout_error_by_hand():
    # errors / scale: block 1: sqrt((.3^2 + .4^2) / 2) = .3536; block 2: sqrt((0 + 3^2) / 2) = 2.12 -> 1
    truth = np.zeros((1, 4, 1))
    forecast = np.array([0.6, 0.8, 0.0, 6.0]).reshape(1, 4, 1)
    scale = np.array([[2.0]])
    assert block_errors(forecast, truth, scale, block_edges(4, 2))[0, :, 0] == pytest.approx(
        [math.sqrt(0.125), math.sqrt(4.5)]
    )
    assert rollout_error(forecast, truth, scale, 2) == pytest.approx((math.sqrt(0.125) + 1) / 2)
    assert nrmse(forecast, truth, scale) == pytest.approx(math.sqrt((0.09 + 0.16 + 0 + 9) / 4))


def twin_rollout_error(forecast, truth, scale, block):
    starts, steps, channels = truth.shape
    blocks = max(1, round(steps / block))
    total = 0.0
    for s in range(starts):
        for c in range(channels):
            for b in range(blocks):
                inside = range(round(b * steps / blocks), round((b + 1) * steps / blocks))
                squares = [((forecast[s, t, c] - truth[s, t, c]) / scale[s, c]) ** 2 for t in inside]
                error = math.sqrt(sum(squares) / len(squares))
                total += min(1.0, error) if math.isfinite(error) else 1.0
    return total / (starts * channels * blocks)


@given(seed=st.integers(0, 10**6), block=st.integers(1, 23), size=st.floats(0.01, 3))
def test_rollout_error_agrees_with_plain_loops(seed, block, size):
    forecast, truth, scale = random_case(seed, steps=23, size=size)  # a prime: blocks differ in length
    assert rollout_error(forecast, truth, scale, block) == pytest.approx(
        twin_rollout_error(forecast, truth, scale, block), rel=1e-12
    )


@given(seed=st.integers(0, 10**6), factor=st.floats(1e-6, 1e6), shift=st.floats(-100, 100))
def test_numbers_do_not_depend_on_units(seed, factor, shift):
    forecast, truth, scale = random_case(seed)
    moved = [factor * (values + shift) for values in (forecast, truth)]
    for number in (nrmse, lambda *case: rollout_error(*case, 5)):
        assert number(*moved, factor * scale) == pytest.approx(number(forecast, truth, scale), rel=1e-6)


@given(seed=st.integers(0, 10**6))
def test_numbers_do_not_depend_on_the_order_of_starts(seed):
    forecast, truth, scale = random_case(seed, starts=6)
    order = np.random.default_rng(seed).permutation(6)
    for number in (nrmse, lambda *case: rollout_error(*case, 5)):
        assert number(forecast[order], truth[order], scale[order]) == pytest.approx(
            number(forecast, truth, scale)
        )
    assert (
        valid_steps(forecast[order], truth[order], scale[order], 5)
        == valid_steps(forecast, truth, scale, 5)[order]
    ).all()


@given(seed=st.integers(0, 10**6), bad=st.sampled_from(BAD), share=st.floats(0, 1))
def test_no_number_is_ever_nan(seed, bad, share):
    forecast, truth, scale = random_case(seed)
    forecast[np.random.default_rng(seed).random(forecast.shape) < share] = bad
    assert 0 <= rollout_error(forecast, truth, scale, 5) <= 1
    assert nrmse(forecast, truth, scale) >= 0
    assert not np.isnan(nrmse_by_step(forecast, truth, scale)).any()
    assert not np.isnan(block_errors(forecast, truth, scale, block_edges(24, 5))).any()
    assert 0 <= diverged_fraction(forecast, truth, scale, scale) <= 1
    steps = valid_steps(forecast, truth, scale, 5)
    assert ((steps >= 0) & (steps <= 24)).all()


@pytest.mark.parametrize("bad", BAD)
def test_one_lost_start_costs_what_it_is_worth(bad):
    truth = sines(4)
    forecast = truth.copy()
    forecast[0, 500:] = bad
    # 8 blocks of 125 steps, half of them lost in one start of four
    assert rollout_error(forecast, truth, rms_scale(truth), 125) == pytest.approx(1 / 8)
    assert nrmse(forecast, truth, rms_scale(truth)) == math.inf
    assert valid_steps(forecast, truth, rms_scale(truth), 125).tolist() == [500, 1000, 1000, 1000]
    assert diverged_fraction(forecast, truth, rms_scale(truth), rms_scale(truth)) == 0.25


def test_a_tiny_scale_and_a_huge_forecast_do_not_overflow_into_nan():
    truth = np.zeros((1, 10, 1))
    assert rollout_error(np.full((1, 10, 1), 1e300), truth, np.full((1, 1), 1e-300), 2) == 1.0


# --- facts about a sine of 126 steps per period, seen for 1000 steps


def test_a_constant_at_the_training_mean_scores_about_one():
    truth = sines()
    assert 0.99 < rollout_error(np.zeros_like(truth), truth, rms_scale(truth), 126) <= 1


def test_an_unrelated_phase_scores_about_084():
    # mean over delta of min(1, 2 |sin(delta / 2)|), whole periods: 2/3 + (4 / pi) (1 - cos(pi / 6)) = .8372
    steps = 8 * 126
    truth = sines(1, omega=2 * np.pi / 126, steps=steps).repeat(720, axis=0)
    other = np.sin(2 * np.pi / 126 * np.arange(1, steps + 1) + np.arange(720)[:, None] / 720 * 2 * np.pi)[
        ..., None
    ]
    wanted = 2 / 3 + 4 / np.pi * (1 - math.cos(np.pi / 6))
    assert wanted == pytest.approx(0.8372, abs=1e-4)
    assert rollout_error(other, truth, rms_scale(truth), 126) == pytest.approx(wanted, abs=2e-3)
    # a plain RMSE would call it worse than a constant
    assert nrmse(other, truth, rms_scale(truth)) == pytest.approx(math.sqrt(2), abs=1e-3)


def test_antiphase_in_8_of_32_starts_costs_a_quarter():
    truth = sines()
    forecast = truth.copy()
    forecast[:8] *= -1
    scale = rms_scale(truth)
    assert rollout_error(forecast, truth, scale, 126) == pytest.approx(0.25)
    # control: pooling the starts before capping saturates, sqrt(mean square) = sqrt(8 / 32 * 4) = 1
    pooled = min(1.0, math.sqrt((block_errors(forecast, truth, scale, block_edges(1000, 126)) ** 2).mean()))
    assert pooled > 0.88


def test_one_percent_of_frequency_ruins_step_1000_at_a_one_step_error_of_nothing():
    phases = np.arange(32)[:, None] / 32 * 2 * np.pi
    time = np.arange(1, 1001)
    truth, fast = (np.sin(omega * time + phases)[..., None] for omega in (OMEGA, 1.01 * OMEGA))
    by_step = nrmse_by_step(fast, truth, np.full((32, 1), math.sqrt(0.5)))
    # 2 |sin(delta / 2)| with delta = .01 * .05 * 1000 = .5 rad at the end
    assert by_step[-1] == pytest.approx(2 * math.sin(0.25), abs=1e-6)
    assert by_step[0] < 1e-3


def test_valid_steps_judge_whole_periods_where_pointwise_ones_judge_the_peak():
    # 1.5 % too fast: the trailing period reaches 0.5 once, whatever the phase
    phases = np.arange(32)[:, None] / 32 * 2 * np.pi
    time = np.arange(1, 1001)
    truth, fast = (np.sin(omega * time + phases)[..., None] for omega in (OMEGA, 1.015 * OMEGA))
    scale = np.full((32, 1), math.sqrt(0.5))
    blocked, pointwise = (valid_steps(fast, truth, scale, block) for block in (126, 1))
    assert np.ptp(blocked) < 30
    # control: pointwise, the peak of the error, sqrt 2 larger, ends it: .3557 rad at 474, or the next peak
    assert pointwise.min() >= 474
    assert pointwise.max() < 474 + 63
    # the mean phase error of the last period is .505 rad when its middle, 63 steps back, is at 673
    assert np.median(blocked) == pytest.approx(0.505 / (0.015 * OMEGA) + 63, abs=12)


# --- valid steps


@pytest.mark.parametrize(
    ("errors", "block", "wanted"),
    [
        ([0, 0, 0, 0], 2, 4),
        ([0.5, 0, 0, 0], 2, 0),  # reaches at once
        ([0.49, 0.49, 0.49, 0.49], 2, 4),
        ([0, 0.8, 0, 0], 2, 1),  # sqrt(.64 / 2) = .566
        ([0, 0.7, 0, 0], 2, 4),  # sqrt(.49 / 2) = .495
        ([0, 0.7, 0, 0.71], 2, 3),  # .7 has left the block: sqrt(.5041 / 2) = .502
        ([0, 0.7, 0.2, 0], 2, 2),  # sqrt(.53 / 2) = .515
        ([0, 0, 0, 0.9], 4, 4),  # sqrt(.81 / 4) = .45
        ([0, 0, 0, 1.0], 4, 3),  # sqrt(1 / 4) = .5 reaches
        ([0, 0.7, 0, 0], 9, 4),  # a block longer than the horizon uses the steps there are: sqrt(.49 / 2)
    ],
)
def test_valid_steps_by_hand(errors, block, wanted):
    forecast = np.array(errors, dtype=float).reshape(1, -1, 1)
    assert valid_steps(forecast, np.zeros_like(forecast), np.ones((1, 1)), block).tolist() == [wanted]


def test_valid_steps_take_the_rms_over_channels():
    # one channel of four is off by .9: sqrt(.81 / 4) = .45 holds, 1.1 gives .55
    forecast = np.zeros((2, 5, 4))
    forecast[0, 2:, 0], forecast[1, 2:, 0] = 0.9, 1.1
    assert valid_steps(forecast, np.zeros_like(forecast), np.ones((2, 4)), 1).tolist() == [5, 2]


def twin_valid_steps(forecast, truth, scale, block):
    counts = []
    for s in range(len(truth)):
        count = truth.shape[1]
        for t in range(truth.shape[1]):
            window = (
                (forecast[s, max(0, t - block + 1) : t + 1] - truth[s, max(0, t - block + 1) : t + 1])
                / scale[s]
            ) ** 2
            if not math.sqrt(window.sum() / window.size) < 0.5:
                count = t
                break
        counts.append(count)
    return counts


@given(seed=st.integers(0, 10**6), block=st.integers(1, 30), size=st.floats(0.1, 1))
def test_valid_steps_agree_with_plain_loops(seed, block, size):
    forecast, truth, scale = random_case(seed, size=size)
    assert valid_steps(forecast, truth, scale, block).tolist() == twin_valid_steps(
        forecast, truth, scale, block
    )


def test_valid_steps_after_a_huge_error_are_exact():
    forecast = np.zeros((1, 40, 1))
    forecast[0, 30] = 1e140
    assert valid_steps(forecast, np.zeros_like(forecast), np.ones((1, 1)), 5).tolist() == [30]


# --- nrmse, diverged


def test_nrmse_by_step_by_hand():
    # step 0: errors / scale .3 and .4 over two starts; step 1: exact and 2
    forecast = np.array([[0.3, 0.0], [0.8, 4.0]])[..., None]
    scale = np.array([[1.0], [2.0]])
    assert nrmse_by_step(forecast, np.zeros_like(forecast), scale) == pytest.approx(
        [math.sqrt(0.125), math.sqrt(2)]
    )


@given(seed=st.integers(0, 10**6))
def test_nrmse_by_step_agrees_with_plain_loops(seed):
    forecast, truth, scale = random_case(seed, steps=4, channels=3)
    for step, value in enumerate(nrmse_by_step(forecast, truth, scale)):
        squares = [
            ((forecast[s, step, c] - truth[s, step, c]) / scale[s, c]) ** 2
            for s in range(3)
            for c in range(3)
        ]
        assert value == pytest.approx(math.sqrt(sum(squares) / 9))


def test_nrmse_by_step_stays_infinite_once_a_start_is_lost():
    forecast = np.zeros((2, 5, 2))
    forecast[1, 2, 0] = np.nan
    assert nrmse_by_step(forecast, np.zeros_like(forecast), np.ones((2, 2))).tolist() == [
        0,
        0,
        *[math.inf] * 3,
    ]


def test_the_training_mean_has_an_nrmse_of_one():
    rng = np.random.default_rng(3)
    truth = 5 + rng.normal(size=(4, 50, 2))
    scale = np.sqrt(((truth - 5) ** 2).mean(axis=1))
    assert nrmse(np.full_like(truth, 5.0), truth, scale) == pytest.approx(1)


@pytest.mark.parametrize(("scale", "std"), [(2.0, 0.1), (0.1, 2.0)])
def test_diverged_counts_starts_beyond_ten_scales_or_deviations_of_the_truth(scale, std):
    truth = np.broadcast_to(1000.0 * np.arange(6)[None, :, None], (5, 6, 2)) + 3
    forecast = truth.copy()
    forecast[0, 3, 1] += 2 * 10  # exactly ten of the larger: not beyond
    forecast[1, 3, 1] += 2 * 10.01
    forecast[2, 0, 0] = np.nan
    forecast[3, 5, 0] -= 2 * 10.01
    sizes = np.full((5, 2), scale), np.full((5, 2), std)
    each = [diverged_fraction(forecast[[s]], truth[[s]], *(size[[s]] for size in sizes)) for s in range(5)]
    assert each == [0, 1, 1, 1, 0]
    assert diverged_fraction(forecast, truth, *sizes) == 3 / 5


# --- prefixes and scores


def test_prefix_steps_are_rounded_up_but_not_by_rounding_noise():
    assert [prefix_steps(share, 1000) for share in PREFIXES] == [30, 100, 300, 1000]
    assert prefix_steps(0.07, 100) == 7  # .07 * 100 = 7.000000000000001
    assert prefix_steps(0.03, 10) == 1
    assert prefix_steps(0.11, 100) == 11
    assert prefix_steps(0.111, 100) == 12


def test_a_prefix_is_scored_as_if_it_were_all():
    forecast, truth, scale = random_case(7, steps=40)
    assert error_of_prefix(forecast, truth, scale, 8, 0.5) == rollout_error(
        forecast[:, :20], truth[:, :20], scale, 8
    )
    # a block longer than the prefix becomes the prefix
    assert error_of_prefix(forecast, truth, scale, 8, 0.1) == rollout_error(
        forecast[:, :4], truth[:, :4], scale, 4
    )
    assert error_of_prefix(forecast, truth, scale, 8, 1.0) == rollout_error(forecast, truth, scale, 8)


@pytest.mark.parametrize("share", [0.0, -0.1, 1.1, math.nan])
def test_a_share_outside_of_zero_to_one_is_refused(share):
    with pytest.raises(ValueError, match=r"share lies in \(0, 1\]"):
        error_of_prefix(*random_case(0), 5, share)


def test_scores_hold_each_number_over_the_targets_only():
    rng = np.random.default_rng(5)
    truth = rng.normal(size=(8, 100, 3))
    mean, scale = rng.normal(size=(8, 3)), rng.uniform(0.5, 2, size=(8, 3))
    growing = np.linspace(0, 1.5, 100)[None, :, None]
    forecast = truth + growing * rng.normal(size=truth.shape)
    one_step = truth + 0.01 * rng.normal(size=truth.shape)
    forecast[:, 10:, 1] = np.nan  # not a target
    forecast[0, 60, 2] = 1e9
    result = scores(forecast, one_step, starts_of(truth, mean, scale), (2, 0), 10.0)
    case = forecast[..., [2, 0]], truth[..., [2, 0]], scale[:, [2, 0]]
    steps = valid_steps(*case, 10)
    assert result.rollout_error == rollout_error(*case, 10) < 1
    assert result.prefix_errors == tuple(error_of_prefix(*case, 10, share) for share in PREFIXES)
    assert result.nrmse == nrmse(*case)
    assert result.valid_steps == np.median(steps)
    assert (result.valid_steps_low, result.valid_steps_high) == tuple(np.quantile(steps, [0.1, 0.9]))
    assert result.valid_steps_low < result.valid_steps < result.valid_steps_high
    assert result.diverged_fraction == 1 / 8
    assert result.one_step_error == rollout_error(one_step[..., [2, 0]], *case[1:], 10)
    assert result.one_step_nrmse == nrmse(one_step[..., [2, 0]], *case[1:])
    assert result.one_step_error < 0.05 < result.rollout_error


def test_a_perfect_forecast():
    truth = sines()
    result = scores(truth, truth, starts_of(truth), (0,), PERIOD)
    assert (result.rollout_error, result.nrmse, result.diverged_fraction) == (0, 0, 0)
    assert result.valid_steps_low == HORIZON


def test_a_forecast_of_nothing_but_nan_is_a_score_of_one():
    truth = sines()
    lost = np.full_like(truth, np.nan)
    result = scores(lost, lost, starts_of(truth), (0,), PERIOD)
    assert (result.rollout_error, result.one_step_error, result.diverged_fraction) == (1, 1, 1)
    assert (result.nrmse, result.one_step_nrmse) == (math.inf, math.inf)
    assert (result.valid_steps_low, result.valid_steps, result.valid_steps_high) == (0, 0, 0)


@settings(max_examples=20)
@given(seed=st.integers(0, 10**6))
def test_a_worse_forecast_never_scores_better(seed):
    forecast, truth, scale = random_case(seed, size=0.2)
    worse = truth + 2 * (forecast - truth)
    assert rollout_error(worse, truth, scale, 5) > rollout_error(forecast, truth, scale, 5)
    assert (valid_steps(worse, truth, scale, 5) <= valid_steps(forecast, truth, scale, 5)).all()


# --- mistakes of a caller


def test_shapes_truth_and_scale_are_checked():
    forecast, truth, scale = random_case(0)
    with pytest.raises(ValueError, match=r"\(3, 23, 2\)"):
        nrmse(forecast[:, 1:], truth, scale)
    with pytest.raises(ValueError, match=r"scale is \(start, channel\)"):
        nrmse(forecast, truth, scale[0])
    with pytest.raises(ValueError, match="truth is not finite"):
        nrmse(forecast, np.where(truth > 1, np.nan, truth), scale)
    for wrong in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="positive and finite"):
            nrmse(forecast, truth, np.full_like(scale, wrong))
    with pytest.raises(ValueError, match="differ"):
        scores(forecast, truth[:, 1:], starts_of(truth), (0,), None)
    with pytest.raises(ValueError, match="at least one target"):
        scores(forecast, truth, starts_of(truth), (), None)
    with pytest.raises(ValueError, match="at least 1 step"):
        valid_steps(forecast, truth, scale, 0)
