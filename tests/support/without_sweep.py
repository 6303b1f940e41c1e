"""A process in which only the standard library and some named packages can be imported."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# with what each of them needs to be imported
TORCH = (
    "torch",
    "torchgen",
    "typing_extensions",
    "sympy",
    "mpmath",
    "networkx",
    "jinja2",
    "markupsafe",
    "fsspec",
)
NUMPY = ("numpy",)
ONNX = ("numpy", "onnxruntime", "flatbuffers", "google", "packaging")
PACKAGES = {"forecast_torch": TORCH, "forecast_numpy": NUMPY, "forecast_onnx": ONNX}
# and the scripts of an export
ONLY = """
import sys
class Only:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names or top in {allowed} or top.startswith("forecast_"):
            return None
        raise ModuleNotFoundError(f"No module named {{name!r}}: it is not allowed here", name=name)
sys.meta_path.insert(0, Only())
"""
FORECASTS = """
import importlib, json
from datetime import datetime
forecasts = {}
for task in json.load(sys.stdin):
    sys.path.insert(0, task["folder"])
    for name in [name for name in sys.modules if name.startswith("forecast_")]:
        del sys.modules[name]
    times = [[datetime.fromisoformat(time) for time in row] for row in task["times"]]
    script = importlib.import_module(SCRIPT)
    forecasts[task["name"]] = script.forecast(task["past"], task["steps"], task["known"], times, task["names"]).tolist()
    del sys.path[0]
json.dump(forecasts, sys.stdout)
"""
COMMAND = """
import runpy
sys.path.insert(0, sys.argv[1].rpartition("/")[0])
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def alone(
    code: str, packages: Sequence[str], *args: str, given: str = ""
) -> "subprocess.CompletedProcess[str]":
    """Run code in a process without sweep; `args` follow in sys.argv, `given` is its standard input."""
    whole = ONLY.format(allowed=set(packages)) + code
    return subprocess.run(
        [sys.executable, "-I", "-c", whole, *args], input=given, capture_output=True, text=True, timeout=240
    )


def forecasts_of(script: str, tasks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the forecasts of a script for several folders, by name of the task."""
    code = f"SCRIPT = {script!r}\n{FORECASTS}"
    done = alone(code, PACKAGES[script], given=json.dumps(list(tasks)))
    assert done.returncode == 0, done.stderr
    forecasts: dict[str, Any] = json.loads(done.stdout)
    return forecasts


def run_script(folder: Path, script: str, *args: str) -> "subprocess.CompletedProcess[str]":
    """Run a script of an export as a command, with what it needs and nothing else."""
    return alone(COMMAND, PACKAGES[script], str(folder / f"{script}.py"), *args)
