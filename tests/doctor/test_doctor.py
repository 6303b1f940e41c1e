"""Forecasts from elsewhere: their symptom, their scores beside baselines, and what is refused."""

import json
import re

import numpy as np
import pandas as pd
import pytest

import sweep
from sweep.config.errors import DataError, SweepError, UsageError
from sweep.doctor.data import data_of
from sweep.doctor.given import given_arrays
from sweep.score.baselines import analogues
from tests.support.command_line import invoke
from tests.support.documentation import undocumented

STEPS, PAST = 200, 600
TIME = np.arange(-PAST, STEPS)
WAVE = np.sin(2 * np.pi * TIME / 25)
AHEAD = TIME[PAST:] + 1


@pytest.fixture(autouse=True)
def few_analogues(monkeypatch):
    """Let the baseline of analogues choose among few settings: its search takes most of a doctor's time."""
    for name, values in {"DIMENSIONS": (2,), "LAGS": (2,), "NEIGHBOURS": (8,), "RIDGES": (1e-3,)}.items():
        monkeypatch.setattr(analogues, name, values)


def waves(count=4):
    phases = np.linspace(0, 5, count)[:, None]
    return np.sin(2 * np.pi * TIME / 25 + phases)[..., None]


def forecasts(count=4):
    phases = np.linspace(0, 5, count)[:, None]
    return {
        "S01": waves(count)[:, PAST:] * 0.99,
        "S03": waves(count)[:, PAST:] * np.exp(-AHEAD / 40)[:, None],
        "S05": np.sin(2 * np.pi * TIME[PAST:] / 25 * 1.02 + phases)[..., None],
        "S08": waves(count)[:, PAST:] + (AHEAD / 100)[:, None],
        "S13": np.where(AHEAD[:, None] < 50, waves(count)[:, PAST:], np.inf),
    }


@pytest.mark.parametrize("code", forecasts())
def test_a_planted_failure_has_its_symptom(code):
    values = waves()
    found = sweep.doctor(forecasts()[code], values[:, PAST:], values[:, :PAST]).document()
    assert found["symptom"]["code"] == code and found["symptom"]["confidence"] > 0.5
    assert found["verdict"]["text"].startswith(f"{found['symptom']['title'].capitalize()} ({code})")
    assert {start["symptom"] for start in found["starts"]} == {code}
    json.dumps(found, allow_nan=False)


def test_a_better_baseline_is_named_first():
    values = waves()
    found = sweep.doctor(forecasts()["S03"], values[:, PAST:], values[:, :PAST]).document()
    errors = {name: one.get("rollout_error", 9) for name, one in found["baselines"].items()}
    assert found["best_baseline"] == min(errors, key=errors.get) and errors[found["best_baseline"]] < 1e-6
    assert f"The baseline {found['best_baseline']} is better" in found["verdict"]["text"]
    assert found["verdict"]["severity"] == "issue"


def test_a_forecast_that_no_baseline_reaches_is_said_to_be_better():
    rng = np.random.default_rng(0)
    walk = np.cumsum(rng.standard_normal((6, PAST + STEPS, 1)), axis=1)
    found = sweep.doctor(walk[:, PAST:] + 0.01, walk[:, PAST:], walk[:, :PAST]).document()
    assert "better than every baseline" in found["verdict"]["text"]
    assert found["verdict"]["severity"] == "ok" and found["skill"] > 0.9


def test_baselines_never_see_the_given_truth():
    """Another truth changes no setting and no forecast of a baseline; another past does."""
    values, rng = waves(2), np.random.default_rng(0)
    past = (values + 0.3 * rng.standard_normal(values.shape))[:, :PAST]
    truths = [
        values[:, PAST:],
        -values[:, PAST:],
        rng.standard_normal((2, STEPS, 1)),
        np.full((2, STEPS, 1), 3.0),
    ]

    def chosen(past, truth):
        judged = sweep.doctor(truth, truth, past).examination.judged
        return {name: one.get("settings") for name, one in judged.baselines.items()}

    first, *others = [chosen(past, truth) for truth in truths]
    assert all(other == first for other in others)
    assert chosen(rng.standard_normal(past.shape), truths[0]) != first


def test_without_a_past_there_are_errors_in_data_units_alone():
    truth = np.arange(10.0)
    found = sweep.doctor(truth + 2, truth)
    document = found.document()
    assert document["rmse"] == {"y": 2.0} and document["scores"] is None and document["symptom"] is None
    assert document["verdict"]["text"].startswith("RMSE over 10 steps of 1 start, in data units: y 2.")
    assert document["verdict"]["severity"] == "not applicable"
    assert set(document) == set(sweep.doctor(WAVE[PAST:], WAVE[PAST:], WAVE[:PAST]).document())
    with pytest.raises(SweepError, match="no picture without the past"):
        found.plot()
    assert "RMSE over 10 steps" in found.page()


