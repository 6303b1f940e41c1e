"""Times written as text: date, time of day and offset from UTC of each cell."""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sweep.data.readers.times.date_forms import SAMPLE, Fit, date_fits, in_range, spread
from sweep.data.types import Array

DAY = 86_400_000_000_000  # nanoseconds
NOT_A_TIME = np.iinfo(np.int64).min  # the number of NaT
OFFSET = r"Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?"
ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?P<offset>Z|[+-]\d\d:?\d\d)?)?")
CLOCK = re.compile(
    r"(\d{1,2})(?::?(\d{2})(?::?(\d{2})(?:[.,](\d{1,9}))?)?)?\s*(?:([ap])\.?m\.?)?", re.IGNORECASE
)
AT_THE_END = re.compile(  # the time of day and the offset
    r"(?:(?<=\d)T|[ ,]+|(?<=\d{4}):)"
    r"(\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:\s*[AaPp]\.?[Mm]\.?)?"
    r"|\d{1,2}\s*[AaPp]\.?[Mm]\.?|(?<=T)\d{2}(?:\d{2}(?:\d{2}(?:[.,]\d+)?)?)?)"
    rf"\s*({OFFSET})?$"
)
IN_FRONT = re.compile(
    r"(?:(mon|tue|wed|thu|fri|sat|sun)|(?:mon|tues|wednes|thurs|fri|satur|sun)day)(,?\s+)", re.IGNORECASE
)


@dataclass(frozen=True)
class TextTimes:
    """The times of different texts by one reading."""

    format: str  # as in strptime; empty if strptime cannot describe it
    local: Array  # (text,) datetime64[ns], the local clock, NaT where the text is not such a time
    utc: Array | None  # (text,) datetime64[ns]; None without offsets
    unlike: Array  # (text,), whether it has no offset although others have one, or the opposite


def text_times(texts: Array) -> list[TextTimes]:
    """Return all readings of different texts as times; several are right only if the order of day and month is open.

    Args:
        texts: (text,), different texts, stripped and not empty.
    """
    quick = _iso(texts)
    return [quick] if quick else _by_parts(texts)


def offset_ns(text: str) -> int:
    """Return an offset from UTC, such as "+01:00", "+0100", "+01" or "Z", in nanoseconds."""
    if not text or text[0] not in "+-":
        return 0
    digits = text[1:].replace(":", "")
    minutes = int(digits[:2]) * 60 + int(digits[2:] or 0)
    return (-1 if text[0] == "-" else 1) * minutes * 60_000_000_000


def _iso(texts: Array) -> TextTimes | None:
    """Return the reading of whole dates in ISO 8601 by the fast parser of pandas; None if it cannot read all."""
    matches = [ISO.fullmatch(text) for text in texts[spread(len(texts))]]
    if not all(matches) or min(map(len, texts)) < len("2020-01-31"):
        return None
    zoned = any(match["offset"] for match in matches if match)
    try:
        stamps = pd.to_datetime(pd.Series(texts, dtype=object), format="ISO8601", errors="coerce", utc=zoned)
    except ValueError:  # offsets outside of the sample
        return None
    if stamps.isna().any() or (stamps.dt.tz is not None) != zoned:
        return None
    clock = in_range(stamps.dt.tz_localize(None))
    if np.isnat(clock).any():
        return None
    longest = max(texts[spread(len(texts))], key=len)
    format_ = "%Y-%m-%d" + _clock_format(longest[10:])
    none = np.zeros(len(texts), dtype=bool)
    if not zoned:
        return TextTimes(format_, clock, None, none)
    codes, tails = pd.factorize(np.array([text[-6:] for text in texts], dtype=object))
    ends = [re.search(r"(?:Z|[+-]\d\d:?\d\d)$", tail) for tail in tails]
    if not all(ends):
        return None
    shifts = np.array([offset_ns(end[0]) for end in ends if end], dtype=np.int64)[codes]
    return TextTimes(format_, clock + shifts.astype("timedelta64[ns]"), clock, none)


