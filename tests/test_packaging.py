"""What setup.cfg ships is what is there."""

import configparser
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent


def setup_cfg():
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def test_every_package_is_shipped():
    listed = set(setup_cfg()["options"]["packages"].split())
    there = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for path in (ROOT / "sweep").rglob("*.py")
        if path.is_file()
    }
    data = {"sweep.data.files", "sweep.report.page.templates", "sweep.studies_shipped"}
    assert listed == there | data


def test_data_folders_hold_something():
    for folder in ("sweep/data/files", "sweep/report/page/templates", "studies"):
        assert any((ROOT / folder).iterdir())


def test_constraints_pin_every_requirement_of_setup_cfg():
    options = setup_cfg()
    wanted = options["options"]["install_requires"].split("\n")
    wanted += options["options.extras_require"]["test"].split("\n")
    names = {line.split(">")[0].strip().lower().replace("_", "-") for line in wanted if line.strip()}
    pinned = {
        line.split("==")[0].strip().lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    assert names <= pinned
    assert "torch==2.13.0" in (ROOT / "constraints.txt").read_text()


def test_pyproject_holds_only_build_system_and_tools():
    assert set(tomllib.loads((ROOT / "pyproject.toml").read_text())) == {"build-system", "tool"}
