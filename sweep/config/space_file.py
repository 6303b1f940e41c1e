"""`[space]` of a study file: lists are choices, ranges are typed, owners hold their own hyperparameters."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from sweep.config.catalogue import Catalogue, Offer
from sweep.config.ranges import RANGE_WORDS, Choice, LogUniform, OneMinusLog, Range, SpaceError, Uniform
from sweep.config.registry import nearest
from sweep.config.sections import ModelConfig, Section, TrainingConfig
from sweep.config.space import COMPONENTS, Axis, Condition, Space

FIXED_ONLY = ("budget", "evaluations")  # the same for all trials, or they could not be compared
PLACES = {
    **{name: ("model", name) for name in ModelConfig.model_fields},
    **{name: ("training", name) for name in TrainingConfig.model_fields if name not in FIXED_ONLY},
}


class _Reader:
    """Collects axes and mistakes while it walks through [space]."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.axes: list[Axis] = []
        self.fixed: list[tuple[Condition, tuple[str, ...], Any]] = []
        self.document: dict[str, Any] = {}
        self.problems: list[str] = []

    def component(self, owner: str, entry: Any) -> None:
        """Read `optimizer = [names]` (their default ranges) or `[space.optimizer.<name>]` tables."""
        table = self.catalogue.optimizers if owner == "optimizer" else self.catalogue.schedulers
        path = f"space.{owner}"
        if isinstance(entry, list):
            entry = {name: None for name in entry}
        if not isinstance(entry, Mapping) or not entry:
            self.problems.append(f"{path}: wanted a list of names or tables [{path}.<name>], got {entry!r}")
            return
        known = []
        for name in entry:
            if name in table:
                known.append(name)
            else:
                hint = nearest(name, table)
                self.problems.append(f"{path}: no {owner} named {name!r}.{hint} Known: {', '.join(table)}")
        if not known:
            return
        self.axes.append(Axis(owner, ("training", owner), Choice(tuple(known))))
        self.document[owner] = {}
        for name in known:
            self._owned(owner, name, entry[name], table[name])

    def _owned(self, owner: str, name: str, settings: Any, offer: Offer) -> None:
        path = f"space.{owner}.{name}"
        condition = Condition(owner, frozenset([name]))
        written: dict[str, Any] = {}
        self.document[owner][name] = written
        if settings is None:
            settings = {key: span_document(span) for key, span in offer.space.items()}
        if not isinstance(settings, Mapping):
            self.problems.append(f"{path}: wanted a table of ranges, got {settings!r}")
            return
        for key in sorted(settings):
            if key not in offer.defaults:
                hint = nearest(key, offer.defaults)
                self.problems.append(
                    f"{path}.{key}: {name} has no such setting.{hint} Known: {', '.join(offer.defaults) or 'none'}"
                )
                continue
            place = ("training", owner, key)
            if isinstance(settings[key], bool | int | float | str):
                self.fixed.append((condition, place, settings[key]))
                written[key] = settings[key]
                continue
            span = self.span(f"{path}.{key}", settings[key])
            if span is not None:
                self._check_ends(path, key, span, offer)
                self.axes.append(Axis(f"{name}.{key}", place, span, condition))
                written[key] = span_document(span)

    def _check_ends(self, path: str, key: str, span: Range, offer: Offer) -> None:
        if offer.check is None:
            return
        for value in _ends(span):
            try:
                offer.check({**offer.defaults, key: value})
            except (ValueError, TypeError) as error:
                self.problems.append(f"{path}.{key}: {error}")

    def setting(self, name: str, entry: Any, condition: Condition | None) -> None:
        """Read one unconditional hyperparameter."""
        place = PLACES.get(name)
        if place is None:
            self.problems.append(
                f"space.{name}: no such hyperparameter.{nearest(name, PLACES)} Known: {', '.join(PLACES)}"
            )
            return
        span = self.span(f"space.{name}", entry)
        if span is None:
            return
        section: type[Section] = ModelConfig if place[0] == "model" else TrainingConfig
        for value in _ends(span):
            try:
                section.model_validate({name: list(value) if isinstance(value, tuple) else value, "window": 0}
                                       if name in ("burn_in", "unroll") else {name: value})
            except ValidationError as error:
                wanted = error.errors()[0]["msg"].removeprefix("Input should be ")
                self.problems.append(f"space.{name}: wanted {wanted}, got {value!r}")
        if name == "cell":
            for value in _ends(span):
                if value not in self.catalogue.cells:
                    hint = nearest(str(value), self.catalogue.cells)
                    self.problems.append(f"space.cell: no cell named {value!r}.{hint}")
        self.axes.append(Axis(name, place, span, condition))
        self.document[name] = span_document(span)

    def span(self, path: str, entry: Any) -> Range | None:
        """Return a range, noting the mistake where it is none."""
        try:
            return parse_range(entry)
        except (SpaceError, TypeError) as error:
            self.problems.append(f"{path}: {error}")
            return None


