"""The RMSE in data units: by hand, and where it does not depend on what other scores depend on."""

import math
from dataclasses import replace

import numpy as np
import pytest

from sweep.score.evaluation import scores
from sweep.score.metrics import rmse_by_channel
from tests.support.made_study import sines


def test_by_hand():
    truth = np.zeros((2, 2, 2))
    forecast = np.array([[[1.0, 0.0], [3.0, 0.0]], [[1.0, 8.0], [5.0, 0.0]]])
    np.testing.assert_allclose(rmse_by_channel(forecast, truth), [3.0, 4.0])  # sqrt(36 / 4), sqrt(64 / 4)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e200])
def test_a_forecast_that_is_not_finite_makes_its_channel_infinite(value):
    truth = np.zeros((2, 3, 2))
    forecast = np.ones((2, 3, 2))
    forecast[1, 2, 0] = value
    np.testing.assert_array_equal(rmse_by_channel(forecast, truth), [math.inf, 1.0])


def test_of_an_evaluation_it_is_of_the_targets_and_in_data_units():
    starts = sines(channels=3)
    forecast = starts.truth + np.array([0.5, 9.0, 0.25])
    first = scores(forecast, starts.truth, starts, (2, 0), 50.0)
    np.testing.assert_allclose(first.rmse, (0.25, 0.5))
    other = scores(forecast, starts.truth, replace(starts, scale=7 * starts.scale), (2, 0), 50.0)
    assert other.rmse == first.rmse and other.nrmse != first.nrmse
