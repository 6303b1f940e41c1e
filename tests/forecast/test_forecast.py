"""Forecasts with a stored study: beside scored rollouts and true continuations, from new data, and what is refused."""

import inspect
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sweep
from sweep.api import forecast_study, made_forecast
from sweep.api.loaded_study import LoadedStudy
from sweep.api.made_forecast import chosen_pairs
from sweep.config.errors import DataError, StoreError, StudyChanged, UnknownName, UsageError
from sweep.data import load
from sweep.forecast import ensemble_of, networks_of
from sweep.forecast.ensemble import combined
from sweep.report.plots import forecast as forecast_plots
from sweep.report.plots.forecast import PanelData, draw_forecast
from sweep.results.wording.forecast import forecast_table, rest_text, warning_texts
from sweep.store import StudyFolder
from tests.forecast.conftest import table
from tests.support.command_line import invoke
from tests.support.documentation import undocumented

ROWS, STEPS = 400, 12
IDS = ["unique_id", "ds", "u"]


def ahead(frame: pd.DataFrame, steps: int = STEPS) -> pd.DataFrame:
    """Return the rows after the study's data."""
    return frame.groupby("unique_id").nth(list(range(ROWS, ROWS + steps)))


@pytest.fixture(scope="module")
def whole() -> pd.DataFrame:
    """Return the study's table with 24 more rows of each series; its random numbers are other ones."""
    return table(ROWS + 24)


@pytest.fixture(scope="module")
def made(folder, whole):
    return sweep.forecast(str(folder.path), known=ahead(whole)[IDS])


def copied(folder: StudyFolder, to: Path) -> StudyFolder:
    return StudyFolder(Path(shutil.copytree(folder.path, to / folder.name)))


def with_errors(folder: StudyFolder, **errors: float) -> None:
    """Give baselines other rollout errors, on validation and on test; those that are not named get 0.9."""
    documents = {"baselines": "baselines", "winner": "baselines_test"}
    for name, key in documents.items():
        document = folder.read_document(name)
        for baseline, entry in document[key].items():
            if "rollout_error" in entry:
                entry["rollout_error"] = errors.get(baseline, 0.9)
        folder.write_document(name, document)


# --- values -----------------------------------------------------------------------------------------


