"""The public types of a plug-in: what to import to add an optimizer, a cell, a model and so on to sweep.

A plug-in is one spec, an object at the top level of a module. A package offers it as an entry point,

    [project.entry-points."sweep.optimizers"]
    lion = "my_package.lion:LION"

with the groups `sweep.optimizers`, `sweep.schedulers`, `sweep.cells`, `sweep.models`, `sweep.sources`,
`sweep.samplers`, `sweep.baselines`, `sweep.probes`, `sweep.checks` and `sweep.objectives`. A single file is named for
one run instead: `sweep run --plugin mine.py`, or `with using("mine.py"): sweep.run(...)` in Python.
docs/extending.md has worked examples, `sweep.testing` the contract test of each kind.
"""

from sweep.config.errors import SweepError
from sweep.config.plugins import PluginError, using
from sweep.config.ranges import Choice, IntUniform, LogUniform, OneMinusLog, Uniform
from sweep.config.space import Axis, Space
from sweep.data.recording import Need, Recording, Series
from sweep.data.sources.source import SourceSpec
from sweep.data.types import Data, Starts
from sweep.diagnosis.check import CheckSpec
from sweep.diagnosis.finding import Finding
from sweep.diagnosis.probes import CannotMeasure, ProbeSpec, Subject
from sweep.model.cells import CellSpec
from sweep.model.models import ModelSpec
from sweep.results.study import StoredStudy
from sweep.score.baselines.simple import CannotServe
from sweep.score.baselines.table import BaselineSpec
from sweep.score.objectives import ObjectiveSpec
from sweep.search.history import History
from sweep.search.samplers import SamplerSpec
from sweep.train.full_batch import FullBatchOptimizer, OutOfBudget
from sweep.train.optimizers import OptimizerSpec
from sweep.train.schedulers import SchedulerSpec

__all__ = [
    "Axis",
    "BaselineSpec",
    "CannotMeasure",
    "CannotServe",
    "CellSpec",
    "CheckSpec",
    "Choice",
    "Data",
    "Finding",
    "FullBatchOptimizer",
    "History",
    "IntUniform",
    "LogUniform",
    "ModelSpec",
    "Need",
    "ObjectiveSpec",
    "OneMinusLog",
    "OptimizerSpec",
    "OutOfBudget",
    "PluginError",
    "ProbeSpec",
    "Recording",
    "SamplerSpec",
    "SchedulerSpec",
    "Series",
    "SourceSpec",
    "Space",
    "Starts",
    "StoredStudy",
    "Subject",
    "SweepError",
    "Uniform",
    "using",
]
