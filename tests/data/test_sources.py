"""What every named source must keep, over the whole table."""

import inspect
from pathlib import Path

import numpy as np
import pytest

from sweep.config.data_section import DataConfig
from sweep.config.errors import DataError, UnknownName
from sweep.config.sections import ScoreConfig
from sweep.data import CALENDARS, SOURCES, TRANSFORMS, load
from sweep.data.readers import READERS

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "data.md").read_text(encoding="utf-8")
SCORE = ScoreConfig(warmup=20, horizon=30, starts=6)


def test_the_table_is_not_empty():
    assert {"sine", "lorenz", "mackey_glass", "narendra_li", "duffing", "sunspots"} <= set(SOURCES)


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_loads_with_its_defaults(name):
    data = load(DataConfig(source=name), SCORE)
    assert data.name == name and SOURCES[name].source
    assert all(np.isfinite(values).all() and values.dtype == np.float64 for values in data.train)
    for part in (data.validation, data.test):
        assert part.past.shape == (6, 20, len(data.channels))
        assert part.truth.shape == (6, 30, len(data.channels))
        assert part.known.shape == (6, 50, len(data.known))
        assert (part.scale > 0).all() and np.isfinite(part.truth).all()
    pooled = np.concatenate(data.train)
    np.testing.assert_allclose(pooled.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(pooled.std(axis=0), 1)
    assert data.warnings == ()


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_is_pure(name):
    assert (
        load(DataConfig(source=name), SCORE).fingerprint == load(DataConfig(source=name), SCORE).fingerprint
    )


@pytest.mark.parametrize("name", SOURCES)
def test_settings_give_complete_defaults(name):
    offer = SOURCES[name].settable()
    assert SOURCES[name].complete({}) == dict(offer.defaults)
    assert offer.check is not None and len(inspect.signature(offer.check).parameters) == 1


@pytest.mark.parametrize("name", [name for name in SOURCES if SOURCES[name].makes_parts])
def test_split_has_no_use_for_sources_with_parts_of_their_own(name):
    with pytest.raises(DataError, match=r"data.split has no effect on source"):
        load(DataConfig(source=name, split=(0.5, 0.25, 0.25)), SCORE)


def test_integers_stand_for_floats_but_not_for_booleans():
    assert SOURCES["lorenz"].complete({"rho": 28})["rho"] == 28
    with pytest.raises(DataError, match=r"wanted float, got True"):
        SOURCES["lorenz"].complete({"rho": True})
    with pytest.raises(DataError, match=r"wanted int, got True"):
        SOURCES["lorenz"].complete({"seed": True})


@pytest.mark.parametrize("table", [SOURCES, TRANSFORMS, CALENDARS, READERS], ids=lambda table: table.kind)
def test_the_page_on_data_names_every_entry(table):
    assert len(table) >= 2
    page = (DOCS / "your-data.md").read_text(encoding="utf-8") if table is READERS else PAGE
    for name in table:
        assert f"`{name}`" in page


def test_the_page_on_data_names_every_option():
    for source in SOURCES.values():
        (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{source.name}` |")]
        for option in source.defaults:
            assert f"`{option}`" in row


def test_unknown_source():
    with pytest.raises(UnknownName, match=r"no source named 'sin'. Did you mean 'sine'"):
        load(DataConfig(source="sin"), SCORE)


def test_sunspots_are_the_shipped_months():
    data = load(DataConfig(source="sunspots", calendar=("time_of_year",)), SCORE)
    assert data.train_raw[0].shape == (2188, 1)  # 70 % of 3126 months
    assert data.train_raw[0][:3, 0].tolist() == [58.0, 62.6, 70.0]  # January to March 1749
    assert data.inputs == 3
    # February 1824, which the source interpolated from January (21.7) and March (0.0)
    assert data.train_raw[0][(1824 - 1749) * 12 + 1, 0] == 10.8
    # 16 cycles from the minimum of 1755.2 to that of 1933.8 (NOAA): 134 months each
    assert data.period == pytest.approx(134, rel=0.03)


def test_sunspots_take_no_options():
    with pytest.raises(DataError, match=r"source 'sunspots' has no option 'noise'. Known: none"):
        load(DataConfig(source="sunspots", options={"noise": 1.0}), SCORE)
