"""Imports go one way: a room imports only rooms below it, no modules import each other, libraries have their place."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent / "sweep"

# The rooms from the ground up, each with the rooms that it may import: the house of the design.
GROUND = {"config", "data", "model"}
SCORED = GROUND | {"stats", "score"}
TRIALS = SCORED | {"train", "diagnosis", "trial", "store"}
MAY_IMPORT: dict[str, set[str]] = {
    "config": set(),
    "data": {"config"},
    "model": {"config"},
    "store": {"config"},
    "train": GROUND,
    "stats": {"config", "data"},
    "score": GROUND | {"stats"},
    "diagnosis": SCORED,
    "trial": SCORED | {"train", "diagnosis"},
    "search": TRIALS,
    "study": TRIALS | {"search"},
    "results": {"config", "data", "stats", "score", "diagnosis", "store", "study"},
    "followup": TRIALS | {"search", "study", "results"},
    "forecast": TRIALS | {"search", "study", "results", "followup"},
    "doctor": SCORED | {"diagnosis", "results"},
    "report": {"config", "data", "diagnosis", "store", "study", "results"},
    "api": TRIALS | {"search", "study", "results", "followup", "forecast", "doctor", "report"},
    "cli": {"api", "report", "config", "search", "study"},
    "testing": TRIALS | {"search", "results"},
}
ROOMS = set(MAY_IMPORT)
AT_THE_ROOT = {"__init__.py", "extend.py"}  # the only modules outside of a room

# Where a library may be imported: folders or files, relative to sweep/.
ONLY_IN = {"matplotlib": ("report/plots/",), "click": ("cli/",), "rich": ("cli/", "report/terminal/")}
PURE = (  # no torch: they stay quick to import
    "config/",
    "store/",
    "stats/",
    "results/",
    "report/",
    "cli/",
    "score/metrics",
    "diagnosis/__init__",
    "diagnosis/finding",
    "diagnosis/symptoms/",
    "diagnosis/trial_diagnosis",
)


def imported(source: str, package: str) -> Iterator[str]:
    """Every module that a file imports, also inside functions, relative ones resolved; names after `from`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                whole = package.split(".")
                base = ".".join(
                    [*whole[: len(whole) - node.level + 1], *([node.module] if node.module else [])]
                )
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def violations(name: str, source: str) -> list[str]:
    """What a file of sweep/ imports that it must not."""
    room = name.split("/")[0]
    package = ".".join(["sweep", *name.split("/")[:-1]])
    complaints = set()
    for module in imported(source, package):
        top, *rest = module.split(".")
        if top == "sweep" and rest and rest[0] in ROOMS and room in ROOMS:
            if rest[0] != room and rest[0] not in MAY_IMPORT[room]:
                complaints.add(f"{name} imports {rest[0]}")
        elif top == "sweep" and rest and f"{rest[0]}.py" in AT_THE_ROOT - {"__init__.py"}:
            complaints.add(f"{name} imports {rest[0]}")
        if top in ONLY_IN and not name.startswith(ONLY_IN[top]):
            complaints.add(f"{name} imports {top}")
        if top == "torch" and name.startswith(PURE):
            complaints.add(f"{name} imports torch")
    return sorted(complaints)


def circles(arrows: Mapping[str, set[str]]) -> list[list[str]]:
    """The groups of modules that import each other, directly or through others."""
    reach = {name: set(after) for name, after in arrows.items()}
    grown = True
    while grown:
        grown = False
        for after in reach.values():
            more = set().union(*(reach.get(name, set()) for name in after)) - after
            if more:
                after |= more
                grown = True
    groups = {
        tuple(sorted(other for other in reach[name] if name in reach.get(other, ())))
        for name in reach
        if name in reach[name]
    }
    return [list(group) for group in sorted(groups)]


def module_of(name: str) -> str:
    return ".".join(["sweep", *name.removesuffix(".py").split("/")]).removesuffix(".__init__")


