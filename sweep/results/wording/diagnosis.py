"""A diagnosis in short words, the same on the page, in the terminal and in plots."""

from collections.abc import Mapping, Sequence
from typing import Any

from sweep.results.wording.numbers import value_text

MUTED = "muted"


def symptom_words(symptom: Mapping[str, Any] | None, muted: bool = False) -> str:
    """Return a symptom's code and title: `S05 frequency drift`; `muted` where it is, `–` where there is none."""
    if symptom is None:
        return "–"
    return MUTED if muted or symptom.get("muted") else f"{symptom['code']} {symptom['title']}"


def alternatives_text(prescriptions: Sequence[Sequence[Mapping[str, Any]]]) -> list[str]:
    """Return each set of changes as text: `training.optimizer.lr = 0.003 and training.window = 256`.

    Args:
        prescriptions: of a finding as JSON values.
    """
    return [changes_text(changes) for changes in prescriptions if changes]


def changes_text(changes: Sequence[Mapping[str, Any]]) -> str:
    """Return changes that are made together as text."""
    return " and ".join(f"{change['path']} = {_value(change['value'])}" for change in changes)


def tries_text(row: Mapping[str, Any]) -> list[str]:
    """Return what to try first for a cause, over all trials that have it: nothing, or one text.

    Args:
        row: of `cause_counts`.
    """
    if not row["prescriptions"]:
        return []
    most = row["prescriptions"][0]
    words = changes_text(most["changes"])
    if 2 * most["trials"] >= row["trials"]:
        return [f"try {words}"]
    return [f"to each its own, such as {words} to trial {most['example']}"]


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(entry)}" for key, entry in value.items()) + " }"
    return value_text(value)
