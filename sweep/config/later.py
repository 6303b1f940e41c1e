"""Settings that were added after studies had been run.

At their defaults they do not enter seeds and identities, so that earlier studies keep their trials and can be resumed.
"""

from collections.abc import Mapping
from typing import Any

LATER = {
    ("model", "init_gain"): 1.0,
    ("model", "forget_bias"): 0.0,
    ("training", "readout_refit"): False,
}


def without_later(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document of sections without the later settings that have their defaults."""
    kept = {}
    for section, content in document.items():
        if isinstance(content, Mapping):
            later = {
                key
                for key, value in content.items()
                if (section, key) in LATER and LATER[section, key] == value
            }
            content = {key: value for key, value in content.items() if key not in later}
        kept[section] = content
    return kept
