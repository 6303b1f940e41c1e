"""Checkpoints of trials as bytes."""

import io
import pickle
from collections.abc import Mapping
from typing import Any

import torch

from sweep.config.errors import StoreError
from sweep.config.plugins import PluginError
from sweep.train import OPTIMIZERS


def checkpoint_bytes(state: Mapping[str, Any], optimizer: str) -> bytes:
    """Return the state of a trial as bytes.

    Args:
        state: tensors and plain values, if every optimizer keeps to them.
        optimizer: name of the trial's.

    Raises:
        PluginError: the optimizer of a plug-in has a state that a checkpoint cannot hold.
    """
    buffer = io.BytesIO()
    torch.save(dict(state), buffer)
    if OPTIMIZERS.origin(optimizer) is not None:
        try:
            read_checkpoint(buffer.getvalue())
        except StoreError as error:
            label = OPTIMIZERS.label(optimizer)
            raise PluginError(f"{label}: its state_dict holds more than tensors and plain values") from error
    return buffer.getvalue()


def read_checkpoint(content: bytes) -> dict[str, Any]:
    """Return the values of a checkpoint. Only tensors and plain values are read; no code is executed.

    Raises:
        StoreError: the checkpoint is damaged.
    """
    try:
        return dict(torch.load(io.BytesIO(content), weights_only=True, map_location="cpu"))
    except (EOFError, RuntimeError, ValueError, KeyError, pickle.UnpicklingError) as error:
        reason = "it holds more than tensors and plain values"
        if not isinstance(error, pickle.UnpicklingError):
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise StoreError(
            f"a checkpoint is damaged ({reason}): remove the trial's folder, and sweep run trains it again"
        ) from error