def parse_space(
    document: Any, catalogue: Catalogue, sections: Mapping[str, Section]
) -> tuple[Space, dict[str, Any], list[str]]:
    """Return the space, its document with default ranges written out, and the mistakes found.

    The axes stand in a fixed order (optimizer, scheduler, the rest by name), so that the order in the
    file changes nothing.
    """
    reader = _Reader(catalogue)
    if not isinstance(document, Mapping):
        return Space(()), {}, [f"space: wanted a table, got {document!r}"]
    for owner in COMPONENTS:
        if owner in document:
            reader.component(owner, document[owner])
    for name in sorted(set(document) - set(COMPONENTS)):
        condition = None
        if name == "batch_size" and reader.axes and reader.axes[0].name == "optimizer":
            batched = [v for v in _ends(reader.axes[0].span) if not catalogue.optimizers[v].full_batch]
            condition = Condition("optimizer", frozenset(batched))
        reader.setting(name, document[name], condition)
    if not reader.axes and not reader.problems:
        reader.problems.append("space: is empty; name at least one hyperparameter to sample")
    return Space(tuple(reader.axes), tuple(reader.fixed)), reader.document, reader.problems


def parse_range(entry: Any) -> Range:
    """Return the range that a TOML value means: a list is a choice, `{ log = [low, high] }` a typed range.

    Raises:
        SpaceError: neither, with the nearest right word.
    """
    if isinstance(entry, list):
        values = tuple(tuple(value) if isinstance(value, list) else value for value in entry)
        if any(isinstance(value, Mapping) for value in values):
            raise SpaceError(f"a choice holds plain values, got {entry!r}")
        return Choice(values)
    words = ", ".join(RANGE_WORDS)
    if not isinstance(entry, Mapping) or len(entry) != 1:
        raise SpaceError(f"wanted a list (a choice) or {{ {words} = [low, high] }}, got {entry!r}")
    ((word, bounds),) = entry.items()
    if word not in RANGE_WORDS:
        raise SpaceError(f"no range named {word!r}.{nearest(word, RANGE_WORDS)} Known: {words}")
    numbers = isinstance(bounds, Sequence) and all(
        isinstance(bound, int | float) and not isinstance(bound, bool) for bound in bounds
    )
    if not numbers or len(bounds) != 2:
        raise SpaceError(f"{word} wants [low, high], two numbers, got {bounds!r}")
    return RANGE_WORDS[word](*bounds)


def span_document(span: Range) -> Any:
    """Return a range as the TOML value that `parse_range` reads."""
    if isinstance(span, Choice):
        return [list(value) if isinstance(value, tuple) else value for value in span.values]
    word = next(word for word, kind in RANGE_WORDS.items() if isinstance(span, kind))
    return {word: [span.low, span.high]}


def _ends(span: Range) -> list[Any]:
    """Return every value of a choice, the bounds of a range."""
    if isinstance(span, Choice):
        return list(span.values)
    assert isinstance(span, LogUniform | Uniform | OneMinusLog) or hasattr(span, "low")
    return [span.low, span.high]
