"""The sections of a study file beside `[data]`. All their defaults and limits are defined here."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    Field,
    PlainValidator,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from sweep.config.bounds import MOST_LAYERS, MOST_STEPS
from sweep.config.records import PREFIXES
from sweep.config.section import (
    Batch,
    Budget,
    Component,
    Evaluations,
    Layers,
    ProcessesOrZero,
    Section,
    Seed,
    SeedsOrZero,
    Setting,
    Share,
    Starts,
    Steps,
    StepsOrZero,
    Threads,
    Trials,
    TrialsOrZero,
    Units,
    Width,
)

SHORTEST_HISTORY = (
    100  # trials that TPE uses; with fewer it knows little besides its 25 best ones (our choice)
)


def _steps_or_share(value: Any) -> int | float:
    whole = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_STEPS
    if not whole and not (isinstance(value, float) and 0 <= value < 1):
        raise PydanticCustomError(
            "steps", f"Input should be a number of steps up to {MOST_STEPS}, or a share below 1 such as 0.25"
        )
    return value  # type: ignore[no-any-return]


def _true_false_or_test(value: Any) -> bool | str:
    if not isinstance(value, bool) and value != "test":
        raise PydanticCustomError("from_start", 'Input should be true, false or "test"')
    return value  # type: ignore[no-any-return]


StepsOrShare = Annotated[int | float, PlainValidator(_steps_or_share)]

ALWAYS = "always"  # value of training.readout_refit
HORIZON = 1000  # free-running steps that are scored, unless a study says otherwise
OF_BOOL = {True: "end", False: "never"}  # what it means as a bool
RECURRENT = "recurrent"  # kind of sweep's own model, with cells, layers and a readout


class ScoreConfig(Section):
    """`[score]`: the rollouts of an evaluation and the objective."""

    warmup: Steps = 1000  # true steps that set the hidden state
    # Free-running steps that are scored; in whole records of both parts their largest number, None: no limit.
    horizon: Annotated[int | None, Field(ge=10, le=MOST_STEPS)] = HORIZON
    starts: Starts = 32  # rollouts per evaluation; not of whole records
    # One rollout of each record of a part, from its beginning to its end, with the warm-up within the part; "test":
    # of the test alone.
    from_start: Annotated[bool | Literal["test"], PlainValidator(_true_false_or_test)] = False
    objective: str = "rollout_error"  # the score to minimise
    baselines: Annotated[tuple[str, ...], Field(strict=False)] = ()  # of plug-ins, beside sweep's own

    only_if_set: ClassVar[tuple[str, ...]] = ("from_start", "objective", "baselines")

    @model_validator(mode="before")
    @classmethod
    def _whole_records(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and values.get("from_start") is True and "horizon" not in values:
            return {**values, "horizon": None}
        return values

    @model_validator(mode="after")
    def _horizon_is_given(self) -> "ScoreConfig":
        if self.horizon is None and self.from_start is not True:
            raise ValueError("horizon may be absent only with from_start = true")
        return self

    def scores_whole_records(self, part: str) -> bool:
        """Return whether a rollout of a part, such as "validation" or "test", is a whole record."""
        return self.from_start is True or self.from_start == part


class ModelConfig(Section):
    """`[model]`: the forecaster."""

    kind: str = RECURRENT  # or the model of a plug-in, which reads nothing but `options`
    options: dict[str, Setting] = {}  # noqa: RUF012 - pydantic copies it; settings of a plug-in's model
    cell: str = "lstm"
    hidden: Units = 51
    layers: Layers = 2
    # Whether the network sees the channels, its own forecasts in a rollout. Without, it sees the known inputs alone.
    feedback: bool = True
    readout: Literal["increment", "value"] = "increment"  # without feedback always "value"
    head: Annotated[
        tuple[Units, ...], Field(strict=False, max_length=MOST_LAYERS)
    ] = ()  # sizes of ReLU layers
    head_activation: Literal["relu", "tanh"] = "relu"
    output_activation: Literal["none", "relu"] = "none"
    init_gain: Annotated[float, Field(gt=0)] = 1.0  # factor on the initial recurrent weights
    forget_bias: float = 0.0  # added to the initial bias of the gate that keeps the state

    only_if_set: ClassVar[tuple[str, ...]] = ("kind", "options", "feedback")

    @model_validator(mode="before")
    @classmethod
    def _value_without_feedback(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and values.get("feedback") is False:
            return {**values, "readout": "value"}  # an increment adds to the value that is fed back
        return values

    @model_validator(mode="after")
    def _own_model_without_feedback(self) -> "ModelConfig":
        if not self.feedback and not self.recurrent:
            raise ValueError(f"feedback = false needs sweep's own model, got kind = {self.kind}")
        return self

    @property
    def recurrent(self) -> bool:
        """Return whether the model is sweep's own recurrent forecaster, whose settings are those of this section."""
        return self.kind == RECURRENT


