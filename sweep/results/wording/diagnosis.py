"""Diagnoses in short words, the same on the page, in the terminal and in plots."""

from collections.abc import Mapping, Sequence
from typing import Any

from sweep.config.text import assignment_text
from sweep.results.wording.numbers import param_text

MUTED = "muted"


def symptom_text(symptom: Mapping[str, Any] | None, muted: bool = False) -> str:
    """Return a symptom's code and title: `S05 frequency drift`; `muted` if it is muted, `–` for None."""
    if symptom is None:
        return "–"
    return MUTED if muted or symptom.get("muted") else f"{symptom['code']} {symptom['title']}"


def alternatives_text(prescriptions: Sequence[Sequence[Mapping[str, Any]]]) -> list[str]:
    """Return each set of changes as options of `sweep treat`: `--change training.window=256`.

    Args:
        prescriptions: of a finding as JSON values.
    """
    return [changes_text(changes) for changes in prescriptions if changes]


def changes_text(changes: Sequence[Mapping[str, Any]]) -> str:
    """Return changes that are made together as options of `sweep treat`, to be pasted into a shell."""
    return " ".join(f"--change {assignment_text(change['path'], change['value'])}" for change in changes)


def first_try_text(row: Mapping[str, Any]) -> str | None:
    """Return the change to try first against a cause, over all trials that have it; None without a prescription.

    Args:
        row: of `cause_counts`.
    """
    if not row["prescriptions"]:
        return None
    most = row["prescriptions"][0]
    words = changes_text(most["changes"])
    if 2 * most["trials"] >= row["trials"]:
        return f"try {words}"
    return f"the change to try varies by trial; for trial {most['example']}: {words}"


def setting_text(path: str, value: Any) -> str:
    """Return the value of a setting in words, by its key path: "sgd lr 0.03" for a component, "default" for None."""
    if value is None:
        return "default"
    if isinstance(value, Mapping):
        name = str(value.get("name", ""))
        rest = [f"{key} {param_text(key, entry)}" for key, entry in value.items() if key != "name"]
        return " ".join([name, *rest])
    return param_text(path, value)
