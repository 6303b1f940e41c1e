"""The dialect of a text: what separates cells and begins comments, recognised from its first lines."""

import csv
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from sweep.config.errors import DataError
from sweep.data.facts import Fact
from sweep.data.readers.text.cells import is_date, is_missing, is_number, is_text
from sweep.data.readers.text.rows import is_skipped, split_cells

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar", " ": "blanks", "": "none"}
COMMENTS = ("#", "%")
SAMPLE = 1000  # lines, and at most so many bytes of each on average; our choice
SAMPLE_BYTES = 400 * SAMPLE
TOP = re.compile(rb"(?:[ \t]*(?:[#%][^\n]*)?\n)*")  # blank lines and comments
EXCEL = re.compile(rb'"?sep=(.)"?[ ,;\t]*\n', re.IGNORECASE)  # first line, written for Excel
QUOTED = re.compile(r'"(?:[^"]|"")*"')  # a cell
GROUP_PAIR = re.compile(r"([0-9]{1,3}) [0-9]{3}")  # groups of digits, or two whole numbers
WHOLE_PAIR = re.compile(
    r"[+-]?[0-9]+,[0-9]+(?:[eE][+-]?[0-9]+)?"
)  # a number with a decimal comma, or two whole numbers


@dataclass(frozen=True)
class Dialect:
    """What separates the cells of a text and begins its comments."""

    separator: str  # a character; " " is a run of blanks, "" is none: the text has one column
    marks: tuple[bytes, ...]  # what comments begin with
    sample: tuple[str, ...]  # first rows
    first: int = 1  # line of the file where the text begins
    facts: tuple[Fact, ...] = ()


def without_excel_line(text: bytes) -> tuple[bytes, str]:
    """Return a text without a first line such as `sep=;`, and the separator that this line names or ""."""
    match = EXCEL.match(text)
    return (text[match.end() :], match[1].decode("utf-8", "replace")) if match else (text, "")


def recognise(name: str, text: bytes, separator: str, decimal: str, thousands: str, comment: str) -> Dialect:
    """Return the dialect of a text.

    Args:
        name: of the file, for messages.
        text: UTF-8; all lines end with a newline.
        separator: the setting; empty is recognised, likewise the others.
        decimal: the setting.
        thousands: the setting.
        comment: the setting.

    Raises:
        DataError: a setting is not possible, or two readings of the text are; the message names the settings.
    """
    _require_possible(separator)
    text, named = without_excel_line(text)
    marks = (comment.encode(),) if comment else _comment_marks(text)
    sample = _sample(text, marks)
    if separator:
        chosen = separator
    elif (named and named in SEPARATORS) or not sample:
        chosen = named or ","
    else:
        chosen = _separator(name, sample, decimal, thousands)
    first = 2 if named else 1
    plain = chosen in ("", ",") or not _split(sample, chosen)  # a given one need not occur
    word = SEPARATORS.get(chosen, repr(chosen))
    facts = () if plain else (Fact("separator", word, f"separator = {json.dumps(chosen)}"),)
    return Dialect(chosen, marks, tuple(sample), first, facts)


def _require_possible(separator: str) -> None:
    if not separator:
        return
    possible = len(separator) == 1 and separator.isascii() and not separator.isalnum()
    if not possible or separator in '"\n\r+-\0':
        raise DataError(
            f"data.separator = {json.dumps(separator)}: wanted one mark, such as "
            r'";", "," or "\t", or " " for one or more blanks'
        )


def _comment_marks(text: bytes) -> tuple[bytes, ...]:
    """Return the marks that begin comments: not those that begin most rows, such as ids like #12."""
    top = TOP.match(text)
    below = top.end() if top else 0
    rows = max(1, text.count(b"\n", below))
    marks = []
    for mark in (mark.encode() for mark in COMMENTS):
        if text.count(b"\n" + mark, max(0, below - 1)) <= rows / 2:
            marks.append(mark)
    return tuple(marks)


def _sample(text: bytes, marks: Sequence[bytes]) -> list[str]:
    """Return the first rows, without blank lines and comments."""
    head = text[:SAMPLE_BYTES]
    head = head[: head.rfind(b"\n") + 1] or head
    lines = (line for line in head.split(b"\n") if is_skipped(line, marks) is False)
    return [line.decode("utf-8", "replace") for line, _ in zip(lines, range(SAMPLE), strict=False)]


def _separator(name: str, sample: Sequence[str], decimal: str, thousands: str) -> str:
    """Return the separator that gives all rows equally many cells, and most of them a meaning."""
    pairs = all(WHOLE_PAIR.fullmatch(line.strip()) for line in sample[1:]) and len(sample) > 1
    if pairs and (pair := _of_pairs(name, sample, decimal)) is not None:
        return pair
    plain = any(_is_whole_table(sample, mark) for mark in (";", "\t", "|"))  # then blanks are parts of texts
    ranks = {mark: _rank(sample, mark) for mark in SEPARATORS if not (plain and mark == " ")}
    chosen = max(ranks, key=lambda mark: ranks[mark])
    if chosen in (",", " ") and all(_is_whole_table(sample, mark) for mark in (",", " ")):
        raise DataError(
            f'{name}: {sample[-1].strip()} can be cells between commas or between blanks: set data.separator = "," '
            'or data.separator = " "'
        )
    if chosen == ",":
        _refuse_split_decimals(name, sample)
    if not chosen and _are_pairs(sample[1:]):
        return " "  # with the nameless counter that R or pandas writes
    if not (chosen or thousands) and _is_rising(sample[1:]):
        raise DataError(
            f"{name}: {sample[-1].strip()} can be one number or two: set "
            'data.thousands = " " for groups of digits, or data.separator = " " for two columns'
        )
    return chosen


