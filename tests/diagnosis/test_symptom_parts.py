"""The parts of the symptom level against exact values and naive twins."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.data.sources.lorenz import LORENZ_FLOW
from sweep.diagnosis.symptoms.climate import climate_distances, climate_is_right
from sweep.diagnosis.symptoms.demodulation import (
    decay_per_step,
    demodulated,
    phase_by_window,
    straight_line,
    window_length,
)
from sweep.diagnosis.symptoms.growth import error_growth
from sweep.diagnosis.symptoms.limits import as_far_as_possible, limit_of
from sweep.diagnosis.symptoms.measures import irregular_measures, wanders
from sweep.diagnosis.symptoms.recurrence import locked_period, recurrence
from sweep.diagnosis.symptoms.reference import reference_squares, stretches
from sweep.diagnosis.symptoms.tones import strongest_tone, tones_of

T = np.arange(1000.0)


@pytest.mark.parametrize("periods", [(125.66,), (60.0, 25.3), (90.1, 41.7, 19.9)])
def test_tones_are_found(periods: tuple[float, ...]):
    values = sum(np.sin(2 * np.pi * T / p + k) / (k + 1) for k, p in enumerate(periods))
    found = tones_of(values)
    assert len(found.omega) == len(periods)
    # the straight line that is taken out of a few cycles shifts them a little
    assert 2 * np.pi / found.omega == pytest.approx(periods, rel=4e-3)
    assert found.explained > 0.98 and found.foretold > 0.95


def test_chaos_is_not_foretold_by_tones_and_a_constant_has_none():
    x = LORENZ_FLOW.trajectory((1.0, 2.0, 20.0), 2000, 0.02)[1000:, 0]
    assert tones_of(x).foretold < 0.5
    assert len(tones_of(np.full(500, 3.0)).omega) == 0
    assert len(tones_of(np.linspace(0, 1, 500)).omega) == 0


def test_the_strongest_tone_is_the_first_that_is_found():
    values = 0.4 * np.sin(2 * np.pi * T / 25.3) + np.sin(2 * np.pi * T / 90.1)
    found = strongest_tone(values)
    assert found is not None and 2 * np.pi / found == pytest.approx(90.1, rel=4e-3)
    assert strongest_tone(np.full(500, 3.0)) is None


@pytest.mark.parametrize("noise", [0.0, 0.05])
@pytest.mark.parametrize("half_life", [300.0, 3000.0])
@pytest.mark.parametrize("error", [0.001, -0.01])
def test_decay_and_frequency_error_are_recovered(noise: float, half_life: float, error: float):
    gamma, omega = np.log(2) / half_life, 2 * np.pi / 125.66
    truth = np.sin(omega * T)
    forecast = np.exp(-gamma * T) * np.sin(omega * (1 + error) * T + 0.2) + 0.3
    forecast += noise * np.random.default_rng(0).standard_normal(1000)
    found = demodulated(forecast, truth, np.array([omega]), window_length(np.array([omega]), 1000))
    assert decay_per_step(found.centre, np.abs(found.ratio[:, 0])) == pytest.approx(
        gamma, rel=0.1 if noise else 0.02, abs=2e-5 if noise else 1e-7
    )
    slope, first, r2 = straight_line(found.centre, *phase_by_window(found, 0))
    assert slope / omega == pytest.approx(error, rel=0.02, abs=2e-4 if noise else 2e-5)
    assert first == pytest.approx(0.2, abs=0.02)
    if not noise:
        assert r2 > 0.99
    assert found.level == pytest.approx(np.full(len(found.level), 0.3), abs=0.04)


def test_a_line_is_weighted():
    x, y = np.array([0.0, 1.0, 2.0, 3.0]), np.array([1.0, 3.0, 5.0, 100.0])
    assert straight_line(x, y, np.array([1.0, 1.0, 1.0, 0.0])) == pytest.approx((2.0, 1.0, 1.0))
    assert straight_line(x, y, np.ones(4))[0] > 20  # control: the outlier counts when it is weighed


@given(st.integers(8, 60), st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_recurrence_equals_plain_loops(count: int, seed: int):
    values = np.random.default_rng(seed).standard_normal(count).cumsum()
    centred = values - values.mean()
    r = [
        sum((centred[t + q] - centred[t]) ** 2 for t in range(count - q)) / (count - q) / (2 * centred.var())
        for q in range(count // 2 + 1)
    ]
    beyond = next((q for q, value in enumerate(r) if value > 0.5), None)
    found, lag = recurrence(values)
    if beyond is None or beyond + 2 >= len(r):
        assert (found, lag) == (1.0, None)
    else:
        assert found == pytest.approx(min(r[beyond:]), abs=1e-9)
        assert r[lag] == pytest.approx(found, abs=1e-9)


def test_a_locked_cycle_is_told_from_a_free_one():
    assert locked_period(np.sin(2 * np.pi * T / 125)) == 125
    assert locked_period(np.sin(2 * np.pi * T / 125.66)) is None
    assert locked_period(np.full(1000, 0.3)) is None


def test_growth_is_a_power_or_an_exponential():
    step = np.arange(1, 1001)
    power = error_growth(1e-3 * step**0.8, 4)
    assert power.exponent == pytest.approx(0.8, abs=0.01) and not power.exponential
    exponential = error_growth(1e-6 * np.exp(0.02 * step), 4)
    assert exponential.rate == pytest.approx(0.02, rel=0.01) and exponential.exponential
    assert error_growth(np.full(100, np.inf), 4).exponent is None


def lorenz_records(count: int, rho: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.stack(
        [
            LORENZ_FLOW.trajectory((*(rng.normal(size=2) + 1).tolist(), 20.0), 1000, 0.02, rho=rho)[600:]
            for _ in range(count)
        ]
    )


def test_the_climate_of_another_system_is_told_apart():
    true = lorenz_records(8, 28.0, 0)
    assert climate_is_right(lorenz_records(8, 28.0, 1), true).sum() >= 7
    other = lorenz_records(8, 60.0, 1)
    other = (other - other.mean(axis=(0, 1))) / other.std(axis=(0, 1)) * true.std(axis=(0, 1)) + true.mean(
        axis=(0, 1)
    )
    assert not climate_is_right(other, true).any()


def test_true_records_lie_at_a_climate_distance_of_one():
    true = lorenz_records(8, 28.0, 0)
    for channels in (slice(0, 1), slice(0, 3)):
        _, null = climate_distances(true[:3, :, channels], true[..., channels])
        assert np.median(null) == pytest.approx(1.0, abs=0.1)


def test_a_frequency_that_is_one_percent_off_is_no_matter_of_climate_but_of_phase():
    # the trap of spectral distances: 1 % of frequency ruins a rollout and leaves the spectrum as it is
    phases = np.random.default_rng(0).uniform(0, 6, (8, 1))
    true = np.sin(0.05 * T[:600] + phases)[..., None]
    assert climate_is_right(np.sin(0.05 * 1.01 * T[:600] + phases)[..., None], true).mean() > 0.8


def ar2(rng: np.random.Generator, starts: int, steps: int) -> np.ndarray:
    values = np.zeros((starts, steps + 500))
    for t in range(2, steps + 500):
        values[:, t] = 1.9 * values[:, t - 1] - 0.95 * values[:, t - 2] + rng.standard_normal(starts)
    values = values[:, 500:]
    return (values / values.std())[..., None]


def test_noise_limits_a_forecast_and_a_sine_does_not():
    noisy = ar2(np.random.default_rng(0), 10, 600)
    limit = limit_of(noisy[:, :100], noisy[:, 100:], 25, None, None, None, None)
    assert limit.limited and 2 <= limit.steps < 40
    phases = np.random.default_rng(0).uniform(0, 6, (10, 1))
    sine = np.sqrt(2) * np.sin(0.05 * np.arange(1250) + phases)[..., None].astype(np.float32).astype(float)
    limit = limit_of(sine[:, :250], sine[:, 250:], 125, None, None, None, None)
    assert not limit.limited and limit.steps == 1000


def test_a_lyapunov_time_limits_and_noise_shortens_it():
    values = np.random.default_rng(0).standard_normal((2, 100, 1))
    assert limit_of(values, values, 5, 10.0, None, None, None).steps == 30
    assert limit_of(values, values, 5, 10.0, 0.5 * np.exp(-2), None, None).steps == 20
    assert not limit_of(values, values, 5, 60.0, None, None, None).limited


def test_a_better_baseline_takes_the_excuse_away():
    values = np.random.default_rng(0).standard_normal((3, 100, 1))
    limit = limit_of(values, values, 5, 10.0, None, None, None)
    args = (limit, np.zeros((3, 100)), np.array([40, 20, 5]))
    assert as_far_as_possible(*args, (0.1, 0.2, 0.4, 0.8), []).tolist() == [True, False, False]
    assert as_far_as_possible(*args, (0.1, 0.2, 0.4, 0.8), [(0.1, 0.2, 0.4, 0.78)]).any()
    assert not as_far_as_possible(*args, (0.1, 0.2, 0.4, 0.8), [(0.1, 0.2, 0.4, 0.7)]).any()


def test_overlapping_starts_are_no_analogues_of_each_other():
    # ten starts a few steps apart on one random walk: a neighbour holds the very future that is asked for
    walk = np.random.default_rng(0).standard_normal(600).cumsum()
    position = 100 + 7 * np.arange(10)
    whole = np.stack([walk[p - 100 : p + 200] for p in position])[..., None]
    known = reference_squares(whole[:, :100], whole[:, 100:], 10, np.zeros(10, dtype=int), position)
    blind = reference_squares(whole[:, :100], whole[:, 100:], 10, None, None)
    assert np.nanmean(blind[:, :60]) < 1e-12 < np.nanmean(known[:, :60])


def test_reference_errors_do_not_depend_on_the_level():
    walks = (
        np.cumsum(np.random.default_rng(3).normal(size=(8, 160)), axis=1)[..., None] + np.arange(160)[:, None]
    )
    near = reference_squares(walks[:, :60], walks[:, 60:], 5, None, None)
    far = reference_squares(walks[:, :60] + 500, walks[:, 60:] + 500, 5, None, None)
    assert far == pytest.approx(near, rel=1e-2, abs=1e-3, nan_ok=True)


def test_a_ramp_has_stopped_only_if_the_truth_is_not_one():
    ramp, noise = 0.1 * np.arange(100.0), np.random.default_rng(0).normal(size=100)
    assert not irregular_measures(ramp - 1, ramp, np.stack([ramp, ramp]), 5, 0).stopped
    assert irregular_measures(0 * ramp, ramp, np.stack([ramp, ramp]), 5, 0).stopped
    assert irregular_measures(ramp, noise, np.stack([noise, noise]), 5, 0).stopped


@pytest.mark.parametrize("trend", [0.0, 3.0])
def test_the_level_of_a_truth_that_wanders_is_its_own(trend: float):
    noise = np.random.default_rng(0).normal(size=(6, 100))
    everyone = noise + trend * np.arange(6)[:, None]
    seen = irregular_measures(everyone[5] + 0.7, everyone[5], everyone, 5, 0)
    assert wanders(everyone) == (trend > 0)
    assert seen.level_late == pytest.approx(0.7, abs=1e-9 if trend else 0.3)
    assert (seen.share_level > 0) == (trend > 0)


def test_stretches_cover_the_horizon():
    for horizon in (1, 2, 7, 1000):
        edges = stretches(horizon)
        assert edges[0] == 0 and edges[-1] == horizon and (np.diff(edges) > 0).all()
