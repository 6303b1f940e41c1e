"""Plug-ins of a table: entries of files and packages, their origins, and one line for each that cannot be used."""

import hashlib
import os
from collections.abc import Callable
from typing import Any

import pytest

from sweep.config import plugins
from sweep.config.errors import SweepError, UnknownName
from sweep.config.plugins import VARIABLE, EntryPoint, PluginError, PluginOrigin, using
from sweep.config.registry import Registry
from tests.support.plugin_table import HEADER, SQUARE, Shape, shape_file, shapes

PENTAGON = 'PENTAGON = Shape("pentagon", 5)\n'


@pytest.fixture(autouse=True)
def without_other_plugins(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.fixture
def installed(monkeypatch) -> Callable[..., None]:
    """Make the entry points of an installed package: (name, what loading it returns or raises)."""

    def install(*points: tuple[str, Any], version: str = "0.2") -> None:
        def loader(value: Any) -> Callable[[], Any]:
            def load() -> Any:
                if isinstance(value, Exception):
                    raise value
                return value

            return load

        entries = [EntryPoint(name, PluginOrigin("zoo", version), loader(value)) for name, value in points]
        monkeypatch.setattr(plugins, "entry_points", lambda group: entries if group == "sweep.shapes" else [])

    return install


def broken_of(table: Registry[Shape]) -> list[str]:
    return list(table.outside().broken.values())


# --- files ----------------------------------------------------------------------------------------------


def test_an_entry_of_a_file_is_found_under_its_name(tmp_path):
    table = shapes()
    with using([shape_file(tmp_path / "mine.py", PENTAGON)]):
        assert table["pentagon"].corners == 5
        assert "pentagon" in table
        assert table.names() == ("triangle", "square", "pentagon")
    assert "pentagon" not in table
    with pytest.raises(UnknownName, match=r"no shape named 'pentagon'.*Known: triangle, square"):
        table["pentagon"]


def test_iteration_and_length_give_own_entries_only(tmp_path):
    table = shapes()
    with using([shape_file(tmp_path / "mine.py", PENTAGON)]):
        assert list(table) == ["triangle", "square"] and len(table) == 2
        assert list(table.values()) == [table["triangle"], table["square"]]
        assert "pentagon" in table.outside().entries  # control: it is there


def test_the_origin_is_the_file_with_a_digest_of_its_content(tmp_path):
    table, path = shapes(), shape_file(tmp_path / "mine.py", PENTAGON)
    digest = hashlib.sha256((HEADER + PENTAGON).encode()).hexdigest()[:16]
    with using([path]):
        assert str(table.origin("pentagon")) == f"mine.py sha256:{digest}"
        assert table.origin("square") is None
        with pytest.raises(UnknownName, match="Did you mean 'pentagon'"):
            table.origin("pentagone")


def test_a_changed_file_is_another_plugin(tmp_path):
    table, path = shapes(), shape_file(tmp_path / "mine.py", PENTAGON)
    with using([path]):
        before = table.origin("pentagon")
    shape_file(path, 'PENTAGON = Shape("pentagon", 55)\n')
    with using([path]):
        assert table["pentagon"].corners == 55
        assert table.origin("pentagon") != before


def test_a_second_name_and_an_import_are_no_further_plugins(tmp_path):
    more = "from tests.support.plugin_table import SQUARE\nALIAS = PENTAGON\n"
    with using([shape_file(tmp_path / "mine.py", PENTAGON + more)]):
        table = shapes()
        assert list(table.outside().entries) == ["pentagon"]
        assert broken_of(table) == []
        assert table["square"] is SQUARE


def test_a_name_of_sweeps_own_is_taken(tmp_path):
    with using([shape_file(tmp_path / "mine.py", 'MINE = Shape("square", 44)\n')]):
        table = shapes()
        assert table["square"].corners == 4 and table.origin("square") is None
        (line,) = broken_of(table)
    assert line.startswith("plug-in shape 'square' of mine.py sha256:")
    assert line.endswith("the name is taken by sweep's own shape; choose another")


def test_of_two_plugins_with_one_name_the_first_is_used(tmp_path):
    first = shape_file(tmp_path / "first.py", PENTAGON)
    second = shape_file(tmp_path / "second.py", 'OTHER = Shape("pentagon", 50)\n')
    with using([first, second]):
        table = shapes()
        assert table["pentagon"].corners == 5
        (line,) = broken_of(table)
    assert line.startswith("plug-in shape 'pentagon' of second.py")
    assert "the name is taken by first.py sha256:" in line and line.endswith("remove one of them")


def test_two_files_may_have_one_name(tmp_path):
    one = shape_file(tmp_path / "a/mine.py", PENTAGON)
    two = shape_file(tmp_path / "b/mine.py", 'HEXAGON = Shape("hexagon", 6)\n')
    with using([one, two]):
        table = shapes()
        assert table.names() == ("triangle", "square", "pentagon", "hexagon")
        assert table.origin("pentagon") != table.origin("hexagon")


def test_two_broken_files_of_one_name_are_both_reported(tmp_path, monkeypatch):
    paths = [shape_file(tmp_path / folder / "mine.py", "raise ValueError\n") for folder in "ab"]
    monkeypatch.setenv(VARIABLE, os.pathsep.join(map(str, paths)))
    lines = broken_of(shapes())
    assert [str(path) in line for path, line in zip(paths, lines, strict=True)] == [True, True]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("1 / 0\n", "ZeroDivisionError: division by zero"),
        ("def\n", "SyntaxError: invalid syntax"),
        ("import no_such_package\n", "ModuleNotFoundError: No module named 'no_such_package'"),
        ("raise ValueError('one\\ntwo')\n", "ValueError: one two"),
    ],
)
def test_a_broken_file_is_one_line_that_names_it(tmp_path, content, reason):
    path = shape_file(tmp_path / "mine.py", content)
    with pytest.raises(PluginError, match=r"^plug-in file ") as caught, using([path]):
        pass
    assert str(caught.value).startswith(f"plug-in file {path}: {reason}")
    assert "\n" not in str(caught.value)


