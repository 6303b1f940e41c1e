"""The folder of an export: what is written and replaced, what is read back, and what is refused."""

import hashlib
import importlib.util
import json
import pickle
import random
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import safetensors.torch
import torch

from sweep.config.errors import DataError, SweepError, UsageError
from sweep.config.plugins import PluginError, using
from sweep.config.sections import ModelConfig
from sweep.data.readers.frames import table_of
from sweep.forecast.ensemble import Ensemble, combined
from sweep.forecast.export import load_forecaster, onnx_model, write_export
from sweep.forecast.export.card import Step, step_of
from sweep.forecast.export.given import _timeline
from sweep.forecast.intervals import Intervals
from sweep.forecast.measured import Measured
from sweep.model import Forecaster, engine, network_of_model
from tests.support import plugin_models
from tests.support.made_forecasters import FEEDS, STEP, STEPS, case
from tests.support.plugin_cells import MGU

FULL = case("full", "gru", "increment", "float64", ("log", "seasonal_difference"), {"layers": 2}, FEEDS[1])
PLAIN = case("plain", "lstm", "value", "float32", (), {"layers": 1}, FEEDS[2], networks=1)
SCRIPTS = {"forecast_tables.py", "forecast_torch.py", "forecast_numpy.py", "forecast_onnx.py"}
NETWORK = {"network_1.safetensors", "model_1.onnx"}


def written(made, place: Path):
    return write_export(
        place, made.ensemble, made.model, {}, columns=made.columns, step=STEP, intervals=measured(made)
    )


