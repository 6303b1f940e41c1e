"""Times that a table spreads over several columns, joined: a date and a time of day, or year, month, day and hour."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from sweep.config.data_section import DataConfig
from sweep.config.text import toml_string
from sweep.data.facts import Fact
from sweep.data.readers.numbers import numbers
from sweep.data.readers.table import Table
from sweep.data.readers.text.cells import MONTHS
from sweep.data.readers.times.date_forms import spread
from sweep.data.readers.times.time_column import looks_like_times

CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:\s*[AaPp]\.?[Mm]\.?)?"
BARE_CLOCK = r"(?:[01]\d|2[0-4])\.?[0-5]\d"  # 1300 or 13.00
MOST = 0.9  # share of times of day in a column of them; the rest is reported as wrong; our choice
CLOCK_WORDS = (
    "time",
    "time of day",
    "clock",
    "zeit",
    "uhrzeit",
    "heure",
    "hora",
    "ora",
    "hhmm",
    "hrmn",
    "hour",
    "hr",
)
PARTS: Mapping[str, tuple[tuple[str, ...], int, int]] = {  # names in use, least and largest number
    "year": (("year", "yr", "yyyy", "jahr", "année", "annee", "año"), 1678, 2262),
    "month": (("month", "mon", "mo", "mm", "monat", "mois", "mes"), 1, 12),
    "day": (("day", "dy", "dd", "tag", "jour", "día", "dia"), 1, 31),
    "hour": (("hour", "hr", "hh", "he", "stunde", "heure", "hora"), 0, 24),
    "minute": (("minute", "min", "minuten"), 0, 59),
    "second": (("second", "sec", "sekunde"), 0, 59),
}
QUARTER = (("quarter", "qtr", "quartal", "trimestre"), 1, 4)
MARKS = ("", "-", "-", " ", ":", ":")  # before each part


def with_joined_times(table: Table, config: DataConfig) -> Table:
    """Return the table with one column of times in the place of the columns that together hold the times.

    Joined are a column of dates, some of them repeated, with one of times of day or hours; and, without dates, numbers
    in columns that are named as year, month, day and so on. A column that the settings name as ids, channels or
    inputs is left.
    """
    names = [str(name) for name in table.frame.columns]
    used = {config.id_column, *config.channels, *config.target, *config.inputs}
    free = [name for name in names if name not in used]
    dated = [name for name in free if looks_like_times(table, name)]
    parts = _parts(table, free)
    if len(parts) >= len(("year", "month")) and (config.time_column in parts or not dated):
        text = pd.Series("", index=table.frame.index)
        for mark, values in zip(MARKS, parts.values(), strict=False):
            text = text + mark + values.astype(str).str.zfill(2)
        if len(parts) == len(("year", "month", "day", "hour")):
            text = text + ":00"
        return _joined(table, config, tuple(parts), text)
    dated = [name for name in dated if name == config.time_column] or dated
    for date in dated[:1]:
        keys = [date, *(name for name in names if name == config.id_column)]
        days = _whole_days(table.frame[date])
        if days is None or not table.frame.duplicated(keys).any():
            continue
        clock = _clock(table, [name for name in free if name != date])
        if clock:
            text = (days + " " + clock[1]).where(
                clock[1] != "", ""
            )  # without its time of day, a time is missing
            return _joined(table, config, (date, clock[0]), text)
    return table


def _joined(table: Table, config: DataConfig, columns: Sequence[str], text: pd.Series) -> Table:
    """Return the table with the times in the first of the columns, and without the others."""
    frame = table.frame.assign(**{columns[0]: text.astype(object)}).drop(columns=list(columns[1:]))
    listed = " and ".join([", ".join(columns[:-1]), columns[-1]])
    fact = Fact(
        "joined times",
        f"{listed}, such as {text.iloc[0]}",
        f"time_column = {toml_string(columns[0])}",
        guessed=config.time_column != columns[0],
    )
    return replace(table, frame=frame, facts=(*table.facts, fact))


def _whole_days(cells: pd.Series) -> pd.Series | None:
    """Return the text of days without a time of day; None if the cells are something else."""
    if cells.dtype.kind == "M":
        days = cells.dt.strftime("%Y-%m-%d")
        return days if not cells.isna().any() and (cells == cells.dt.normalize()).all() else None
    if cells.dtype.kind in "iu":
        return cells.astype(str)
    text = all(isinstance(cell, str) for cell in cells)
    return cells if text and not cells.str.contains(":", regex=False).any() else None


def _clock(table: Table, names: Sequence[str]) -> tuple[str, pd.Series] | None:
    """Return the column of times of day, or of hours by its name, and the text of its cells; None without one."""
    named = [name for name in names if is_word(name, CLOCK_WORDS)]
    for name in (*named, *names):
        text = _clock_text(table.frame[name], named=name in named)
        if text is not None:
            return name, text
    hours = _part(table, names, "hour")
    return (hours[0], hours[1].astype(str) + ":00") if hours else None


def _clock_text(cells: pd.Series, named: bool) -> pd.Series | None:
    """Return times of day as 13:00, some of which may be wrong; by the name of the column also 1300 and 13.00."""
    if cells.dtype.kind != "O" or not len(cells):
        return None
    sample = cells.iloc[spread(len(cells))]
    return None if _clocks(sample, named) is None else _clocks(cells, named)


def _clocks(cells: pd.Series, named: bool) -> pd.Series | None:
    listed = [cell if isinstance(cell, str) else "" if pd.isna(cell) else str(cell) for cell in cells]
    text = pd.Series(listed, index=cells.index, dtype=object)
    if named and text.str.fullmatch(BARE_CLOCK).all():
        return text.str.slice(0, 2) + ":" + text.str.slice(-2)
    right = text.str.fullmatch(CLOCK).sum()
    return text if right > MOST * (text != "").sum() else None


def _parts(table: Table, names: Sequence[str]) -> dict[str, pd.Series]:
    """Return the whole numbers of the columns of year, month and so on, without those after the first that lacks."""
    parts: dict[str, pd.Series] = {}
    for part in PARTS:
        found = _part(table, names, part)
        if found is None and part == "month" and (quarter := _part(table, names, "quarter")):
            return parts | {quarter[0]: 3 * quarter[1] - 2}
        if found is None:
            break
        parts[found[0]] = found[1]
    return parts


def _part(table: Table, names: Sequence[str], part: str) -> tuple[str, pd.Series] | None:
    words, least, largest = QUARTER if part == "quarter" else PARTS[part]
    for name in names:
        if not is_word(name, words):
            continue
        values = _month_numbers(table.frame[name]) if part == "month" else None
        values = numbers(table, name).values if values is None else values
        inside = (values >= least) & (values <= largest)  # not where a number is missing
        if inside.all() and (values == np.rint(values)).all():
            return name, pd.Series(values.astype(np.int64), index=table.frame.index)
    return None


def is_word(name: str, words: Sequence[str]) -> bool:
    """Return whether the name of a column is one of some words in lower case."""
    return name.strip().lower() in words


def _month_numbers(cells: pd.Series) -> np.ndarray | None:
    """Return the numbers of months that are written as names such as Jan or January; None if they are not."""
    if not all(isinstance(cell, str) for cell in cells):
        return None
    order = {name: number for number, name in enumerate(MONTHS.split("|"), start=1)}
    found = cells.str.lower().str.extract(rf"^({MONTHS})[a-z]*\.?$", expand=False).map(order)
    return None if found.isna().any() else found.to_numpy(dtype=np.float64)
