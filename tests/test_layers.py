"""Imports go one way: a part imports only from the rows above its own, and each library has its place."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent / "sweep"

# What each part may import beside itself: the table "Parts" of the design.
BELOW_SCORE = {"config", "data", "model"}
MAY_IMPORT = {
    "config": set(),
    "data": {"config"},
    "model": {"config"},
    "train": {"config", "data", "model"},
    "score": BELOW_SCORE,
    "diagnosis": BELOW_SCORE | {"score"},
    "trial": BELOW_SCORE | {"score", "train", "diagnosis"},
    "store": {"config"},
    "search": BELOW_SCORE | {"score", "train", "diagnosis", "trial", "store"},
    "report": BELOW_SCORE | {"store", "diagnosis", "score"},
}
PARTS = set(MAY_IMPORT)

# Where a library may be imported: folders or files, relative to sweep/.
ONLY_IN = {"matplotlib": ("report/",), "click": ("cli/",)}
PURE = (  # no torch: they stay quick to import
    "config/",
    "store/",
    "report/",
    "cli/",
    "score/metrics",
    "diagnosis/__init__",
    "diagnosis/finding",
    "diagnosis/symptoms/",
    "diagnosis/trial",
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


def at_run_time(source: str) -> str:
    """The source without what stands under `if TYPE_CHECKING:`: nothing of it is imported."""
    tree = ast.parse(source)

    class Strip(ast.NodeTransformer):
        def visit_If(self, node: ast.If) -> ast.AST | None:
            named = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
            return None if named else self.generic_visit(node)

    return ast.unparse(Strip().visit(tree))


def violations(name: str, source: str) -> list[str]:
    """What a file of sweep/ imports that it must not."""
    part = name.split("/")[0].removesuffix(".py")
    package = ".".join(["sweep", *name.split("/")[:-1]])
    found = set()
    for module in imported(at_run_time(source), package):
        top, *rest = module.split(".")
        if top == "sweep" and rest:
            other = rest[0]
            if part in PARTS:
                wrong = other != part and other not in MAY_IMPORT[part]
            elif part == "cli":
                wrong = other in PARTS - {"config"}
            else:
                wrong = other == "cli"
            if wrong:
                found.add(f"{name} imports {other}")
        if top in ONLY_IN and not name.startswith(ONLY_IN[top]):
            found.add(f"{name} imports {top}")
        if top == "torch" and name.startswith(PURE):
            found.add(f"{name} imports torch")
    return sorted(found)


FILES = sorted(str(path.relative_to(ROOT)) for path in ROOT.rglob("*.py"))


def test_there_are_files_of_every_part():
    assert {name.split("/")[0] for name in FILES if "/" in name} >= PARTS | {"cli"}


@pytest.mark.parametrize("name", FILES)
def test_imports_go_one_way(name: str):
    assert violations(name, (ROOT / name).read_text()) == []


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
        ("trial/x.py", "import matplotlib.pyplot", "trial/x.py imports matplotlib"),
        ("api.py", "import click", "api.py imports click"),
        ("api.py", "from sweep.cli import main", "api.py imports cli"),
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
    assert violations("report/x.py", "import matplotlib\nfrom sweep.score.metrics import nrmse") == []
    assert violations("api.py", "from sweep.search import Driver") == []
    assert violations("data/x.py", "if TYPE_CHECKING:\n    from sweep.score import nrmse") == []
