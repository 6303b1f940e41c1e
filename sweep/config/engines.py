"""The rule that decides which engine computes a trial's network: it reads names and shapes, and no measured time.

"torch" is torch's own code. "native-<instructions>" is the compiled kernel with one instruction set
(docs/engine.md): another set adds in another order, so the set is part of what a trial's bits depend on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sweep.config.sections import ModelConfig, TrainingConfig

Wanted = Literal["auto", "native", "torch"]

TORCH = "torch"
NATIVE = "native-"


@dataclass(frozen=True)
class KernelCell:
    """Facts about a cell that the compiled kernel computes; they are part of the cell's entry."""

    code: int  # of the cell in kernel/engine.h
    # by precision: the smallest hidden size at which torch trains faster (benchmarks/engine.py, sizes 16 to 384)
    torch_from_hidden: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Kernel:
    """The compiled kernel that a study computes with."""

    instructions: str  # its instruction set, such as "avx2"
    cells: Mapping[str, KernelCell]  # the cells that it computes, by name


def engine_name(
    wanted: Wanted, kernel: Kernel | None, device: str, model: ModelConfig, training: TrainingConfig
) -> str:
    """Return the engine of a trial.

    Args:
        wanted: the study's setting.
        kernel: that the study computes with, None if there is none.
        device: "cpu", or a CUDA device, which only torch can use.
        model: the trial's network; torch computes what the kernel cannot.
        training: gives the precision.
    """
    cell = None if kernel is None or not model.recurrent else kernel.cells.get(model.cell)
    if wanted == TORCH or kernel is None or cell is None or device != "cpu":
        return TORCH
    torch_from = cell.torch_from_hidden.get(training.precision)
    if wanted == "auto" and torch_from is not None and model.hidden >= torch_from:
        return TORCH
    return NATIVE + kernel.instructions
