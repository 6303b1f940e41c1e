"""A small study with all that a forecast has to carry: series, dates, a calendar, an input, a difference."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sweep
from sweep.store import StudyFolder
from tests.support.cheap_runs import cheap_runs

__all__ = ["cheap_runs"]

STUDY = """
[data]
path = "two.csv"
known = ["u"]
target = ["y"]
calendar = ["time_of_day"]
transforms = ["difference"]
scaling = "series"
split = [0.4, 0.4, 0.2]
calibration = 0.5
[score]
warmup = 30
horizon = 12
starts = 6
[model]
hidden = 5
layers = 1
[training]
window = 24
budget = 20_000
evaluations = 4
batch_size = 16
[search]
trials = 2
width = 2
[pruning]
enabled = false
[space]
cell = ["lstm", "gru"]
[run]
workers = 1
executor = "inline"
"""


def table(rows: int = 400) -> pd.DataFrame:
    """Return two series with dates, two channels and an input, as in a file."""
    rng, step = np.random.default_rng(0), np.arange(rows)
    parts = []
    for number, name in enumerate(("north", "south")):
        u = np.sin(step / 7 + number) + (step % 24 == 8)
        y = (10 + 40 * number) + np.sin(2 * np.pi * step / 24 + number) + np.roll(u, 1) * 0.3
        z = np.cos(2 * np.pi * step / 24) + rng.normal(0, 0.05, rows)
        when = pd.date_range("2024-01-01", periods=rows, freq="h")
        parts.append(pd.DataFrame({"unique_id": name, "ds": when, "y": y, "z": z, "u": u}))
    return pd.concat(parts)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> StudyFolder:
    """Return the results of the study, two configurations confirmed on two fresh seeds; tests only read them."""
    place: Path = tmp_path_factory.mktemp("forecast")
    table().to_csv(place / "two.csv", index=False)
    (place / "two.toml").write_text(STUDY)
    sweep.run(str(place / "two.toml"), results=place / "results", confirm=False)
    sweep.confirm("two", top=2, seeds=2, results=place / "results")
    return StudyFolder(place / "results" / "two")
