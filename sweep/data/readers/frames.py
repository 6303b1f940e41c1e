"""Readers of files that hold typed columns: Parquet, Feather and Excel."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from sweep.config.data_section import DataConfig
from sweep.config.errors import DataError
from sweep.config.registry import nearest
from sweep.config.text import toml_string
from sweep.data.facts import Fact
from sweep.data.readers.table import Table

EXTRA = "install it with pip install 'sweep[files]'"


def read_parquet(path: Path, config: DataConfig) -> Table:
    """Return the columns of a Parquet file.

    Raises:
        DataError: pyarrow is not installed, or the file is damaged.
    """
    return table_of(_called(path, "pyarrow", lambda: pd.read_parquet(path)), path.name)


def read_feather(path: Path, config: DataConfig) -> Table:
    """Return the columns of a Feather file.

    Raises:
        DataError: as in `read_parquet`.
    """
    return table_of(_called(path, "pyarrow", lambda: pd.read_feather(path)), path.name)


def read_excel(path: Path, config: DataConfig) -> Table:
    """Return the columns of the only sheet with cells, or of the sheet `data.key`.

    Raises:
        DataError: openpyxl is not installed, the file is damaged, or several sheets have cells.
    """
    sheets: dict[str, pd.DataFrame] = _called(
        path,
        "openpyxl",
        lambda: pd.read_excel(path, sheet_name=None, header=None if config.header is False else 0),
    )
    full = {str(name): frame for name, frame in sheets.items() if not frame.empty}
    if config.key:
        if config.key not in full:
            raise DataError(
                f"{path.name}: no sheet {config.key!r} with cells (data.key).{nearest(config.key, full)} "
                f"Sheets: {', '.join(full) or 'none'}"
            )
        return _of_sheet(full[config.key], f"{path.name}, sheet {config.key!r}", config)
    if len(full) != 1:
        listed = " or ".join(f"data.key = {toml_string(name)}" for name in list(full)[:3])
        raise DataError(
            f"{path.name}: {len(full)} sheets have cells: set {listed}"
            if full
            else f"{path.name}: no sheet has cells"
        )
    return _of_sheet(next(iter(full.values())), path.name, config)


def _of_sheet(frame: pd.DataFrame, name: str, config: DataConfig) -> Table:
    """Return the table of a sheet, whose first row holds the names unless data.header says otherwise."""
    if config.header is False:
        count = frame.shape[1]
        frame = frame.set_axis(["y"] if count == 1 else [f"x{number}" for number in range(count)], axis=1)
    values = [str(column) for column in frame.columns if not isinstance(column, str)]
    if values and config.header is None:
        raise DataError(
            f"{name}, first row: {', '.join(values[:4])} can be names of columns or values: set data.header = true "
            "or data.header = false"
        )
    return replace(table_of(frame, name), decimal=config.decimal or ".", thousands=config.thousands)


def table_of(frame: pd.DataFrame, name: str) -> Table:
    """Return the table of a data frame; an index with a name, or of times, becomes a column.

    Raises:
        DataError: two columns have the same name, or a column has several levels of names.
    """
    if frame.columns.nlevels > 1:
        raise DataError(f"{name}: columns have {frame.columns.nlevels} levels of names: join them into one")
    facts: tuple[Fact, ...] = ()
    index = frame.index
    if not isinstance(index, pd.RangeIndex) and (index.nlevels > 1 or index.name or _is_time(index)):
        frame = frame.reset_index(names=[str(level) if level else "" for level in index.names])
        facts = (
            Fact("index", f"the index {index.name!r} is a column" if index.name else "the index is a column"),
        )
    frame = frame.reset_index(drop=True)
    names = ["" if str(column).startswith("Unnamed: ") else str(column).strip() for column in frame.columns]
    for column in names:
        if not column and names.count("") > 1:
            raise DataError(
                f"{name}: {names.count('')} columns have no names, which only one may lack: name them, or delete "
                "them, or the rows above the names"
            )
        if names.count(column) > 1:
            raise DataError(f"{name}: two columns are named {column!r}: rename one")
    return Table(name, frame.set_axis(names, axis=1), facts=facts)


def _is_time(index: pd.Index) -> bool:
    return isinstance(index, pd.DatetimeIndex | pd.PeriodIndex)


def _called(path: Path, package: str, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except ImportError:
        raise DataError(f"{path.name}: reading it needs {package}, which is not installed: {EXTRA}") from None
    except OSError:
        raise
    except Exception as error:  # each library has its own
        raise DataError(
            f"{path.name}: cannot be read as {path.suffix} ({' '.join(str(error).split())})"
        ) from None
