"""What was understood of a file: each thing with the setting that settles it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fact:
    """One thing that was understood of the data, such as the separator of a file."""

    name: str  # in JSON and in the terminal, such as "separator"
    text: str  # such as "semicolon"
    key: str = ""  # the line of [data] that settles it, such as 'separator = ";"'; empty: there is none
    guessed: bool = False  # whether another reading was possible; then there is a key
