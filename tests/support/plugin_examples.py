"""The worked examples of docs/extending.md, and a package that is made of them."""

import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "extending.md"
BLOCK = re.compile(r"<!-- example: (\w+) -->\n```python\n(.*?)```", re.DOTALL)
VERSION = "0.1"

ENTRY_POINTS = {
    "sweep.optimizers": {"lion": "LION"},
    "sweep.schedulers": {"linear": "LINEAR"},
    "sweep.cells": {"mgu": "MGU"},
    "sweep.models": {"elman": "ELMAN"},
    "sweep.objectives": {"late_error": "LATE"},
}


def examples() -> dict[str, str]:
    """Return the source of every worked example by kind."""
    return dict(BLOCK.findall(PAGE.read_text(encoding="utf-8")))


def loaded() -> ModuleType:
    """Return a module that holds the specs of all examples."""
    module = ModuleType("extending_examples")
    for kind, source in examples().items():
        exec(compile(source, f"docs/extending.md, {kind}", "exec"), vars(module))
    return module


def install_package(folder: Path) -> Path:
    """Build a package of the examples, install it without a network, and return the folder to put on the path."""
    source, site = folder / "zoo", folder / "site"
    source.mkdir()
    (source / "sweep_zoo.py").write_text("\n\n".join(examples().values()))
    points = "\n".join(
        f'[project.entry-points."{group}"]\n'
        + "\n".join(f'{name} = "sweep_zoo:{spec}"' for name, spec in entries.items())
        for group, entries in ENTRY_POINTS.items()
    )
    (source / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        f'[project]\nname = "sweep-zoo"\nversion = "{VERSION}"\n{points}\n'
        '[tool.setuptools]\npy-modules = ["sweep_zoo"]\n'
    )
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"]
    command = [*pip, "--no-build-isolation", "--no-deps", "--target", str(site), str(source)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return site
