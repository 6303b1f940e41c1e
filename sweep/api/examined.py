"""The doctor: what is wrong with forecasts from elsewhere, from arrays, tables or files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

import numpy as np

from sweep.config.errors import SweepError, UsageError
from sweep.data.readers.table import Table
from sweep.doctor.document import document_of
from sweep.doctor.examination import Examination, examine
from sweep.doctor.given import given_arrays
from sweep.doctor.matching import given_tables
from sweep.doctor.tables import frame_table, read_table

if TYPE_CHECKING:
    import pandas as pd

    from sweep.report.plots.picture import Picture

Values = Union["np.ndarray", "pd.DataFrame", "pd.Series[Any]", str, Path]

NO_PICTURE = "there is no picture without the past, which gives errors their scale: give it (past=...)"


@dataclass(frozen=True, eq=False, repr=False)
class Examined:
    """What was found about given forecasts; `document()` has every number, docs/doctor.md names them."""

    examination: Examination

    @cached_property
    def _document(self) -> dict[str, Any]:
        return document_of(self.examination)

    def document(self) -> dict[str, Any]:
        """Return what was found as plain values for JSON; numbers that are not finite are None."""
        return self._document

    def __repr__(self) -> str:
        return f"<Examined: {self._document['verdict']['text']}>"

    def plot(self) -> Picture:
        """Return the picture as PNG: truth, forecast and the best baseline, and the error by step.

        Raises:
            SweepError: the forecasts have no past, so that there is no scale.
        """
        from sweep.report.plots.examination import draw_examination
        from sweep.report.plots.picture import Picture

        judged, given = self.examination.judged, self.examination.given
        if judged is None:
            raise SweepError(NO_PICTURE)
        drawn = draw_examination(
            judged.arrays,
            given.channels,
            judged.best,
            judged.symptom.code,
            *self._document["verdict"]["sentences"],
        )
        return Picture(drawn)

    def page(self) -> str:
        """Return a page of HTML that needs no other file."""
        from sweep.report.page.examination import examination_page

        picture = None if self.examination.judged is None else bytes(self.plot())
        return examination_page(self._document, picture)


def doctor(
    forecast: Values,
    truth: Values | None = None,
    past: Values | None = None,
    one_step: Values | None = None,
    *,
    channels: Sequence[str] = (),
    series: Sequence[str] = (),
    column: str = "",
) -> Examined:
    """Return what is wrong with forecasts that any tool has made.

    Either all are arrays, or all are tables: DataFrames or paths of files (CSV, TSV, Parquet, Feather, Excel). A table
    has a row per step; a column of ids tells series apart, a column `cutoff` the starts of a series. Rows of forecast,
    truth and past belong together by series and time.

    Args:
        forecast: free-running forecasts, data units. As an array (step,), (step, channel) or (start, step, channel).
        truth: what came, of the same steps. Of tables also a longer record with times; None: column `y` of the
            forecast's table.
        past: the values before the forecasts, any number of steps. Without them errors have no scale, so that there is
            no diagnosis; None: what a truth with times holds before the forecasts.
        one_step: each step forecast from the true values before it.
        channels: names of the channels of arrays.
        series: of arrays, the name of each start's series; empty: each start is a series of its own.
        column: of a table with several columns that could be the forecast, the one that is.

    Raises:
        DataError: shapes, columns or rows do not fit.
        UsageError: arrays and tables are mixed.
    """
    values: dict[str, Any] = {"forecast": forecast, "truth": truth, "past": past, "one_step": one_step}
    given = {name: one for name, one in values.items() if one is not None}
    arrays = [name for name, one in given.items() if isinstance(one, np.ndarray | list | tuple)]
    if arrays and len(arrays) < len(given):
        others = ", ".join(name for name in given if name not in arrays)
        raise UsageError(
            f"{', '.join(arrays)} are arrays, {others} are not: give all as arrays, or all as tables"
        )
    if arrays:
        if truth is None:
            raise UsageError("truth: missing beside a forecast that is an array: give what came")
        return Examined(examine(given_arrays(**values, channels=channels, series=series)))
    if channels or series:
        raise UsageError("channels and series are for arrays: tables name them in their columns")
    tables = {name: _table(name, one) for name, one in given.items()}
    return Examined(examine(given_tables(**tables, column=column)))


def _table(name: str, values: Any) -> Table:
    if isinstance(values, str | Path):
        return read_table(values, name)
    if hasattr(values, "to_numpy"):
        return frame_table(values, name)
    raise UsageError(
        f"{name}: wanted an array, a DataFrame or the path of a file, got {type(values).__name__}: convert it"
    )
