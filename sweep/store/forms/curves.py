"""The form of curves.csv: a table of numbers with a named column each."""

import io
from typing import Any

import pandas as pd

from sweep.store.forms.json_form import LARGEST_COUNT, Misfit


def curves_table(content: bytes) -> pd.DataFrame:
    """Return the columns of a curves.csv, with numbers exactly as they were written.

    Raises:
        Misfit: the content is no such table, or a cell is no number.
    """
    try:
        table = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False, encoding="utf-8")
        return table.apply(_numbers)
    except (ValueError, AttributeError, pd.errors.ParserError) as error:
        raise Misfit(str(error).strip().split("\n", 1)[0]) from None


def _numbers(texts: "pd.Series[str]") -> "pd.Series[Any]":
    """Return the numbers of a column; not every version of pandas reads them exactly."""
    if all(text.removeprefix("-").isdecimal() for text in texts):
        if any(abs(int(text)) > LARGEST_COUNT for text in texts):
            raise Misfit(f"{texts.name} has integers beyond {LARGEST_COUNT}")
        return texts.astype("int64")
    return pd.Series([float(text or "nan") for text in texts], dtype="float64")
