"""Roles of the columns of a table: time, ids of series, channels, and what is left out."""

from collections.abc import Sequence
from dataclasses import dataclass

from sweep.config.data_section import DataConfig
from sweep.config.errors import DataError
from sweep.config.registry import nearest
from sweep.config.text import plural, toml_string
from sweep.data.facts import Fact
from sweep.data.readers.counters import are_whole, is_counter, is_even, restarts, rises
from sweep.data.readers.numbers import looks_numeric, missing, numbers
from sweep.data.readers.table import Table
from sweep.data.readers.text.cells import MONTHS, is_date
from sweep.data.readers.times.joined_times import CLOCK_WORDS, is_word
from sweep.data.readers.times.time_column import looks_like_times

TIME_WORDS = (
    "time",
    "times",
    "t",
    "ds",
    "date",
    "datetime",
    "timestamp",
    "zeit",
    "datum",
    "seconds",
    "year",
    "step",
)
ID_WORDS = (
    "unique_id",
    "id",
    "ids",
    "series",
    "series_id",
    "name",
    "key",
    "group",
    "unit",
    "station",
    "item",
    "run",
)
FEWEST_ROWS = 10  # of a series, on average, for a column of numbers to be its ids; our choice
DATED_NAMES = 3  # columns named as times from which a table is taken to be on its side; our choice
TEXT = 0.5  # share of numbers below which a column is text; our choice
DEFAULTS = {"id_column": "unique_id", "time_column": "ds"}


@dataclass(frozen=True)
class Roles:
    """The columns of a table by their use."""

    time: str | None
    series: str | None  # column of ids
    channels: tuple[str, ...]
    known: tuple[str, ...]  # inputs from outside
    facts: tuple[Fact, ...]


def roles_of(table: Table, config: DataConfig) -> Roles:
    """Return the roles of the columns: those that are set, and the others as recognised.

    Columns of the names in DEFAULTS are what their names say. Otherwise the time is the column of dates, or a column of
    numbers that rise (by its name, or in even steps); the ids are the column that makes repeated times unique. Text in
    other columns is left out.

    Raises:
        DataError: a column that is set does not exist, no column has numbers, or two columns could have a role.
    """
    names = [str(name) for name in table.frame.columns]
    _require(table, names, config)
    facts: list[Fact] = []
    time = config.time_column if config.time_column in names else None
    series = config.id_column if config.id_column in names else None
    wanted = [*config.channels]
    taken = [name for name in (time, series, *wanted, *config.inputs) if name is not None]
    free = [name for name in names if name not in taken]
    if time is None:
        others = len(names) > len(taken) + 1 or bool(wanted)
        time, found = _time_column(table, free, series, bool(wanted), others)
        facts += found
        free = [name for name in free if name != time]
    if series is None:
        series, found = _id_column(table, free, time)
        facts += found
        free = [name for name in free if name != series]
    if wanted:
        return Roles(time, series, tuple(wanted), config.inputs, tuple(facts))
    counter = [name for name in free if (name == "" or time is not None) and is_counter(table, name)]
    if len(counter) < len(free):
        facts += [Fact("index", f"{_named(name)} counts the rows: left out") for name in counter]
        free = [name for name in free if name not in counter]
    shares = {name: looks_numeric(table, name) for name in free}
    empty = [name for name in free if shares[name] == 0 and missing(table, name).all()]
    text = [name for name in free if name not in empty and shares[name] < TEXT]
    channels = [name for name in free if name not in (*text, *empty)]
    if not channels:
        raise DataError(_no_channel(table, time, series, text))
    _refuse_times_as_names(table, channels)
    if "" in channels:
        raise DataError(f"{table.name}: a column without a name holds values: give it a name in the file")
    if empty:
        facts.append(
            Fact("left out", f"{', '.join(name or 'a column without a name' for name in empty)} (empty)")
        )
    if text:
        listed = ", ".join(text)
        facts.append(Fact("left out", f"{listed} (text)", f"channels = {_toml(channels)}", guessed=True))
    if config.inputs:
        facts.append(Fact("inputs", f"{', '.join(config.inputs)} (known ahead, not forecast)"))
    if len(channels) > 1 and not config.target:
        seen = f"all {len(channels)} columns of numbers: {', '.join(channels)}"
        facts.append(Fact("forecast", seen, f"target = {_toml(channels[:1])}", guessed=True))
    return Roles(time, series, tuple(channels), config.inputs, tuple(facts))


def _require(table: Table, names: Sequence[str], config: DataConfig) -> None:
    """Refuse columns that are set and do not exist."""
    wanted = {key: [value] for key, default in DEFAULTS.items() if (value := getattr(config, key)) != default}
    wanted |= {key: [*getattr(config, key)] for key in ("channels", "target", "known", "static")}
    known = [name for name in names if name]
    problems = [
        f"{table.name}: no column {name!r} (data.{key}).{nearest(name, known)} Columns: {', '.join(known)}"
        for key, values in wanted.items()
        for name in values
        if name not in names
    ]
    if problems:
        raise DataError(*problems)


