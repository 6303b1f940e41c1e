"""Forecasts beside the true continuation of series that a baseline forecasts exactly: a source, months in a file."""

import numpy as np
import pandas as pd

import sweep
from sweep.data.sources.sine import training_rows
from tests.support.command_line import TINY, TINY_TRIALS

CHEAP = [text for text in TINY if text != "--set"]


def test_a_source_is_continued_after_its_training_series(tmp_path):
    sweep.run(
        "sine", trials=1, overrides=CHEAP, results=tmp_path, executor="inline", confirm=False, plots=False
    )
    made = sweep.forecast("sine", results=tmp_path, steps=30)
    assert made.forecaster["baseline"] == "ar" and made.names[0] == "0" and len(made.names) == 7
    truth = training_rows(20, 130, 10, 2)[:, 100:]  # longer rows begin with the shorter ones
    np.testing.assert_allclose(made.values[..., 0], truth, atol=1e-6)
    assert made.times[0].tolist() == list(range(100, 130))
    assert not any("without training data" in note for note in made.notes)


def test_ends_of_months_and_their_season_continue(tmp_path):
    months = pd.date_range("1990-01-31", periods=372, freq="ME")
    sales = 100.0 + np.array([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8])[months.month - 1]
    frame = pd.DataFrame({"when": months, "sales": sales})
    frame[:360].to_csv(tmp_path / "sales.csv", index=False)
    settings = "".join(
        f"{key.partition('.')[2]} = {value}\n"
        for key, value in (text.split("=") for text in TINY_TRIALS if text.startswith("training."))
    )
    (tmp_path / "sales.toml").write_text(
        '[data]\npath = "sales.csv"\n[score]\nwarmup = 36\nhorizon = 12\nstarts = 3\n[model]\nhidden = 4\nlayers = 1\n'
        f'[training]\n{settings}[search]\ntrials = 1\n[space]\ncell = ["lstm"]\n'
    )
    sweep.run(
        str(tmp_path / "sales.toml"), results=tmp_path / "r", executor="inline", confirm=False, plots=False
    )
    made = sweep.forecast("sales", results=tmp_path / "r")
    assert made.names == ("",) and made.times[0][:3].strftime("%d.%m.%Y").tolist() == [
        *("31.01.2020", "29.02.2020", "31.03.2020")
    ]
    np.testing.assert_allclose(made.values[0, :, 0], sales[360:], atol=1e-6)
    later = sweep.forecast("sales", results=tmp_path / "r", data=frame[100:364], steps=8)
    np.testing.assert_allclose(later.values[0, :, 0], sales[364:], atol=1e-6)
    assert str(later.times[0][0])[:10] == "2020-05-31"
    dated = sweep.forecast(
        "sales", results=tmp_path / "r", data=frame.set_index("when")["sales"][100:364], steps=8
    )
    np.testing.assert_array_equal(dated.values, later.values)