def _by_parts(texts: Array) -> list[TextTimes]:
    """Return the readings of each part by itself: of a million times, few have different dates."""
    named = [IN_FRONT.match(text) for text in texts[spread(len(texts))]]
    weekday = ""
    if all(named):
        first = named[0]
        assert first  # all of them are matches
        weekday = ("%a" if first[1] else "%A") + first[2]
        texts = np.array([IN_FRONT.sub("", text, count=1) for text in texts], dtype=object)
    (day_codes, days), (clock_codes, clocks), (shift_codes, offsets) = (
        pd.factorize(np.array(part, dtype=object)) for part in _split(texts)
    )
    of_day = _clocks_ns(np.asarray(clocks, dtype=object))[clock_codes]
    shifts = np.array([offset_ns(offset) for offset in offsets], dtype=np.int64)[shift_codes]
    has_offset = np.array([bool(offset) for offset in offsets])[shift_codes]
    timed = np.array([bool(clock) for clock in clocks])[clock_codes]
    zoned = bool(has_offset.any() and has_offset.sum() >= timed.sum() / 2)
    sampled = [AT_THE_END.search(text) for text in texts[spread(len(texts))]]
    suffix = _clock_format(max((end[0] for end in sampled if end), key=len, default=""))

    def reading(fit: Fit) -> TextTimes:
        day = fit.days[day_codes]
        bad = np.isnat(day) | (of_day == NOT_A_TIME)
        local = np.where(
            bad, np.datetime64("NaT", "ns"), day + np.where(bad, 0, of_day).astype("timedelta64[ns]")
        )
        utc = local - shifts.astype("timedelta64[ns]") if zoned else None
        written = weekday + fit.format + suffix if fit.form.key else ""
        return TextTimes(written, local, utc, has_offset != zoned)

    return [reading(fit) for fit in date_fits(np.asarray(days, dtype=object))]


def _split(texts: Array) -> tuple[list[str], list[str], list[str]]:
    """Return the dates, times of day and offsets of all texts, empty where there is none.

    Where the parts begin at the same place in a sample, and the text between them is the same everywhere, texts are cut
    there, which is much faster than a search in each.
    """
    ends = [AT_THE_END.search(text) for text in texts[spread(len(texts))]]
    places = {(end.start(), end.start(1)) if end and not end[2] else None for end in ends}
    place = places.pop() if len(places) == 1 else None
    if place:
        begin, after = place
        between = texts[0][begin:after]
        if all(text[begin:after] == between for text in texts):
            return [text[:begin] for text in texts], [text[after:] for text in texts], [""] * len(texts)
    ends = [AT_THE_END.search(text) for text in texts]
    dates = [text[: end.start()] if end else text for text, end in zip(texts, ends, strict=True)]
    return dates, [end[1] if end else "" for end in ends], [(end[2] or "") if end else "" for end in ends]


def _clocks_ns(texts: Array) -> Array:
    """Return the nanoseconds since midnight of different times of day, (text,) int64; NOT_A_TIME for others.

    Many of them are read by the fast parser of pandas first.
    """
    if len(texts) <= SAMPLE:
        return np.array([_clock_ns(text) for text in texts], dtype=np.int64)
    day = np.datetime64("2000-01-01", "ns")
    if not all(":" in text[1:3] for text in texts):
        return np.array([_clock_ns(text) for text in texts], dtype=np.int64)
    dated = pd.Series([f"2000-01-01T{text}" for text in texts], dtype=object)
    try:
        stamps = in_range(pd.to_datetime(dated, format="ISO8601", errors="coerce"))
    except (ValueError, TypeError):  # offsets
        stamps = np.full(len(texts), np.datetime64("NaT", "ns"))
    clocks = (stamps - day).astype(np.int64)
    for row in np.flatnonzero(np.isnat(stamps)):
        clocks[row] = _clock_ns(texts[row])
    return np.asarray(clocks)


def _clock_ns(text: str) -> int:
    """Return the nanoseconds since midnight of a time of day such as 13:00, 1:00 PM, 130000 or 12:00:00.5."""
    if not text:
        return 0
    match = CLOCK.fullmatch(text)
    if not match:
        return int(NOT_A_TIME)
    hour, minute, second = (int(match[n] or 0) for n in (1, 2, 3))
    fraction = int((match[4] or "0").ljust(9, "0"))
    if match[5]:
        if not 1 <= hour <= 12:
            return int(NOT_A_TIME)
        hour = hour % 12 + (12 if match[5] in "pP" else 0)
    nanoseconds = ((hour * 60 + minute) * 60 + second) * 1_000_000_000 + fraction
    if minute > 59 or second > 59 or nanoseconds > DAY:  # 24:00 is the end of a day
        return int(NOT_A_TIME)
    return nanoseconds


def _clock_format(text: str) -> str:
    """Return the end of a format for a time of day with what is before and after it, such as " %H:%M%z"."""
    end = AT_THE_END.search(f"2000{text}")
    if not end:
        return ""
    before = f"2000{text}"[4 : end.start(1)]
    clock, half = end[1], re.search(r"(\s*)[AaPp]\.?[Mm]\.?$", end[1])
    digits = clock[: half.start()] if half else clock
    hour = "%I" if half else "%H"
    if ":" in digits:
        parts = [hour, "%M", "%S"][: digits.count(":") + 1]
        written = ":".join(parts)
    else:
        parts = [hour, "%M", "%S"][: max(1, len(re.split("[.,]", digits)[0]) // 2)]
        written = "".join(parts)
    mark = re.search("[.,]", digits)
    written += f"{mark[0]}%f" if mark else ""
    written += f"{half[1]}%p" if half else ""
    spaces = f"2000{text}"[end.end(1) : end.start(2)] if end[2] else ""
    return f"{before}{written}{spaces}%z" if end[2] else before + written