def test_a_file_that_does_not_exist_or_is_not_python(tmp_path):
    with pytest.raises(PluginError, match=r"none\.py: No such file"), using([tmp_path / "none.py"]):
        pass
    text = shape_file(tmp_path / "mine.txt", PENTAGON)
    with pytest.raises(PluginError, match=r"mine\.txt: not a Python file"), using([text]):
        pass


def test_a_broken_file_of_the_environment_leaves_other_plugins_usable(tmp_path, monkeypatch):
    bad = shape_file(tmp_path / "bad.py", "raise ValueError('no')\n")
    good = shape_file(tmp_path / "good.py", PENTAGON)
    monkeypatch.setenv(VARIABLE, os.pathsep.join([str(bad), str(tmp_path / "gone.py"), str(good)]))
    table = shapes()
    assert table["pentagon"].corners == 5
    assert broken_of(table) == [
        f"plug-in file {bad}: ValueError: no",
        f"plug-in file {tmp_path / 'gone.py'}: No such file or directory",
    ]


def test_worker_processes_inherit_the_files_and_the_variable_is_restored(tmp_path, monkeypatch):
    before = shape_file(tmp_path / "before.py", "")
    inside = shape_file(tmp_path / "inside.py", PENTAGON)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(VARIABLE, str(before))
    with using(["inside.py", str(before)]):
        assert os.environ[VARIABLE] == os.pathsep.join([str(before), str(inside)])
        assert plugins.plugin_files() == (before, inside)
    assert os.environ[VARIABLE] == str(before)
    monkeypatch.delenv(VARIABLE)
    with using([inside]):
        assert VARIABLE in os.environ
    assert VARIABLE not in os.environ


# --- packages -------------------------------------------------------------------------------------------


def test_an_entry_point_is_found_with_distribution_and_version(installed):
    installed(("pentagon", Shape("pentagon", 5)))
    table = shapes()
    assert table["pentagon"].corners == 5
    assert str(table.origin("pentagon")) == "zoo 0.2"
    assert list(table) == ["triangle", "square"]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (5, "wanted a Shape, got int"),
        (Shape, "wanted a Shape, got type"),
        (Shape("pentagone", 5), "its spec is named 'pentagone'; both names must be equal"),
        (ImportError("no\nmodule"), "cannot be loaded: ImportError: no module"),
    ],
)
def test_a_package_that_cannot_be_used_is_one_line_that_names_it(installed, entry, reason):
    installed(("pentagon", entry), ("hexagon", Shape("hexagon", 6)))
    table = shapes()
    with pytest.raises(PluginError, match=r"^plug-in shape 'pentagon' of zoo 0\.2") as caught:
        table["pentagon"]
    assert str(caught.value).endswith(reason) and "\n" not in str(caught.value)
    with pytest.raises(PluginError, match="pentagon"):
        table.origin("pentagon")
    assert "pentagon" not in table
    assert table["hexagon"].corners == 6  # the others stay usable


def test_entry_points_of_installed_packages_are_read(monkeypatch):
    class Distribution:
        name, version = "zoo", "0.3"

    class Point:
        def __init__(self, dist):
            self.name, self.dist = "pentagon", dist

        def load(self):
            return Shape("pentagon", 5)

    asked = []

    def entry_points(group):
        asked.append(group)
        return [Point(Distribution()), Point(None)]

    monkeypatch.setattr("importlib.metadata.entry_points", entry_points)
    assert str(shapes().origin("pentagon")) == "zoo 0.3"
    assert asked == ["sweep.shapes"]


def test_a_table_without_a_spec_has_no_plugins(tmp_path):
    table = Registry("shape", [SQUARE])
    with using([shape_file(tmp_path / "mine.py", PENTAGON)]):
        assert table.names() == ("square",)
        assert "pentagon" not in table


# --- running code of a plug-in --------------------------------------------------------------------------


def test_an_error_of_a_plugin_becomes_one_line_that_names_it(installed):
    installed(("pentagon", Shape("pentagon", 5)))
    table = shapes()
    line = r"^plug-in shape 'pentagon' of zoo 0\.2: ValueError: one two$"
    with pytest.raises(PluginError, match=line), table.running("pentagon"):
        raise ValueError("one\n two")
    with pytest.raises(ValueError, match="ours"), table.running("square"):  # an error of sweep is a bug
        raise ValueError("ours")
    for error in (SweepError("the data"), MemoryError()):
        with pytest.raises(type(error)), table.running("pentagon"):
            raise error


def test_an_included_entry_is_there_inside_alone():
    table = shapes()
    with table.including(Shape("pentagon", 5)):
        assert table["pentagon"].corners == 5 and list(table) == ["triangle", "square"]
        with table.including(Shape("square", 44)):  # a known name changes nothing
            assert table["square"].corners == 4
    assert "pentagon" not in table and "square" in table


def test_two_own_entries_of_one_name_are_a_mistake_of_the_table():
    with pytest.raises(ValueError, match="two entries named 'square' in the table of shapes"):
        Registry("shape", [SQUARE, SQUARE])