def measured(made) -> Measured:
    """Return intervals over 6 steps from 9 starts, whose errors are 1 to 9 times the step, and half of that of z."""
    rank, step = np.arange(1.0, 10)[:, None, None], np.arange(1.0, 7)[None, :, None]
    std = np.arange(1.0, 1 + 2 * (len(made.series) + 1)).reshape(-1, 2)
    intervals = Intervals(9, tuple(range(1, 10)), rank * step * [1.0, 0.5], std, tuple(made.series))
    covered = ({"level": 90, "value": 0.91}, {"level": 50, "value": 0.52})
    return Measured(intervals, {"baseline": "made"}, other="measured elsewhere", coverage=covered)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a complete export; tests only read it."""
    folder = tmp_path_factory.mktemp("one") / "forecaster"
    written(FULL, folder)
    return folder


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# --- written -------------------------------------------------------------------------------------


def test_a_new_folder_holds_all_files_and_nothing_is_left_beside_it(tmp_path):
    result = written(PLAIN, tmp_path / "deep" / "out")
    assert (
        names(tmp_path / "deep" / "out")
        == set(result.files)
        == {"card.json", "README.md"} | SCRIPTS | NETWORK
    )
    assert names(tmp_path / "deep") == {"out"} and result.refused == ""


def test_an_earlier_export_is_replaced_and_other_files_stay(tmp_path):
    written(FULL, tmp_path / "out")
    (tmp_path / "out" / "past.csv").write_text("mine")
    assert "network_2.safetensors" in names(tmp_path / "out")
    written(PLAIN, tmp_path / "out")
    assert names(tmp_path / "out") == {"card.json", "README.md", "past.csv"} | SCRIPTS | NETWORK
    assert load_forecaster(tmp_path / "out").card.model.cell == "lstm"


@pytest.mark.parametrize("content", ["{}", '{"format": "other 1"}', "not json", None])
def test_a_folder_that_is_not_an_export_is_left_alone(content, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    if content is not None:
        (tmp_path / "card.json").write_text(content)
    before = names(tmp_path)
    with pytest.raises(
        UsageError, match="exists and is not an export of sweep: name another folder, or remove"
    ):
        written(PLAIN, tmp_path)
    assert names(tmp_path) == before


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(UsageError, match="out is not a folder: name another place for the export"):
        written(PLAIN, tmp_path / "out")


def test_an_export_without_its_packages_says_how_to_install_them(tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_model, "find_spec", lambda name: None if name == "onnx" else 1)
    with pytest.raises(UsageError, match=r"an export needs onnx: pip install 'sweep\[export\]'"):
        written(PLAIN, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_weights_are_those_of_the_networks(place):
    for number, network in enumerate(FULL.ensemble.networks, start=1):
        tensors = safetensors.torch.load_file(place / f"network_{number}.safetensors")
        assert set(tensors) == set(network.state_dict())
        for name, value in network.state_dict().items():
            assert tensors[name].dtype == torch.float64
            torch.testing.assert_close(tensors[name], value, rtol=0, atol=0)


def test_onnx_models_are_double_where_the_networks_are(place):
    import onnx

    model = onnx.load(place / "model_1.onnx")
    kinds = {value.type.tensor_type.elem_type for value in (*model.graph.input, *model.graph.output)}
    assert kinds == {onnx.TensorProto.DOUBLE}
    assert not {"LSTM", "GRU", "Cast"} & {node.op_type for node in model.graph.node}


def test_the_text_of_a_card_cannot_break_its_readme(tmp_path):
    about = {"study": "a`|b\nc", "configuration": {"data": {"path": "x`|\n# y.csv"}}}
    write_export(tmp_path / "out", PLAIN.ensemble, PLAIN.model, about)
    text = (tmp_path / "out" / "README.md").read_text()
    assert text.splitlines()[0] == "# A forecaster of the study `a'/b c`"
    assert '| `data.path` | `"x\'/\\n# y.csv"` |' in text


# --- read back -----------------------------------------------------------------------------------


def frame_of(made, first: int, last: int, columns: tuple[str, ...]) -> pd.DataFrame:
    """Return rows of the made series as a data frame with names and times."""
    parts = []
    for row, name in enumerate(made.series):
        whole = np.concatenate([np.full((80 + STEPS, 2), np.nan), made.known[row]], axis=1)
        whole[:80, :2] = made.past[row]
        part = pd.DataFrame(whole, columns=[*made.ensemble.coding.channels, *made.ensemble.coding.known])
        part.insert(0, "ds", made.times[row])
        part.insert(0, "unique_id", name)
        parts.append(part.iloc[first:last])
    return pd.concat(parts)[list(columns)]


ALL = ("unique_id", "ds", "y", "z", "u", "size")


def test_a_loaded_forecaster_forecasts_what_its_networks_did(place):
    past, known = frame_of(FULL, 0, 80, ALL), frame_of(FULL, 80, 180, ("unique_id", "ds", "u"))
    answer = load_forecaster(place).forecast(past, STEPS, known)
    assert list(answer) == ["unique_id", "ds", "y", "z"]
    assert list(answer["unique_id"].unique()) == FULL.series
    assert answer["ds"].iloc[:STEPS].tolist() == FULL.times[0][80:]
    values = answer[["y", "z"]].to_numpy().reshape(3, STEPS, 2)
    np.testing.assert_allclose(values, FULL.expected, rtol=1e-12)
    # the times continue by themselves
    again = load_forecaster(place).forecast(past, STEPS, known.drop(columns="ds"))
    pd.testing.assert_frame_equal(again, answer)
    # rows of any order are sorted by time
    shuffled = load_forecaster(place).forecast(past.iloc[::-1], STEPS, known)
    for name in FULL.series:
        one, other = (frame[frame["unique_id"] == name]["y"] for frame in (shuffled, answer))
        np.testing.assert_allclose(one, other, rtol=1e-12)
    # the index may hold the times
    indexed = past[past["unique_id"] == "south"].drop(columns="unique_id").set_index("ds")
    one = load_forecaster(place).forecast(indexed, STEPS, known[known["unique_id"] == "south"][["u"]])
    unknown = FULL.ensemble.coding.row_of("")
    assert unknown == -1 and list(one) == ["ds", "y", "z"] and len(one) == STEPS


def test_arrays_are_forecast_as_arrays(tmp_path):
    written(PLAIN, tmp_path / "out")
    forecaster = load_forecaster(tmp_path / "out")
    past = np.concatenate([PLAIN.past, PLAIN.known[:, :80]], axis=2)
    answer = forecaster.forecast(past, STEPS, PLAIN.known[:, 80:])
    np.testing.assert_allclose(answer, PLAIN.expected, rtol=1e-5)
    single = forecaster.forecast(past[1], STEPS, PLAIN.known[1, 80:])
    np.testing.assert_allclose(single, answer[1], atol=1e-6)
    with pytest.raises(DataError, match="the networks need the future of u: give it as `known`"):
        forecaster.forecast(past, STEPS)
    with pytest.raises(DataError, match=r"known: wanted 100 rows for each series, got shape \(3, 99, 1\)"):
        forecaster.forecast(past, STEPS, PLAIN.known[:, 81:])
    with pytest.raises(DataError, match=r"the past: wanted at least 20 rows, got 19: give a longer past"):
        forecaster.forecast(past[:, :19], STEPS, PLAIN.known[:, 80:])
    with pytest.raises(DataError, match=r"columns y, z, u: wanted 3 columns, got shape \(3, 80, 2\)"):
        forecaster.forecast(PLAIN.past, STEPS, PLAIN.known[:, 80:])
    past[0, 70, 1] = np.nan
    with pytest.raises(DataError, match="a value is missing or not finite: fill it in"):
        forecaster.forecast(past, STEPS, PLAIN.known[:, 80:])
    with pytest.raises(DataError, match="wanted at least 1 step to forecast, got 0"):
        forecaster.forecast(past, 0)


def test_levels_give_intervals_by_the_name_of_a_series_and_notes(place, tmp_path):
    forecaster = load_forecaster(place)
    past, known = frame_of(FULL, 0, 80, ALL), frame_of(FULL, 80, 180, ("unique_id", "ds", "u"))
    made = forecaster.forecast(past, STEPS, known, levels=(90, 50, 95))
    pd.testing.assert_frame_equal(made.values, forecaster.forecast(past, STEPS, known))
    assert list(made.low) == list(made.high) == [90, 50]
    width = (made.high[90][["y", "z"]] - made.low[90][["y", "z"]]).to_numpy().reshape(3, STEPS, 2)
    # rank 9 of 9; at step 3 of the second series (std 3 and 4): 2 x 9 x 3 x 3, and of z half of 9 x 3 x 4
    np.testing.assert_allclose(width[1, 2], [162, 108])
    np.testing.assert_allclose(width[2, 0], [2 * 9 * 5, 9 * 6])
    assert np.isnan(width[:, 6:]).all() and np.isfinite(width[:, :6]).all()
    half = (made.high[50]["y"] - made.values["y"]).iloc[0]
    np.testing.assert_allclose(half, 5)  # rank ceil(10 x 0.5)
    assert made.notes[0] == "Intervals: measured elsewhere"
    assert made.notes[1].startswith("Intervals: none of 95 %, which needs 19 calibration starts")
    assert made.notes[2].startswith("Intervals: none after step 6,") and len(made.notes) == 3
    assert [one["level"] for one in made.coverage] == [90, 50]
    with pytest.raises(UsageError, match="wanted levels in whole percents from 1 to 99, got 100"):
        forecaster.forecast(past, STEPS, known, levels=(100,))
    write_export(tmp_path / "out", FULL.ensemble, FULL.model, {}, columns=FULL.columns, step=STEP)
    without = load_forecaster(tmp_path / "out").forecast(past, STEPS, known, levels=(90,))
    assert without.low == {} and without.notes == (
        "Intervals: none, because the folder has none: export the networks of the study again",
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda past: past.to_numpy()[:, 2:].astype(float), "read the calendar .*: give the past as a data frame"),
        (lambda past: past.drop(columns="z"), "past, series 'north': no column 'z'; wanted y, z, u, size"),
        (lambda past: past.drop(columns="ds"), "series 'north': no column of times 'ds'"),
        (lambda past: past.assign(ds="soon"), "column 'ds', row 1: .*'soon'"),
        (lambda past: past.assign(y="high"), "series 'north', column 'y', row 1: .*'high'"),
        (lambda past: past[past["ds"].dt.hour % 2 == 0], "north': wanted rows 1 hour apart, got steps of 2 hours"),
        (lambda past: past.drop(index=70), "wanted rows 1 hour apart, got 2024-03-01 19:00:00, then 2024-03-01 21"),
        (lambda past: past.iloc[:0], "past: no rows"),
    ],
    ids=["array", "channel", "time", "text", "words", "step", "gap", "empty"],
)  # fmt: skip
def test_a_past_that_does_not_fit_is_refused(change, message, place):
    past, known = frame_of(FULL, 0, 80, ALL), frame_of(FULL, 80, 180, ("unique_id", "ds", "u"))
    with pytest.raises(DataError, match=message):
        load_forecaster(place).forecast(change(past), STEPS, known)


def test_known_inputs_that_do_not_fit_are_refused(place):
    forecaster, past = load_forecaster(place), frame_of(FULL, 0, 80, ALL)
    known = frame_of(FULL, 80, 180, ("unique_id", "ds", "u"))
    with pytest.raises(DataError, match="series 'north': wanted 101 rows of known inputs, got 100"):
        forecaster.forecast(past, 101, known)
    with pytest.raises(DataError, match="series 'west': wanted 5 rows of known inputs, got 0"):
        forecaster.forecast(past, 5, known[known["unique_id"] != "west"])
    with pytest.raises(DataError, match="the networks need the future of u: give it as `known`"):
        forecaster.forecast(past, 5)
    with pytest.raises(DataError, match="known: wanted a data frame, as the past is one"):
        forecaster.forecast(past, 5, np.zeros((5, 1)))


@pytest.mark.parametrize(
    ("text", "seconds", "past", "later"),
    [
        ("30 minutes", 1800.0, ["2024-12-31 23:00", "2024-12-31 23:30"], ["2025-01-01 00:00", "2025-01-01 00:30"]),
        ("1 month", 2678400.0, ["2023-12-31", "2024-01-31"], ["2024-02-29", "2024-03-31"]),
        ("1 quarter", 7862400.0, ["2024-07-01", "2024-10-01"], ["2025-01-01", "2025-04-01"]),
        ("1 weekday", 86400.0, ["2024-05-30", "2024-05-31"], ["2024-06-03", "2024-06-04"]),
    ],
)  # fmt: skip
def test_times_continue_in_sweep_as_in_the_scripts(text, seconds, past, later, place, monkeypatch):
    step = step_of(text, seconds)
    card = replace(load_forecaster(place).card, step=step)
    rows = pd.DataFrame({"ds": past})
    found = pd.DatetimeIndex(_timeline(card, table_of(rows, "past")).at(1, np.arange(1, 3)).local)
    assert found.tolist() == pd.DatetimeIndex(later).tolist()
    spec = importlib.util.spec_from_file_location("forecast_tables", place / "forecast_tables.py")
    tables = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tables)
    monkeypatch.setitem(tables.CARD, "step", step.model_dump())
    assert tables.later(pd.DatetimeIndex(past).to_pydatetime().tolist(), 2) == found.to_pydatetime().tolist()


def test_changes_of_clocks_are_recognised_and_holidays_of_weekdays_are_not_missing(place):
    card = load_forecaster(place).card
    clock = pd.date_range("2024-03-25", periods=400, freq="h", tz="Europe/Berlin").tz_localize(None)
    past = table_of(pd.DataFrame({"ds": clock[:300]}), "past")  # 2024-03-31 02:00 does not exist
    found = _timeline(card, past).at(299, np.arange(1, 101)).local
    np.testing.assert_array_equal(found, clock[300:].to_numpy())
    days = pd.bdate_range("2024-04-01", periods=40).delete(30)
    step = Step(number=1.0, unit="weekday", text="1 weekday")
    timeline = _timeline(replace(card, step=step), table_of(pd.DataFrame({"ds": days}), "past"))
    assert timeline.at(38, np.array([1])).local[0] == np.datetime64("2024-05-27")


def test_data_without_dates_have_no_step():
    assert step_of("10000", None) is None
    assert step_of("15 minutes", 900.0) == Step(number=900.0, unit="second", text="15 minutes")


# --- refused -------------------------------------------------------------------------------------


@pytest.fixture
def copy(place, tmp_path) -> Path:
    return Path(shutil.copytree(place, tmp_path / "copy"))


def one_line(folder: Path) -> str:
    """Return the message with which a folder is refused."""
    with pytest.raises(SweepError, match=r"\A[^\n]+\Z") as refused:
        load_forecaster(folder)
    return str(refused.value)


def test_a_folder_without_a_card_is_not_an_export(tmp_path):
    assert one_line(tmp_path) == f"{tmp_path} is not an export of sweep: card.json is missing"
    assert "card.json is missing" in one_line(tmp_path / "nowhere")


def test_a_missing_or_damaged_file_is_named(copy):
    weights = copy / "network_2.safetensors"
    content = bytearray(weights.read_bytes())
    content[-3] ^= 1
    weights.write_bytes(content)
    assert one_line(copy).startswith(f"{weights} is damaged, or belongs to another export")
    weights.unlink()
    assert one_line(copy).startswith(f"cannot read {weights}: No such file")
    card = copy / "card.json"
    card.write_text(card.read_text()[:-100])
    assert one_line(copy).startswith(f"{card} is damaged: ")


class Trap:
    """An object that leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def test_nothing_is_unpickled(copy, tmp_path):
    trap, content = tmp_path / "sprung", pickle.dumps(Trap(tmp_path / "sprung"))
    pickle.loads(content)
    assert trap.exists()  # the control: the trap works
    trap.unlink()
    (copy / "network_1.safetensors").write_bytes(content)
    card = json.loads((copy / "card.json").read_text())
    card["networks"][0]["sha256"] = hashlib.sha256(content).hexdigest()
    (copy / "card.json").write_text(json.dumps(card))
    assert "network_1.safetensors is damaged: " in one_line(copy)
    assert not trap.exists()


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("format",), "other 2", "wanted the format 'sweep forecaster 1', got 'other 2'"),
        (("networks", 0, "weights"), "../network_1.safetensors", "wanted the name of a network's file"),
        (("networks",), [], "it names no networks"),
        (("coding", "mean"), [[0.0, 0.0]], "std: wanted 1 rows of 2"),
        (("coding", "std"), [[1.0, 0.0]] * 3, "std.0.1: Input should be greater than 0"),
        (("intervals", "measured", "channels"), ["a"], "std: wanted some rows of 1"),
        (("intervals", "measured", "n"), 0, "horizon: 6 with 0 starts"),
        (("intervals", "measured", "forecasters"), [], "wanted those of one forecaster"),
        (("intervals", "coverage"), [{}], "wanted a level in each entry"),
        (("coding", "transforms"), ["cube"], "no transform named 'cube'"),
        (("model", "hidden"), 16_384, "does not fit card.json: its sizes differ"),
        (("model", "layers"), 1000, "does not fit card.json: its sizes differ"),
        (("model", "cell"), "lstm", "does not fit card.json: "),
        (("precision",), "float32", "does not fit card.json: wanted float32"),
    ],
)  # fmt: skip
def test_a_card_that_was_changed_is_refused(path, value, message, copy):
    card = json.loads((copy / "card.json").read_text())
    target = card
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    (copy / "card.json").write_text(json.dumps(card))
    assert message in one_line(copy)


