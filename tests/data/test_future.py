"""What follows the end of recorded series: their last true steps, inputs known ahead, and series that are left out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sweep.config.data_section import DataConfig
from sweep.config.errors import DataError
from sweep.config.sections import ScoreConfig
from sweep.data import load
from sweep.data.coding import coding_of
from sweep.data.future import futures_of
from sweep.data.new_data import read_known, read_new_data, settled
from sweep.data.readers import read_recording

SCORE = ScoreConfig(warmup=20, horizon=10, starts=4)
ROWS, AHEAD = 200, 6


def table(names=("north", "south"), rows: int = ROWS) -> pd.DataFrame:
    """Return series with two channels, a changing and a static input, one row an hour; 6 more rows than are true."""
    parts = []
    for number, name in enumerate(names):
        step = np.arange(rows + AHEAD)
        values = {
            "y": np.sin(step / 5 + number),
            "z": step + 0.5,
            "u": step * 10.0 + number,
            "size": 3.0 + number,
        }
        when = pd.date_range("2024-01-01", periods=len(step), freq="h")
        parts.append(pd.DataFrame({"unique_id": name, "ds": when, **values}))
    return pd.concat(parts, ignore_index=True)


def past(frame: pd.DataFrame, rows: int = ROWS) -> pd.DataFrame:
    return frame.groupby("unique_id").head(rows)


def ahead(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.groupby("unique_id").tail(AHEAD)


class Study:
    """A study's data on disk, and what it takes to forecast after them or after others."""

    def __init__(self, folder: Path, frame: pd.DataFrame, **settings) -> None:
        self.folder = folder
        frame.to_csv(folder / "own.csv", index=False)
        inputs = {"known": ("u",), "static": ("size",)} if "size" in frame else {}
        self.config = DataConfig(path=str(folder / "own.csv"), **{**inputs, **settings})
        self.own = read_recording(self.config, None)
        self.coding = coding_of(load(self.config, SCORE), self.config)
        self.settled = settled(self.config, self.own.facts)

    def new(self, frame: pd.DataFrame, name: str = "new.csv"):
        frame.to_csv(self.folder / name, index=False)
        return read_new_data(str(self.folder / name), self.settled, self.coding, self.own)

    def known(self, frame: pd.DataFrame, name: str = "known.csv"):
        frame.to_csv(self.folder / name, index=False)
        return read_known(str(self.folder / name), self.settled, self.coding)

    def after(self, recording=None, steps: int = AHEAD, known=None):
        return futures_of(recording or self.own, self.coding, self.settled, steps, known)


@pytest.fixture
def study(tmp_path) -> Study:
    return Study(tmp_path, past(table()))


def test_the_last_steps_and_the_inputs_of_a_table(study):
    futures = study.after(known=study.known(ahead(table())[["unique_id", "ds", "u"]]))
    assert not futures.left_out and not futures.notes
    for number, (one, name) in enumerate(zip(futures.series, ("north", "south"), strict=True)):
        assert (one.name, one.row) == (name, number)
        assert len(one.past) == study.coding.past_steps == 20
        whole = table()[table()["unique_id"] == name].iloc[-26:]
        np.testing.assert_array_equal(one.past, whole[["y", "z"]].to_numpy()[:20])
        np.testing.assert_array_equal(one.inputs, whole[["u", "size"]].to_numpy())
        np.testing.assert_array_equal(one.times.shown, whole["ds"])


def test_rows_without_channels_hold_the_inputs(study):
    frame = table()
    frame.loc[ahead(frame).index, ["y", "z", "size"]] = np.nan  # a static input is that of the last true row
    by_rows = study.after(study.new(frame))
    by_table = study.after(known=study.known(ahead(table())[["unique_id", "ds", "u"]]))
    for one, other in zip(by_rows.series, by_table.series, strict=True):
        np.testing.assert_array_equal(one.inputs, other.inputs)
        np.testing.assert_array_equal(one.past, other.past)
        assert (one.times.shown == other.times.shown).all()