def arrows() -> dict[str, set[str]]:
    """Which modules of the package each of them imports."""
    known = {module_of(name) for name in FILES}
    imports_of: dict[str, set[str]] = {}
    for name in FILES:
        own = module_of(name)
        package = ".".join(["sweep", *name.split("/")[:-1]])
        seen = set(imported((ROOT / name).read_text(), package)) & known
        # `from package import module` is an arrow to the module, not to what its package re-exports
        inner = {module for module in seen if any(other.startswith(f"{module}.") for other in seen)}
        imports_of[own] = seen - inner - {own}
    return imports_of


FILES = sorted(str(path.relative_to(ROOT)) for path in ROOT.rglob("*.py"))


def test_every_module_is_in_a_room():
    assert {name for name in FILES if "/" not in name} <= AT_THE_ROOT
    assert {name.split("/")[0] for name in FILES if "/" in name} == ROOMS


def test_the_rooms_have_an_order():
    assert circles(MAY_IMPORT) == []


@pytest.mark.parametrize("name", FILES)
def test_imports_go_one_way(name: str):
    assert violations(name, (ROOT / name).read_text()) == []


def test_no_modules_import_each_other():
    assert circles(arrows()) == []


def test_a_circle_is_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]
    assert circles({"a": {"b"}, "b": set()}) == []


@pytest.mark.parametrize(
    ("name", "source", "complaint"),
    [
        ("config/x.py", "from sweep.data import load", "config/x.py imports data"),
        ("config/x.py", "import sweep.model.stack as s", "config/x.py imports model"),
        ("data/x.py", "def f():\n    from sweep.score import nrmse", "data/x.py imports score"),
        ("model/x.py", "from ..train import Trainer", "model/x.py imports train"),
        ("data/sources/x.py", "from ...model import Forecaster", "data/sources/x.py imports model"),
        ("data/x.py", "from sweep import model", "data/x.py imports model"),
        ("store/x.py", "from sweep.data import Data", "store/x.py imports data"),
        ("score/x.py", "import sweep.diagnosis", "score/x.py imports diagnosis"),
        ("trial/x.py", "from sweep.store import StudyFolder", "trial/x.py imports store"),
        ("search/x.py", "from sweep.report import trial_plot", "search/x.py imports report"),
        ("report/x.py", "from sweep.api import run", "report/x.py imports api"),
        ("report/x.py", "from sweep.train import OPTIMIZERS", "report/x.py imports train"),
        ("report/terminal/x.py", "import matplotlib.pyplot", "report/terminal/x.py imports matplotlib"),
        ("api/x.py", "import click", "api/x.py imports click"),
        ("api/x.py", "from sweep.cli import main", "api/x.py imports cli"),
        ("study/x.py", "from sweep import testing", "study/x.py imports testing"),
        ("results/x.py", "from sweep.followup import treat", "results/x.py imports followup"),
        ("data/x.py", "if TYPE_CHECKING:\n    from sweep.score import nrmse", "data/x.py imports score"),
        ("cli/x.py", "from sweep.store import StudyFolder", "cli/x.py imports store"),
        ("score/metrics.py", "import torch", "score/metrics.py imports torch"),
        ("store/x.py", "from torch import Tensor", "store/x.py imports torch"),
        ("diagnosis/symptoms/x.py", "import torch", "diagnosis/symptoms/x.py imports torch"),
        ("diagnosis/finding.py", "import torch", "diagnosis/finding.py imports torch"),
    ],
)
def test_a_violation_is_caught(name: str, source: str, complaint: str):
    assert complaint in violations(name, source)


def test_what_is_allowed_is_not_caught():
    assert (
        violations("trial/x.py", "from sweep.train import Trainer\nfrom . import process\nimport torch") == []
    )
    assert violations("report/plots/x.py", "import matplotlib") == []
    assert violations("api/x.py", "from sweep.search import Driver") == []