def _time_column(
    table: Table, free: Sequence[str], series: str | None, wanted: bool, others: bool
) -> tuple[str | None, list[Fact]]:
    """Return the column of times among the free ones, None if there is none, and what is said of it."""
    dated = sorted(
        (name for name in free if looks_like_times(table, name)),
        key=lambda name: not is_word(name, TIME_WORDS),
    )
    if dated:
        first = dated[0]
        facts = [_time_fact(first, "dates", guessed=len(dated) > 1)]
        if len(dated) > 1:
            facts.append(Fact("left out", f"{', '.join(dated[1:])} (more dates)"))
        return first, facts
    for name in free:
        if table.frame[name].dtype.kind == "m":
            return name, [_time_fact(name, "durations in nanoseconds", guessed=False)]
    for name in () if wanted else free:
        if is_word(name, TIME_WORDS) and looks_numeric(table, name) < TEXT and not missing(table, name).all():
            cell = table.frame[name][~missing(table, name)].iloc[0]
            raise DataError(
                f"{table.name}, column {name!r}: {cell!r} is not a time in a known form: set data.time_column = "
                f"{toml_string(name)} and data.time_format, "
                'such as "%d.%m.%Y %H:%M" or "%H:%M:%S", or name the columns to '
                "forecast in data.channels, to read the rows without times"
            )
    if not others:
        return None, []
    rising = [name for name in free if looks_numeric(table, name) == 1 and rises(table, name)]
    for name in rising:
        if is_word(name, TIME_WORDS):
            return name, [_time_fact(name, "numbers that rise", guessed=True)]
    for name in rising:
        if name == "" and not is_counter(table, name):
            return name, [_time_fact(name, "numbers that rise", guessed=True)]
        if name and (is_even(table, name) or restarts(table, name, free if series is None else [series])):
            return name, [_time_fact(name, "numbers in even steps", guessed=True)]
    return None, []


def _time_fact(name: str, what: str, guessed: bool) -> Fact:
    return Fact("time", f"{_named(name)} ({what})", f"time_column = {toml_string(name)}", guessed)


def _named(name: str) -> str:
    return name or "the column without a name"


def _id_column(table: Table, free: Sequence[str], time: str | None) -> tuple[str | None, list[Fact]]:
    """Return the column of ids among the free ones, None if there is none, and what is said of it.

    Raises:
        DataError: several columns could be it, none of them by its name.
    """
    frame = table.frame
    if time is not None and not frame[time].duplicated().any():
        time = None  # only a column that is named so can hold ids, as where one run follows another
    values = [name for name in free if name and looks_numeric(table, name) >= TEXT]
    candidates = [name for name in free if name and values != [name] and _could_be_ids(table, name, time)]
    if not candidates:
        return None, []
    named = [name for name in candidates if is_word(name, ID_WORDS)]
    text = [name for name in candidates if looks_numeric(table, name) < TEXT]
    best = named or text or candidates
    if len(best) > 1:
        keys = " or ".join(f"data.id_column = {toml_string(name)}" for name in best[:3])
        raise DataError(f"{table.name}: several columns could hold the ids of series: set {keys}")
    count = int(frame[best[0]].nunique())
    why = "makes the times unique" if time is not None else "the same text in rows that follow each other"
    text_of = f"{best[0]} ({plural(count, 'series', 'series')}; {why})"
    return best[0], [Fact("ids", text_of, f"id_column = {toml_string(best[0])}", guessed=True)]


def _could_be_ids(table: Table, name: str, time: str | None) -> bool:
    if is_word(name, CLOCK_WORDS):  # in an unknown form
        return False
    cells = table.frame[name]
    count, text = int(cells.nunique()), looks_numeric(table, name) < TEXT
    if not 1 < count <= len(cells) / (2 if text or is_word(name, ID_WORDS) else FEWEST_ROWS):
        return False
    if time is not None:
        whole = text or are_whole(table, name)
        return whole and not table.frame.duplicated([name, time]).any()
    blocks = int((cells != cells.shift()).sum())
    return text and blocks == count and is_word(name, ID_WORDS)


def _refuse_times_as_names(table: Table, names: Sequence[str]) -> None:
    """Refuse a table whose columns are times."""
    months = sum(name.strip().lower()[:3] in MONTHS.split("|") for name in names)
    dates = sum(is_date(name) for name in names)
    if months == len(names) == 12 or (dates >= DATED_NAMES and dates > len(names) / 2):
        raise DataError(
            f"{table.name}: the columns {names[0]}, {names[1]} and so on are named as times: write the times in a "
            "column, one row for each, and the values beside them"
        )


def _no_channel(table: Table, time: str | None, series: str | None, text: Sequence[str]) -> str:
    used = " and ".join(f"{name!r}" for name in (time, series) if name is not None)
    beside = f" beside {used}" if used else ""
    digits = [name for name in text if table.frame[name].astype(str).str.contains(r"\d").all()]
    if digits:  # such as numbers with a currency
        return f"{'; '.join(numbers(table, digits[0]).problems)}; there is no column of numbers{beside}"
    hint = f"; text is in {', '.join(text)}" if text else ""
    return f"{table.name}: no column of numbers{beside}{hint}: add one, or set data.decimal or data.separator"


def _toml(names: Sequence[str]) -> str:
    return f"[{', '.join(toml_string(name) for name in names)}]"
