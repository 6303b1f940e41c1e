"""Which engine computes a trial's network: a rule on names and shapes, so that it is the same everywhere.

"torch" is torch's own code. "native-<instructions>" is the compiled kernel with one instruction set
(docs/engine.md): another set adds in another order, so it belongs to what a trial's bits depend on.
"""

from typing import Literal

from sweep.config.sections import ModelConfig, TrainingConfig

Wanted = Literal["auto", "native", "torch"]

TORCH = "torch"
NATIVE = "native-"
# Where "auto" takes torch although the kernel is there: the smallest hidden size at which torch trains
# faster, by cell and precision (benchmarks/engine.py, sizes 16 to 384; none where it never did).
TORCH_FROM_HIDDEN = {("lstm", "float32"): 256}


def engine_name(
    wanted: Wanted, instructions: str | None, device: str, model: ModelConfig, training: TrainingConfig
) -> str:
    """Return the engine of a trial.

    Args:
        wanted: the study's setting.
        instructions: the kernel's instruction set that the study computes with, None where it has no kernel.
        device: "cpu" or a CUDA device, where torch serves alone.
        model: the trial's network.
        training: its precision decides, too.
    """
    if wanted == "torch" or instructions is None or device != "cpu":
        return TORCH
    torch_from = TORCH_FROM_HIDDEN.get((model.cell, training.precision))
    if wanted == "auto" and torch_from is not None and model.hidden >= torch_from:
        return TORCH
    return NATIVE + instructions
