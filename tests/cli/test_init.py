"""From a data file, or data in Python, to a study: `sweep init`, `sweep run FILE`, `sweep.run(data=...)`."""

import json
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sweep
from sweep.api.given_data import stored_form
from sweep.config.data_section import DataConfig
from sweep.config.errors import StudyChanged, SweepError, UsageError
from sweep.data import load_recording
from tests.support.command_line import invoke

RNG = np.random.default_rng(0)
FAST = [
    "search.trials=2", "training.budget=4000", "training.evaluations=3", "space.hidden=[4, 8]", "confirm.top=0",
    "space.readout_refit=['never', 'end']", "run.executor='inline'",
]  # fmt: skip
SET = [word for text in FAST for word in ("--set", text)]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    waves = np.sin(np.arange(300)[:, None] / np.array([4.0, 5.0])) + 0.1 * RNG.standard_normal((300, 2))
    pd.DataFrame(waves, columns=["a", "b"]).to_csv("waves.csv", index=False)
    switched = pd.DataFrame(waves, columns=["a", "b"]).assign(valve=np.arange(300) // 15 % 2)
    switched.to_csv("valve.csv", index=False)
    return tmp_path


def document(path: str) -> dict:
    return tomllib.loads(Path(path).read_text(encoding="utf-8"))


def test_init_writes_a_study_file_and_says_what_comes_next():
    done = invoke("init", "waves.csv", "--horizon", "20")
    assert done.exit_code == 0, done.stderr
    words = " ".join(done.stdout.split())
    assert "waves: 300 rows, 2 channels." in words and "All 2 channels are forecast and scored: a, b" in words
    assert "no intervals of forecasts: 90 % needs 9 starts" in words and "more rows" in words
    assert "sweep run waves.toml --dry-run" in words
    assert document("waves.toml")["data"]["path"] == "waves.csv"
    assert document("waves.toml")["score"]["horizon"] == 20


def test_init_never_overwrites_without_being_asked():
    Path("waves.toml").write_text("# mine\n")
    refused = invoke("init", "waves.csv")
    assert refused.exit_code == 2 and "waves.toml exists" in refused.stderr and "--force" in refused.stderr
    assert Path("waves.toml").read_text() == "# mine\n"
    assert invoke("init", "waves.csv", "--output", "other.toml", "--target", "b").exit_code == 0
    assert document("other.toml")["data"]["target"] == ["b"]
    assert invoke("init", "waves.csv", "--force").exit_code == 0
    assert document("waves.toml")["data"]["path"] == "waves.csv"


def test_init_with_settings():
    Path("below").mkdir()
    sets = ["--set", "score.horizon=15", "--set", "space.optimizer=['adam']", "--set", "data.scaling=series"]
    assert invoke("init", "waves.csv", "--output", "below/w.toml", *sets).exit_code == 0
    made = document("below/w.toml")
    assert made["score"]["horizon"] == 15 and made["space"]["optimizer"] == ["adam"]
    assert made["data"]["scaling"] == "series" and made["data"]["path"] == str(Path("waves.csv").resolve())


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["none.csv"], 1, "no such file"),
        (["waves.doc"], 2, "not a data file"),
        (["waves.csv", "--target", "c"], 1, "no column 'c'"),
        (["waves.csv", "--horizon", "200"], 1, "would do"),
        (["waves.csv", "--set", "score.horizn=20"], 2, "Did you mean 'horizon'"),
        (["waves.csv", "--set", "data.path=x.csv"], 2, "do not set it"),
        (["waves.csv", "--set", "score.warmup=many"], 2, "score.warmup: wanted a valid integer"),
        (["waves.csv", "--set", "score={horizon = 20}"], 2, "score is a whole section"),
        (["waves.csv", "--set", "data.split=[0.5, 0.5]"], 2, "data.split"),
        (["waves.csv", "--output", "none/x.toml"], 2, "the folder none does not exist"),
        (["waves.csv", "--output", "x.yaml"], 2, "must end in .toml"),
    ],
)
def test_what_init_refuses(args, code, message):
    done = invoke("init", *args)
    assert (done.exit_code, done.stdout) == (code, "") and message in done.stderr
    assert not list(Path().glob("*.toml"))


def test_running_a_data_file_proposes_runs_and_resumes(here: Path):
    args = ["run", "waves.csv", "--target", "a", "--horizon", "10", *SET]
    done = invoke(*args)
    assert done.exit_code == 0, done.stderr
    assert document("waves.toml")["data"]["target"] == ["a"]
    assert len(list(here.glob("results/waves/trials/*/trial.json"))) == 2
    assert "nothing to train" in invoke("run", "waves.csv").stderr
    other = invoke("run", "waves.csv", "--horizon", "11")
    assert other.exit_code == 2 and "score.horizon = 10, not 11" in other.stderr
    Path("there").mkdir()
    Path("waves.csv").rename("there/waves.csv")
    refused = invoke("run", "there/waves.csv")
    assert refused.exit_code == 2 and "waves.toml exists and is for waves.csv" in refused.stderr


