"""Reading times: dates as people write them, clocks that change, even grids with gaps, and resampling."""

from sweep.data.readers.times.grid import Grid, grid_of
from sweep.data.readers.times.joined_times import with_joined_times
from sweep.data.readers.times.resample import resampled
from sweep.data.readers.times.time_column import TimeColumn, looks_like_times, read_time_column

__all__ = [
    "Grid",
    "TimeColumn",
    "grid_of",
    "looks_like_times",
    "read_time_column",
    "resampled",
    "with_joined_times",
]
