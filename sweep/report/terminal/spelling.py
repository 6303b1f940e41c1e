"""Replacements for characters that the encoding of an output stream lacks."""

import codecs

HANDLER = "sweep.spelling"  # name of the codec error handler
SPELT = {
    "–": "-",
    "—": "-",
    "−": "-",
    "→": "->",
    "·": "|",
    "✓": "+",
    "…": "...",
    "×": "x",
    "√": "sqrt",
    "∞": "inf",
}


def spelling() -> str:
    """Register a codec error handler that spells typographic characters in ASCII, and return its name.

    Characters without a spelling become "?". Give the name as `errors` of a text stream.
    """
    codecs.register_error(HANDLER, _spelt)
    return HANDLER


def _spelt(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    characters = error.object[error.start : error.end]
    return "".join(SPELT.get(character, "?") for character in characters), error.end
