"""Short texts for people: numbers, ranges, a trial's configuration."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

SHORT = {"batch_size": "batch", "weight_decay": "decay", "input_noise": "noise", "lr_warmup": "warm-up"}
NAMED = ("cell", "optimizer", "scheduler")  # shown by value alone, whether sampled or fixed


def number_text(value: Any, digits: int = 3) -> str:
    """Return a number with few digits, `–` for None or NaN: 0.03, 1e-05, 0.913, 1 200 000 as 1.2e+06."""
    if value is None or isinstance(value, bool) or not isinstance(value, int | float):
        return "–" if value is None else str(value)
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if isinstance(value, int) or float(value).is_integer():
        return str(int(value)) if abs(value) < 1e6 else f"{value:.{digits}g}"
    return f"{value:.{digits}g}"


def range_text(low: Any, high: Any) -> str:
    """Return two ends, short: `0.00343–0.0121`; a dash if one is missing."""
    return "–" if low is None or high is None else f"{number_text(low)}–{number_text(high)}"


def signed_text(value: float) -> str:
    """Return a number with its sign."""
    return f"{'+' if value >= 0 else '-'}{number_text(abs(value), 2)}"


def percent_text(share: float) -> str:
    """Return a share as whole per cent: `43 %`."""
    return f"{100 * share:.0f} %"


def list_text(entries: Sequence[Any]) -> str:
    """Return entries as a list in a sentence: "1", "1 and 2", "1, 2 and 3"."""
    words = [str(entry) for entry in entries]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def capital_text(text: str) -> str:
    """Return a text that begins a sentence."""
    return text[0].upper() + text[1:]


def value_text(value: Any) -> str:
    """Return a hyperparameter's value as text: fractions short, whole numbers complete, lists joined by `-`."""
    if isinstance(value, list | tuple):
        return "-".join(value_text(entry) for entry in value) or "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return str(int(value)) if whole else number_text(value)


def momentum_text(value: Any) -> str:
    """Return a momentum with enough digits to differ from 1: 0.9, 0.9987."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0.9 < value < 1:
        return value_text(value)
    return f"{value:.{max(3, 2 - math.floor(math.log10(1 - value)))}g}"


def param_text(name: str, value: Any) -> str:
    """Return a hyperparameter's value as text, by its name."""
    return momentum_text(value) if name.endswith("momentum") else value_text(value)


def config_words(config: Mapping[str, Any], params: Mapping[str, Any]) -> list[str]:
    """Return a trial's configuration in words: cell, optimizer, scheduler, then the other sampled settings.

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
        words.append(" ".join([name, *(f"{key} {param_text(key, v)}" for key, v in settings.items())]))
    words += [
        f"{SHORT.get(key, key)} {value_text(value)}"
        for key, value in params.items()
        if key not in NAMED and not key.startswith(tuple(owners))
    ]
    return [word for word in words if word]


def steps_text(value: float | None, horizon: int | None) -> str:
    """Return valid steps beside the horizon: `312 of 1000`."""
    of = "–" if horizon is None else str(horizon)
    return f"– of {of}" if value is None or not math.isfinite(value) else f"{value:.0f} of {of}"


def count_text(count: float) -> str:
    """Return a large count in thousands, millions or billions: 640, 12 k, 3.5 M."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(count) >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count:.0f}"
