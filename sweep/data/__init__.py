"""Training, validation and test data, which never overlap, from named sources and files.

This room holds readers, splits, transforms, scaling, rollout tasks and training windows, and no networks.
"""

from sweep.data.calendar import CALENDARS
from sweep.data.load import load, load_recording
from sweep.data.sources import SOURCES
from sweep.data.summary import DataSummary, summary_of, summary_of_recording
from sweep.data.transforms import TRANSFORMS
from sweep.data.types import Codec, Data, Starts
from sweep.data.windows import WindowSource, batch_arrays, window_offsets, window_source, window_warnings

__all__ = [
    "CALENDARS",
    "SOURCES",
    "TRANSFORMS",
    "Codec",
    "Data",
    "DataSummary",
    "Starts",
    "WindowSource",
    "batch_arrays",
    "load",
    "load_recording",
    "summary_of",
    "summary_of_recording",
    "window_offsets",
    "window_source",
    "window_warnings",
]
