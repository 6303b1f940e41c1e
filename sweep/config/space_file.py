"""`[space]` of a study file: lists are choices, ranges are typed, owners hold their own hyperparameters."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from sweep.config.known_names import KnownNames, Settable
from sweep.config.ranges import RANGE_WORDS, Choice, Range, SpaceError, ends
from sweep.config.registry import nearest
from sweep.config.sections import ModelConfig, Section, TrainingConfig
from sweep.config.space import COMPONENTS, Axis, Condition, Space

OF_PLUGINS = ("kind", "options")  # of a model: sampled as [space.model.<kind>]
FIXED_ONLY = ("budget", "evaluations")  # the same for all trials, or they could not be compared
PLACES = {
    **{name: ("model", name) for name in ModelConfig.model_fields if name not in OF_PLUGINS},
    **{name: ("training", name) for name in TrainingConfig.model_fields if name not in FIXED_ONLY},
}

RECURRENT = "recurrent"  # the model with cells, layers and a readout
PARTS_OF_WINDOW = ("burn_in", "unroll")
# without effect on optimizers that take all windows at once
OF_MINI_BATCHES = ("batch_size", "clip", "shuffle")


class _Reader:
    """Collects axes and mistakes while it walks through [space]."""

    def __init__(self, known: KnownNames) -> None:
        self.known = known
        self.axes: list[Axis] = []
        self.fixed: list[tuple[Condition, tuple[str, ...], Any]] = []
        self.document: dict[str, Any] = {}
        self.problems: list[str] = []

    def component(self, owner: str, entry: Any) -> None:
        """Read `optimizer = [names]` (their default ranges) or `[space.optimizer.<name>]` tables."""
        table = self.known.owned(owner)
        path = f"space.{owner}"
        if isinstance(entry, list) and all(isinstance(name, str) for name in entry):
            for name in sorted({name for name in entry if entry.count(name) > 1}):
                self.problems.append(f"{path}: names {name!r} twice")
            entry = dict.fromkeys(entry)
        if not isinstance(entry, Mapping) or not entry:
            self.problems.append(f"{path}: wanted a list of names or tables [{path}.<name>], got {entry!r}")
            return
        for name in entry:
            if name not in table:
                hint = nearest(name, table)
                self.problems.append(f"{path}: no {owner} named {name!r}.{hint} Known: {', '.join(table)}")
        known = [name for name in table if name in entry]  # in the table's order: the file's changes nothing
        if not known:
            return
        self.axes.append(Axis(owner, COMPONENTS[owner][0], Choice(tuple(known))))
        self.document[owner] = {}
        for name in known:
            self._owned(owner, name, entry[name], table[name])

    def _owned(self, owner: str, name: str, settings: Any, entry: Settable) -> None:
        path = f"space.{owner}.{name}"
        condition = Condition(owner, frozenset([name]))
        written: dict[str, Any] = {}
        self.document[owner][name] = written
        if settings is None:
            settings = {key: span_document(span) for key, span in entry.space.items()}
        if not isinstance(settings, Mapping):
            self.problems.append(f"{path}: wanted a table of ranges, got {settings!r}")
            return
        for key in sorted(settings):
            if key not in entry.defaults:
                hint, known = nearest(key, entry.defaults), ", ".join(entry.defaults) or "none"
                self.problems.append(f"{path}.{key}: {name} has no such setting.{hint} Known: {known}")
                continue
            place = (*COMPONENTS[owner][1], key)
            if isinstance(settings[key], bool | int | float | str):
                self._check(f"{path}.{key}", {**entry.defaults, key: settings[key]}, entry)
                self.fixed.append((condition, place, settings[key]))
                written[key] = settings[key]
                continue
            span = self.span(f"{path}.{key}", settings[key])
            if span is not None:
                for value in ends(span):
                    self._check(f"{path}.{key}", {**entry.defaults, key: value}, entry)
                self.axes.append(Axis(f"{name}.{key}", place, span, condition))
                written[key] = span_document(span)

    def _check(self, path: str, settings: Mapping[str, Any], entry: Settable) -> None:
        problem = entry.problem(settings)
        if problem is not None:
            self._note(f"{path}: {problem}")

    def _note(self, problem: str) -> None:
        if problem not in self.problems:  # both ends of a range may say the same
            self.problems.append(problem)

    def of_recurrent(self, name: str) -> Condition | None:
        """Return when a hyperparameter of the recurrent model exists, if the space names models; else None."""
        models = next((ends(axis.span) for axis in self.axes if axis.name == "model"), None)
        if models is None or PLACES.get(name, ("",))[0] != "model" or models == [RECURRENT]:
            return None
        if RECURRENT not in models:
            self.problems.append(f"space.{name}: has no effect on {', '.join(models)}, only on {RECURRENT}")
        return Condition("model", frozenset([RECURRENT]))

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
        alone = {"window": 0} if name in PARTS_OF_WINDOW else {}  # how they fit together is checked later
        for value in ends(span):
            try:
                section.model_validate({name: value, **alone})
            except ValidationError as error:
                wanted = error.errors()[0]["msg"].removeprefix("Input should be ")
                self._note(f"space.{name}: wanted {wanted}, got {value!r}")
                continue
            if name == "cell" and value not in self.known.cells:
                hint = nearest(value, self.known.cells)
                known = ", ".join(self.known.cells)
                self._note(f"space.cell: no cell named {value!r}.{hint} Known: {known}")
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
    document: Any, known: KnownNames, sections: Mapping[str, Section]
) -> tuple[Space, dict[str, Any], list[str]]:
    """Return the space, its document with default ranges written out, and the mistakes found.

    The axes stand in a fixed order (optimizer, scheduler, the rest by name), so that the order in the
    file changes nothing.
    """
    reader = _Reader(known)
    if not isinstance(document, Mapping):
        return Space(()), {}, [f"space: wanted a table, got {document!r}"]
    for owner in COMPONENTS:
        if owner in document:
            reader.component(owner, document[owner])
    for name in sorted(set(document) - set(COMPONENTS)):
        condition = reader.of_recurrent(name)
        if name in OF_MINI_BATCHES and reader.axes and reader.axes[0].name == "optimizer":
            optimizers = ends(reader.axes[0].span)
            batched = [v for v in optimizers if not known.optimizers[v].full_batch]
            if not batched:
                reader.problems.append(_without_effect(name, ", ".join(optimizers)))
            elif len(batched) < len(optimizers):
                condition = Condition("optimizer", frozenset(batched))
        reader.setting(name, document[name], condition)
    training = sections.get("training")
    if isinstance(training, TrainingConfig):
        reader.problems += _against_training(reader.axes, training, known)
    if not reader.axes and not reader.problems:
        reader.problems.append("space: is empty; name at least one hyperparameter to sample")
    return Space(tuple(reader.axes), tuple(reader.fixed)), reader.document, reader.problems


def _without_effect(name: str, optimizers: str) -> str:
    return f"space.{name}: has no effect on {optimizers}, all windows at once without a clip"


def _against_training(axes: list[Axis], training: TrainingConfig, known: KnownNames) -> list[str]:
    """Return the mistakes that only the space and [training] together show."""
    problems = []
    spans = {axis.name: axis.span for axis in axes}
    for owner in ("optimizer", "scheduler"):
        component = getattr(training, owner)
        if owner in spans and component.settings:
            problems.append(
                f"training.{owner}: its settings ({', '.join(component.settings)}) have no effect, as the "
                f"space names the {owner}: put them under [space.{owner}.{component.name}]"
            )
    fixed = known.optimizers.get(training.optimizer.name)
    if "optimizer" not in spans and fixed is not None and fixed.full_batch:
        problems += [
            _without_effect(name, training.optimizer.name) for name in OF_MINI_BATCHES if name in spans
        ]
    if not {"window", *PARTS_OF_WINDOW} & set(spans):
        return problems  # then the section has checked itself
    windows = ends(spans["window"]) if "window" in spans else [training.window]
    smallest = min((window for window in windows if _whole(window) and window > 0), default=None)
    parts = [
        max((end for end in ends(spans[name]) if _whole(end)), default=0)
        if name in spans
        else getattr(training, name)
        for name in PARTS_OF_WINDOW
    ]
    if smallest is not None and sum(parts) >= smallest:
        problems.append(
            f"space: burn_in + unroll can reach {sum(parts)}, which leaves nothing of a window of {smallest}"
        )
    return problems


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


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