def test_a_card_that_was_changed_anywhere_is_loaded_or_refused_in_one_line(copy):
    text, rng, refused = (copy / "card.json").read_text(), random.Random(0), 0
    values = [None, True, -1, 0, 0.5, "x", "", [], {}, [None], float("nan"), 10**30, [[1]]]
    for _ in range(300):
        card = json.loads(text)
        owner, key, entry = card, "", card
        while isinstance(entry, dict | list) and entry and (not key or rng.random() < 0.8):
            owner = entry
            key = rng.choice(list(owner)) if isinstance(owner, dict) else rng.randrange(len(owner))
            entry = owner[key]
        if rng.random() < 0.2:
            del owner[key]
        else:
            owner[key] = rng.choice(values)
        (copy / "card.json").write_text(json.dumps(card))
        try:
            load_forecaster(copy)
        except SweepError as error:
            refused += 1
            assert str(copy) in str(error) and "\n" not in str(error), (key, str(error))
    assert 100 < refused < 300


# --- plug-ins ------------------------------------------------------------------------------------


@pytest.fixture
def plugins(tmp_path: Path):
    files = [tmp_path / "models.py", tmp_path / "mgu.py"]
    for file, text in zip(files, (plugin_models.MODELS, MGU), strict=True):
        file.write_text(text)
    return files