def test_forecasts_equal_the_rollouts_that_were_scored(folder):
    number = folder.read_document("winner")["number"]
    source = networks_of(folder, number)
    config = source.trainings[0][0]
    data, frame = load(config.data, config.score), table(ROWS)
    starts = data.validation
    rollouts = combined(ensemble_of(source, data).forecasts(starts.past, starts.known, starts.series))
    for place in (0, len(starts.position) - 1):
        name = ("north", "south")[starts.owner[place]]
        begin = int(starts.position[place])
        own = frame[frame["unique_id"] == name]
        made = sweep.forecast(
            str(folder.path), trial=number, data=own[:begin], known=own[begin : begin + STEPS][IDS]
        )
        np.testing.assert_allclose(made.values[0], rollouts[place], rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(made.times[0], own["ds"][begin : begin + STEPS])


def test_the_verdict_forecasts_and_is_near_the_true_continuation(made, folder, whole):
    assert made.forecaster["baseline"] == "arx" and made.verdict.startswith("Use arx:")
    assert (made.names, made.channels, made.targets) == (("north", "south"), ("y", "z"), ("y",))
    truth = ahead(whole)["y"].to_numpy().reshape(2, STEPS)
    np.testing.assert_allclose(made.values[..., 0], truth, atol=0.1)  # its swing is 2.6
    assert np.abs(made.values[::-1, :, 0] - truth).min() > 30  # control: of the other series
    np.testing.assert_array_equal(made.times[1], ahead(whole)["ds"][STEPS:])


def test_an_input_does_not_change_forecasts_of_earlier_times(folder, made, whole):
    for trial in (None, 0):
        before = sweep.forecast(str(folder.path), trial=trial, known=ahead(whole)[IDS])
        changed = ahead(whole)[IDS].copy()
        changed.iloc[5, 2] += 10  # the 6th step of the first series
        after = sweep.forecast(str(folder.path), trial=trial, known=changed)
        np.testing.assert_array_equal(before.values[0, :5], after.values[0, :5])
        assert (np.abs(before.values[0, 5:, 0] - after.values[0, 5:, 0]) > 1e-4).any()
        np.testing.assert_array_equal(before.values[1], after.values[1])


def test_fewer_steps_are_the_first_of_more(folder, made, whole):
    longer = sweep.forecast(str(folder.path), steps=20, known=ahead(whole, 20)[IDS])
    np.testing.assert_allclose(longer.values[:, :STEPS], made.values)
    assert np.isnan(longer.low[90][:, STEPS:]).all() and np.isfinite(longer.low[90][:, :STEPS]).all()
    assert any("none after step 12" in note for note in longer.notes)


def test_files_tables_and_rows_without_channels_give_the_same(folder, made, whole, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    every = pd.concat([table(ROWS), ahead(whole).assign(y=np.nan, z=np.nan)])
    every.to_csv("new.csv", index=False)
    every[every["unique_id"] == "south"].to_csv("south.csv", index=False)
    loaded = sweep.load_study(folder.path)
    for data in ("new.csv", every, every.set_index("ds")):
        np.testing.assert_array_equal(loaded.forecast(data=data).values, made.values)
    south = loaded.forecast(data="south.csv")
    np.testing.assert_allclose(south.values[0], made.values[1])
    assert south.names == ("south",)


def test_a_series_that_is_new_is_scaled_by_all_series(folder, whole):
    frame = table(60).assign(unique_id=lambda one: one["unique_id"].replace("south", "west"))
    known = ahead(whole)[IDS].assign(unique_id=["north"] * STEPS + ["west"] * STEPS)
    known["ds"] = known["ds"] - pd.Timedelta(hours=ROWS - 60)
    made = sweep.forecast(str(folder.path), data=frame, known=known)
    assert made.notes[0] == "1 series without training data (west), scaled by the statistics of all series"


# --- who forecasts ------------------------------------------------------------------------------------


def test_a_configuration_that_is_better_than_the_baselines_forecasts(folder, whole, tmp_path):
    study = copied(folder, tmp_path)
    with_errors(study)
    made = sweep.forecast(str(study.path), known=ahead(whole)[IDS])
    number = folder.read_document("winner")["number"]
    assert made.forecaster == {
        "kind": "networks",
        "trial": number,
        "basis": "confirmed",
        "networks": 2,
        "asked": False,
        "text": f"Forecast by trial {number}, the median of 2 networks on fresh seeds, which the study names.",
    }
    asked = sweep.forecast(str(folder.path), trial=number, known=ahead(whole)[IDS])
    np.testing.assert_array_equal(asked.values, made.values)
    assert asked.forecaster["asked"] and asked.verdict.startswith("Use arx")


def test_where_nothing_beats_a_trivial_forecast_that_one_forecasts(folder, whole, tmp_path):
    study = copied(folder, tmp_path)
    with_errors(study, persistence=0.001)
    made = sweep.forecast(str(study.path), known=ahead(whole)[IDS])
    assert (
        "Forecast by persistence, as nothing beats a trivial forecast: the rollout error"
        in made.forecaster["text"]
    )
    last = table(ROWS).groupby("unique_id").tail(1)[["y", "z"]].to_numpy()
    np.testing.assert_array_equal(made.values, np.repeat(last[:, None], STEPS, axis=1))
    assert made.levels == () and made.notes == (
        "Intervals: none, because this forecaster is not calibrated; sweep confirm calibrates the one that is named",
    )


def test_a_study_that_names_nothing_yet_asks_for_a_trial(folder, tmp_path):
    study = copied(folder, tmp_path)
    (study.path / "winner.json").unlink()
    with pytest.raises(
        UsageError, match="two has not named a configuration yet: sweep confirm two does it, or give"
    ):
        sweep.forecast(str(study.path))


# --- what is refused ----------------------------------------------------------------------------------


def test_data_that_have_changed_are_refused(folder, tmp_path):
    study = copied(folder, tmp_path)
    text = (study.path / "study.toml").read_text()
    table(ROWS + 1).to_csv(tmp_path / "two.csv", index=False)
    (study.path / "study.toml").write_text(text.replace(str(folder.path.parents[1]), str(tmp_path)))
    with pytest.raises(
        StudyChanged, match=r"the data of the study in .*two have changed since it began.*--data FILE"
    ):
        sweep.forecast(str(study.path))


@pytest.mark.parametrize(
    ("which", "error", "message"),
    [
        ({"trial": 77}, StoreError, "77"),
        ({"steps": 0}, UsageError, "wanted at least one step, got 0"),
        ({"levels": (50, 100)}, UsageError, "whole percents from 1 to 99, got 100"),
        ({"data": "nowhere.csv"}, DataError, r"nowhere.csv: no such file in .* Check its path$"),
        ({"data": table(29)}, DataError, "north cannot be forecast: too short: 29 complete steps at the end"),
        ({"data": __file__}, DataError, "unknown extension"),
        ({"data": {"y": [1]}}, UsageError, "wanted a pandas DataFrame or Series or a NumPy array, got dict"),
    ],
)
def test_what_cannot_be_meant_is_refused(folder, whole, which, error, message):
    known = ahead(whole)[IDS] if "data" not in which else table(60)[IDS]
    with pytest.raises(error, match=message):
        sweep.forecast(str(folder.path), known=known, **which)


# --- how it is shown ----------------------------------------------------------------------------------


def test_the_frame_has_a_row_per_series_step_and_channel(made):
    frame = made.frame
    assert list(frame.columns) == [
        *("series", "time", "step", "channel", "value"),
        *("low_50", "high_50", "low_90", "high_90"),
    ]
    row = frame[(frame["series"] == "south") & (frame["step"] == 3) & (frame["channel"] == "z")].squeeze()
    assert row["value"] == made.values[1, 2, 1] and row["high_90"] == made.high[90][1, 2, 1]
    assert row["time"] == made.times[1][2] and len(frame) == made.values.size


def test_the_document_is_documented_and_has_no_number_that_is_not_finite(made):
    document = json.loads(json.dumps(made.document(), allow_nan=False))
    assert undocumented(set(document), "forecast.md", "The JSON document") == []
    assert undocumented(set(document["series"][0]), "forecast.md", "The JSON document") == []
    assert undocumented(set(document["forecaster"]), "forecast.md", "The JSON document") == []
    assert document["series"][1]["times"][0] == "2024-01-17 16:00:00"
    assert document["series"][1]["values"]["z"][2] == made.values[1, 2, 1]
    assert document["series"][0]["low"]["90"]["y"][1] == made.low[90][0, 1, 0]


def test_forecasts_that_are_not_finite_are_shown_as_such(folder, whole, monkeypatch):
    def lost(*forecaster):
        values = np.ones((2, STEPS, 2))
        values[1, 3:] = np.inf
        return lambda starts: values

    monkeypatch.setattr(forecast_study, "predict_by", lost)
    made = sweep.forecast(str(folder.path), known=ahead(whole)[IDS])
    assert (
        made.notes[0]
        == "the forecast of south is not finite from step 4 on: it has left the range of numbers"
    )
    document = made.document()
    assert document["series"][1]["values"]["y"][2:4] == [1.0, None]
    shown = [row[2] for row in forecast_table(document).rows][6:]
    assert [float(cell) for cell in shown[:3]] == [1, 1, 1] and shown[3:] == ["not finite"] * 3
    assert made.plot().startswith(b"\x89PNG")


def test_the_table_shows_the_first_steps_and_where_the_rest_is(made):
    document = made.document()
    shown = forecast_table(document)
    assert shown.head == ("series", "time", "forecast", "50 %", "90 %") and len(shown.rows) == 12
    assert shown.rows[0][:2] == ("north", "2024-01-17 16:00") and " to " in shown.rows[0][4]
    assert (
        rest_text(document, set())
        == "12 of 48 values shown: --csv FILE writes all of them, --plot FILE.png draws them."
    )
    assert rest_text(document, {".csv", ".png"}) == ""
    left_out = [{"name": str(n), "reason": "too short"} for n in range(7)]
    assert warning_texts({**document, "left_out": left_out})[-2:] == [
        "4 is left out: too short",
        "and 2 more are left out",
    ]


def test_equal_panels_give_equal_pictures_and_an_interval_changes_one():
    step = np.arange(30.0)
    panel = PanelData("y", np.sin(step), np.sin(step[:9]), {}, [str(n) for n in range(39)], {})
    band = {90: (np.sin(step[:9]) - 1, np.sin(step[:9]) + 1)}
    wide = PanelData(
        "y", panel.past, panel.forecast, band, panel.times, {"a very long name of an input": np.arange(39.0)}
    )
    assert draw_forecast([panel], "t", "l") == draw_forecast([panel], "t", "l")
    assert draw_forecast([panel], "t", "l") != draw_forecast([wide], "t", "l")
    assert draw_forecast([panel], "t", "l", "and 5 more") != draw_forecast([panel], "t", "l")


def test_a_picture_of_many_shows_the_median_and_the_worst_and_says_so():
    pairs = [(series, channel) for series in range(3) for channel in range(2)]
    errors = dict(zip(pairs, (0.3, 0.1, 0.6, 0.5, 0.2, 0.4), strict=True))
    shown = [((0, 0), "median of 6"), ((1, 0), "worst of 6")]
    assert chosen_pairs(pairs, errors.get) == (shown, "2 of 6, by the rollout error on validation")
    del errors[1, 0]  # a series that validation does not know
    assert chosen_pairs(pairs, errors.get)[0] == [((0, 0), "median of 5"), ((1, 1), "worst of 5")]
    assert chosen_pairs(pairs, {}.get) == (
        [(pair, "") for pair in pairs[:4]],
        "and 2 more channels of series",
    )
    assert chosen_pairs(pairs[:4], errors.get) == ([(pair, "") for pair in pairs[:4]], "")


def test_the_errors_of_a_forecast_are_those_of_its_forecaster_on_validation(folder, made, whole, monkeypatch):
    scores = sweep.load_study(folder.path).breakdown.query("number == 1 and series.notna()")
    asked = sweep.forecast(str(folder.path), known=ahead(whole)[IDS], trial=1)
    assert asked.errors == {(row.series, None): row.rollout_error for row in scores.itertuples()}
    entry = folder.baselines()[made.forecaster["baseline"]]["breakdown"]["by_series"]
    assert made.errors == {(row["series"], None): row["rollout_error"] for row in entry}
    drawn = []
    monkeypatch.setattr(forecast_plots, "draw_forecast", lambda panels, *_: drawn.append(panels) or b"")
    monkeypatch.setattr(made_forecast, "MOST_PANELS", 1)
    made.plot()
    made.plot(series="south", channel="z")
    worst = max(made.errors, key=made.errors.get)[0]
    assert [[one.title for one in panels] for panels in drawn] == [
        [f"{'north' if worst == 'south' else 'south'} · y: median of 2", f"{worst} · y: worst of 2"],
        ["south · z"],
    ]
    with pytest.raises(UnknownName, match=r"no series named 'sooth'\. Did you mean 'south'"):
        made.plot(series="sooth")


def test_a_study_forecasts_with_the_settings_of_the_function():
    own = inspect.signature(sweep.forecast).parameters
    assert set(forecast_study.ForecastSettings.__annotations__) == set(own) - {"study", "results"}
    assert list(inspect.signature(LoadedStudy.forecast).parameters) == ["self", "settings"]
    with pytest.raises(TypeError, match="unexpected keyword argument 'stepz'"):
        LoadedStudy(StudyFolder(Path("none"))).forecast(stepz=3)


def test_the_command_prints_writes_and_draws(folder, made, whole, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ahead(whole)[IDS].to_csv("known.csv", index=False)
    call = ("forecast", str(folder.path), "--known", "known.csv")
    done = invoke(*call, "--csv", "out.csv", "--plot", "out.png", "--levels", "90")
    assert done.exit_code == 0, done.stderr
    text = " ".join(done.stdout.split())
    assert (
        made.forecaster["text"] in text
        and "Written: out.csv" in text
        and "50 %" not in text.split("cover")[0]
    )
    assert (
        Path("out.png").read_bytes()
        == sweep.forecast(str(folder.path), known=ahead(whole)[IDS], levels=(90,)).plot()
    )
    written = pd.read_csv("out.csv", parse_dates=["time"])
    pd.testing.assert_frame_equal(
        written, made.frame.drop(columns=["low_50", "high_50"]), check_dtype=False, check_exact=False
    )
    assert json.loads(invoke(*call, "--json").stdout) == made.document()


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--levels", "half"), 2, "wanted whole percents from 1 to 99, such as 50,90, got 'half'"),
        (("--steps", "0"), 2, "0 is not in the range"),
        ((), 1, "the data end without inputs (u) of the 12 steps to forecast"),
        (("--csv", "no/such/folder.csv", "--known", "known.csv"), 1, "cannot write no/such/folder.csv"),
    ],
)
def test_a_call_that_cannot_be_meant_is_one_line(
    folder, whole, tmp_path, monkeypatch, options, code, message
):
    monkeypatch.chdir(tmp_path)
    ahead(whole)[IDS].to_csv("known.csv", index=False)
    done = invoke("forecast", str(folder.path), *options)
    assert done.exit_code == code and message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_names_that_spreadsheets_would_run_are_guarded(made):
    from dataclasses import replace

    from sweep.report.write import forecast_csv

    text = forecast_csv(replace(made, names=("=1+1", "south")).frame)
    assert text.splitlines()[1].startswith("'=1+1,2024-01-17 16:00:00,1,y,")


def test_times_of_days_and_of_zones_are_texts_that_are_read_back():
    days = pd.DatetimeIndex(["2024-01-31", "2024-02-29"])
    assert made_forecast._texts(days) == ["2024-01-31", "2024-02-29"]
    zoned = pd.date_range("2024-03-31", periods=4, freq="h", tz="Europe/Berlin")
    assert made_forecast._texts(zoned)[1:3] == ["2024-03-31 01:00:00+01:00", "2024-03-31 03:00:00+02:00"]
    assert made_forecast._texts(pd.Index([3, 4])) == [3, 4]
