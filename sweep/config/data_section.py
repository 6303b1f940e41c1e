"""The section `[data]` of a study file. Its defaults and limits are defined here."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from sweep.config.section import Section, Setting, Share, Steps

DATA_FILES = ("path", "validation_path", "test_path")  # keys of [data] that hold paths


def without_folders(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return `[data]` of a document with the names of its files: the content counts, not the place."""
    names = {key: PurePath(data[key]).name for key in DATA_FILES if data.get(key)}
    return {**data, **names}


class DataConfig(Section):
    """`[data]`: a named source with options, or a file."""

    source: str | None = None
    options: dict[str, Setting] = {}  # noqa: RUF012 - pydantic copies it
    path: str | None = None
    validation_path: str | None = None  # files whose series are for validation, or test, alone
    test_path: str | None = None
    key: str = ""  # name of the array or sheet in a file of several
    encoding: str = ""  # of a text file; this one and the next six: empty is recognised
    separator: str = ""  # of cells
    decimal: Literal["", ".", ","] = ""
    thousands: str = ""  # mark between groups of three digits
    comment: str = ""  # begins a line that is not data
    header: bool | None = None  # whether the first line holds the column names
    time_format: str = ""  # as in strptime; or s, ms, us, ns: numbers since 1970
    time_zone: str = ""  # of local times, such as Europe/Berlin
    channels: Annotated[tuple[str, ...], Field(strict=False)] = ()  # columns to forecast; empty: all
    target: Annotated[tuple[str, ...], Field(strict=False)] = ()  # scored channels; empty: all
    known: Annotated[tuple[str, ...], Field(strict=False)] = ()  # columns of inputs whose future is given
    static: Annotated[tuple[str, ...], Field(strict=False)] = ()  # inputs that are constant in each series
    id_column: str = "unique_id"  # if no column has this name, one is recognised
    time_column: str = "ds"  # likewise
    resample: str = ""  # step of an even grid, such as "10s"; empty: none
    missing: Literal["error", "cut", "fill"] = "error"  # what happens where samples are missing
    fill_limit: Steps = 5  # samples in a row that are filled; a longer gap cuts the series
    transforms: Annotated[tuple[str, ...], Field(strict=False)] = ()  # applied in this order
    season: Steps | None = None  # lag of seasonal_difference, in steps
    scaling: Literal["global", "series", "none"] = "global"  # "none": the network sees data units
    calendar: Annotated[tuple[str, ...], Field(strict=False)] = ()
    split: Annotated[tuple[Share, Share, Share], Field(strict=False)] = (0.7, 0.15, 0.15)
    split_by: Literal["time", "series"] = "time"  # what the shares of split divide
    validation_series: Annotated[tuple[str, ...], Field(strict=False)] = ()  # named instead of drawn
    test_series: Annotated[tuple[str, ...], Field(strict=False)] = ()
    # Share of the validation part, its latest, that chooses nothing: intervals of forecasts are calibrated on it.
    calibration: Annotated[float, Field(ge=0, le=0.9)] = 0.0

    of_a_file: ClassVar[tuple[str, ...]] = (
        "validation_path",
        "test_path",
        "key",
        "encoding",
        "separator",
        "decimal",
        "thousands",
        "comment",
        "header",
        "time_format",
        "time_zone",
        "channels",
        "known",
        "static",
        "resample",
        "missing",
        "fill_limit",
        "split_by",
        "validation_series",
        "test_series",
    )
    only_if_set: ClassVar[tuple[str, ...]] = (*of_a_file, "calibration")

    @property
    def inputs(self) -> tuple[str, ...]:
        """Return the columns that are inputs and not forecast."""
        return (*self.known, *self.static)

    @model_validator(mode="after")
    def _one_origin(self) -> "DataConfig":
        for name in DATA_FILES:
            if "\0" in (getattr(self, name) or ""):
                raise ValueError(f"{name} has a character of code 0, which no path has")
        if (self.source is None) == (self.path is None):
            raise ValueError('give either source = "name" or path = "file"')
        if self.path is None:
            ignored = [
                name
                for name in self.of_a_file
                if getattr(self, name) != type(self).model_fields[name].default
            ]
            if ignored:
                raise ValueError(f'{", ".join(ignored)} need path = "file"')
        if (self.validation_series or self.test_series) and self.split_by != "series":
            raise ValueError('validation_series and test_series need split_by = "series"')
        if abs(sum(self.split) - 1) > 1e-6:
            raise ValueError(f"the shares of split must add up to 1, got {sum(self.split):g}")
        return self
