"""Columns that look like inputs from outside: a guess, which is reported and changes nothing."""

import re
import shlex
from collections.abc import Sequence

import numpy as np

from sweep.config.data_section import DataConfig
from sweep.config.text import toml_string
from sweep.data.facts import Fact
from sweep.data.types import Array

WORDS = (
    *("u", "input", "inputs", "control", "setpoint", "valve"),
    *("price", "promo", "promotion", "temperature"),
    *("workday", "weekday", "weekend", "holiday"),
)
HELD = 0.5  # share of steps without a change from which a column is held from step to step; our choice
SPLIT = re.compile(r"[^A-Za-z]+|(?<=[a-z])(?=[A-Z])")


def input_facts(names: Sequence[str], values: Array, config: DataConfig) -> list[Fact]:
    """Return what is said of the channels that look like inputs whose future may be known; nothing if none does.

    A channel looks like one by a word of its name (WORDS), with two values at most, or if it is held over HELD of the
    steps. Where every channel would be an input, none is named, nor where the study names its channels or its inputs.

    Args:
        names: of the channels.
        values: (row, channel), may hold NaN.
        config: of the data.
    """
    if config.channels or config.inputs:
        return []
    reasons = {
        name: _reason(name, column)
        for name, column in zip(names, values.T, strict=True)
        if name not in config.target
    }
    found = [name for name, reason in reasons.items() if reason]
    if not found or len(found) == len(names):
        return []
    what = ", ".join(f"{name} ({reasons[name]})" for name in found)
    look = "looks like an input" if len(found) == 1 else "look like inputs"
    options = " ".join(f"--known {shlex.quote(name)}" for name in found)
    listed = ", ".join(toml_string(name) for name in found)
    text = f"{what} {look} whose future may be known: {options}"
    return [Fact("inputs", text, f"known = [{listed}]", guessed=True)]


def _reason(name: str, column: Array) -> str:
    """Return why a channel looks like an input; "" if it does not."""
    words = {word.lower() for word in SPLIT.split(name)} | {name.strip().lower()}
    if words.intersection(WORDS):
        return "by its name"
    finite = column[np.isfinite(column)]
    if len(finite) < 2:
        return ""
    if len(np.unique(finite)) <= 2:
        return "two values"
    held = float((np.diff(finite) == 0).mean())
    return f"held in {held:.0%} of the steps" if held > HELD else ""
