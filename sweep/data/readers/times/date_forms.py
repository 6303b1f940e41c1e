"""How dates are written: a table of forms, and the forms that fit all dates of a column."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sweep.data.types import Array

SAMPLE = 200  # cells that are looked at to find the form; our choice
MOST = 0.5  # share of the sample that must have a form; the rest is reported as wrong; our choice
LOW, HIGH = pd.Timestamp.min, pd.Timestamp.max  # 1677 and 2262: what 64 bits of nanoseconds hold
SHORT, LONG = "[A-Za-z]{3}", "[A-Za-z]{3,9}"  # names of months


@dataclass(frozen=True)
class DateForm:
    """A way to write dates."""

    shape: re.Pattern[str]  # matches the whole text
    formats: tuple[str, ...]  # of strptime, which may fit this shape
    rewritten: Callable[[str], str] | None = None  # the text that `formats` describe, if it is another one

    @property
    def key(self) -> bool:
        """Return whether data.time_format can describe this form."""
        return self.rewritten is None


@dataclass(frozen=True)
class Fit:
    """A form with one of its formats, and the days that texts mean by it."""

    form: DateForm
    format: str
    days: Array  # (text,) datetime64[ns], NaT where the text is not such a date

    @property
    def complete(self) -> bool:
        """Return whether every text is a date."""
        return not bool(np.isnat(self.days).any())


def date_fits(texts: Array) -> list[Fit]:
    """Return the readings of different texts as dates, those that fit all of them if there are any.

    Readings that give the same dates count once. Without one that fits all, at most one reading is returned, the one
    that fits the most texts. No reading fits the most frequent mistakes of a table, such as a total in the last line:
    it is enough that it fits MOST of a sample.
    """
    sample = texts[spread(len(texts))]
    fits: list[Fit] = []
    for form in FORMS:
        right = sum(form.shape.fullmatch(text) is not None for text in sample)
        if right == 0 or right < MOST * len(sample):
            continue
        for one in form.formats:
            if np.isnat(_days(sample, form, one)).mean() <= 1 - MOST:
                fits.append(Fit(form, one, _days(texts, form, one)))
    complete: list[Fit] = []
    for fit in fits:
        if fit.complete and not any(np.array_equal(fit.days, other.days) for other in complete):
            complete.append(fit)
    return complete or sorted(fits, key=lambda fit: int(np.isnat(fit.days).sum()))[:1]


def in_range(stamps: pd.Series | pd.DatetimeIndex) -> Array:
    """Return times without zone as datetime64[ns], (row,); NaT where they are outside of LOW to HIGH."""
    index = pd.DatetimeIndex(stamps)
    inside = (index > LOW) & (index < HIGH)
    return np.asarray(index.where(inside).as_unit("ns").to_numpy())


def spread(length: int) -> Array:
    """Return at most SAMPLE indices, evenly spread over the length, first and last included."""
    return np.unique(np.linspace(0, length - 1, min(length, SAMPLE)).astype(np.int64))


def _days(texts: Array, form: DateForm, one: str) -> Array:
    cells = [text if form.shape.fullmatch(text) else None for text in texts]
    if form.rewritten:
        cells = [None if cell is None else form.rewritten(cell) for cell in cells]
    return in_range(pd.to_datetime(pd.Series(cells, dtype=object), format=one, errors="coerce"))


def _quarter(text: str) -> str:
    """Return the first month of a quarter, such as 2020-04 for Q2 2020."""
    year = re.search(r"\d{4}", text)
    quarter = re.search(r"^([1-4])Q|Q([1-4])", text, re.IGNORECASE)
    assert year and quarter  # the shape says so
    return f"{year[0]}-{3 * int(quarter[1] or quarter[2]) - 2:02d}"


def _forms() -> list[DateForm]:
    forms: list[DateForm] = []

    def add(shape: str, *formats: str, rewritten: Callable[[str], str] | None = None) -> None:
        forms.append(DateForm(re.compile(shape, re.IGNORECASE), formats, rewritten))

    for mark in ("-", "/", ".", " "):
        m = re.escape(mark)
        two, four = r"\d{1,2}", r"\d{4}"
        add(f"{four}{m}{two}{m}{two}", f"%Y{mark}%m{mark}%d")
        add(f"{two}{m}{two}{m}{four}", f"%d{mark}%m{mark}%Y", f"%m{mark}%d{mark}%Y")
        days = (f"%d{mark}%m{mark}%y", f"%m{mark}%d{mark}%y", f"%y{mark}%m{mark}%d")
        add(rf"{two}{m}{two}{m}\d{{2}}", *days)
        if mark != ".":
            add(f"{four}{m}{two}", f"%Y{mark}%m")
        add(f"{two}{m}{four}", f"%m{mark}%Y")
    add(r"\d{8}", "%Y%m%d")
    for mark in ("-", "/", ".", " ", "", ". "):
        m = re.escape(mark)
        for name, shape in (("%b", SHORT), ("%B", LONG)):
            add(rf"\d{{1,2}}{m}{shape}{m.replace('. ', ' ')}\d{{4}}", f"%d{mark}{name}{mark}%Y")
            add(rf"\d{{4}}{m}{shape}{m}\d{{1,2}}", f"%Y{mark}{name}{mark}%d")
            add(rf"{shape}{m}\d{{4}}", f"{name}{mark}%Y")
            add(rf"\d{{4}}{m}{shape}", f"%Y{mark}{name}")
            if mark in ("-", "/", " "):
                add(rf"\d{{1,2}}{m}{shape}{m}\d{{2}}", f"%d{mark}{name}{mark}%y")
                add(rf"{shape}{m}\d{{1,2}}{m}\d{{4}}", f"{name}{mark}%d{mark}%Y")
                add(rf"{shape}{m}\d{{2}}", f"{name}{mark}%y")
    for name, shape in (("%b", SHORT), ("%B", LONG)):
        add(rf"{shape} \d{{1,2}}, \d{{4}}", f"{name} %d, %Y")
        add(rf"\d{{1,2}}\. {shape} \d{{4}}", f"%d. {name} %Y")
    add(r"\d{4}M\d{1,2}", "%YM%m")
    add(r"\d{4}-M\d{1,2}", "%Y-M%m")
    add(r"\d{4}-\d{3}", "%Y-%j")
    add(r"\d{4}-W\d{2}-\d", "%G-W%V-%u")
    add(r"\d{4}W\d{2}\d", "%GW%V%u")
    for mark in ("-", " ", ""):
        add(rf"\d{{4}}{mark}W\d{{2}}", f"%G{mark}W%V-%u", rewritten=lambda text: f"{text}-1")
    add(r"\d{4}[-/ ]?Q[1-4]|Q[1-4][-/ ]?\d{4}|[1-4]Q[-/ ]?\d{4}", "%Y-%m", rewritten=_quarter)
    day = r"\d{4}-\d{2}-\d{2}"
    add(f"{day}/{day}", "%Y-%m-%d", rewritten=lambda text: text[:10])  # a week, as pandas writes it
    return forms


FORMS = _forms()
