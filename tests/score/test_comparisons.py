import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep.score.comparisons import EXACT, exposure_gap_by_step, skill
from sweep.score.metrics import nrmse_by_step


def test_skill_by_hand():
    assert skill(0.2, 0.8) == pytest.approx(0.75)
    assert skill(0.8, 0.8) == 0
    assert skill(0.9, 0.3) == pytest.approx(-2)
    assert skill(0.0, 0.3) == 1


def test_nothing_has_skill_against_an_exact_baseline():
    assert skill(0.5, 5e-15) is None
    assert skill(0.0, 0.0) is None
    assert skill(0.5, 2 * EXACT) is not None


@pytest.mark.parametrize(("error", "reference"), [(math.nan, 0.5), (0.5, math.nan), (-0.1, 0.5)])
def test_skill_refuses_what_is_no_error(error, reference):
    with pytest.raises(ValueError, match="rollout errors are >= 0"):
        skill(error, reference)


def test_exposure_gap_by_hand():
    truth = np.zeros((2, 3, 1))
    own = np.array([[1.0, 2.0, 4.0], [1.0, 2.0, 4.0]])[..., None]
    helped = np.array([[1.0, 0.5, 0.0], [1.0, 0.5, 0.0]])[..., None]
    assert exposure_gap_by_step(own, helped, truth, np.full((2, 1), 2.0)).tolist() == [0, 0.75, 2]


def test_exposure_gap_of_lost_forecasts():
    truth, scale = np.zeros((1, 4, 1)), np.ones((1, 1))
    own, helped = np.zeros((1, 4, 1)), np.zeros((1, 4, 1))
    own[0, 1:], helped[0, 3:] = np.inf, np.nan
    assert exposure_gap_by_step(own, helped, truth, scale).tolist() == [0, math.inf, math.inf, 0]
    assert exposure_gap_by_step(helped, own, truth, scale).tolist() == [0, -math.inf, -math.inf, 0]


@given(
    own=st.lists(st.sampled_from([0.0, 1.0, np.nan, np.inf, 1e200, 1e300]), min_size=6, max_size=6),
    helped=st.lists(st.sampled_from([0.0, 1.0, np.nan, np.inf, 1e200, 1e300]), min_size=6, max_size=6),
)
def test_the_mean_of_an_exposure_gap_is_never_nan(own, helped):
    rollout, swapped = (np.array(values).reshape(1, 6, 1) for values in (own, helped))
    gap = exposure_gap_by_step(rollout, swapped, np.zeros((1, 6, 1)), np.ones((1, 1)))
    assert not np.isnan(gap).any()
    assert not np.isnan(gap.mean())


def test_a_gap_of_zero_for_equal_forecasts():
    rng = np.random.default_rng(0)
    truth, forecast, scale = rng.normal(size=(3, 9, 2)), rng.normal(size=(3, 9, 2)), np.ones((3, 2))
    assert (exposure_gap_by_step(forecast, forecast, truth, scale) == 0).all()
    # control: against the truth the gap is the whole error
    gap = exposure_gap_by_step(forecast, truth, truth, scale)
    assert gap == pytest.approx(nrmse_by_step(forecast, truth, scale))
