"""A plan: the configuration and the data of one run, and single changes of both."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.diagnosis.data import KINDS, DataSpec, Kind, shares, written
from sweep.config.data_section import DataConfig
from sweep.config.engines import engine_name
from sweep.config.trial import TrialConfig
from sweep.model import best_kernel


@dataclass(frozen=True)
class Plan:
    """What is trained on which data. The configuration's data section is filled in from `data` at the end."""

    config: TrialConfig
    data: DataSpec
    variant: int = 0  # which way a fault with several ways takes

    @property
    def kind(self) -> Kind:
        """Return the kind of data."""
        return KINDS[self.data.kind]

    @property
    def optimizer(self) -> str:
        """Return the name of the optimizer."""
        return self.config.training.optimizer.name

    def optimizer_setting(self, key: str, default: float) -> float:
        """Return a setting of the optimizer."""
        return float(self.config.training.optimizer.settings.get(key, default))

    def with_(self, **changes: Any) -> "Plan":
        """Return the plan with settings changed: `training__window=4` is training.window = 4.

        A window that becomes too short for its burn-in takes it down to a quarter of the window.
        """
        document = self.config.model_dump()
        for path, value in changes.items():
            target = document
            *parents, key = path.split("__")
            for parent in parents:
                target = target[parent]
            target[key] = value
        training = document["training"]
        if training["burn_in"] >= training["window"]:  # a share never is
            training["burn_in"] = training["window"] // 4
        return replace(self, config=TrialConfig.model_validate(document))

    def with_data(self, **changes: Any) -> "Plan":
        """Return the plan with other data."""
        return replace(self, data=replace(self.data, **changes))

    def settled(self, folder: Path) -> TrialConfig:
        """Return the configuration with its data, written into `folder`, and its engine."""
        data = self.config.data.model_copy(
            update={"path": written(self.data, folder), "split": shares(self.data)}
        )
        config = self.config
        engine = engine_name("auto", best_kernel(), "cpu", config.model, config.training)
        return config.model_copy(update={"data": data, "engine": engine})


def plan_of(kind: Kind, settings: Mapping[str, Any], data_seed: int, seed: int) -> Plan:
    """Return the plan of a healthy run.

    Args:
        kind: of data; gives the score section and the budget.
        settings: `model` and `training`, as plain mappings.
        data_seed: of the data.
        seed: of the run.
    """
    config = TrialConfig.model_validate(
        {
            "data": DataConfig(path="to be written"),
            "score": kind.score,
            "model": {"layers": 1, **settings["model"]},
            "training": {"budget": kind.budget, "evaluations": 10, **settings["training"]},
            "seed": seed,
        }
    )
    return Plan(config, DataSpec(kind.name, data_seed, kind.train))
