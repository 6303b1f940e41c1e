"""`[space]` of a study file: lists are choices, ranges are typed, owners hold their own hyperparameters."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from sweep.config.feedback import OF_FEEDBACK, feedback_problems, without_effect
from sweep.config.known_names import KnownNames, Settable
from sweep.config.mistakes import component_problems
from sweep.config.ranges import RANGE_WORDS, Choice, Range, SpaceError, Value, ends
from sweep.config.registry import nearest
from sweep.config.section import Component, Section
from sweep.config.sections import ALWAYS, OF_BOOL, RECURRENT, ModelConfig, TrainingConfig
from sweep.config.space import COMPONENTS, Axis, Condition, Space

OF_PLUGINS = ("kind", "options")  # of a model: sampled as [space.model.<kind>]
FIXED_ONLY = ("budget", "evaluations")  # equal for all trials, which could not be compared otherwise
PLACES = {
    **{name: ("model", name) for name in ModelConfig.model_fields if name not in OF_PLUGINS},
    **{name: ("training", name) for name in TrainingConfig.model_fields if name not in FIXED_ONLY},
}

PARTS_OF_WINDOW = ("burn_in", "unroll")
OF_MINI_BATCHES = (
    "batch_size",
    "clip",
    "shuffle",
)  # without effect on optimizers that take all windows at once


class _Reader:
    """Collects axes and mistakes while it walks through [space]."""

    def __init__(self, known: KnownNames) -> None:
        self.known = known
        self.axes: list[Axis] = []
        self.fixed: list[tuple[Condition, tuple[str, ...], Value]] = []
        self.document: dict[str, Any] = {}
        self.problems: list[str] = []

    def component(self, owner: str, entry: Any) -> None:
        """Read `optimizer = [names]` (their default ranges) or `[space.optimizer.<name>]` tables."""
        table = self.known.owned(owner)
        path = f"space.{owner}"
        if owner == "readout_refit" and isinstance(entry, list):  # the words of before are still understood
            entry = [OF_BOOL.get(name, name) if isinstance(name, bool) else name for name in entry]
        if isinstance(entry, list) and all(isinstance(name, str) for name in entry):
            for name in sorted({name for name in entry if entry.count(name) > 1}):
                self.problems.append(f"{path}: names {name!r} twice")
            entry = dict.fromkeys(entry)
        if not isinstance(entry, Mapping) or not entry:
            self.problems.append(f"{path}: wanted a list of names or tables [{path}.<name>], got {entry!r}")
            return
        for name in entry:
            self.problems += self.known.unknown_name(path, owner, name, table)
        names = [name for name in table if name in entry]  # in the table's order: the file's changes nothing
        if not names:
            return
        self.axes.append(Axis(owner, COMPONENTS[owner][0], Choice(tuple(names)), self._unless_owned(owner)))
        self.document[owner] = {}
        for name in names:
            self._owned(owner, name, entry[name], table[name])

    def _owned(self, owner: str, name: str, settings: Any, entry: Settable) -> None:
        """Read the hyperparameters that belong to one value of an owner."""
        path = f"space.{owner}.{name}"
        condition = Condition(owner, frozenset([name]))
        axes: list[Axis] = []
        written: dict[str, Any] = {}
        self.document[owner][name] = written
        if settings is None:
            settings = {key: span_document(span) for key, span in entry.space.items()}
        if not isinstance(settings, Mapping):
            self.problems.append(f"{path}: wanted a table of ranges, got {settings!r}")
            return
        for key in sorted(settings):
            unknown = entry.unknown_setting(f"{path}.{key}", name, key)
            if unknown:
                self.problems += unknown
                continue
            place = (*COMPONENTS[owner][1], key)
            if owner == "readout_refit" and key in COMPONENTS:
                self._fixed_component(f"{path}.{key}", key, settings[key], condition)
                written[key] = settings[key]
                continue
            if isinstance(settings[key], bool | int | float | str):
                self._check(f"{path}.{key}", {**entry.defaults, key: settings[key]}, entry)
                self.fixed.append((condition, place, settings[key]))
                written[key] = settings[key]
                continue
            span = self._range(f"{path}.{key}", settings[key])
            if span is not None and key in FIXED_ONLY:
                self.problems.append(
                    f"{path}.{key}: wanted one number, because trials are compared at equal budgets"
                )
            elif span is not None:
                for value in ends(span):
                    self._check(f"{path}.{key}", {**entry.defaults, key: value}, entry)
                axes.append(Axis(f"{name}.{key}", place, span, condition))
                written[key] = span_document(span)
        self._refuse_shared_names(path, axes)
        self.axes += axes

    def _fixed_component(self, path: str, owner: str, entry: Any, condition: Condition) -> None:
        """Read `optimizer = "lbfgs"` or `optimizer = { name = "lbfgs", history = 30 }` of a value of an owner."""
        try:
            component = Component.model_validate(entry)
        except ValidationError:
            self.problems.append(f"{path}: wanted a name, or a table with a name and settings, got {entry!r}")
            return
        name, settings = component.name, component.settings
        self.problems += component_problems(path, path, owner, name, settings, self.known)
        name_place, settings_place = COMPONENTS[owner]
        self.fixed.append((condition, name_place, name))
        self.fixed += [(condition, (*settings_place, key), value) for key, value in settings.items()]

    def _unless_owned(self, name: str) -> Condition | None:
        """Return the condition that no value of `readout_refit` sets a hyperparameter; None: always."""
        owners = self.document.get("readout_refit", {})
        free = [value for value in owners if name not in owners[value]]
        if len(free) == len(owners):
            return None
        if not free:
            self.problems.append(f"space.{name}: has no effect, because each value of readout_refit sets it")
        return Condition("readout_refit", frozenset(free))

    def _refuse_shared_names(self, path: str, axes: Sequence[Axis]) -> None:
        """Refuse hyperparameters whose flat names belong to another owner, as a plug-in named like an optimizer has."""
        owners = {axis.name: axis.condition.on for axis in self.axes if axis.condition is not None}
        shared = [axis.name for axis in axes if axis.name in owners]
        if shared:
            others = f"space.{owners[shared[0]]}.{shared[0].partition('.')[0]}"
            self.problems.append(
                f"{path}: {others} has hyperparameters of the same names ({', '.join(shared)}). "
                "Give these settings fixed values, or rename the plug-in"
            )

    def _check(self, path: str, settings: Mapping[str, Any], entry: Settable) -> None:
        problem = entry.problem(settings)
        if problem is not None:
            self._add_once(f"{path}: {problem}")

    def _add_once(self, problem: str) -> None:
        if problem not in self.problems:  # both ends of a range may have the same mistake
            self.problems.append(problem)

    def condition_of(self, name: str, model: str, feedback: bool) -> Condition | None:
        """Return when a hyperparameter without an owner exists; None: always.

        Args:
            name: of the hyperparameter.
            model: kind of `[model]`, for a space that does not name models.
            feedback: of `[model]`, for a space that does not name it.
        """
        if name in OF_FEEDBACK:
            only_some = self._where_fed_back(name, feedback)
            if only_some is not None:
                return self._unless_owned(name) or only_some
        spans = {axis.name: axis.span for axis in self.axes}
        if name in OF_MINI_BATCHES and "optimizer" in spans:
            optimizers = ends(spans["optimizer"])
            batched = [value for value in optimizers if not self.known.optimizers[value].full_batch]
            if not batched:
                self.problems.append(_without_effect(name, ", ".join(optimizers)))
            elif len(batched) < len(optimizers):
                return Condition("optimizer", frozenset(batched))
        if PLACES.get(name, ("",))[0] == "model":
            models = ends(spans["model"]) if "model" in spans else [model]
            if RECURRENT not in models:
                self.problems.append(
                    f"space.{name}: has no effect on {', '.join(models)}, only on {RECURRENT}"
                )
            elif len(models) > 1:
                return Condition("model", frozenset([RECURRENT]))
        return self._unless_owned(name)

    def _where_fed_back(self, name: str, feedback: bool) -> Condition | None:
        """Return the condition of a setting of the fed-back channels, whose axis comes first; None: in all trials."""
        span = next((axis.span for axis in self.axes if axis.name == "feedback"), None)
        values = [feedback] if span is None else ends(span)
        if True not in values:
            self.problems.append(without_effect(name))
        return Condition("feedback", frozenset([True])) if len(values) > 1 else None

    def setting(self, name: str, entry: Any, condition: Condition | None) -> None:
        """Read one hyperparameter without an owner."""
        place = PLACES.get(name)
        if place is None:
            self.problems.append(
                f"space.{name}: no such hyperparameter.{nearest(name, PLACES)} Known: {', '.join(PLACES)}"
            )
            return
        span = self._range(f"space.{name}", entry)
        if span is None:
            return
        section: type[Section] = ModelConfig if place[0] == "model" else TrainingConfig
        alone = {"window": 0} if name in PARTS_OF_WINDOW else {}  # `_against_training` checks them together
        for value in ends(span):
            try:
                section.model_validate({name: value, **alone})
            except ValidationError as error:
                wanted = error.errors()[0]["msg"].removeprefix("Input should be ")
                self._add_once(f"space.{name}: wanted {wanted}, got {value!r}")
                continue
            if name == "cell":
                for problem in self.known.unknown_name("space.cell", "cell", value, self.known.cells):
                    self._add_once(problem)
        self.axes.append(Axis(name, place, span, condition))
        self.document[name] = span_document(span)

    def _range(self, path: str, entry: Any) -> Range | None:
        """Return a range; None with its mistake added if it is invalid."""
        try:
            return parse_range(entry)
        except (SpaceError, TypeError) as error:
            self.problems.append(f"{path}: {error}")
            return None


def parse_space(
    document: Any, known: KnownNames, sections: Mapping[str, Section]
) -> tuple[Space, dict[str, Any], list[str]]:
    """Return the space, its document with default ranges written out, and the mistakes.

    The axes have a fixed order (readout_refit, optimizer, scheduler, model, the rest by name), so the order in the
    file changes nothing.

    Args:
        document: `[space]` as TOML values.
        known: the names that it may use.
        sections: the valid sections of the study by name.
    """
    reader = _Reader(known)
    if not isinstance(document, Mapping):
        return Space(()), {}, [f"space: wanted a table, got {document!r}"]
    for owner in COMPONENTS:
        if owner in document:
            reader.component(owner, document[owner])
    model, training = sections.get("model"), sections.get("training")
    kind = model.kind if isinstance(model, ModelConfig) else RECURRENT
    feedback = model.feedback if isinstance(model, ModelConfig) else True
    for name in sorted(set(document) - set(COMPONENTS)):
        reader.setting(name, document[name], reader.condition_of(name, kind, feedback))
    reader.problems += feedback_problems(sections, {axis.name: axis.span for axis in reader.axes})
    if isinstance(model, ModelConfig) and "model" in document and model.options:
        reader.problems.append(_hidden_settings("model.options", model.options, "model", model.kind))
    if isinstance(training, TrainingConfig):
        reader.problems += _against_training(reader, training)
    if not reader.axes and not reader.problems:
        reader.problems.append("space: is empty; name at least one hyperparameter to sample")
    return Space(tuple(reader.axes), tuple(reader.fixed)), reader.document, reader.problems


def _without_effect(name: str, optimizers: str) -> str:
    return (
        f"space.{name}: has no effect on {optimizers}, which takes all windows at once and clips no gradient"
    )


def _hidden_settings(path: str, settings: Mapping[str, Any], owner: str, name: str) -> str:
    return (
        f"{path}: its settings ({', '.join(settings)}) have no effect, because the space names the {owner}: "
        f"put them under [space.{owner}.{name}]"
    )


def _against_training(reader: _Reader, training: TrainingConfig) -> list[str]:
    """Return the mistakes of the space and [training] together."""
    problems, known = [], reader.known
    spans = {axis.name: axis.span for axis in reader.axes}
    for owner in ("optimizer", "scheduler"):
        component = getattr(training, owner)
        if owner in spans and component.settings:
            problems.append(_hidden_settings(f"training.{owner}", component.settings, owner, component.name))
    fixed = known.optimizers.get(training.optimizer.name)
    if "optimizer" not in spans and fixed is not None and fixed.full_batch:
        problems += [
            _without_effect(name, training.optimizer.name) for name in OF_MINI_BATCHES if name in spans
        ]
    if "readout_refit" in spans and training.projected:
        problems.append("training.readout_refit: has no effect, because the space names it: drop it")
    problems += _against_refits(spans, reader.document.get("readout_refit", {}), training, known)
    if not {"window", *PARTS_OF_WINDOW} & set(spans):
        return problems  # the section has checked its own window
    windows = ends(spans["window"]) if "window" in spans else [training.window]
    smallest = min((window for window in windows if _whole(window) and window > 0), default=None)
    parts = [
        max((end for end in ends(spans[name]) if _whole(end)), default=0)
        if name in spans
        else getattr(training, name)
        for name in PARTS_OF_WINDOW
    ]
    parts = [part for part in parts if _whole(part)]  # a share of a window leaves something of any window
    if smallest is not None and sum(parts) >= smallest:
        problems.append(
            f"space: burn_in + unroll can reach {sum(parts)}, which leaves nothing of a window of {smallest}"
        )
    return problems


def _against_refits(
    spans: Mapping[str, Range],
    owned: Mapping[str, Mapping[str, Any]],
    training: TrainingConfig,
    known: KnownNames,
) -> list[str]:
    """Return the mistakes of [training] and the values of `readout_refit`, with the settings that each owns.

    Args:
        spans: of the space, by flat name.
        owned: settings by value of the axis `readout_refit`; empty if there is none.
        training: the section.
        known: the names that the study may use.
    """
    problems = []
    for value in owned or [training.readout_refit]:
        settings = owned.get(value, {})
        path = f"space.readout_refit.{value}" if owned else "training"
        fixed = {key: entry for key, entry in settings.items() if f"{value}.{key}" not in spans}
        try:
            merged = TrainingConfig.model_validate({**training.model_dump(), "readout_refit": value, **fixed})
        except ValidationError as error:
            problems += [f"{path}: {entry['msg'].removeprefix('Value error, ')}" for entry in error.errors()]
            continue
        sampled = "optimizer" in spans and "optimizer" not in settings
        names = ends(spans["optimizer"]) if sampled else [merged.optimizer.name]
        specs = [known.optimizers.get(name) for name in names]
        if value == ALWAYS and not any(spec is None or spec.full_batch for spec in specs):
            right = ", ".join(name for name, spec in known.optimizers.items() if spec.full_batch)
            where = f'{path}.optimizer = "..."' if owned else "training.optimizer"
            problems.append(
                f"{path}: always needs an optimizer that takes all windows at once ({right}), not {', '.join(names)}: "
                f"set {where}"
            )
    return problems


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def parse_range(entry: Any) -> Range:
    """Return the range of a TOML value: a list is a choice, `{ log = [low, high] }` a typed range.

    Raises:
        SpaceError: the value is neither; the text gives the nearest right word.
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
        raise SpaceError(f"{word} needs [low, high], two numbers, got {bounds!r}")
    return RANGE_WORDS[word](*bounds)


def span_document(span: Range) -> Any:
    """Return the TOML value of a range, which `parse_range` reads."""
    if isinstance(span, Choice):
        return [list(value) if isinstance(value, tuple) else value for value in span.values]
    word = next(word for word, kind in RANGE_WORDS.items() if isinstance(span, kind))
    return {word: [span.low, span.high]}
