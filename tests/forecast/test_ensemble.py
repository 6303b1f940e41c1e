"""The networks of a study that forecast, and their forecasts beside those that were scored."""

import dataclasses
import json

import numpy as np
import pytest

from sweep.config.errors import UsageError
from sweep.data import load
from sweep.data.coding import Coding, coding_from_document, coding_of
from sweep.data.readers import read_recording
from sweep.forecast import ensemble_of, networks_of
from sweep.forecast.ensemble import combined
from sweep.store import StudyFolder


@pytest.fixture(scope="module")
def data(folder):
    config = networks_of(folder).trainings[0][0]
    return load(config.data, config.score, calibrated=True)


def test_the_networks_are_those_of_the_fresh_seeds(folder):
    source = networks_of(folder)
    winner = folder.read_document("winner")
    assert (source.number, source.basis) == (winner["number"], "confirmed")
    seeds = [config.seed for config, _ in source.trainings]
    assert seeds == folder.read_document("confirmation")["fresh_seeds"]


def test_forecasts_equal_the_rollouts_that_were_scored(folder, data):
    for number in (None, 1 - networks_of(folder).number):
        source = networks_of(folder, number)
        starts = data.validation
        made = ensemble_of(source, data).forecasts(starts.past, starts.known, starts.series)
        arms = folder.read_document("confirmation")["arms"]
        below = StudyFolder(folder.path / "confirm")
        kept = [
            below.rollout(n) for arm in arms if arm["number"] == source.number for n in arm["replications"]
        ]
        stored = kept or [folder.rollout(source.number)]
        assert len(made) == len(stored)
        for forecast, arrays in zip(made, stored, strict=True):
            np.testing.assert_allclose(forecast, arrays["forecast"], rtol=1e-5)


def test_one_step_is_the_first_of_many(folder, data):
    starts, ensemble = data.validation, ensemble_of(networks_of(folder), data)
    whole = ensemble.forecasts(starts.past, starts.known, starts.series)
    steps = ensemble.coding.warmup + 1
    first = ensemble.forecasts(starts.past, starts.known[:, :steps], starts.series)
    assert first.shape[2] == 1
    np.testing.assert_allclose(first[:, :, 0], whole[:, :, 0], rtol=1e-6)


def test_the_coding_feeds_networks_as_the_loaded_data_do(folder, data):
    config = networks_of(folder).trainings[0][0]
    coding = coding_of(data, config.data)
    series = read_recording(config.data, None).series[1]
    inputs = series.values[:, [-1]]  # the input from outside is the last column
    known = coding.known_inputs(series.stamps, inputs)
    place = int(np.flatnonzero(data.validation.owner == 1)[0])
    begin = int(data.validation.position[place]) - coding.warmup
    expected = data.validation.known[place]
    np.testing.assert_array_equal(known[begin : begin + len(expected)], expected)
    assert coding.row_of("south") == data.validation.series[place] == 1
    assert coding.row_of("west") == -1


def test_a_coding_survives_its_document(folder, data):
    coding = coding_of(data, networks_of(folder).trainings[0][0].data)
    again = coding_from_document(json.loads(json.dumps(coding.document())))
    for field in dataclasses.fields(Coding):
        one, other = getattr(coding, field.name), getattr(again, field.name)
        if field.name == "inputs":
            np.testing.assert_array_equal(one.mean, other.mean)
            np.testing.assert_array_equal(one.scale, other.scale)
        elif isinstance(one, np.ndarray):
            np.testing.assert_array_equal(one, other)
        else:
            assert one == other, field.name


def test_a_trial_without_networks_is_refused(folder, tmp_path):
    empty = StudyFolder(tmp_path / "two")
    empty.path.mkdir()
    with pytest.raises(UsageError, match="two has not named a configuration yet: sweep confirm two does it"):
        networks_of(empty)
    empty.write_document("winner", {"number": None, "reason": "no trial beats the baseline 'mean'"})
    with pytest.raises(UsageError, match="two names no configuration: no trial beats the baseline 'mean'"):
        networks_of(empty)


def test_the_median_of_networks_is_not_that_of_a_diverged_one():
    forecasts = np.array([[[[1.0]]], [[[3.0]]], [[[np.nan]]]])
    assert combined(forecasts).item() == 3.0
    assert combined(forecasts[:2]).item() == 2.0
    assert combined(forecasts[1:]).item() == np.inf
