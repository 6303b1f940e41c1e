"""Seeds from content: the same configuration in the same study always has the same random numbers."""

import hashlib
import json
from typing import Any

from sweep.config.records import to_json


def seed_of(*content: Any) -> int:
    """Return a seed in [0, 2^63) that depends on all of the content and on nothing else.

    Args:
        content: JSON values, records or mappings; the order of keys has no effect.
    """
    text = json.dumps(to_json(list(content)), sort_keys=True, separators=(",", ":"))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def stream(seed: int, name: str) -> int:
    """Return the seed of one stream of random numbers of a trial (initialisation, batch order, noise)."""
    return seed_of(seed, name)


def fresh_seeds(study_seed: int, purpose: str, count: int) -> tuple[int, ...]:
    """Return seeds that depend on the study's seed, the purpose and their index; a longer list extends a shorter one.

    All arms share them. No trial has one of them, because a trial's own seed depends on its configuration.
    """
    return tuple(seed_of(study_seed, purpose, index) for index in range(count))
