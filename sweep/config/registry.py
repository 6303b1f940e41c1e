"""Tables of named entries, whose mistakes explain themselves."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Generic, Protocol, TypeVar

from sweep.config.errors import UnknownName


class Named(Protocol):
    """Anything with a name."""

    @property
    def name(self) -> str:
        """The name under which the entry is found."""


T = TypeVar("T", bound=Named)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the closest known name, or an empty string."""
    close = difflib.get_close_matches(str(name), [str(word) for word in known], n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


class Registry(Mapping[str, T], Generic[T]):
    """Entries by name, in the order written. `kind` is the word for error messages."""

    def __init__(self, kind: str, entries: Iterable[T]) -> None:
        self.kind = kind
        self._entries: dict[str, T] = {}
        for entry in entries:
            if entry.name in self._entries:
                raise ValueError(f"two entries named {entry.name!r} in the table of {kind}s")
            self._entries[entry.name] = entry

    def __getitem__(self, name: str) -> T:
        """Return the entry of that name.

        Raises:
            UnknownName: no such entry; the text gives the nearest name and all known ones.
        """
        if name in self._entries:
            return self._entries[name]
        raise UnknownName(
            f"no {self.kind} named {name!r}.{nearest(name, self._entries)} Known: {', '.join(self)}"
        )

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)
