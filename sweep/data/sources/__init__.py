"""The named sources of data, one file each, and the table that holds them."""

from sweep.config.registry import Registry
from sweep.data.sources.chen import CHEN
from sweep.data.sources.duffing import DUFFING
from sweep.data.sources.generate import generated
from sweep.data.sources.halvorsen import HALVORSEN
from sweep.data.sources.lorenz import LORENZ
from sweep.data.sources.mackey_glass import MACKEY_GLASS
from sweep.data.sources.narendra_li import NARENDRA_LI
from sweep.data.sources.rossler import ROSSLER
from sweep.data.sources.sine import SINE
from sweep.data.sources.source import SourceSpec
from sweep.data.sources.sunspots import SUNSPOTS
from sweep.data.sources.thomas import THOMAS
from sweep.data.sources.two_tones import TWO_TONES

SOURCES: Registry[SourceSpec] = Registry(
    "source",
    [
        SINE,
        TWO_TONES,
        LORENZ,
        ROSSLER,
        CHEN,
        HALVORSEN,
        THOMAS,
        MACKEY_GLASS,
        NARENDRA_LI,
        DUFFING,
        SUNSPOTS,
    ],
    spec=SourceSpec,
)

__all__ = ["SOURCES", "SourceSpec", "generated"]