def test_a_dry_run_of_a_data_file_writes_nothing(here: Path, monkeypatch):
    monkeypatch.setattr("sweep.study.preview.study_seconds", lambda *args: 420.0)
    done = invoke("run", "waves.csv", "--dry-run", "--workers", "2")
    assert done.exit_code == 0, done.stderr
    assert "time: about 7 minutes with 2 workers (measured here)" in done.stdout
    assert "All 2 channels are forecast and scored: a, b" in done.stdout
    shown = json.loads(invoke("run", "waves.csv", "--dry-run", "--json").stdout)
    assert shown["minutes"] == 7 and shown["data"]["rows"] == 300 and shown["study"] == "waves"
    assert len(shown["configurations"]) == 10 and {"warnings", "scale_from", "sequence_steps"} <= set(shown)
    assert sorted(path.name for path in here.iterdir()) == ["valve.csv", "waves.csv"]


def test_known_inputs_of_a_file_in_the_study_file_the_run_and_its_results(here: Path):
    guess = invoke("init", "valve.csv", "--output", "guess.toml")
    words = " ".join(guess.stdout.split())
    assert (
        "valve (by its name) looks like an input whose future may be known: --known valve (a guess" in words
    )
    assert document("guess.toml")["data"].get("known") == []
    words = " ".join(invoke("init", "valve.csv", "--known", "valve", "--known", "b").stdout.split())
    assert "1 channel and 2 inputs from outside" in words and "known ahead: valve, b" in words
    assert document("valve.toml")["data"]["known"] == ["valve", "b"]
    Path("valve.toml").unlink()
    args = ["run", "valve.csv", "--known", "valve", "--target", "a", "--horizon", "10", *SET]
    shown = json.loads(invoke(*args, "--dry-run", "--json").stdout)["data"]
    assert (shown["channels"], shown["known"]) == (["a", "b"], ["valve"])
    done = invoke(*args)
    assert done.exit_code == 0, done.stderr
    other = invoke("run", "valve.csv", "--known", "b")
    assert other.exit_code == 2 and "data.known = ['valve'], not ['b']" in other.stderr
    arrays = sweep.load_study("valve").rollout(0)
    assert arrays["input_names"].tolist() == ["valve"] and set(np.unique(arrays["inputs"])) == {0.0, 1.0}
    report = json.loads(invoke("report", "valve", "--json").stdout)
    assert report["study"]["seen"]["known"] == ["valve"]
    page = Path("results/valve/report/index.html").read_text(encoding="utf-8")
    assert "Scored: a; forecast, but not scored: b; known ahead: valve" in page
    refused = invoke("run", "waves.csv", "--known", "c", "--dry-run")
    assert refused.exit_code == 1 and "no column 'c' (data.known)" in refused.stderr


def test_known_inputs_of_data_in_memory():
    frame = pd.read_csv("valve.csv")
    asked = {"name": "mine", "horizon": 10, "trials": 1, "overrides": FAST}
    ended = sweep.run(data=frame, known="valve", target="a", **asked)
    assert document("results/mine/proposed.toml")["data"]["known"] == ["valve"] and ended.trials == 1
    with pytest.raises(StudyChanged, match=r"data.known = \['valve'\], not \['b'\]"):
        sweep.run(data=frame, known=["b"], **asked)


def test_settings_of_data_need_data():
    done = invoke("run", "sine", "--horizon", "20", "--dry-run")
    assert done.exit_code == 2 and "--set score.horizon=" in done.stderr
    done = invoke("run", "sine", "--target", "y")
    assert done.exit_code == 2 and "--set data.target=" in done.stderr
    done = invoke("run", "sine", "--known", "y")
    assert done.exit_code == 2 and "--set data.known=" in done.stderr
    done = invoke("run", "sine", "--json")
    assert done.exit_code == 2 and "--json needs --dry-run" in done.stderr


