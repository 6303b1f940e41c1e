import numpy as np
import pandas as pd
import pytest

from sweep.config.errors import DataError, UnknownName
from sweep.data.calendar import CALENDARS, calendar_features, day_phase, year_phase
from sweep.data.recording import Series


def series(stamps):
    index = pd.DatetimeIndex(stamps)
    return Series("a.csv", np.zeros((len(index), 1)), stamps=index.to_numpy())


def test_phases_by_hand():
    stamps = pd.DatetimeIndex(["2023-01-01", "2023-07-02T12:00", "2024-12-31T18:00"])
    np.testing.assert_allclose(day_phase(stamps), [0, 0.5, 0.75])
    np.testing.assert_allclose(year_phase(stamps), [0, 0.5, 365.75 / 366])


def test_features_are_sine_and_cosine_in_the_order_named():
    one = series(["2024-01-01T06:00", "2024-01-01T12:00"])
    features = calendar_features(["time_of_day", "time_of_year"], one)
    assert features.shape == (2, 4)
    np.testing.assert_allclose(features[:, :2], [[1, 0], [0, -1]], atol=1e-12)
    np.testing.assert_allclose(features[0, 2:], [np.sin(np.pi / 732), np.cos(np.pi / 732)])
    np.testing.assert_array_equal(calendar_features(["time_of_year"], one), features[:, 2:])


@pytest.mark.parametrize("name", CALENDARS)
def test_no_jump_at_the_turn(name):
    features = calendar_features([name], series(pd.date_range("2023-12-30", "2024-01-02", freq="min")))
    assert np.abs(np.diff(features, axis=0)).max() < 0.005
    np.testing.assert_allclose((features**2).sum(axis=1), 1)


def test_the_table_is_not_empty():
    assert list(CALENDARS) == ["time_of_day", "time_of_year"]


def test_without_names_there_are_no_features():
    assert calendar_features([], Series("a", np.zeros((7, 1)))).shape == (7, 0)


def test_refused_without_dates():
    with pytest.raises(DataError, match=r"^a.csv: data.calendar = \['time_of_day'\] needs a column of dates"):
        calendar_features(["time_of_day"], Series("a.csv", np.zeros((7, 1))))
    with pytest.raises(UnknownName, match=r"no calendar named 'time_of_yaer'. Did you mean 'time_of_year'\?"):
        calendar_features(["time_of_yaer"], Series("a.csv", np.zeros((7, 1))))
