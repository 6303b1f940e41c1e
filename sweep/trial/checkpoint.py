"""Checkpoints of trials as bytes."""

import io
import pickle
from collections.abc import Mapping
from typing import Any

import torch

from sweep.config.errors import DamagedCheckpoint
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
        except DamagedCheckpoint as error:
            label = OPTIMIZERS.label(optimizer)
            raise PluginError(f"{label}: its state_dict holds more than tensors and plain values") from error
    return buffer.getvalue()


def read_checkpoint(content: bytes) -> dict[str, Any]:
    """Return the values of a checkpoint. Only tensors and plain values are read; no code is executed.

    Raises:
        DamagedCheckpoint: it cannot be read, or is not a mapping.
    """
    try:
        values = torch.load(io.BytesIO(content), weights_only=True, map_location="cpu")
    except pickle.UnpicklingError as error:
        raise DamagedCheckpoint("it holds more than tensors and plain values") from error
    except Exception as error:  # torch, zipfile and pickle raise many kinds for bytes that are not theirs
        raise DamagedCheckpoint(str(error).strip().split("\n", 1)[0] or type(error).__name__) from error
    if not isinstance(values, Mapping):
        raise DamagedCheckpoint(f"wanted a mapping, got {type(values).__name__}")
    return dict(values)