@pytest.mark.parametrize(
    ("model", "word"),
    [
        (ModelConfig(cell="mgu", hidden=4, layers=2), "cell 'mgu'"),
        (ModelConfig(kind="elman", options={"width": 3}), "model 'elman'"),
    ],
    ids=["cell", "model"],
)
def test_networks_of_a_plugin_have_weights_and_a_card_and_no_scripts(model, word, plugins, tmp_path):
    coding = PLAIN.ensemble.coding
    with using(plugins):
        networks = [network_of_model(model, 3, 2, engine("torch")).initialise(seed).eval() for seed in (0, 1)]
        ensemble = Ensemble(tuple(networks), coding)
        result = write_export(tmp_path / "out", ensemble, model, {}, step=STEP)
        assert result.refused == f"no scripts and no ONNX: code of a plug-in computes the {word}"
        weights = {"network_1.safetensors", "network_2.safetensors"}
        assert names(tmp_path / "out") == {"card.json", "README.md"} | weights
        assert result.refused[1:] in (tmp_path / "out" / "README.md").read_text()
        past = np.concatenate([PLAIN.past, PLAIN.known[:, :80]], axis=2)
        answer = load_forecaster(tmp_path / "out").forecast(past, 7, PLAIN.known[:, 80:87])
        known = coding.known_inputs(None, PLAIN.known[:, 60:87])
        rows = np.full(3, coding.row_of(""))
        expected = combined(ensemble.forecasts(PLAIN.past[:, -20:], known, rows))
        np.testing.assert_allclose(answer, expected, rtol=1e-6)
    with pytest.raises(PluginError, match="this process has none of this name"):
        load_forecaster(tmp_path / "out")


def test_a_forecaster_of_sweep_s_own_needs_no_plugin(place):
    assert load_forecaster(place).card.plugins == ()
    assert all(isinstance(one, Forecaster) for one in load_forecaster(place).ensemble.networks)