def test_a_table_may_begin_earlier_be_unsorted_and_have_more_rows(study):
    more = table()[["ds", "unique_id", "u"]].sample(frac=1, random_state=0)
    one, other = study.after(known=study.known(more), steps=3).series
    assert one.inputs[-3:, 0].tolist() == [2000, 2010, 2020] and other.inputs[-1, 0] == 2021


def test_more_past_than_needed_is_kept_for_long_forecasts(study):
    more = study.known(table(rows=ROWS + 20)[["unique_id", "ds", "u"]])
    assert len(study.after(known=more, steps=15).series[0].past) == 45


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda frame: frame.iloc[:0:-1].iloc[1:],
            r"no value of the input 'u' for 2024-01-09 13:00:00, step 6 of 6",
        ),
        (lambda frame: frame[frame["unique_id"] == "north"], r"known.csv: no rows of the series 'south'"),
        (
            lambda frame: frame.assign(ds=frame["ds"] + pd.Timedelta("1h")),
            r"step 1 of 6 after 2024-01-09 07:00:00",
        ),
        (lambda frame: frame.drop(columns="u"), r"known.csv: no column 'u'"),
        (lambda frame: frame.drop(columns="ds"), r"no column of times, but own.csv, series 'north' has one"),
        (lambda frame: frame.drop(columns="unique_id").head(6), None),
    ],
)
def test_a_table_that_does_not_fit(study, change, message):
    known = ahead(table())[["unique_id", "ds", "u"]]
    if message is None:  # one for all series
        assert len(study.after(known=study.known(change(known))).series) == 2
        return
    with pytest.raises(DataError, match=message):
        study.after(known=study.known(change(known)))


def test_no_inputs_at_all_is_one_line(study):
    with pytest.raises(
        DataError, match=r"^own: the data end without inputs \(u\) of the 6 steps to forecast: .*--known"
    ):
        study.after()


def test_too_few_inputs_name_the_steps_that_are_possible(study):
    frame = table()
    frame.loc[ahead(frame).index, ["y", "z"]] = np.nan
    with pytest.raises(
        DataError, match=r"step 7 of 9 after 2024-01-09 07:00:00: .*or forecast 6 \(--steps 6\)"
    ):
        study.after(study.new(frame), steps=9)


def test_inputs_for_a_study_without_any_are_refused(tmp_path):
    plain = Study(tmp_path, past(table())[["unique_id", "ds", "y", "z"]])
    assert len(plain.after().series) == 2
    with pytest.raises(DataError, match="no inputs that must be known ahead: drop --known"):
        plain.known(ahead(table()))


def plain_study(folder: Path, **settings) -> Study:
    return Study(folder, past(table())[["unique_id", "ds", "y", "z"]], **settings)


def test_short_series_and_series_with_gaps_are_left_out_with_the_reason(tmp_path):
    study = plain_study(tmp_path)
    frame = past(table(("short", "gap", "west"), 60), 60)[["unique_id", "ds", "y", "z"]]
    frame = frame.drop(frame[frame["unique_id"] == "short"].index[19:])
    frame.loc[frame[frame["unique_id"] == "gap"].index[45:47], "y"] = np.nan
    futures = study.after(study.new(frame))
    assert [(one.name, one.row) for one in futures.series] == [("west", -1)]
    reasons = {one.name: one.reason for one in futures.left_out}
    assert reasons["short"] == (
        "too short: 19 complete steps at the end, and a forecast needs 20 (a warm-up of 20)"
    )
    assert reasons["gap"].startswith("a gap is too near to its end: 13 complete steps at the end")


