"""Whole files as pandas writes them: the same numbers at the same times come back, or the file is refused."""

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from sweep.config.data_section import DataConfig
from sweep.config.errors import DataError
from sweep.data.readers import read_file

FORMATS = [
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M",
    "%d.%m.%Y %H:%M",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %I:%M %p",
    "%Y%m%d",
    "%Y-%m-%d",
    "%d.%m.%Y",
    "%m/%d/%y",
    "%Y-%m",
    "%b %Y",
]
STEPS = {"%H": ["15min", "h", "6h"], "%I": ["15min", "h", "6h"], "%d": ["D", "W", "B"], "%": ["MS", "QS"]}


@st.composite
def written(draw):
    time_format = draw(st.sampled_from(FORMATS))
    step = draw(st.sampled_from(next(steps for mark, steps in STEPS.items() if mark in time_format)))
    rows = draw(st.integers(12, 60))
    first = draw(st.dates(pd.Timestamp("1990-01-01").date(), pd.Timestamp("2030-01-01").date()))
    times = pd.date_range(first, periods=rows, freq=step)
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    digits = draw(st.sampled_from([0, 2, 3, 17]))
    size = 10.0 ** draw(st.integers(-2, 6))
    columns = {name: (size * rng.standard_normal(rows)).round(digits) for name in ("load", "wind speed")}
    table = pd.DataFrame({"when": times.strftime(time_format), **columns})
    return times, table


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    made=written(),
    separator=st.sampled_from([",", ";", "\t", "|"]),
    decimal=st.sampled_from([".", ","]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"]),
    header=st.booleans(),
    index=st.booleans(),
)
def test_what_pandas_writes_comes_back_or_is_refused(
    tmp_path_factory, made, separator, decimal, encoding, header, index
):
    times, table = made
    folder = tmp_path_factory.mktemp("written")
    table.to_csv(
        folder / "a.csv", sep=separator, decimal=decimal, encoding=encoding, header=header, index=index
    )
    try:
        recording = read_file("a.csv", folder, DataConfig(path="a.csv"))
    except DataError as error:
        event(f"refused: {str(error)[:60]}")
        assert "data." in str(error)  # a setting mends it
        return
    event("read")
    assert len(recording.channels) == 2
    (series,) = recording.series
    np.testing.assert_array_equal(series.values, table[["load", "wind speed"]].to_numpy())
    np.testing.assert_array_equal(
        series.stamps.astype("datetime64[s]"), times.to_numpy().astype("datetime64[s]")
    )
    assert series.steps is None  # no gap
    assert header == (recording.channels == ("load", "wind speed"))
