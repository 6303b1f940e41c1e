"""Tables of named entries, sweep's own and those of plug-ins, with errors that name the nearest entry."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from sweep.config import plugins
from sweep.config.errors import SweepError, UnknownName
from sweep.config.plugins import PluginError, PluginOrigin


class Named(Protocol):
    """An object with a name."""

    @property
    def name(self) -> str:
        """The name under which the entry is found."""


T = TypeVar("T", bound=Named)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the closest known name, or an empty string."""
    close = difflib.get_close_matches(str(name), [str(word) for word in known], n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


@dataclass(frozen=True)
class Outside(Generic[T]):
    """The entries of plug-ins, and what is wrong with those that cannot be used."""

    entries: Mapping[str, tuple[T, PluginOrigin]]  # by name
    broken: Mapping[str, str]  # by name of the entry or path of the file, on one line


class Registry(Mapping[str, T], Generic[T]):
    """Entries by name, in the order written.

    Iteration and `len` give sweep's own entries. Look-up, `in` and `names` include those of plug-ins.
    """

    def __init__(self, kind: str, entries: Iterable[T], spec: type[T] | None = None) -> None:
        """Make a table.

        Args:
            kind: word for an entry in messages; "optimizer" has the entry-point group "sweep.optimizers".
            entries: sweep's own.
            spec: class of the entries that plug-ins may add; None: plug-ins cannot add any.
        """
        self.kind = kind
        self.spec = spec
        self._entries: dict[str, T] = {}
        self._included: dict[str, tuple[T, PluginOrigin]] = {}
        self._outside: tuple[tuple[object, ...], Outside[T]] | None = (
            None  # by the plug-in files in use at that time
        )
        for entry in entries:
            if entry.name in self._entries:
                raise ValueError(f"two entries named {entry.name!r} in the table of {kind}s")
            self._entries[entry.name] = entry

    def __getitem__(self, name: str) -> T:
        """Return the entry of that name.

        Raises:
            UnknownName: no such entry; the text gives the nearest name and all known ones.
            PluginError: the plug-in of that name cannot be used.
        """
        if name in self._entries:
            return self._entries[name]
        outside = self.outside()
        if name in outside.entries:
            return outside.entries[name][0]
        if name in outside.broken:
            raise PluginError(outside.broken[name])
        known = self.names()
        raise UnknownName(f"no {self.kind} named {name!r}.{nearest(name, known)} Known: {', '.join(known)}")

    def __contains__(self, name: object) -> bool:
        return name in self._entries or (isinstance(name, str) and name in self.outside().entries)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def names(self) -> tuple[str, ...]:
        """Return all names: sweep's own entries, then those of plug-ins."""
        return (*self._entries, *self.outside().entries)

    def origin(self, name: str) -> PluginOrigin | None:
        """Return the origin of the plug-in of that name; None for sweep's own entries.

        Raises:
            UnknownName: no such entry.
            PluginError: the plug-in of that name cannot be used.
        """
        self[name]
        return None if name in self._entries else self.outside().entries[name][1]

    @contextmanager
    def including(self, entry: T) -> Iterator[None]:
        """Add an entry inside the context, as if a plug-in offered it, unless its name is known already."""
        if entry.name in self:
            yield
            return
        self._included[entry.name] = entry, PluginOrigin("included", "0")
        try:
            yield
        finally:
            del self._included[entry.name]

    @contextmanager
    def running(self, name: str) -> Iterator[None]:
        """Turn errors that a plug-in's code raises inside the context into a PluginError, one line that names it."""
        try:
            yield
        except (SweepError, MemoryError):
            raise
        except Exception as error:
            if name in self._entries or name not in self.outside().entries:
                raise
            raise PluginError(f"{self.label(name)}: {plugins.error_text(error)}") from error

    def label(self, name: str) -> str:
        """Return the name of an entry in messages: "plug-in optimizer 'lion' of lion-sweep 0.2", "optimizer 'adam'"."""
        plugin = None if name in self._entries else self.outside().entries.get(name)
        return f"{self.kind} {name!r}" if plugin is None else f"plug-in {self.kind} {name!r} of {plugin[1]}"

    def outside(self) -> Outside[T]:
        """Return the entries of plug-ins: of installed packages, and of the plug-in files in use."""
        if self.spec is None:
            return Outside({}, {})
        outside = self._loaded_once(self.spec)
        return Outside({**outside.entries, **self._included}, outside.broken) if self._included else outside

    def _loaded_once(self, spec: type[T]) -> Outside[T]:
        key = plugins.files_in_use()
        if self._outside is None or self._outside[0] != key:
            self._outside = key, self._loaded(spec)
        return self._outside[1]

    def _loaded(self, spec: type[T]) -> Outside[T]:
        entries: dict[str, tuple[T, PluginOrigin]] = {}
        broken: dict[str, str] = {}

        def add(name: str, entry: object, origin: PluginOrigin) -> None:
            where = f"plug-in {self.kind} {name!r} of {origin}"
            if not isinstance(entry, spec):
                broken[name] = f"{where}: wanted a {spec.__name__}, got {type(entry).__name__}"
            elif entry.name != name:
                broken[name] = f"{where}: its spec is named {entry.name!r}; both names must be equal"
            elif name in self._entries:
                broken[name] = f"{where}: the name is taken by sweep's own {self.kind}; choose another"
            elif name in entries:
                broken[name] = f"{where}: the name is taken by {entries[name][1]}; remove one of them"
            else:
                entries[name] = entry, origin

        for point in plugins.entry_points(f"sweep.{self.kind}s"):
            try:
                loaded = point.load()
            except Exception as error:  # a plug-in may raise anything, and the others must stay usable
                broken[point.name] = (
                    f"plug-in {self.kind} {point.name!r} of {point.origin} cannot be loaded: "
                    f"{plugins.error_text(error)}"
                )
                continue
            add(point.name, loaded, point.origin)
        for path in plugins.plugin_files():
            try:
                module, origin = plugins.load_file(path)
            except PluginError as error:
                broken[str(path)] = str(error)
                continue
            seen: list[T] = []
            for entry in vars(module).values():
                new = isinstance(entry, spec) and not any(entry is other for other in (*seen, *self.values()))
                if new:  # neither a second name of one entry nor one of sweep's own that the file imports
                    seen.append(entry)
                    add(entry.name, entry, origin)
        return Outside(entries, broken)
