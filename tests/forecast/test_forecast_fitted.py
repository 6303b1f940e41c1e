"""Forecasts by networks that were trained on all data: where they begin, whose intervals they have, what is said."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sweep
from sweep.config.errors import DataError, StudyChanged, UsageError
from sweep.data import load
from sweep.data.future import Future
from sweep.data.recording import Times
from sweep.forecast import ensemble_of, networks_of
from sweep.forecast.after import starts_after
from sweep.forecast.ensemble import combined
from sweep.store import StudyFolder
from tests.forecast.conftest import table
from tests.support.command_line import invoke

ROWS, STEPS = 400, 12
IDS = ["unique_id", "ds", "u"]


def ahead(rows: int) -> pd.DataFrame:
    """Return the inputs of the steps after some rows of each series."""
    whole = table(rows + STEPS)
    return whole.groupby("unique_id").tail(STEPS)[IDS]


@pytest.fixture(scope="module")
def fitted(folder, tmp_path_factory) -> StudyFolder:
    """Return a copy of the study with its data file, whose named trial is fitted on two seeds; tests only read it."""
    place = tmp_path_factory.mktemp("fitted")
    copy = copied(folder, folder.path.parents[1] / "two.csv", place)
    sweep.fit("two", trial=networks_of(copy).number, seeds=2, results=copy.path.parent, executor="inline")
    return copy


def copied(folder: StudyFolder, file: Path, place: Path) -> StudyFolder:
    """Return a copy of a study that reads a copy of its data file."""
    shutil.copytree(folder.path.parent, place / "results")
    shutil.copy(file, place / "two.csv")
    for path in (place / "results").rglob("*"):
        if path.suffix in (".toml", ".json"):
            path.write_text(path.read_text().replace(str(file.parent), str(place)))
    return StudyFolder(place / "results" / "two")


@pytest.fixture
def own(fitted, tmp_path) -> StudyFolder:
    """Return a copy of that study, to write in."""
    return copied(fitted, fitted.path.parents[1] / "two.csv", tmp_path)


@pytest.fixture(scope="module")
def made(fitted):
    return sweep.forecast(str(fitted.path), fitted=True, known=ahead(ROWS))


def by_hand(folder: StudyFolder, rows: int) -> np.ndarray:
    """Return the forecast of the fitted networks after some rows of the table, (series, step, channel)."""
    source = networks_of(folder, fitted=True)
    config, coding = source.trainings[0][0], source.coding
    assert coding is not None
    whole, futures = table(rows + STEPS), []
    for row, name in enumerate(("north", "south")):
        one = whole[whole["unique_id"] == name]
        times = Times(one["ds"].to_numpy(), one["ds"].to_numpy(), pd.DatetimeIndex(one["ds"]))
        past = table(rows)[lambda frame, name=name: frame["unique_id"] == name][["y", "z"]].to_numpy()
        futures.append(Future(name, row, past, times, one[["u"]].to_numpy()))
    starts = starts_after(futures, coding, STEPS)
    ensemble = ensemble_of(source, load(config.data, config.score, whole=True))
    return combined(ensemble.forecasts(starts.past, starts.known, starts.series))


def test_the_fitted_networks_forecast_with_their_own_scaling(fitted, made):
    np.testing.assert_allclose(made.values, by_hand(fitted, ROWS), rtol=1e-6)
    other = sweep.forecast(str(fitted.path), trial=networks_of(fitted).number, known=ahead(ROWS))
    assert np.abs(made.values - other.values).max() > 1e-3
    np.testing.assert_array_equal(made.times[0], other.times[0])


def test_the_text_and_the_document_say_whose_networks_they_are(fitted, made):
    number = networks_of(fitted).number
    assert made.forecaster == {
        "kind": "networks",
        "trial": number,
        "basis": "fitted",
        "networks": 2,
        "asked": True,
        "text": f"Forecast by trial {number}, the median of 2 networks trained on all data, as asked; nothing is "
        "left to score such networks on.",
    }


def test_the_intervals_are_those_of_the_scored_networks_and_say_so(fitted, made):
    number = networks_of(fitted).number
    other = sweep.forecast(str(fitted.path), trial=number, known=ahead(ROWS))
    assert made.levels == other.levels == (50, 90) and made.coverage == other.coverage != ()
    for level in made.levels:
        np.testing.assert_allclose(
            made.high[level] - made.low[level], other.high[level] - other.low[level], rtol=1e-9
        )
        assert (np.abs(made.high[level] - other.high[level]) > 1e-6).any()  # around another forecast
    assert made.notes == (
        "Intervals: measured on other networks, which were not trained on all data: trial "
        f"{number}, 2 networks on fresh seeds",
    )
    assert sweep.forecast(str(fitted.path), fitted=True, known=ahead(ROWS), levels=()).notes == ()


def test_a_file_that_has_grown_is_forecast_after_its_end(own, made):
    table(ROWS + 20).to_csv(own.path.parents[1] / "two.csv", index=False)
    later = sweep.load_study(own.path).forecast(fitted=True, known=ahead(ROWS + 20))
    assert later.times[0][0] == made.times[0][0] + pd.Timedelta(hours=20)
    np.testing.assert_allclose(later.values, by_hand(own, ROWS + 20), rtol=1e-6)
    assert later.notes[0] == "the data (two) have changed since the networks were trained on them"
    with pytest.raises(StudyChanged, match="have changed since it began"):
        sweep.forecast(str(own.path), known=ahead(ROWS + 20))


def test_after_an_update_it_begins_after_the_end_of_the_new_data_or_of_a_file(own, made, tmp_path):
    table(ROWS + 30).to_csv(tmp_path / "more.csv", index=False)
    sweep.fit(
        "two",
        update=True,
        data=tmp_path / "more.csv",
        share=0.1,
        results=own.path.parent,
        executor="inline",
    )
    updated = sweep.forecast(str(own.path), fitted=True, known=ahead(ROWS + 30))
    assert updated.times[1][0] == made.times[1][0] + pd.Timedelta(hours=30)
    np.testing.assert_allclose(updated.values, by_hand(own, ROWS + 30), rtol=1e-6)
    assert not any("has changed" in note for note in updated.notes)
    given = sweep.forecast(str(own.path), fitted=True, data=table(ROWS), known=ahead(ROWS))
    np.testing.assert_allclose(given.values, by_hand(own, ROWS), rtol=1e-6)
    np.testing.assert_array_equal(given.times[0], made.times[0])


def test_new_data_are_forecast_without_the_file_of_the_fit(own, made):
    (own.path.parents[1] / "two.csv").unlink()
    given = sweep.forecast(str(own.path), fitted=True, data=table(ROWS), known=ahead(ROWS))
    np.testing.assert_allclose(given.values, made.values, rtol=1e-6)
    assert list(given.times[1]) == list(made.times[1]) and given.names == made.names
    even = table(ROWS)[lambda frame: frame["ds"].dt.hour % 2 == 0]
    with pytest.raises(DataError, match="wanted steps of 3600 s, as those of the networks' data, got 7200 s"):
        sweep.forecast(str(own.path), fitted=True, data=even, known=ahead(ROWS))
    with pytest.raises(DataError, match=r"two\.csv: no such file"):
        sweep.forecast(str(own.path), fitted=True, known=ahead(ROWS))


def test_the_command_forecasts_with_fitted_networks(fitted, made, tmp_path):
    ahead(ROWS).to_csv(tmp_path / "known.csv", index=False)
    call = ("forecast", str(fitted.path), "--fitted", "--known", str(tmp_path / "known.csv"))
    document = json.loads(invoke(*call, "--json").stdout)
    assert document == json.loads(json.dumps(made.document()))
    text = " ".join(invoke(*call).stdout.split())
    assert "networks trained on all data, as asked" in text and "The study's verdict: Use arx" in text
    assert "! Intervals: measured on other networks" in text


def test_a_study_without_a_fit_says_how_to_train_one(folder):
    with pytest.raises(UsageError, match="two has no networks that were trained on all data: sweep fit two"):
        sweep.forecast(str(folder.path), fitted=True, known=ahead(ROWS))


def test_series_are_calibrated_by_their_names(fitted):
    south = table(ROWS)[lambda frame: frame["unique_id"] == "south"]
    one = sweep.forecast(str(fitted.path), fitted=True, data=south, known=ahead(ROWS))
    both = sweep.forecast(str(fitted.path), fitted=True, known=ahead(ROWS))
    np.testing.assert_allclose(one.high[90][0], both.high[90][1], rtol=1e-6)
    width = both.high[90] - both.low[90]
    assert np.abs(width[0] / width[1] - 1).max() > 1e-6  # control: each series has a width of its own
