"""What every section of a study file is: a frozen, validated record."""

from typing import Annotated, Any, ClassVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from sweep.config.bounds import (
    LARGEST_SEED,
    MOST_BATCH,
    MOST_BUDGET,
    MOST_EVALUATIONS,
    MOST_LAYERS,
    MOST_PROCESSES,
    MOST_SEEDS,
    MOST_STARTS,
    MOST_STEPS,
    MOST_TRIALS,
    MOST_UNITS,
    MOST_WIDTH,
)

Setting = bool | int | float | str
Share = Annotated[float, Field(gt=0, le=1)]
Steps = Annotated[int, Field(gt=0, le=MOST_STEPS)]
StepsOrZero = Annotated[int, Field(ge=0, le=MOST_STEPS)]
Starts = Annotated[int, Field(gt=0, le=MOST_STARTS)]
Units = Annotated[int, Field(gt=0, le=MOST_UNITS)]
Layers = Annotated[int, Field(gt=0, le=MOST_LAYERS)]
Budget = Annotated[int, Field(gt=0, le=MOST_BUDGET)]
Evaluations = Annotated[int, Field(gt=0, le=MOST_EVALUATIONS)]
Batch = Annotated[int, Field(gt=0, le=MOST_BATCH)]
Trials = Annotated[int, Field(gt=0, le=MOST_TRIALS)]
TrialsOrZero = Annotated[int, Field(ge=0, le=MOST_TRIALS)]
Width = Annotated[int, Field(gt=0, le=MOST_WIDTH)]
SeedsOrZero = Annotated[int, Field(ge=0, le=MOST_SEEDS)]
Threads = Annotated[int, Field(gt=0, le=MOST_PROCESSES)]
ProcessesOrZero = Annotated[int, Field(ge=0, le=MOST_PROCESSES)]
Seed = Annotated[int, Field(ge=0, le=LARGEST_SEED)]


class Section(BaseModel):
    """A frozen record that refuses unknown keys, wrong types and non-finite numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
    # Fields that are left out of documents while they have their defaults, and so of keys, seeds and identities: fields
    # for plug-ins, which must change nothing for a study without one.
    only_if_set: ClassVar[tuple[str, ...]] = ()

    @model_serializer(mode="wrap")
    def _without_defaults(self, handler: SerializerFunctionWrapHandler) -> Any:
        values = handler(self)
        for name in self.only_if_set:
            if getattr(self, name) == type(self).model_fields[name].default:
                values.pop(name, None)
        return values


class Component(Section):
    """A named entry of a table with its settings, such as an optimizer with learning rate and momentum."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)
    name: str

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value  # optimizer = "sgd": default settings

    @property
    def settings(self) -> dict[str, Any]:
        """Return the settings, without the name."""
        return dict(self.model_extra or {})
