"""A trial that takes a fraction of a second."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sweep.config.data_section import DataConfig
from sweep.config.section import Component
from sweep.config.sections import ModelConfig, ScoreConfig, TrainingConfig
from sweep.config.trial import TrialConfig
from sweep.trial import Segment, run_segment
from sweep.trial.process import trial_process


def config_of(
    optimizer: str | dict[str, Any] = "adam", cell: str = "lstm", seed: int = 7, **training: Any
) -> TrialConfig:
    """A trial of four sines, three evaluation points, twelve updates."""
    settings: dict[str, Any] = {
        "window": 10, "batch_size": 4, "budget": 480, "evaluations": 3, "scheduler": "cosine", **training,
    }  # fmt: skip
    settings["optimizer"] = Component.model_validate(optimizer)
    settings["scheduler"] = Component.model_validate(settings["scheduler"])
    return TrialConfig(
        data=DataConfig(source="sine", options={"T": 3, "length": 60, "series": 7}),
        score=ScoreConfig(warmup=15, horizon=20, starts=3),
        model=ModelConfig(cell=cell, hidden=4, layers=2),
        training=TrainingConfig(**settings),
        rungs=(0.5,),
        seed=seed,
    )


@pytest.fixture(autouse=True)
def as_in_a_trial() -> Iterator[None]:
    """Also for the parts of a trial that a test uses by themselves."""
    with trial_process():
        yield


@pytest.fixture(scope="session")
def trial() -> Callable[..., TrialConfig]:
    return config_of


@pytest.fixture(scope="session")
def segments() -> Callable[[TrialConfig], list[Segment]]:
    """All segments of a trial, each from the checkpoint before."""

    def run(config: TrialConfig) -> list[Segment]:
        done: list[Segment] = []
        for point in range(len(config.points)):
            done.append(run_segment(config, done[-1].checkpoint if done else None, point))
            if done[-1].diverged:
                break
        return done

    return run
