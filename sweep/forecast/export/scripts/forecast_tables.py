"""Tables for forecast_torch.py, forecast_numpy.py and forecast_onnx.py: the past in, the forecast out.

Needs the standard library alone. README.md describes the tables.
"""

import argparse
import csv
import json
import math
import re
import sys
from calendar import isleap, monthrange
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
CARD: dict[str, Any] = json.loads((FOLDER / "card.json").read_text(encoding="utf-8"))
CODING, COLUMNS = CARD["coding"], CARD["columns"]
INPUTS = len(CODING["known"])
LAGS = {"difference": 1, "seasonal_difference": CODING["season"]}  # steps of the transforms that have one
MONTH = re.compile(r"\d{4}-\d{2}")  # 2024-12: its first day
Rows = list[dict[str, str]]


def tensors(name: str) -> dict[str, tuple[str, list[int], bytes]]:
    """Return the type, "F32" or "F64", the shape and the bytes of each tensor of a safetensors file."""
    content = (FOLDER / name).read_bytes()
    begin, found = 8 + int.from_bytes(content[:8], "little"), {}
    for key, entry in json.loads(content[8:begin]).items():
        if key != "__metadata__":
            first, last = (begin + offset for offset in entry["data_offsets"])
            found[key] = entry["dtype"], entry["shape"], content[first:last]
    return found


def day_phase(time: datetime) -> float:
    """Return the elapsed share of the day."""
    return (time - datetime(time.year, time.month, time.day)) / timedelta(days=1)


def year_phase(time: datetime) -> float:
    """Return the elapsed share of the year, which is longer in leap years."""
    return (time.timetuple().tm_yday - 1 + day_phase(time)) / (366 if isleap(time.year) else 365)


PHASES = {"time_of_day": day_phase, "time_of_year": year_phase}


def row_of(name: str) -> int:
    """Return the row of mean and standard deviation of a series: its own, or that of all series, the last."""
    if name in CODING["series"]:
        return int(CODING["series"].index(name))
    return 0 if not CODING["series"] and len(CODING["mean"]) == 2 else -1


def known_inputs(known: Any, times: Any, series: int, length: int) -> list[list[list[float]]]:
    """Return what the networks know ahead, (series, time, feature): waves of the calendar, then scaled inputs.

    Args:
        known: (series, time, input), the inputs in the order of the card; None without inputs.
        times: (series, time), datetimes; None without a calendar.
        series: number of series.
        length: of the last times, so many count.
    """
    features: list[list[list[float]]] = [[[] for _ in range(length)] for _ in range(series)]
    for index, rows in enumerate(features):
        for step, row in enumerate(rows):
            place = step - length
            for name in CODING["calendar"]:
                angle = 2 * math.pi * PHASES[name](times[index][place])
                row += [math.sin(angle), math.cos(angle)]
            for k in range(INPUTS):
                value = float(known[index][place][k])
                row.append((value - CODING["input_mean"][k]) / CODING["input_scale"][k])
    return features


def later(times: Sequence[datetime], steps: int) -> list[datetime]:
    """Return the times of the next steps."""
    number, unit, day = CARD["step"]["number"], CARD["step"]["unit"], max(time.day for time in times)
    after = [times[-1]]
    for _ in range(steps):
        last = after[-1]
        if unit == "month":
            year, month = divmod(last.year * 12 + last.month - 1 + int(number), 12)
            after.append(
                last.replace(year=year, month=month + 1, day=min(day, monthrange(year, month + 1)[1]))
            )
        elif unit == "weekday":
            for _ in range(int(number)):
                last += timedelta(days={4: 3, 5: 2}.get(last.weekday(), 1))
            after.append(last)
        else:
            after.append(times[-1] + timedelta(seconds=number * len(after)))
    return after[1:]