def test_a_short_past_has_simple_baselines_and_says_so():
    document = sweep.doctor(WAVE[PAST:] * 0.9, WAVE[PAST:], WAVE[PAST - 150 : PAST]).document()
    assert set(document["baselines"]) == {
        "mean", "persistence", "drift", "seasonal_naive", "seasonal_naive_drift",
    }  # fmt: skip
    assert any("past is too short" in note for note in document["notes"])


def test_single_steps_are_scored_beside_the_rollout():
    values = waves()
    truth = values[:, PAST:]
    document = sweep.doctor(forecasts()["S03"], truth, values[:, :PAST], truth + 0.01).document()
    one_step = document["one_step"]
    scale = np.sqrt((truth**2).mean())
    assert one_step["nrmse"] == pytest.approx(0.01 / scale, rel=0.05)
    assert one_step["gap"] == pytest.approx(np.mean(one_step["gap_by_step"])) and one_step["gap"] > 0.5
    assert sweep.doctor(forecasts()["S03"], truth, values[:, :PAST]).document()["one_step"] is None


def test_the_scale_is_that_of_a_study():
    """By hand: the RMS error of the best trivial forecast, of each start alone or of the starts of a series."""
    values = waves(2) * np.array([1.0, 3.0])[:, None, None]
    truth, past = values[:, PAST:], values[:, :PAST]
    alone = data_of(given_arrays(truth, truth, past)).scored.test
    means = past.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(
        alone.scale[:, 0], np.sqrt(((truth - means) ** 2).mean(axis=(1, 2))), rtol=1e-9
    )
    together = data_of(given_arrays(truth, truth, past, series=["a", "a"])).scored.test
    assert together.scale[0, 0] == together.scale[1, 0] and together.n_eff == 2


def tables():
    days = pd.date_range("2022-01-01", periods=len(TIME))
    record = pd.DataFrame({"unique_id": "a", "ds": days, "y": WAVE})
    cuts = (PAST, PAST + 50, PAST + 100)
    rows = [
        pd.DataFrame(
            {
                "unique_id": "a",
                "ds": days[cut : cut + 100],
                "cutoff": days[cut - 1],
                "net": WAVE[cut : cut + 100] * np.exp(-np.arange(100) / 20),
            }
        )
        for cut in cuts
    ]
    return record, pd.concat(rows, ignore_index=True)


def test_a_backtest_is_matched_by_series_and_time():
    record, backtest = tables()
    given = sweep.doctor(backtest, record).examination.given
    assert given.forecast.shape == (3, 100, 1) and given.series == ("a",) and given.channels == ("y",)
    assert given.position.tolist() == [PAST, PAST + 50, PAST + 100]
    for row, cut in enumerate(given.position):
        np.testing.assert_array_equal(given.truth[row, :, 0], WAVE[cut : cut + 100])
        np.testing.assert_array_equal(given.past[row, :, 0], WAVE[cut - PAST : cut])
    # what a baseline learns from ends before the first forecast
    assert [len(piece.values) for piece in given.pieces] == [PAST]
    shuffled = sweep.doctor(backtest.sample(frac=1, random_state=0), record).examination.given
    np.testing.assert_array_equal(shuffled.forecast, given.forecast)
    truth = record.set_index("ds").loc[backtest["ds"], "y"].to_numpy()
    beside = backtest.assign(y=truth)
    assert (
        sweep.doctor(beside, past=record).document()["scores"]
        == sweep.doctor(backtest, record).document()["scores"]
    )


def test_arrays_and_tables_give_the_same():
    record, _ = tables()
    values = WAVE[PAST:] * np.exp(-AHEAD / 40)
    table = record.iloc[PAST:].assign(y=values)
    first = sweep.doctor(table, record.iloc[PAST:], record.iloc[:PAST]).document()
    second = sweep.doctor(values, WAVE[PAST:], WAVE[:PAST]).document()
    assert first["scores"] == second["scores"] and first["symptom"] == second["symptom"]


