"""The rule for names of studies: a study's name is the name of its results folder."""

import unicodedata

from sweep.config.errors import UsageError

LONGEST_NAME = 255  # bytes of UTF-8; the limit of common file systems
# Unicode categories that would break a line, a terminal or a file name: control characters, halves of surrogate
# pairs, and separators of lines and paragraphs.
REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
REORDERING = frozenset(
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)  # they show text in another order


def checked_study_name(name: str) -> str:
    """Return the name if a folder may have it: letters of any script, spaces and punctuation are allowed.

    Raises:
        UsageError: the name is invalid; the text says why.
    """
    reason = _invalid(name)
    if reason is None:
        return name
    raise UsageError(
        f"{name!r} cannot be the name of a study: {reason}. Give the study another name with --name"
    )


def _invalid(name: str) -> str | None:
    """Return what makes a name invalid, None if it is valid."""
    if not name:
        return "it is empty"
    for character in name:
        if character in "/\\":
            return f"it contains a path separator, {character!r}"
        if unicodedata.category(character) in REFUSED_CATEGORIES or character in REORDERING:
            return f"it contains the control character {character!r}"
    if name[0] in ".-":
        return f"it begins with {name[0]!r}"
    if name[-1] == "." or name[-1].isspace():
        return f"it ends with {name[-1]!r}"
    size = len(name.encode())
    if size > LONGEST_NAME:
        return f"it has {size} bytes, {LONGEST_NAME} are allowed"
    return None
