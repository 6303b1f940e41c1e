"""What setup.cfg ships is what is there."""

import configparser
import re
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


def test_every_file_that_is_not_python_is_shipped():
    """What is read at run time is package data; the kernel's sources are for whoever builds it."""
    patterns = setup_cfg()["options.package_data"]
    folders = {package.replace(".", "/"): globs.split() for package, globs in patterns.items()}
    folders["studies"] = folders.pop("sweep/studies_shipped")
    there = [path for folder in ("sweep", "studies") for path in (ROOT / folder).rglob("*") if path.is_file()]
    files = [path.relative_to(ROOT) for path in there if path.suffix not in (".py", ".pyc", ".so")]
    kernel = [path for path in files if path.parent == Path("sweep/model/native/kernel")]
    assert kernel and {path.suffix for path in kernel} == {".cpp", ".h"}
    read = [path for path in files if path not in kernel]
    left_out = [path for path in read if not any(map(path.match, folders.get(str(path.parent), ())))]
    assert left_out == []
    unused = [name for name in folders if name not in {str(path.parent) for path in read}]
    assert unused == []


def test_constraints_pin_every_requirement_of_setup_cfg():
    options = setup_cfg()
    wanted = options["options"]["install_requires"].split("\n")
    wanted += options["options.extras_require"]["test"].split("\n")
    names = {re.split(r"[>\[]", line)[0].strip().lower().replace("_", "-") for line in wanted if line.strip()}
    pinned = {
        line.split("==")[0].strip().lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    assert names <= pinned
    assert "torch==2.13.0" in (ROOT / "constraints.txt").read_text()


def test_pyproject_holds_only_build_system_and_tools():
    assert set(tomllib.loads((ROOT / "pyproject.toml").read_text())) == {"build-system", "tool"}
