"""A range as a study file writes it, and back."""

from collections.abc import Mapping, Sequence
from typing import Any

from sweep.config.ranges import RANGE_WORDS, Choice, Range, SpaceError
from sweep.config.registry import nearest


def parse_range(entry: Any) -> Range:
    """Return the range of a TOML value: a list is a choice, `{ log = [low, high] }` a typed range.

    Raises:
        SpaceError: the value is neither; the text gives the nearest right word.
    """
    if isinstance(entry, list):
        values = tuple(tuple(value) if isinstance(value, list) else value for value in entry)
        if any(isinstance(value, Mapping) for value in values):
            raise SpaceError(f"a choice holds plain values, got {entry!r}")
        return Choice(values)
    words = ", ".join(RANGE_WORDS)
    if not isinstance(entry, Mapping) or len(entry) != 1:
        raise SpaceError(f"wanted a list (a choice) or {{ {words} = [low, high] }}, got {entry!r}")
    ((word, bounds),) = entry.items()
    if word not in RANGE_WORDS:
        raise SpaceError(f"no range named {word!r}.{nearest(word, RANGE_WORDS)} Known: {words}")
    numbers = isinstance(bounds, Sequence) and all(
        isinstance(bound, int | float) and not isinstance(bound, bool) for bound in bounds
    )
    if not numbers or len(bounds) != 2:
        raise SpaceError(f"{word} needs [low, high], two numbers, got {bounds!r}")
    return RANGE_WORDS[word](*bounds)


def span_document(span: Range) -> Any:
    """Return the TOML value of a range, which `parse_range` reads."""
    if isinstance(span, Choice):
        return [list(value) if isinstance(value, tuple) else value for value in span.values]
    word = next(word for word, kind in RANGE_WORDS.items() if isinstance(span, kind))
    return {word: [span.low, span.high]}
