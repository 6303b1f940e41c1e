"""The form of a tensor in words, for messages about what a plug-in returned."""

from torch import Tensor


def form(value: object) -> str:
    """Return shape and type of a tensor, such as "(4, 10, 1) float32"; the type's name for anything else."""
    if isinstance(value, Tensor):
        return f"{tuple(value.shape)} {str(value.dtype).removeprefix('torch.')}"
    return type(value).__name__


def forms(value: object) -> str:
    """Return the forms of a tuple's entries; the type's name for anything else."""
    if isinstance(value, tuple):
        return "(" + ", ".join(form(part) for part in value) + ")"
    return type(value).__name__
