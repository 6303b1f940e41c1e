"""How a text writes numbers: its decimal mark and the mark between groups of three digits."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

import pandas as pd

from sweep.config.errors import DataError
from sweep.data.facts import Fact
from sweep.data.readers.text.cells import APOSTROPHES, BLANKS

WORDS = {",": "comma", ".": "point", " ": "blank", "'": "apostrophe"}
OTHER = {",": ".", ".": ","}
MARKS = (",", ".", *BLANKS, *APOSTROPHES)
BLOCK = 100_000  # rows that are looked at together, which bounds the memory
DIGITS = (
    str.maketrans("123456789", "0" * 9)
    | {ord(blank): " " for blank in BLANKS}
    | {ord("\u2019"): "'", ord("\u2212"): "-"}
)

# Shapes of cells: digits are 0, a leading zero is z. `o` is the other mark than `m`.
SIGN, POWER = r"[+-]?", r"(?:[eE][+-]?0+)?"
AMBIGUOUS = {mark: re.compile(rf"{SIGN}0{{1,3}}{re.escape(mark)}000") for mark in OTHER}  # 1,234
SINGLE = {
    mark: re.compile(rf"{SIGN}(?:[0z]+{re.escape(mark)}0*|{re.escape(mark)}0+){POWER}") for mark in OTHER
}
GROUPS = {
    mark: re.compile(
        rf"{SIGN}0{{1,3}}(?:(?:{re.escape(mark)}000){{2,}}|(?:{re.escape(mark)}000)+(?P<decimal>{other})0*{POWER})"
    )
    for mark, other in ((",", r"\."), (".", ","))
} | {mark: re.compile(rf"{SIGN}0{{1,3}}(?:{mark}000)+(?:(?P<decimal>[.,])0*{POWER})?") for mark in (" ", "'")}


@dataclass(frozen=True)
class Notation:
    """How numbers are written."""

    decimal: str = "."
    thousands: str = ""  # a blank stands for all kinds of blanks
    facts: tuple[Fact, ...] = ()


@dataclass
class Evidence:
    """How many cells show each meaning of a mark."""

    decimal: Counter[str] = field(default_factory=Counter)
    thousands: Counter[str] = field(default_factory=Counter)
    ambiguous: Counter[str] = field(default_factory=Counter)

    def add(self, shape: str, times: int) -> None:
        """Count the cells of a shape."""
        for mark in OTHER:
            if AMBIGUOUS[mark].fullmatch(shape):
                self.ambiguous[mark] += times
            elif SINGLE[mark].fullmatch(shape):
                self.decimal[mark] += times
        for mark, pattern in GROUPS.items():
            match = pattern.fullmatch(shape)
            if match:
                self.thousands[mark] += times
                if match["decimal"]:
                    self.decimal[match["decimal"]] += times


def recognise(name: str, frame: pd.DataFrame, separator: str, decimal: str, thousands: str) -> Notation:
    """Return how the cells of a table write numbers, the same for all columns.

    Args:
        name: of the file, for messages.
        frame: cells, stripped text.
        separator: of cells.
        decimal: the setting; empty is recognised.
        thousands: the setting, likewise.

    Raises:
        DataError: the settings contradict each other, or two readings are possible; the message names the settings.
    """
    thousands = (
        "'"
        if thousands and thousands in APOSTROPHES
        else " "
        if thousands and thousands in BLANKS
        else thousands
    )
    if thousands and (thousands not in WORDS or thousands == decimal):
        raise DataError(
            f'data.thousands = {json.dumps(thousands)}: wanted one of ",", ".", " " and "\'", and another '
            "mark than data.decimal"
        )
    evidence = _evidence(frame)
    guessed = False
    chosen = decimal or OTHER.get(thousands, "")
    if not chosen:
        chosen, guessed = _decimal(name, frame, evidence, separator, thousands)
    facts = []
    if chosen != "." or guessed:
        facts.append(Fact("decimal", WORDS[chosen], f"decimal = {json.dumps(chosen)}", guessed))
    groups, unsure = (thousands, False) if thousands else _thousands(chosen, evidence)
    if groups:
        facts.append(Fact("thousands", WORDS[groups], f"thousands = {json.dumps(groups)}", unsure))
    return Notation(chosen, groups, tuple(facts))


def _evidence(frame: pd.DataFrame) -> Evidence:
    evidence = Evidence()
    for column in frame.columns:
        cells = frame[column].to_numpy()
        for begin in range(0, len(cells), BLOCK):
            text = "\n".join(cells[begin : begin + BLOCK])
            if any(mark in text for mark in MARKS):
                for shape, times in Counter(_shapes(text).split("\n")).items():
                    evidence.add(shape, times)
    return evidence


def _shapes(text: str) -> str:
    """Return the shapes of cells, each in a line."""
    text = "\n" + text
    for mark in MARKS:
        if mark in text:  # after a leading zero it is not between groups of digits
            text = text.replace(f"\n0{mark}", f"\nz{mark}").replace(f"\n-0{mark}", f"\n-z{mark}")
    return text[1:].translate(DIGITS)


def _decimal(
    name: str, frame: pd.DataFrame, evidence: Evidence, separator: str, thousands: str
) -> tuple[str, bool]:
    """Return the decimal mark, and whether another one was possible."""
    proofs = evidence.decimal + Counter({OTHER[mark]: evidence.thousands[mark] for mark in OTHER})
    if proofs[","] != proofs["."]:
        chosen = "," if proofs[","] > proofs["."] else "."
        return chosen, proofs[OTHER[chosen]] > 0
    shown = [_example(frame, mark) for mark in OTHER if evidence.decimal[mark] or evidence.ambiguous[mark]]
    if proofs[","] or (evidence.ambiguous[","] and evidence.ambiguous["."]):
        raise DataError(
            f"{name}: has numbers with commas and with points, such as {' and '.join(shown)}: set "
            'data.decimal = "," or data.decimal = "."'
        )
    if thousands or evidence.thousands[" "] or evidence.thousands["'"]:
        return "," if evidence.ambiguous[","] else ".", False  # groups of digits have another mark
    if evidence.ambiguous[","] and separator != ",":
        _refuse_ambiguous(name, frame, ",")
    if evidence.ambiguous["."] and separator == ";":
        _refuse_ambiguous(name, frame, ".")
    return ".", False


def _thousands(decimal: str, evidence: Evidence) -> tuple[str, bool]:
    """Return the mark between groups of digits or "", and whether it is a guess."""
    proofs = {
        mark: evidence.thousands[mark] for mark in WORDS if mark != decimal and evidence.thousands[mark]
    }
    if proofs:
        return max(proofs, key=lambda mark: proofs[mark]), len(proofs) > 1
    other = OTHER[decimal]
    return (other, True) if evidence.ambiguous[other] else ("", False)


def _refuse_ambiguous(name: str, frame: pd.DataFrame, mark: str) -> None:
    raise DataError(
        f"{name}: {_example(frame, mark)} can have a decimal mark or one between groups of digits: set "
        f"data.decimal = {json.dumps(mark)} or data.thousands = {json.dumps(mark)}"
    )


def _example(frame: pd.DataFrame, mark: str) -> str:
    """Return the first number with a mark and its column."""

    def cells() -> Iterator[str]:
        for column in frame.columns:
            for cell in frame[column]:
                shape = _shapes(cell) if mark in cell else ""
                if AMBIGUOUS[mark].fullmatch(shape) or SINGLE[mark].fullmatch(shape):
                    yield f"{cell!r} in column {column!r}"

    return next(islice(cells(), 1), repr(mark))