def test_infinite_forecasts_and_incomplete_truths(tmp_path):
    record, backtest = tables()
    backtest.loc[150, "net"] = np.inf
    assert sweep.doctor(backtest, record).document()["scores"]["diverged_fraction"] == pytest.approx(1 / 3)
    backtest.to_csv(tmp_path / "b.csv", index=False)
    record.to_csv(tmp_path / "r.csv", index=False)
    found = sweep.doctor(tmp_path / "b.csv", tmp_path / "r.csv").document()
    assert found["scores"]["diverged_fraction"] == pytest.approx(1 / 3)
    short = sweep.doctor(backtest, record.iloc[:-20]).document()
    assert short["data"]["starts"] == 2 and "1 start without a complete truth: left out" in short["notes"]


def without(frame, column):
    return frame.drop(columns=[column])


RECORD, BACKTEST = tables()
REFUSED = {
    "another shape": (lambda: sweep.doctor(WAVE[:10], WAVE[:11]), DataError, "truth: wanted the forecast's shape"),
    "a truth with NaN": (
        lambda: sweep.doctor(WAVE[:3], np.array([1.0, np.nan, 2.0])), DataError, "truth: start 0, step 1, channel 0",
    ),
    "text": (lambda: sweep.doctor(np.array(["a"]), WAVE[:1]), DataError, "forecast: wanted an array of real numbers"),
    "a past of other channels": (
        lambda: sweep.doctor(WAVE[:3], WAVE[:3], np.ones((4, 2))), DataError, "past: wanted 1 starts of 1 channels",
    ),
    "a still past": (
        lambda: sweep.doctor(WAVE[:30], WAVE[:30], np.ones(50)), DataError, "channel 'y' does not change in the past",
    ),
    "no truth": (lambda: sweep.doctor(WAVE), UsageError, "truth: missing"),
    "arrays and tables": (lambda: sweep.doctor(WAVE, RECORD), UsageError, "forecast are arrays, truth are not"),
    "a number": (lambda: sweep.doctor(3, RECORD), UsageError, "wanted an array, a DataFrame or the path"),
    "no file": (lambda: sweep.doctor("nowhere.csv", "nowhere.csv"), DataError, "no file nowhere.csv"),
    "no column of the truth": (lambda: sweep.doctor(BACKTEST), DataError, "no truth: give it as a file"),
    "no column of a forecast": (
        lambda: sweep.doctor(RECORD), DataError, "no column of numbers beside y: add the forecast",
    ),
    "several forecasts": (
        lambda: sweep.doctor(BACKTEST.assign(y=1.0, other=2.0)), DataError,
        "could be any of net, other: name its column",
    ),
    "another series": (
        lambda: sweep.doctor(BACKTEST, RECORD.assign(unique_id="b")), DataError, "no rows of series 'a'",
    ),
    "other times": (
        lambda: sweep.doctor(BACKTEST, RECORD.assign(ds=RECORD["ds"] + pd.Timedelta("9000D"))), DataError,
        "none of its times is one of",
    ),
    "a past without times": (
        lambda: sweep.doctor(BACKTEST.assign(y=1.0), past=without(RECORD, "ds")), DataError,
        "cannot be matched with several starts",
    ),
    "a late past": (
        lambda: sweep.doctor(BACKTEST, RECORD, RECORD.iloc[PAST:]), DataError, "no row is before the first step",
    ),
    "other columns": (
        lambda: sweep.doctor(BACKTEST.assign(b=1.0), RECORD.assign(c=1.0)), DataError, "the columns are y, c, but",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_does_not_fit_is_refused_in_one_line(what):
    call, kind, text = REFUSED[what]
    with pytest.raises(kind, match=re.escape(text)) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_a_column_is_chosen_by_name():
    both = BACKTEST.assign(other=BACKTEST["net"] * 0, y=1.0)
    given = sweep.doctor(both, past=RECORD, column="other").examination.given
    assert (given.forecast == 0).all() and (given.truth == 1).all()


def test_names_are_escaped_on_the_page():
    record = RECORD.assign(unique_id="<script>alert(1)</script>")
    page = sweep.doctor(BACKTEST.assign(unique_id="<script>alert(1)</script>"), record).page()
    assert "<script>alert" not in page and "&lt;script&gt;alert(1)" in page


def test_the_command_prints_the_document(tmp_path):
    RECORD.to_csv(tmp_path / "r.csv", index=False)
    BACKTEST.to_csv(tmp_path / "b.csv", index=False)
    done = invoke("doctor", str(tmp_path / "b.csv"), "--truth", str(tmp_path / "r.csv"), "--json")
    document = json.loads(done.stdout)
    assert done.exit_code == 0 and document == sweep.doctor(BACKTEST, RECORD).document()
    assert undocumented(set(document), "doctor.md", "The document") == []
    refused = invoke("doctor", str(tmp_path / "b.csv"))
    assert refused.exit_code == 1 and refused.stderr.startswith("error: b.csv: no truth")