def _are_pairs(lines: Sequence[str]) -> bool:
    """Return whether all lines are two numbers with blanks between, and not all of them groups of digits."""
    pairs = [line.split() for line in lines]
    return (
        bool(pairs)
        and all(len(pair) == 2 and all(is_number(word) for word in pair) for pair in pairs)
        and not all(is_number(line.strip()) for line in lines)
    )


def _is_rising(lines: Sequence[str]) -> bool:
    """Return whether all lines are like `1 234` and the first number rises, as the names of rows do that R writes."""
    pairs = [GROUP_PAIR.fullmatch(line.strip()) for line in lines]
    firsts = [int(pair[1]) for pair in pairs if pair]
    return 0 < len(firsts) == len(pairs) and all(before < after for before, after in pairwise(firsts))


def _rank(sample: Sequence[str], mark: str) -> tuple[float, ...]:
    """Return how well a separator fits, as numbers of falling weight; larger is better."""
    rows = _split(sample, mark)
    if not rows:
        return (-1.0,)
    counts = Counter(len(row) for row in rows[1:] or rows)
    columns, _ = counts.most_common(1)[0]
    if mark and columns == 1:
        return (-1.0,)
    # In the tables of R, the line of names can have one cell less.
    like = sum(len(row) == columns for row in rows[1:]) + (len(rows[0]) in (columns, columns - 1))
    exact = len(rows[0]) == columns
    likely = exact and all(_quality(cell, mark) for cell in rows[0])
    cells = [cell for row in rows for cell in row]
    quality = sum(_quality(cell, mark) for cell in cells) / len(cells) * like / len(rows)
    order = -list(SEPARATORS).index(mark)
    return (quality if likely else quality / 2, exact, mark not in ("", " "), columns, order)


def _split(sample: Sequence[str], mark: str) -> list[list[str]]:
    """Return the cells of rows, or nothing if the separator does not occur, or quotes deny that there is none."""
    if mark:
        occurs = any(mark in line or (mark == " " and "\t" in line) for line in sample)
    else:
        occurs = all('"' not in line or QUOTED.fullmatch(line.strip()) for line in sample)
    try:
        return split_cells(sample, mark) if occurs else []
    except csv.Error:  # a quote that is not closed makes too long a cell
        return []


def _is_whole_table(sample: Sequence[str], mark: str) -> bool:
    """Return whether a separator gives all rows equally many cells, none of which seems to be two or a part."""
    rows = _split(sample, mark)
    return bool(rows) and all(
        len(row) == len(rows[0]) > 1
        and all(_quality(cell, mark) and not (is_number(cell) and " " in cell) for cell in row)
        for row in rows
    )


def _quality(cell: str, mark: str) -> float:
    """Return 1 for a number, a date or nothing, less for text, and 0 for what seems to be several cells."""
    several = mark == "" and any(other in cell for other in (",", ";", "\t", "|"))
    if is_missing(cell) or (is_date(cell) and not several):
        return 1.0
    if is_number(cell):
        return 0.9 if " " in cell else 1.0
    if any(other.strip(" ") and other != mark and other in cell for other in SEPARATORS):
        return 0.0
    words = cell.split()
    if mark == "," and len(words) > 1 and (is_number(words[0]) or is_number(words[-1])):
        return 0.0 if all(is_number(word) for word in words) else 0.1  # between blanks, with decimal commas
    return 0.1 if mark == "" and len(words) > 1 else 0.5


def _of_pairs(name: str, sample: Sequence[str], decimal: str) -> str | None:
    """Return the separator where all rows are like `1,5`: one number with a decimal comma, or two whole numbers."""
    if decimal:
        return "" if decimal == "," else ","
    header = sample[0].strip()
    headless = WHOLE_PAIR.fullmatch(header) is not None
    if "," in header and not headless:
        return None  # two names
    parts = [line.strip().split(",") for line in (sample if headless else sample[1:])]
    if any(len(part) > 1 and part.startswith("0") for _, part in parts):
        return ""  # as in 1,05
    firsts = np.array([int(part) for part, _ in parts], dtype=object)
    if not headless and not all(firsts[1:] > firsts[:-1]):
        return ""  # the names of rows, which R writes without a name of their own, rise or at least differ
    raise DataError(
        f"{name}: {sample[-1].strip()} can be one number or two: set "
        'data.decimal = "," for a decimal comma, or data.separator = "," for two columns'
    )


def _refuse_split_decimals(name: str, sample: Sequence[str]) -> None:
    """Refuse rows with a cell more than names if it can come from a decimal comma that is not quoted."""
    rows = split_cells(sample, ",")
    columns = len(rows[-1])
    if len(rows[0]) != columns - 1 or all(row[-1] == "" for row in rows[1:]):
        return
    counters = all(not is_text(row[0]) for row in rows[1:]) and not any(
        line.lstrip().startswith('"') for line in sample[1:]
    )
    if counters:
        raise DataError(
            f"{name}: rows have {columns} cells, but there are {columns - 1} names: if the first column is a "
            'nameless one, set data.separator = ","; if numbers have decimal commas, save the file with another '
            "separator"
        )
