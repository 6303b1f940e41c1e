"""`[space]` of a study file: lists are choices, ranges are typed, owners hold their own hyperparameters."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from sweep.config.feedback import OF_FEEDBACK, feedback_problems, without_effect
from sweep.config.known_names import KnownNames, Settable
from sweep.config.mistakes import component_problems
from sweep.config.range_text import parse_range, span_document
from sweep.config.ranges import Choice, Range, SpaceError, Value, ends
from sweep.config.registry import nearest
from sweep.config.section import Component, Section
from sweep.config.sections import OF_BOOL, RECURRENT, ModelConfig, TrainingConfig
from sweep.config.space import COMPONENTS, Axis, Condition, Space
from sweep.config.space_checks import (
    OF_MINI_BATCHES,
    PARTS_OF_WINDOW,
    against_training,
    hidden_settings,
    no_effect_on,
)

OF_PLUGINS = ("kind", "options")  # of a model: sampled as [space.model.<kind>]
FIXED_ONLY = ("budget", "evaluations")  # equal for all trials, which could not be compared otherwise
PLACES = {
    **{name: ("model", name) for name in ModelConfig.model_fields if name not in OF_PLUGINS},
    **{name: ("training", name) for name in TrainingConfig.model_fields if name not in FIXED_ONLY},
}


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
                self.problems.append(no_effect_on(name, ", ".join(optimizers)))
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
        alone = {"window": 0} if name in PARTS_OF_WINDOW else {}  # `space_checks` checks them together
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
        reader.problems.append(hidden_settings("model.options", model.options, "model", model.kind))
    if isinstance(training, TrainingConfig):
        spans = {axis.name: axis.span for axis in reader.axes}
        refits = reader.document.get("readout_refit", {})
        reader.problems += against_training(spans, refits, training, known)
    if not reader.axes and not reader.problems:
        reader.problems.append("space: is empty; name at least one hyperparameter to sample")
    return Space(tuple(reader.axes), tuple(reader.fixed)), reader.document, reader.problems
