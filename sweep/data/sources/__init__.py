"""The named sources of data, one file each, and the table that holds them."""

from sweep.config.registry import Registry
from sweep.data.sources.sine import SINE
from sweep.data.sources.source import Source

SOURCES: Registry[Source] = Registry("source", [SINE])

__all__ = ["SOURCES", "Source"]
