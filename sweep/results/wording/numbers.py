"""Short words for people: a trial's configuration, numbers, shares."""

import math
from collections.abc import Mapping
from typing import Any

SHORT = {"batch_size": "batch", "weight_decay": "decay", "input_noise": "noise", "lr_warmup": "warm-up"}
NAMED = ("cell", "optimizer", "scheduler")  # shown by value alone, whether sampled or fixed


def number_text(value: Any, digits: int = 3) -> str:
    """Return a number with few digits, `–` where there is none: 0.03, 1e-05, 0.913, 1 200 000 as 1.2e+06."""
    if value is None or isinstance(value, bool) or not isinstance(value, int | float):
        return "–" if value is None else str(value)
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if isinstance(value, int) or float(value).is_integer():
        return str(int(value)) if abs(value) < 1e6 else f"{value:.{digits}g}"
    return f"{value:.{digits}g}"


def value_text(value: Any) -> str:
    """Return a hyperparameter's value as text: numbers short, lists joined by `-`."""
    if isinstance(value, list | tuple):
        return "-".join(value_text(entry) for entry in value) or "none"
    return number_text(value)


def momentum_text(value: Any) -> str:
    """Return a momentum with the digits that tell it from 1: 0.9, 0.9987."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0.9 < value < 1:
        return value_text(value)
    return f"{value:.{max(3, 2 - math.floor(math.log10(1 - value)))}g}"


def config_words(config: Mapping[str, Any], params: Mapping[str, Any]) -> list[str]:
    """Return a trial's configuration in words: cell, optimizer, scheduler, what else was sampled.

    For example ["gru", "sgd lr 0.03 momentum 0.9", "cosine", "batch 16"].

    Args:
        config: the whole TrialConfig as plain values; keys may be missing.
        params: sampled hyperparameters by flat name.
    """
    model, training = config.get("model") or {}, config.get("training") or {}
    words = [str(params.get("cell", model.get("cell", "")))]
    owners = []
    for owner in ("optimizer", "scheduler"):
        component = training.get(owner) or {}
        name = str(params.get(owner, component.get("name", "")))
        if name:
            owners.append(f"{name}.")
        settings = {key: value for key, value in component.items() if key != "name"}
        settings.update({key[len(name) + 1 :]: v for key, v in params.items() if key.startswith(f"{name}.")})
        shown = [
            f"{key} {momentum_text(value) if key == 'momentum' else value_text(value)}"
            for key, value in settings.items()
        ]
        words.append(" ".join([name, *shown]))
    words += [
        f"{SHORT.get(key, key)} {value_text(value)}"
        for key, value in params.items()
        if key not in NAMED and not key.startswith(tuple(owners))
    ]
    return [word for word in words if word]


def param_text(name: str, value: Any) -> str:
    """Return a hyperparameter's value as text, by its name."""
    return momentum_text(value) if name.endswith("momentum") else value_text(value)


def steps_text(value: float | None, horizon: int | None) -> str:
    """Return valid steps beside the horizon: `312 of 1000`."""
    of = "–" if horizon is None else str(horizon)
    return f"– of {of}" if value is None or not math.isfinite(value) else f"{value:.0f} of {of}"


def duration_text(seconds: float) -> str:
    """Return a duration in its two largest units: 42 s, 3 min 20 s, 2 h 5 min."""
    if seconds < 60:
        return f"{seconds:.0f} s" if seconds >= 10 or seconds == 0 else f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def count_text(count: float) -> str:
    """Return a large count in thousands, millions or billions: 640, 12 k, 3.5 M."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(count) >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count:.0f}"
