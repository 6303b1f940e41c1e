"""What the text of a cell can be: a number in any notation, a date, a missing value or other text."""

import re

# In lower case; the errors are those of a spreadsheet, and what C prints for NaN.
ERRORS = ("#n/a", "#n/a n/a", "#na", "#div/0!", "#num!", "#value!", "#ref!", "#name?", "#null!")
NOT_NUMBERS = ("nan", "-nan", "nan(ind)", "-nan(ind)", "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan")
SIGNS = ("", "-", "--", "?", ".", r"\n")
WORDS = ("na", "n/a", "n.a.", "<na>", "nat", "null", "none", "nil", "missing")
MISSING = frozenset((*ERRORS, *NOT_NUMBERS, *SIGNS, *WORDS))

BLANKS = " \u00a0\u202f\u2009"  # also no-break, narrow and thin ones, which mark groups of digits
APOSTROPHES = "'\u2019"
MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"

_NUMBER = re.compile(
    rf"[+\-\u2212]?(?=[.,]?[0-9])(?:[1-9][0-9]{{0,2}}(?:[.,{BLANKS}{APOSTROPHES}][0-9]{{3}})+|[0-9]*)"
    r"(?:[.,][0-9]*)?(?:[eE][+-]?[0-9]+)?"
)
_DATE = re.compile(
    r"[0-9]{1,4}([-/.])[0-9]{1,2}\1[0-9]{1,4}\.?(?:[T ,].*)?"  # 2024-01-31T13:00, 31.1.2024 13:00, 1/31/24
    r"|[0-9]{4}[-/][0-9]{1,2}|[0-9]{1,2}/[0-9]{4}"  # 2024-01
    r"|[0-9]{4}[- ]?[qm][0-9]{1,2}|q[1-4][- /]?[0-9]{2,4}"  # 2024Q1
    r"|[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?(?: ?[ap]m)?"  # 13:00
    rf"|(?:[0-9]{{1,2}}[-/ .]+)?(?:{MONTHS})[a-z]*[-/ .,]+[0-9]{{1,4}}.*"  # Jan-24, 31 Jan 2024
    rf"|[0-9]{{4}}[-/ ](?:{MONTHS})[a-z]*.*",  # 2024 Jan
    re.IGNORECASE,
)


def is_missing(cell: str) -> bool:
    """Return whether a stripped cell holds no value."""
    return cell.lower() in MISSING


def is_number(cell: str) -> bool:
    """Return whether a stripped cell is a number in at least one notation."""
    return _NUMBER.fullmatch(cell) is not None


def is_whole(cell: str) -> bool:
    """Return whether a stripped cell is a number of digits alone."""
    return cell.lstrip("+-").isdigit()


def is_date(cell: str) -> bool:
    """Return whether a stripped cell looks like a date, a time of day, a month or a quarter; 20240131 does not."""
    return _DATE.fullmatch(cell) is not None


def is_value(cell: str) -> bool:
    """Return whether a stripped cell is a number or a date."""
    return is_number(cell) or is_date(cell)


def is_text(cell: str) -> bool:
    """Return whether a stripped cell is something else, such as a name."""
    return not (is_missing(cell) or is_value(cell))
