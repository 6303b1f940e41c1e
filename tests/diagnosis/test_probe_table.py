"""What every probe promises: plain numbers, the same for the same arguments, the network left alone."""

import json
import math
import subprocess
import sys
from dataclasses import is_dataclass
from pathlib import Path

import pytest
import torch

from sweep.config.errors import UnknownName
from sweep.diagnosis.probes import PROBES, Subject, always_on, measured
from sweep.model import CELLS
from tests.support.probed import calendar_task, lorenz_task, network_of, sine_task

DOCS = Path(__file__).resolve().parents[2] / "docs" / "diagnosis" / "probes.md"


def no_nan(value: object) -> bool:
    if isinstance(value, dict):
        return all(no_nan(one) for one in value.values())
    if isinstance(value, list | tuple):
        return all(no_nan(one) for one in value)
    return not (isinstance(value, float) and math.isnan(value))


def test_the_table():
    assert len(PROBES) >= 11 and {probe.cost for probe in PROBES.values()} == {"cheap", "costly"}
    assert {probe.name for probe in always_on()} == {
        "noise_gain",
        "driven",
        "swap_test",
        "training_fit",
        "units",
    }
    assert all(0 < len(probe.title) < 80 for probe in PROBES.values())
    with pytest.raises(UnknownName, match="Did you mean 'lyapunov'"):
        PROBES["lyapunow"]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("name", PROBES)
def test_a_probe_keeps_its_promises(name: str, cell: str):
    task = sine_task(dtype=torch.float32)
    network = network_of(1, cell=cell, scale=1.2).float()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first, again = (measured(PROBES[name], Subject(network, task, 3)) for _ in range(2))
    assert first == again and "reason" not in first and no_nan(first)
    json.dumps(first)
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)
    assert next(network.parameters()).dtype == torch.float32
    assert is_dataclass(PROBES[name].measure(Subject(network, task, 3)))


@pytest.mark.parametrize("cell", CELLS)
def test_probes_of_one_subject_do_not_see_each_other(cell: str):
    task, network = sine_task(dtype=torch.float32), network_of(1, cell=cell, scale=1.2).float()
    alone = {name: measured(probe, Subject(network, task, 3)) for name, probe in PROBES.items()}
    for order in (list(PROBES), list(PROBES)[::-1]):
        subject = Subject(network, task, 3)
        shared = {name: measured(PROBES[name], subject) for name in order}
        again = {name: measured(PROBES[name], subject) for name in order}
        assert shared == again == alone


@pytest.mark.parametrize("name", PROBES)
def test_channels_known_inputs_layers_and_heads(name: str, tmp_path: Path):
    shape = {"cell": "lstm", "layers": 2, "head": (6,), "readout": "value"}
    lorenz = lorenz_task()
    result = measured(PROBES[name], Subject(network_of(3, **shape), lorenz))
    assert "reason" not in result and no_nan(result)
    hours = calendar_task(tmp_path)
    result = measured(PROBES[name], Subject(network_of(2, hours.data.inputs, **shape), hours))
    assert no_nan(result)
    assert ("known inputs" in result.get("reason", "")) == (name in ("fixed_points", "cycle"))


@pytest.mark.parametrize("name", PROBES)
def test_a_broken_network_gives_a_reason_or_capped_numbers(name: str):
    network = network_of(1, cell="lstm")
    for parameter in network.parameters():
        parameter.data.fill_(math.nan)
    result = measured(PROBES[name], Subject(network, sine_task()))
    assert no_nan(result)
    if name not in ("swap_test", "warmup_sweep", "precision"):
        assert "finite" in result["reason"] and set(result) == {"reason"}


def test_every_probe_has_its_section():
    text = DOCS.read_text()
    for name in PROBES:
        assert f"## `{name}`" in text


def test_diagnosis_alone_imports_no_torch():
    code = "import sys, sweep.diagnosis; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