def read(path: str) -> dict[str, Rows]:
    """Return the rows of a table by the name of the series; "" without names."""
    series: dict[str, Rows] = {}
    with open(path, newline="", encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            series.setdefault(row.get(COLUMNS["series"]) or "", []).append(row)
    return series


def numbers(rows: Rows, names: Sequence[str], path: str) -> list[list[float]]:
    """Return columns of a table, (time, column)."""
    try:
        values = [[float(row[name]) for name in names] for row in rows]
    except (KeyError, TypeError, ValueError) as error:
        sys.exit(f"error: {path}: wanted numbers in the columns {', '.join(names)}, got {error!r}")
    if not all(math.isfinite(value) for row in values for value in row):
        sys.exit(f"error: {path}: a value is missing or not finite: fill it in")
    return values


def clock(rows: Rows, path: str) -> list[datetime]:
    """Return the times of a table, on the local clock; none without a column of times."""
    name = COLUMNS["time"]
    times = []
    for text in [row.get(name) or "" for row in rows] if name else []:
        try:
            times.append(datetime.fromisoformat(f"{text}-01" if MONTH.fullmatch(text) else text))
        except ValueError:
            wanted = "2024-12-31 23:00, 2024-12-31 or 2024-12"
            sys.exit(f"error: {path}, column {name}: wanted times such as {wanted}, got {text or 'none'}")
    if any(time.tzinfo for time in times):
        sys.exit(f"error: {path}, column {name}: write times of the local clock, without an offset")
    return times


def require_even(times: Sequence[datetime], path: str) -> None:
    """Refuse rows that are not one step apart; local clocks may change by an hour at night, Friday to Sunday."""
    if not times or CARD["step"]["unit"] != "second":
        return
    size = CARD["step"]["number"]
    for before, after in pairwise(times):
        off = abs((after - before).total_seconds() - size)
        night = after.weekday() >= 4 and after.hour < 5
        if off > 0.01 * size and not (night and abs(off - 3600) <= 0.01 * size):
            sys.exit(f"error: {path}: wanted rows {CARD['step']['text']} apart, got {before}, then {after}")


def main(forecast: Callable[..., Any]) -> None:
    """Read the tables that the command line names and write the forecast to the standard output.

    Args:
        forecast: (past, steps, known, times, names) -> (series, step, channel) as nested lists.
    """
    parser = argparse.ArgumentParser(description="Write the forecast of the next steps as CSV.")
    parser.add_argument("past", help="CSV of the past, with a header; see README.md")
    parser.add_argument("--steps", type=int, required=True, help="number of steps to forecast")
    parser.add_argument("--known", help="CSV of the known inputs (or times) of the steps to forecast")
    asked = parser.parse_args()
    steps, need, channels = asked.steps, CARD["past_steps"], CODING["channels"]
    tables, future = read(asked.past), read(asked.known) if asked.known else {}
    if steps < 1 or not tables:
        sys.exit(f"error: wanted one step and one row or more, got --steps {steps}, {len(tables)} series")
    if set(CODING["known"]) > set(CODING["static"]) and not future:
        sys.exit(
            f"error: the networks need the future of {', '.join(CODING['known'])}: give --known future.csv"
        )
    past, known, times = [], [], []
    for name, rows in tables.items():
        if len(rows) < need:
            sys.exit(f"error: {asked.past}: {len(rows)} rows of series {name!r}, the networks need {need}")
        constant = {key: rows[-1].get(key, "") for key in CODING["static"]}
        ahead = [{**constant, **row} for row in future.get(name, [])[:steps]]
        if future and len(ahead) < steps:
            sys.exit(f"error: {asked.known}: {len(ahead)} rows of series {name!r}, wanted {steps}")
        before, inputs = clock(rows, asked.past), ahead or [constant] * steps
        require_even(before[-need:], asked.past)
        after = clock(ahead, asked.known) if ahead and COLUMNS["time"] in ahead[0] else later(before, steps)
        past.append(numbers(rows, channels, asked.past))
        known.append(
            numbers(rows, CODING["known"], asked.past) + numbers(inputs, CODING["known"], asked.known)
        )
        times.append(before + after if before else list(range(1 - len(rows), steps + 1)))
    past = [rows[-need:] for rows in past]
    writer = csv.writer(sys.stdout, lineterminator="\n")
    named = [COLUMNS["series"]] if any(tables) else []
    writer.writerow([*named, COLUMNS["time"] or "step", *channels])
    answer = forecast(past, steps, known, times, list(tables))
    for name, values, when in zip(tables, answer, times, strict=True):
        for row, time in zip(values, when[-steps:], strict=True):
            writer.writerow([*([name] if named else []), time, *map(float, row)])
