"""Settings that came after studies had been run.

At their defaults they are no part of seeds and identities: the studies of before keep their trials and go on.
"""

from collections.abc import Mapping
from typing import Any

LATER = {("model", "init_gain"): 1.0, ("model", "forget_bias"): 0.0}


def without_later(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document of sections without the later settings that are at their defaults."""
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
