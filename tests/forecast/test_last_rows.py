"""last_rows.csv of an export: data in any form become the table that the scripts read."""

import csv
import io
from datetime import datetime
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from sweep.config.data_section import DataConfig
from sweep.data.readers import read_file
from sweep.forecast.export.card import Columns
from sweep.forecast.export.last_rows import last_rows

CODING = SimpleNamespace(
    channels=("visits",),
    known=("price",),
    past_steps=5,
    warmup=5,
    transforms=(),
    season=None,
    codec=SimpleNamespace(lag=0),
)
CONFIG = DataConfig(path="shops.csv")
COLUMNS = Columns(series="shop", time="day")


def recording(folder, change=lambda frame: frame, **settings):
    """Return two shops as a German table: semicolons, decimal commas, days first, columns in another order."""
    days = pd.date_range("2024-01-29", periods=8)
    frame = pd.concat(
        pd.DataFrame(
            {
                "day": days.strftime("%d.%m.%Y"),
                "price": [f"{k},5" for k in range(8)],
                "shop": shop,
                "visits": [f"{size + k},25" for k in range(8)],
            }
        )
        for shop, size in (("north", 10), ("south", 200))
    ).reset_index(drop=True)
    change(frame).to_csv(folder / "shops.csv", sep=";", index=False)
    names = {"channels": ("visits",), "known": ("price",), "time_column": "day", "id_column": "shop"}
    return read_file(str(folder / "shops.csv"), None, DataConfig(path="shops.csv", **names, **settings))


def rows(content):
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_dates_and_numbers_have_the_form_of_the_scripts(tmp_path):
    table = rows(last_rows(recording(tmp_path), CODING, CONFIG, COLUMNS))
    assert list(table[0]) == ["shop", "day", "visits", "price"]
    assert [row["shop"] for row in table] == ["north"] * 5 + ["south"] * 5
    assert [row["day"] for row in table[:5]] == [f"2024-02-0{k}" for k in range(1, 6)]
    assert datetime.fromisoformat(table[0]["day"]) == datetime(2024, 2, 1)
    assert [float(row["visits"]) for row in table[5:]] == [203.25, 204.25, 205.25, 206.25, 207.25]
    assert [float(row["price"]) for row in table[5:]] == [3.5, 4.5, 5.5, 6.5, 7.5]


def test_rows_without_channels_at_the_end_are_not_the_last_ones(tmp_path):
    def ahead(frame):
        return frame.assign(visits=frame["visits"].where(frame["day"] != "05.02.2024", ""))

    table = rows(last_rows(recording(tmp_path, ahead), CODING, CONFIG, COLUMNS))
    assert [row["day"] for row in table[:5]] == ["2024-01-31", *(f"2024-02-0{k}" for k in range(1, 5))]


@pytest.mark.parametrize("gap", [lambda f: f.drop(index=5), lambda f: f.iloc[4:]])
def test_a_series_with_a_gap_or_too_few_rows_is_left_out(tmp_path, gap):
    table = rows(last_rows(recording(tmp_path, gap), CODING, CONFIG, COLUMNS))
    assert {row["shop"] for row in table} == {"south"} and len(table) == 5
    few = SimpleNamespace(**{**vars(CODING), "past_steps": 9})
    assert last_rows(recording(tmp_path, gap), few, CONFIG, COLUMNS) is None


def test_every_digit_is_kept(tmp_path):
    values = np.random.default_rng(0).normal(size=8)

    def exact(frame):
        return frame.assign(visits=[f"{value!r}".replace(".", ",") for value in [*values.tolist()] * 2])

    table = rows(last_rows(recording(tmp_path, exact), CODING, CONFIG, COLUMNS))
    assert [float(row["visits"]) for row in table[:5]] == values[-5:].tolist()
