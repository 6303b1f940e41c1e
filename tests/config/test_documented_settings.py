"""docs/study-files.md names every setting of a study file, with its default, and every name of the tables."""

import json
import re
from pathlib import Path

import pytest

from sweep.config.ranges import RANGE_WORDS
from sweep.config.section import Component
from sweep.config.study import SECTIONS
from sweep.data import SOURCES
from sweep.model import CELLS
from sweep.search import SAMPLERS
from sweep.train import OPTIMIZERS, SCHEDULERS

PAGE = (Path(__file__).parents[2] / "docs" / "study-files.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `([a-z_]+\.[a-z_]+)` \|(.*?)\|", PAGE, flags=re.MULTILINE))
SETTINGS = {
    f"{section}.{name}": field.default
    for section, model in SECTIONS.items()
    for name, field in model.model_fields.items()
}
IN_WORDS = ("pruning.rungs",)  # a default too long for a cell


def default_cell(default: object) -> str:
    """The cell of a default: TOML between backticks; empty for none."""
    if default is None:
        return ""
    if isinstance(default, Component):
        assert not default.settings
        default = default.name
    return f"`{json.dumps(list(default) if isinstance(default, tuple) else default)}`"


def test_the_page_names_exactly_the_settings_that_exist():
    assert set(ROWS) == set(SETTINGS) and len(SETTINGS) > 40


@pytest.mark.parametrize("key", sorted(set(SETTINGS) - set(IN_WORDS)))
def test_the_page_gives_the_default(key):
    assert ROWS[key].strip() == default_cell(SETTINGS[key])


def test_the_rungs_are_the_default_ones():
    (row,) = [line for line in PAGE.splitlines() if line.startswith("| `pruning.rungs`")]
    for rung in SETTINGS["pruning.rungs"]:
        assert f"at = {rung.at:.3g}, keep = {rung.keep:.3g}, horizon = {rung.horizon}" in row


@pytest.mark.parametrize(
    "table", [OPTIMIZERS, SCHEDULERS, SOURCES, CELLS, SAMPLERS], ids=lambda table: table.kind
)
def test_the_page_names_every_entry(table):
    assert len(table) > 1
    for name in table:
        assert re.search(rf"\b{name}\b", PAGE), name


def test_the_page_names_every_range():
    for word in RANGE_WORDS:
        assert f"| `{word}` |" in PAGE


def test_the_settings_of_schedulers_are_named():
    for spec in SCHEDULERS.values():
        for setting in spec.defaults:
            assert f"`{setting}`" in PAGE, f"{spec.name}.{setting}"
