"""The named sources of data, one file each, and the table that holds them."""

from sweep.config.registry import Registry
from sweep.data.sources.lorenz import LORENZ
from sweep.data.sources.mackey_glass import MACKEY_GLASS
from sweep.data.sources.sine import SINE
from sweep.data.sources.source import Source
from sweep.data.sources.sunspots import SUNSPOTS

SOURCES: Registry[Source] = Registry("source", [SINE, LORENZ, MACKEY_GLASS, SUNSPOTS])

__all__ = ["SOURCES", "Source"]
