"""Sweep's own entries and the examples of the documentation pass the contracts that plug-ins have to pass."""

from typing import Any

import pytest

from sweep import testing
from tests.support.plugin_examples import ENTRY_POINTS, loaded

CONTRACTS: tuple[type[testing.Contract], ...] = (
    testing.OptimizerContract,
    testing.SchedulerContract,
    testing.CellContract,
    testing.ModelContract,
    testing.SourceContract,
    testing.SamplerContract,
    testing.BaselineContract,
    testing.ProbeContract,
    testing.ObjectiveContract,
    testing.CheckContract,
)
EXAMPLES = loaded()


def specs(contract: type[testing.Contract]) -> list[Any]:
    """Sweep's own entries of a kind, then those of the documentation."""
    kind = contract.table.spec
    assert kind is not None
    return [*contract.table.values(), *(v for v in vars(EXAMPLES).values() if isinstance(v, kind))]


def cases() -> list[Any]:
    made = []
    for contract in CONTRACTS:
        for spec in specs(contract):
            for name in dir(contract):
                if name.startswith("test_"):
                    made.append(pytest.param(contract, spec, name, id=f"{spec.name}-{name[5:]}"))
    return made


def test_every_kind_and_every_example_is_there():
    assert all(specs(contract) for contract in CONTRACTS)
    names = {spec.name for contract in CONTRACTS for spec in specs(contract)}
    assert {name for entries in ENTRY_POINTS.values() for name in entries} <= names


@pytest.mark.parametrize(("contract", "spec", "name"), cases())
def test_contract(contract: type[testing.Contract], spec: Any, name: str):
    getattr(type("Own", (contract,), {"spec": spec})(), name)()
