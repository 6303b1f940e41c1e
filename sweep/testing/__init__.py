"""Contract tests of plug-ins: subclass the contract of a kind, set `spec`, and let pytest collect the class.

    from sweep.testing import OptimizerContract
    from my_package.lion import LION

    class TestLion(OptimizerContract):
        spec = LION

The entries of sweep's own tables pass the same tests.
"""

from sweep.testing.contract import Contract
from sweep.testing.findings import CheckContract, ProbeContract
from sweep.testing.networks import CellContract, ModelContract
from sweep.testing.samplers import SamplerContract
from sweep.testing.scores import BaselineContract, ObjectiveContract
from sweep.testing.sources import SourceContract
from sweep.testing.training import OptimizerContract, SchedulerContract

__all__ = [
    "BaselineContract",
    "CellContract",
    "CheckContract",
    "Contract",
    "ModelContract",
    "ObjectiveContract",
    "OptimizerContract",
    "ProbeContract",
    "SamplerContract",
    "SchedulerContract",
    "SourceContract",
]
