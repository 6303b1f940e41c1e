"""A study: fixed settings, search space and enqueued trials; and the identity by which studies are compared."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sweep.config.data_section import DataConfig, without_folders
from sweep.config.engines import Kernel
from sweep.config.ranges import Value, ends
from sweep.config.section import Section
from sweep.config.sections import (
    ConfirmConfig,
    DiagnosisConfig,
    ModelConfig,
    PruningConfig,
    RunConfig,
    ScoreConfig,
    SearchConfig,
    TrainingConfig,
)
from sweep.config.space import Condition, Space
from sweep.config.trial import TrialConfig, trial_config

SECTIONS: dict[str, type[Section]] = {
    "data": DataConfig,
    "score": ScoreConfig,
    "model": ModelConfig,
    "training": TrainingConfig,
    "pruning": PruningConfig,
    "search": SearchConfig,
    "confirm": ConfirmConfig,
    "diagnosis": DiagnosisConfig,
    "run": RunConfig,
}
NO_IDENTITY = (
    "name",
    "description",
    "confirm",
    "diagnosis",
    "run",
    "record",
)  # a study's trials do not depend on them


@dataclass(frozen=True)
class StudyConfig:
    """A valid study."""

    name: str
    description: str
    data: DataConfig
    score: ScoreConfig
    model: ModelConfig
    training: TrainingConfig
    pruning: PruningConfig
    search: SearchConfig
    confirm: ConfirmConfig
    diagnosis: DiagnosisConfig
    run: RunConfig
    space: Space
    space_document: Mapping[str, Any]  # the space as TOML values, with default ranges written out
    enqueue: tuple[Mapping[str, Value], ...] = ()
    plugins: Mapping[str, str] = field(default_factory=dict)  # "optimizer lion" -> "lion-sweep 0.2"
    kernel: Kernel | None = None  # that this study computes with, chosen when it begins

    @property
    def instructions(self) -> str | None:
        """Return the instruction set of the kernel, None without a kernel."""
        return None if self.kernel is None else self.kernel.instructions

    @property
    def windows(self) -> tuple[int, ...]:
        """Return the training windows that trials may have: all of a choice, or the ends of a range."""
        place = ("training", "window")
        axes = [axis for axis in self.space.axes if axis.path == place]
        fixed = [(condition, value) for condition, path, value in self.space.fixed if path == place]
        windows = [int(window) for axis in axes for window in ends(axis.span)]
        windows += [int(str(value)) for _, value in fixed]
        conditions = [*(axis.condition for axis in axes), *(condition for condition, _ in fixed)]
        if None not in conditions and not self._covers(conditions):
            windows.append(self.training.window)
        return tuple(dict.fromkeys(windows))

    def _covers(self, conditions: Iterable[Condition | None]) -> bool:
        """Return whether one of the conditions holds for each value of `readout_refit`."""
        refits = next((axis.span for axis in self.space.axes if axis.name == "readout_refit"), None)
        covered = {value for condition in conditions if condition is not None for value in condition.values}
        return refits is not None and set(ends(refits)) <= covered

    def trial(self, params: Mapping[str, Value]) -> TrialConfig:
        """Return the configuration of a trial with these hyperparameters."""
        base = {key: getattr(self, key).model_dump() for key in ("data", "score", "model", "training")}
        seed = self.search.seed
        return trial_config(params, self.space, base, self.pruning, seed, self.run, self.kernel, self.plugins)

    def document(self) -> dict[str, Any]:
        """Return the effective study as TOML values, which can be read as a study file."""
        sections = {name: getattr(self, name).model_dump(mode="json", exclude_none=True) for name in SECTIONS}
        return {
            "name": self.name,
            "description": self.description,
            **sections,
            **({"plugins": dict(self.plugins)} if self.plugins else {}),
            "space": dict(self.space_document),
            "enqueue": [_plain(params) for params in self.enqueue],
        }


def identity(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the identity of a study by flat key paths: all but the number of trials and NO_IDENTITY."""
    kept = {key: value for key, value in document.items() if key not in NO_IDENTITY}
    flat = by_key_path({**kept, "data": without_folders(kept.get("data", {}))})
    flat.pop("search.trials", None)
    flat.setdefault("search.history", 0)  # before this setting existed, samplers used all trials
    return flat


def with_recorded_history(search: SearchConfig, recorded: Mapping[str, Any]) -> SearchConfig:
    """Return `[search]` with the `history` that a stored study began with, unless its file or an override sets it.

    Args:
        search: as file and overrides give it now.
        recorded: `[search]` of the stored study; without `history` it used all trials.
    """
    if "history" in search.model_fields_set:
        return search
    return search.model_copy(update={"history": recorded.get("history", 0)})


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return a line for each key path in which the identities of two studies differ."""
    before, after = identity(old), identity(new)
    lines = []
    for key in sorted({*before, *after}):
        if before.get(key) != after.get(key):
            was, now = before.get(key, "not set"), after.get(key, "not set")
            lines.append(f"{key}: {was} in the results, {now} now")
    return lines


def by_key_path(value: Any, path: str = "") -> dict[str, Any]:
    """Return the values of nested tables by key path, such as "training.optimizer.lr"; an empty table stays one."""
    if isinstance(value, Mapping):
        flat: dict[str, Any] = {}
        for key, entry in value.items():
            flat.update(by_key_path(entry, f"{path}.{key}" if path else str(key)))
        return flat if flat or not path else {path: {}}
    return {path: _plain(value)}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value
