"""The network of a trial: before its training, and with the weights of a checkpoint."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from torch import Tensor

from sweep.config.errors import DamagedCheckpoint, StoreError
from sweep.config.fitted import Begin
from sweep.config.trial import TrialConfig
from sweep.model import Network, engine, network_of_model
from sweep.trial.checkpoint import read_checkpoint
from sweep.trial.inputs import DTYPES


class Widths(Protocol):
    """What a network must know of its data: `Data`, or the coding of data."""

    @property
    def inputs(self) -> int:
        """Return the width of the network's input."""

    @property
    def channels(self) -> Sequence[str]:
        """Return the names of the channels."""


def network_of(config: TrialConfig, data: Widths) -> Network:
    """Return a trial's network, not initialised yet, with the trial's engine.

    Raises:
        SweepError: that engine is not available here.
        PluginError: the model of a plug-in cannot be built.
    """
    computed_by = engine(config.engine, config.threads)
    return network_of_model(config.model, data.inputs, len(data.channels), computed_by)


def trained(config: TrialConfig, data: Widths, weights: bytes) -> Network:
    """Return the network of a trial's checkpoint.pt.

    Raises:
        DamagedCheckpoint: the weights are not those of the trial's network.
    """
    network = network_of(config, data)
    network.to(dtype=DTYPES[config.training.precision], device=config.device)  # first, or float64 is rounded
    state = read_checkpoint(weights).get("state_dict")
    if not isinstance(state, Mapping):
        raise DamagedCheckpoint("it has no weights, state_dict")
    expected = network.state_dict()
    for name in {**expected, **state}:
        if name not in expected or name not in state:
            raise DamagedCheckpoint(f"the weights {name} are {'missing' if name in expected else 'unknown'}")
        there, wanted = state[name], expected[name]
        if not isinstance(there, Tensor) or there.shape != wanted.shape or there.dtype != wanted.dtype:
            form = (
                f"{tuple(there.shape)} {there.dtype}" if isinstance(there, Tensor) else type(there).__name__
            )
            raise DamagedCheckpoint(
                f"the weights {name} are {form}, wanted {tuple(wanted.shape)} {wanted.dtype}"
            )
    network.load_state_dict(state)
    return network


def begun_weights(begin: Begin) -> dict[str, Tensor]:
    """Return the stored weights from which a training continues, as a state_dict.

    Raises:
        StoreError: the file is missing, or its content has changed.
    """
    try:
        content = Path(begin.file).read_bytes()
    except OSError as error:
        raise StoreError(
            f"cannot read {begin.file}, whose weights are to be updated: {error.strerror or error}"
        ) from error
    if hashlib.sha256(content).hexdigest() != begin.digest:
        raise StoreError(
            f"{begin.file} has changed since the update of its weights began: start the update again"
        )
    weights: dict[str, Tensor] = read_checkpoint(content)["state_dict"]
    return weights
