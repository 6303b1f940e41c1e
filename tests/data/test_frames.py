"""Files of typed columns: Parquet, Feather and Excel."""

import numpy as np
import pandas as pd
import pytest

from sweep.config.data_section import DataConfig
from sweep.config.errors import DataError
from sweep.data.readers import read_file
from sweep.data.readers.frames import table_of

HOURS = pd.date_range("2023-01-01", periods=50, freq="h", name="when")
FRAME = pd.DataFrame({"when": HOURS, "y": np.sin(np.arange(50.0)), "count": np.arange(50) ** 2 % 7})


def read(folder, name, **settings):
    return read_file(name, folder, DataConfig(path=name, **settings))


@pytest.mark.parametrize("name", ["a.parquet", "a.feather", "a.xlsx"])
def test_columns_keep_their_values(tmp_path, name):
    write = {"a.parquet": "to_parquet", "a.feather": "to_feather", "a.xlsx": "to_excel"}[name]
    getattr(FRAME, write)(tmp_path / name, **({"index": False} if name == "a.xlsx" else {}))
    recording = read(tmp_path, name)
    assert recording.channels == ("y", "count") and recording.step == "1 hour" and recording.name == "a"
    values = FRAME[["y", "count"]].to_numpy(dtype=float)
    # Excel stores 16 digits
    np.testing.assert_allclose(recording.series[0].values, values, rtol=1e-15 if name == "a.xlsx" else 0)
    np.testing.assert_array_equal(recording.series[0].stamps, HOURS.to_numpy())


def test_an_index_of_times_is_the_time_and_missing_values_are_nan(tmp_path):
    frame = FRAME.set_index("when").drop(columns="count")
    frame.loc[frame.index[[3, 9]], "y"] = np.nan
    frame.to_parquet(tmp_path / "a.parquet")
    recording = read(tmp_path, "a.parquet")
    assert recording.step == "1 hour" and np.flatnonzero(np.isnan(recording.series[0].values)).tolist() == [
        3,
        9,
    ]
    frame.index.name = None
    frame.to_excel(tmp_path / "a.xlsx")
    assert read(tmp_path, "a.xlsx").step == "1 hour"


def test_sheets(tmp_path):
    with pd.ExcelWriter(tmp_path / "a.xlsx") as writer:
        FRAME.to_excel(writer, sheet_name="north", index=False)
        pd.DataFrame().to_excel(writer, sheet_name="empty")
        FRAME.assign(y=FRAME["y"] + 5).to_excel(writer, sheet_name="south", index=False)
    with pytest.raises(DataError, match=r'2 sheets have cells: set data.key = "north" or data.key = "south"'):
        read(tmp_path, "a.xlsx")
    assert read(tmp_path, "a.xlsx", key="south").series[0].values[0, 0] == 5.0
    with pytest.raises(DataError, match=r"no sheet 'soth' .*Did you mean 'south'"):
        read(tmp_path, "a.xlsx", key="soth")


def test_a_sheet_without_names(tmp_path):
    FRAME.to_excel(tmp_path / "a.xlsx", index=False, header=False)
    with pytest.raises(
        DataError, match=r"a.xlsx, first row: 2023.*set data.header = true or data.header = false"
    ):
        read(tmp_path, "a.xlsx")
    recording = read(tmp_path, "a.xlsx", header=False)
    assert recording.channels == ("x1", "x2") and len(recording.series[0].values) == 50


def test_rows_above_the_names_of_a_sheet(tmp_path):
    with pd.ExcelWriter(tmp_path / "a.xlsx") as writer:
        FRAME.to_excel(writer, startrow=2, index=False)
        writer.sheets["Sheet1"]["A1"] = "Report"
    with pytest.raises(DataError, match=r"2 columns have no names.* or the rows above the names$"):
        read(tmp_path, "a.xlsx")


def test_numbers_in_texts_of_a_sheet_are_read_by_the_settings(tmp_path):
    texts = [f"{value:.3f}".replace(".", ",") for value in FRAME["y"]]
    FRAME.assign(y=texts).to_excel(tmp_path / "a.xlsx", index=False)
    assert read(tmp_path, "a.xlsx").channels == ("count",)
    recording = read(tmp_path, "a.xlsx", decimal=",")
    np.testing.assert_array_equal(recording.series[0].values[:, 0], FRAME["y"].round(3))


def test_durations_are_times(tmp_path):
    FRAME.assign(when=pd.to_timedelta(np.arange(50) * 2, unit="s")).to_parquet(tmp_path / "a.parquet")
    assert read(tmp_path, "a.parquet").step == "2000000000"


def test_date_and_time_of_day_in_two_columns(tmp_path):
    split = FRAME.assign(when=HOURS.normalize(), clock=HOURS.time)
    for name, write in (("a.parquet", split.to_parquet), ("a.xlsx", split.to_excel)):
        write(tmp_path / name)
        recording = read(tmp_path, name)
        assert recording.step == "1 hour" and recording.channels == ("y", "count")
        np.testing.assert_array_equal(recording.series[0].stamps, HOURS.to_numpy())


@pytest.mark.parametrize("name", ["a.parquet", "a.feather", "a.xlsx"])
def test_damaged_files(tmp_path, name):
    (tmp_path / name).write_bytes(b"PAR1 nonsense PAR1" * 9)
    with pytest.raises(DataError, match=rf"^{name}: cannot be read as "):
        read(tmp_path, name)


def test_a_library_that_is_not_installed_is_named(tmp_path, monkeypatch):
    (tmp_path / "a.parquet").write_bytes(b"")

    def missing(*args, **kwargs):
        raise ImportError("no pyarrow")

    monkeypatch.setattr(pd, "read_parquet", missing)
    with pytest.raises(DataError, match=r"needs pyarrow, .*pip install 'sweep\[files\]'"):
        read(tmp_path, "a.parquet")


def test_columns_with_the_same_name_or_with_levels_are_refused():
    with pytest.raises(DataError, match=r"two columns are named 'y'"):
        table_of(pd.DataFrame([[1, 2]], columns=["y", "y "]), "a")
    with pytest.raises(DataError, match=r"columns have 2 levels of names"):
        table_of(pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_product([["a"], ["b", "c"]])), "a")
