"""An audit of pruning in words: its table."""

from collections.abc import Mapping
from typing import Any

from sweep.results.wording.numbers import count_text, number_text
from sweep.results.wording.text_table import TextTable


def audit_table(audit: Mapping[str, Any]) -> TextTable:
    """Return each audited trial when it was pruned, and at its end.

    Args:
        audit: of the report's document.
    """
    head = ("", "picked", "pruned after", "pruned at", "at its end", "valid steps")
    rows = tuple(
        (
            f"trial {entry['number']}",
            entry["picked"],
            count_text(entry["pruned_at"]),
            number_text(entry["pruned_error"]),
            entry["state"] if entry["error"] is None else number_text(entry["error"]),
            number_text(entry["valid_steps"]),
        )
        for entry in audit["trials"]
    )
    return TextTable(head, rows)
