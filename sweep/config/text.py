"""Words for counts and durations, for the messages of every room."""

import json


def plural(count: int, noun: str, several: str | None = None) -> str:
    """Return a count with its noun: "1 trial", "2 trials"; `several` is its plural if that is not the noun and "s"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {several or noun + 's'}"


def toml_string(text: str) -> str:
    """Return a text as TOML has it, in quotes."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


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
