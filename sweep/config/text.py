"""Words for counts and durations, for the messages of every room."""

import json
import re
import shlex
import textwrap
from collections.abc import Mapping
from typing import Any

GROUPED = 10_000  # from here on integers of a file have underscores between thousands
QUOTED = re.compile(r"(?<!\S)--\w+ '[^']*'")  # an option with a quoted value: --known 'inlet temperature'
JOINED = "\ue000"  # of the private use area: stands for a space that must stay


def plural(count: int, noun: str, several: str | None = None) -> str:
    """Return a count with its noun: "1 trial", "2 trials"; `several` is its plural if that is not the noun and "s"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {several or noun + 's'}"


def wrapped(text: str, width: int, **options: Any) -> list[str]:
    """Return the lines of a text; an option with a quoted value stays on one line, so that it can be pasted.

    Args:
        text: to wrap.
        width: of the lines, in characters.
        **options: of `textwrap.wrap`.
    """
    joined = QUOTED.sub(lambda option: option.group().replace(" ", JOINED), text)
    return [line.replace(JOINED, " ") for line in textwrap.wrap(joined, width, **options)]


def toml_string(text: str) -> str:
    """Return a text as TOML has it, in quotes."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def toml_text(value: Any, grouped: bool = False) -> str:
    """Return a value as TOML: text, numbers, booleans, lists and inline tables.

    Args:
        value: without None.
        grouped: whether large integers have underscores between thousands.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value:_}" if grouped and abs(value) >= GROUPED else str(value)
    if isinstance(value, str):
        return toml_string(value)
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{toml_key(key)} = {toml_text(one, grouped)}" for key, one in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml_text(one, grouped) for one in value)}]"
    return repr(value).replace("e-0", "e-")


def toml_key(key: str) -> str:
    """Return a key as TOML has it, in quotes where it needs them."""
    plain = key.replace("_", "").replace("-", "")
    return key if plain.isalnum() and plain.isascii() else toml_string(key)


def assignment_text(path: str, value: Any) -> str:
    """Return `key.path=value` as `--set` and `--change` read it, quoted for a shell: `training.budget=6000000`."""
    whole = isinstance(value, float) and value.is_integer() and 1e4 <= abs(value) < 2**53
    return shlex.quote(f"{path}={toml_text(int(value) if whole else value)}")


def duration_text(seconds: float) -> str:
    """Return a duration in its two largest units: 42 s, 3 min 20 s, 2 h 5 min."""
    if seconds < 60:
        return f"{seconds:.0f} s" if seconds >= 10 or seconds == 0 else f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def shortened(text: str, most: int = 80) -> str:
    """Return a text cut to so many characters, for a message of one line."""
    return text if len(text) <= most else f"{text[: most - 3]}..."
