"""Mistakes of a space and `[training]` together, which neither has alone."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from sweep.config.known_names import KnownNames
from sweep.config.ranges import Range, ends
from sweep.config.sections import ALWAYS, TrainingConfig

PARTS_OF_WINDOW = ("burn_in", "unroll")
OF_MINI_BATCHES = (
    "batch_size",
    "clip",
    "shuffle",
)  # without effect on optimizers that take all windows at once


def no_effect_on(name: str, optimizers: str) -> str:
    """Return the mistake of a setting of mini-batches that no optimizer of the space takes."""
    return (
        f"space.{name}: has no effect on {optimizers}, which takes all windows at once and clips no gradient"
    )


def hidden_settings(path: str, settings: Mapping[str, Any], owner: str, name: str) -> str:
    """Return the mistake of settings of a component that the space replaces."""
    return (
        f"{path}: its settings ({', '.join(settings)}) have no effect, because the space names the {owner}: "
        f"put them under [space.{owner}.{name}]"
    )


def against_training(
    spans: Mapping[str, Range],
    refits: Mapping[str, Mapping[str, Any]],
    training: TrainingConfig,
    known: KnownNames,
) -> list[str]:
    """Return the mistakes of the space and [training] together.

    Args:
        spans: of the space, by flat name.
        refits: settings by value of the axis `readout_refit`; empty if there is none.
        training: the section.
        known: the names that the study may use.
    """
    problems = []
    for owner in ("optimizer", "scheduler"):
        component = getattr(training, owner)
        if owner in spans and component.settings:
            problems.append(hidden_settings(f"training.{owner}", component.settings, owner, component.name))
    fixed = known.optimizers.get(training.optimizer.name)
    if "optimizer" not in spans and fixed is not None and fixed.full_batch:
        problems += [no_effect_on(name, training.optimizer.name) for name in OF_MINI_BATCHES if name in spans]
    if "readout_refit" in spans and training.projected:
        problems.append("training.readout_refit: has no effect, because the space names it: drop it")
    problems += _against_refits(spans, refits, training, known)
    if not {"window", *PARTS_OF_WINDOW} & set(spans):
        return problems  # the section has checked its own window
    windows = ends(spans["window"]) if "window" in spans else [training.window]
    smallest = min((window for window in windows if _whole(window) and window > 0), default=None)
    parts = [
        max((end for end in ends(spans[name]) if _whole(end)), default=0)
        if name in spans
        else getattr(training, name)
        for name in PARTS_OF_WINDOW
    ]
    parts = [part for part in parts if _whole(part)]  # a share of a window leaves something of any window
    if smallest is not None and sum(parts) >= smallest:
        problems.append(
            f"space: burn_in + unroll can reach {sum(parts)}, which leaves nothing of a window of {smallest}"
        )
    return problems


def _against_refits(
    spans: Mapping[str, Range],
    owned: Mapping[str, Mapping[str, Any]],
    training: TrainingConfig,
    known: KnownNames,
) -> list[str]:
    """Return the mistakes of [training] and the values of `readout_refit`, with the settings that each owns.

    Args:
        spans: of the space, by flat name.
        owned: settings by value of the axis `readout_refit`; empty if there is none.
        training: the section.
        known: the names that the study may use.
    """
    problems = []
    for value in owned or [training.readout_refit]:
        settings = owned.get(value, {})
        path = f"space.readout_refit.{value}" if owned else "training"
        fixed = {key: entry for key, entry in settings.items() if f"{value}.{key}" not in spans}
        try:
            merged = TrainingConfig.model_validate({**training.model_dump(), "readout_refit": value, **fixed})
        except ValidationError as error:
            problems += [f"{path}: {entry['msg'].removeprefix('Value error, ')}" for entry in error.errors()]
            continue
        sampled = "optimizer" in spans and "optimizer" not in settings
        names = ends(spans["optimizer"]) if sampled else [merged.optimizer.name]
        specs = [known.optimizers.get(name) for name in names]
        if value == ALWAYS and not any(spec is None or spec.full_batch for spec in specs):
            right = ", ".join(name for name, spec in known.optimizers.items() if spec.full_batch)
            where = f'{path}.optimizer = "..."' if owned else "training.optimizer"
            problems.append(
                f"{path}: always needs an optimizer that takes all windows at once ({right}), not {', '.join(names)}: "
                f"set {where}"
            )
    return problems


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
