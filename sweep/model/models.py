"""The table of models: sweep's own recurrent forecaster, and the modules of plug-ins."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from torch import nn

from sweep.config.known_names import Settable, check_types
from sweep.config.ranges import Range
from sweep.config.registry import Registry
from sweep.config.sections import ModelConfig
from sweep.model.custom import Build, CustomNetwork
from sweep.model.engine_interface import Engine
from sweep.model.forecaster import Forecaster
from sweep.model.network import Network


@dataclass(frozen=True)
class ModelSpec:
    """A model: how it is built from its settings, and which ranges of them make sense.

    `build` takes all settings, the number of inputs and the number of outputs (channels, the first inputs), and returns
    a torch module with initial weights. `sweep.model.custom.CustomNetwork` says how the module is called and what its
    state must be.
    """

    name: str
    build: Build
    defaults: Mapping[str, Any]  # settings: bool, int, float or text
    space: Mapping[str, Range] = field(default_factory=dict)
    source: str = ""
    check: Callable[[Mapping[str, Any]], None] | None = (
        None  # raises ValueError for settings without a module
    )

    def check_settings(self, settings: Mapping[str, Any]) -> None:
        """Raise ValueError or TypeError for settings with which the model cannot be built."""
        check_types(self.name, self.defaults, settings)
        if self.check is not None:
            self.check(settings)

    def settable(self) -> Settable:
        """Return the entry as a study file sees it."""
        return Settable(self.defaults, self.space, check=self.check_settings)


def _recurrent(settings: Mapping[str, Any], inputs: int, outputs: int) -> nn.Module:
    return Forecaster(ModelConfig(**settings), inputs, outputs)


MODELS: Registry[ModelSpec] = Registry(
    "model",
    spec=ModelSpec,
    entries=[
        ModelSpec(
            name="recurrent",
            build=_recurrent,
            defaults={},  # its settings are those of the section [model] itself
            source="Elman (1990); the cells have sources of their own",
        )
    ],
)


def network_of_model(config: ModelConfig, inputs: int, outputs: int, engine: Engine) -> Network:
    """Return the network of a `[model]` section, not initialised yet.

    Args:
        config: the section.
        inputs: channels and known inputs; the channels come first.
        outputs: channels.
        engine: computes a recurrent forecaster; a model of a plug-in computes itself.

    Raises:
        SweepError: without feedback there is no input.
        UnknownName: no such model.
        PluginError: a plug-in's module cannot be built.
    """
    if config.recurrent:
        return Forecaster(config, inputs, outputs, engine)
    spec = MODELS[config.kind]
    settings = {**spec.defaults, **config.options}
    running = partial(
        _running, spec.name
    )  # not a method of the table: copies of the network would copy the table
    return CustomNetwork(MODELS.label(spec.name), spec.build, settings, inputs, outputs, running)


def _running(name: str) -> AbstractContextManager[None]:
    return MODELS.running(name)
