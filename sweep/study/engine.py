"""The engine and the device of a study: chosen and recorded at its first run, and kept when it is resumed."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sweep.config.errors import StudyChanged, SweepError, UsageError
from sweep.config.study import StudyConfig
from sweep.config.text import plural
from sweep.model import kernel_with
from sweep.model.native.library import instruction_sets

NONE = "none"  # as recorded: TOML has no null
WITHOUT_KERNEL = (
    "the native engine is not built here, so torch computes the networks: GRUs and float64 train several times "
    "slower. To build it, install a C++17 compiler and run pip install again"
)


def engine_facts(study: StudyConfig) -> dict[str, Any]:
    """Return the recorded facts about a study's engine."""
    return {"engine": study.run.engine, "instructions": study.instructions or NONE}


def check_device(device: str) -> None:
    """Check that this machine has a device.

    Raises:
        UsageError: it is a CUDA device that torch does not find.
    """
    if device == "cpu":
        return
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    number = int(device.partition(":")[2] or 0)
    if number >= count:
        raise UsageError(
            f'run.device = "{device}" is not available here: torch finds {plural(count, "CUDA device")}. '
            'Set run.device = "cpu", or install a CUDA build of torch'
        )


def has_engine(recorded: Mapping[str, Any]) -> bool:
    """Return whether this machine has the instructions that a study was begun with.

    Args:
        recorded: `engine_facts` of its first run.
    """
    return recorded["instructions"] in (NONE, *instruction_sets())


def with_engine(study: StudyConfig, recorded: Mapping[str, Any] | None) -> StudyConfig:
    """Return a study with the kernel that computes its trials.

    Args:
        study: as its file and overrides give it.
        recorded: `engine_facts` of the first run; None for a new study.

    Raises:
        StudyChanged: the first run used another engine, or one that this machine does not have.
        SweepError: the study needs the native engine, which is not built.
    """
    available = instruction_sets()
    wanted = study.run.engine
    if recorded is None:
        if wanted == "native" and not available:
            raise SweepError(
                'run.engine = "native" is not available here: the compiled kernel was not built. '
                'Install with a C++17 compiler, or set run.engine to "auto" or "torch"'
            )
        usable = available and wanted != "torch" and study.run.device == "cpu"
        return replace(study, kernel=kernel_with(available[-1]) if usable else None)
    began = recorded["engine"]
    instructions = None if recorded["instructions"] == NONE else recorded["instructions"]
    if wanted not in (began, "auto"):
        raise StudyChanged(
            f'the study was begun with run.engine = "{began}", not "{wanted}", and another engine rounds '
            "differently. Undo the change, or run the study under another name (--name)"
        )
    if instructions is not None and instructions not in available:
        raise StudyChanged(
            f"the study was begun with the native engine's {instructions} instructions, which are not available "
            f"here (available: {', '.join(available) or 'none'}). Resume it on a machine that has them, or run it "
            "under another name (--name)"
        )
    run = study.run.model_copy(update={"engine": began})
    kernel = None if instructions is None else kernel_with(instructions)
    return replace(study, run=run, kernel=kernel)