def test_data_in_python_are_stored_run_and_resumed():
    frame = pd.read_csv("waves.csv").set_index(pd.date_range("2024-01-01", periods=300, freq="h"))
    asked = {"horizon": 12, "target": "b", "name": "mine", "overrides": FAST}
    first = sweep.run(data=frame, **asked)
    assert first.trials == 2 and first.folder.path == Path("results/mine")
    made = document("results/mine/proposed.toml")
    assert made["data"]["path"] == "data.csv" and made["data"]["target"] == ["b"]
    messages: list[str] = []
    again = sweep.run(data=frame.copy(), name="mine", watch=lambda event: messages.append(str(event)))
    assert again.trials == 2 and any("nothing to train" in text for text in messages)
    with pytest.raises(StudyChanged, match="other data"):
        sweep.run(data=frame + 1e-12, **asked)
    with pytest.raises(StudyChanged, match="horizon = 12, not 13"):
        sweep.run(data=frame, name="mine", horizon=13)


def test_what_is_refused_leaves_nothing_behind(here: Path):
    with pytest.raises(SweepError, match="would do"):
        sweep.run(data=np.arange(20.0) ** 2, name="few")
    with pytest.raises(UsageError, match="either a study"):
        sweep.run("sine", data=np.zeros(3))
    with pytest.raises(UsageError, match="got dict"):
        sweep.run(data={"a": [1, 2]})  # type: ignore[arg-type]
    assert [path.name for path in here.glob("results/*")] == []


def test_a_name_of_another_study_is_not_taken(here: Path):
    invoke("run", "waves.csv", *SET)
    with pytest.raises(UsageError, match="holds a study of a study file"):
        sweep.run(data=RNG.standard_normal(300), name="waves")


@pytest.mark.parametrize("kind", ["frame", "series", "array"])
def test_every_number_is_read_back_exactly(here: Path, kind: str):
    values = RNG.standard_normal((400, 2)) * 10.0 ** RNG.integers(-100, 100, (400, 2))
    values[:3] = [[0.1, 1 / 3], [5e-324, 1.2345678901234567e139], [-0.0, 2.0**53 + 1]]
    single = RNG.standard_normal((400, 2)).astype(np.float32)
    data = {
        "frame": pd.DataFrame({"x": values[:, 0], "y": single[:, 1], "z": np.arange(400) ** 3}),
        "series": pd.Series(values[:, 0]),
        "array": values[None],
    }[kind]
    name, content = stored_form(data)
    Path(name).write_bytes(content)
    (series,) = load_recording(DataConfig(path=name)).series
    wanted = data.to_numpy(dtype=np.float64).reshape(400, -1) if kind != "array" else values
    np.testing.assert_array_equal(series.values, wanted)


def test_times_of_the_index_are_kept():
    stamps = pd.date_range("2024-03-31", periods=300, freq="30min", tz="Europe/Berlin")
    name, content = stored_form(pd.Series(RNG.standard_normal(300), index=stamps, name="load"))
    Path(name).write_bytes(content)
    recording = load_recording(DataConfig(path=name))
    assert recording.channels == ("load",)
    assert recording.series[0].stamps[0] == np.datetime64(
        "2024-03-30T23:00"
    )  # UTC: its clock does not change
    with pytest.raises(UsageError, match="reset_index"):
        stored_form(pd.DataFrame({"y": [1.0]}, index=pd.MultiIndex.from_tuples([("a", 1)])))


def test_what_was_understood_is_on_the_page_in_the_documents_and_in_the_dry_run():
    rng = np.random.default_rng(1)
    rows = [f"{time},{unit},{rng.normal():.4f}" for unit in "pqr" for time in range(200) if time != 50]
    Path("units.csv").write_text("t,machine,y\n" + "\n".join(rows) + "\n")
    given = [*SET, "--set", "data.missing=cut"]
    seen = json.loads(invoke("run", "units.csv", *given, "--dry-run", "--json").stdout)["data"]
    assert (seen["series"], seen["rows"], seen["gaps"], seen["step"]) == (3, 597, 3, "1")
    facts = {fact["name"]: fact for fact in seen["facts"]}
    assert facts["ids"]["guessed"] and facts["ids"]["key"] == 'id_column = "machine"'
    printed = " ".join(invoke("run", "units.csv", *given, "--dry-run").stdout.split())
    settles = (
        'ids: machine (3 series; makes the times unique) (a guess; data.id_column = "machine" settles it)'
    )
    assert settles in printed and "3 samples missing in 3 gaps (longest 1): 6 pieces" in printed
    assert invoke("run", "units.csv", *given).exit_code == 0
    report = json.loads(invoke("report", "units", "--json").stdout)
    stored = report["study"]["seen"]
    assert {key: stored[key] for key in ("series", "rows", "gaps")} == {"series": 3, "rows": 597, "gaps": 3}
    assert {row["series"] for row in report["breakdown"]["by_series"]} <= {"p", "q", "r"}
    page = Path("results/units/report/index.html").read_text(encoding="utf-8")
    assert "<h2>The data</h2>" in page and "a guess; data.id_column = &#34;machine&#34; settles it" in page
