"""Seeds from content: the same configuration in the same study always draws the same numbers."""

import hashlib
import json
from typing import Any

from sweep.config.records import to_json


def seed_of(*content: Any) -> int:
    """Return a seed in [0, 2^63) that depends on every part of the content and on nothing else.

    Args:
        content: JSON values, records or mappings; the order of a mapping's keys does not matter.
    """
    text = json.dumps(to_json(list(content)), sort_keys=True, separators=(",", ":"))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def stream(seed: int, name: str) -> int:
    """Return the seed of one separate stream (initialisation, batch order, noise) of a trial's seed."""
    return seed_of(seed, name)