class TrainingConfig(Section):
    """`[training]`: how the forecaster is trained."""

    budget: Budget = 3_000_000  # sequence-steps
    evaluations: Evaluations = 24  # evaluation points
    optimizer: Component = Component(name="adam")
    scheduler: Component = Component(name="none")
    batch_size: Batch = 32
    window: StepsOrZero = 128  # training steps per window; 0: whole series
    window_stride: Steps = 1  # of the windows in a row, every n-th is used
    burn_in: StepsOrShare = (
        0.25  # first steps of a window, without a loss: a number, or a share; see `unscored`
    )
    shuffle: bool = True
    input_noise: Annotated[float, Field(ge=0)] = 0.0  # in standard deviations of the training data
    unroll: StepsOrZero = 0  # last steps of a window, trained free-running
    clip: Annotated[float, Field(ge=0)] = (
        0.0  # largest gradient norm; 0: no limit. Full-batch optimizers ignore it
    )
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    lr_warmup: Annotated[float, Field(ge=0, lt=1)] = (
        0.0  # share of the budget in which the learning rate rises
    )
    precision: Literal["float32", "float64"] = "float32"
    # When ridge regression solves for the last layer: never; at the end, for the best checkpoint, kept if its rollout
    # is better; or always, in each evaluation of the loss ("variable projection"), in float64.
    readout_refit: Literal["never", "end", "always"] = "never"
    ridge: Annotated[float, Field(gt=0, lt=1)] = 1e-14  # of "always", relative to the targets' mean square

    @field_validator("readout_refit", mode="before")
    @classmethod
    def _from_bool(cls, value: Any) -> Any:
        return OF_BOOL[value] if isinstance(value, bool) else value

    @model_validator(mode="before")
    @classmethod
    def _always_in_float64(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and values.get("readout_refit") == ALWAYS:
            return {**values, "precision": "float64"}
        return values

    @model_validator(mode="after")
    def _parts_fit(self) -> "TrainingConfig":
        steps = self.unscored(self.window) + self.unroll
        if self.window and steps >= self.window:
            raise ValueError(f"burn_in + unroll = {steps} leaves nothing of a window of {self.window}")
        if self.projected and self.unroll:
            raise ValueError(
                'readout_refit = "always" solves for forecasts of true inputs: it needs unroll = 0, '
                f"got {self.unroll}"
            )
        return self

    @property
    def projected(self) -> bool:
        """Return whether the last layer is solved in each evaluation of the loss."""
        return self.readout_refit == ALWAYS

    def unscored(self, window: int) -> int:
        """Return the first steps of a window, free-running ones excluded, without a loss.

        A share counts of the steps that `unroll` leaves, so that it always leaves something to score.

        Args:
            window: steps of a window; it differs from the setting where that is 0, whole series.
        """
        if isinstance(self.burn_in, int):
            return self.burn_in
        return int(self.burn_in * max(0, window - self.unroll))


class Rung(Section):
    """A point of the budget at which trials are compared, and the share of them that continues."""

    at: Share
    keep: Share
    horizon: Share = 1.0  # share of the rollout that is compared, one of PREFIXES

    @field_validator("horizon")
    @classmethod
    def _recorded(cls, horizon: float) -> float:
        if horizon not in PREFIXES:
            known = ", ".join(str(share) for share in PREFIXES)
            raise ValueError(f"wanted one of the recorded shares of the horizon ({known}), got {horizon}")
        return horizon


class PruningConfig(Section):
    """`[pruning]`: which trials stop early."""

    enabled: bool = True
    startup: TrialsOrZero = 8  # the first trials are never pruned
    rungs: Annotated[tuple[Rung, ...], Field(strict=False)] = (
        Rung(at=1 / 9, keep=2 / 3, horizon=0.03),
        Rung(at=1 / 3, keep=1 / 2, horizon=1.0),
    )

    @field_validator("rungs")
    @classmethod
    def _rising(cls, rungs: tuple[Rung, ...]) -> tuple[Rung, ...]:
        if list(rungs) != sorted(rungs, key=lambda rung: rung.at) or len({r.at for r in rungs}) < len(rungs):
            raise ValueError("rungs must rise in `at`")
        return rungs


class SearchConfig(Section):
    """`[search]`: the sampler and the number of trials."""

    trials: Trials = 200
    seed: Seed = 0
    width: Width = 16  # trials in flight
    sampler: str = "tpe"
    history: TrialsOrZero = 0  # settled trials that TPE uses: the 25 best and the latest others; 0: all
    in_turn: str = ""  # a choice whose values take turns, each with a search of its own; empty: none

    @field_validator("history")
    @classmethod
    def _long_enough(cls, history: int) -> int:
        if 0 < history < SHORTEST_HISTORY:
            raise ValueError(f"must be 0, for all trials, or at least {SHORTEST_HISTORY}")
        return history


class ConfirmConfig(Section):
    """`[confirm]`: how many of the best are trained again, on how many fresh seeds. Not part of a study's identity."""

    top: TrialsOrZero = 3  # configurations; 0: none
    seeds: SeedsOrZero = 5  # of each; 0: none


class DiagnosisConfig(Section):
    """`[diagnosis]`: hidden findings, and probes and checks of plug-ins. Not part of a study's identity."""

    mute: Annotated[tuple[str, ...], Field(strict=False)] = ()  # codes of findings that are stored but hidden
    probes: Annotated[tuple[str, ...], Field(strict=False)] = ()  # of plug-ins, beside sweep's own
    checks: Annotated[tuple[str, ...], Field(strict=False)] = ()  # of plug-ins, beside sweep's own

    only_if_set: ClassVar[tuple[str, ...]] = ("probes", "checks")


class RunConfig(Section):
    """`[run]`: workers, device and engine. Not part of a study's identity."""

    workers: ProcessesOrZero = 0  # 0: one per core
    executor: Literal["loky", "inline", "dask"] = "loky"
    scheduler: str = ""  # of Dask: address, or path of its file; empty starts a cluster on this machine
    device: Annotated[str, Field(pattern=r"^(cpu|cuda(:\d+)?)$")] = "cpu"
    engine: Literal["auto", "native", "torch"] = "auto"  # computes the networks; recorded, see docs/engine.md
    threads: Threads = 1  # per trial, over tiles of 16 sequences; for fewer trials than cores
    segment_timeout: Annotated[float, Field(gt=0)] = 3600.0  # seconds before a segment counts as hung