def test_an_early_gap_does_no_harm_and_a_short_one_is_filled_if_the_study_fills(tmp_path):
    frame = past(table(("north",), 60), 60)[["unique_id", "ds", "y", "z"]]
    early, late = frame.drop(frame.index[30:33]), frame.drop(frame.index[50:52])
    study = plain_study(tmp_path)
    assert len(study.after(study.new(early)).series) == 1
    assert len(study.after(study.new(late)).left_out) == 1
    filling = plain_study(tmp_path, missing="fill", fill_limit=2)
    (one,) = filling.after(filling.new(late)).series
    assert one.past[-10:-8, 1].tolist() == [50.5, 51.5]  # on the line between the rows beside them
    assert str(one.times.shown[-1]) == "2024-01-03 17:00:00"


def test_a_forecast_begins_after_the_last_complete_row(tmp_path):
    study = plain_study(tmp_path)
    frame = past(table(("north",), 60), 60)[["unique_id", "ds", "y", "z"]]
    frame.loc[frame.index[-2:], "y"] = np.nan
    futures = study.after(study.new(frame))
    assert futures.notes == ("new.csv, series 'north': the last 2 rows are incomplete and not used",)
    assert str(futures.series[0].times.shown[-AHEAD]) == "2024-01-03 10:00:00"


def test_a_value_that_a_transform_does_not_accept_leaves_the_series_out(tmp_path):
    frame = past(table())[["unique_id", "ds", "z"]]
    study = Study(tmp_path, frame, transforms=("log", "difference"))
    assert study.coding.past_steps == 21
    new = frame.groupby("unique_id").head(60).copy()
    new.loc[new.index[50], "z"] = -1.0
    futures = study.after(study.new(new))
    assert [one.name for one in futures.series] == ["south"]
    assert futures.left_out[0].reason == (
        "column 'z', line 52: log needs values above 0, got -1: drop the transform, put it before any difference, or "
        "add a constant to the data"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.drop(columns="z"), r"new.csv: no column 'z' \(data.channels\)"),
        (lambda frame: frame.drop(columns="size"), r"new.csv: no column 'size' \(data.static\)"),
        (
            lambda frame: frame[frame["ds"].dt.hour % 2 == 0],
            r"the step is 2 hours, but that of the study's data is 1 hour",
        ),
    ],
)
def test_new_data_of_another_shape(study, change, message):
    with pytest.raises(DataError, match=message):
        study.new(change(past(table())))


def test_new_data_may_have_more_columns_and_one_series(study):
    frame = past(table(("south",)))[["y", "ds", "u", "z", "size", "unique_id"]].assign(more=1.0)
    new = study.new(frame)
    assert new.channels == ("y", "z") and [one.name for one in new.series] == ["south"]


def test_columns_and_forms_of_times_are_those_of_the_study(tmp_path):
    frame = past(table())[["unique_id", "ds", "y", "z"]]
    frame = frame.assign(station=frame["unique_id"], when=frame["ds"].dt.strftime("%d/%m/%Y %H:%M"))
    frame = frame[["when", "station", "y", "z"]]
    study = Study(tmp_path, frame)
    assert (study.settled.time_column, study.settled.id_column) == ("when", "station")
    new = study.new(
        frame[frame["station"] == "north"].head(30)
    )  # alone, 1 to 2 January are also 1 January and 1 February
    assert new.series[0].name == "north" and str(new.series[0].stamps[-1])[:13] == "2024-01-02T05"


@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M", "%Y-%m-%dT%H:%M:%S"])
def test_times_may_have_another_form_than_those_of_the_study(study, form):
    known = ahead(table())[["unique_id", "ds", "u"]]
    futures = study.after(known=study.known(known.assign(ds=known["ds"].dt.strftime(form))))
    assert study.settled.time_format == "%Y-%m-%d %H:%M:%S" and futures.series[1].inputs[-1, 0] == 2051


def test_settings_of_the_study_come_before_what_was_recognised(study):
    own = study.config.model_copy(update={"time_zone": "UTC"})
    facts = (replace(study.own.facts[0], key='time_zone = "Europe/Berlin"'),) if study.own.facts else ()
    assert facts and settled(own, facts).time_zone == "UTC"
    assert settled(study.config, facts).time_zone == "Europe/Berlin"
