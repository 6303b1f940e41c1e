"""The configuration of one trial: everything that its result depends on."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field, ValidationError, model_validator

from sweep.config.data_section import DataConfig, without_folders
from sweep.config.engines import Kernel, engine_name
from sweep.config.errors import StoreError
from sweep.config.fitted import Fitted
from sweep.config.ranges import Value
from sweep.config.records import TrialRecord
from sweep.config.section import Section
from sweep.config.sections import ModelConfig, PruningConfig, RunConfig, ScoreConfig, TrainingConfig
from sweep.config.seeds import seed_of
from sweep.config.space import Space


class TrialConfig(Section):
    """Data, scoring, model, training and seed of a trial. Equal configurations give equal bits."""

    data: DataConfig
    score: ScoreConfig
    model: ModelConfig
    training: TrainingConfig
    rungs: tuple[float, ...] = ()  # shares of the budget that must be evaluation points
    seed: int
    device: str = "cpu"
    engine: str = "torch"  # see sweep.config.engines
    threads: int = 1  # of the native engine; they do not affect the result
    plugins: Annotated[tuple[str, ...], Field(strict=False)] = ()  # "optimizer lion = lion-sweep 0.2"

    fitted: Fitted | None = None  # trained on all data, without validation; None: a trial with scores

    only_if_set: ClassVar[tuple[str, ...]] = ("plugins", "fitted")

    @model_validator(mode="after")
    def _readout_can_be_solved(self) -> "TrialConfig":
        if self.training.projected and not self.model.recurrent:
            raise ValueError(f'readout_refit = "always" needs sweep\'s own model, got {self.model.kind}')
        if self.training.projected and self.model.output_activation != "none":
            raise ValueError(
                'readout_refit = "always" needs a linear last layer, '
                f"got output_activation = {self.model.output_activation}"
            )
        return self

    @model_validator(mode="after")
    def _nothing_fed_back(self) -> "TrialConfig":
        if self.training.unroll and not self.model.feedback:
            raise ValueError(
                f"training.unroll trains the network on its own forecasts: without feedback it needs unroll = 0, "
                f"got {self.training.unroll}"
            )
        return self

    @property
    def key(self) -> str:
        """Return the identity of the configuration: without seed, device, threads, and the folder of its data file."""
        document = self.model_dump(mode="json", exclude={"seed", "device", "threads"})
        document["data"] = without_folders(document["data"])
        if self.fitted is not None:
            document["fitted"] = self.fitted.identity
        return f"{seed_of(document):016x}"

    @property
    def points(self) -> tuple[int, ...]:
        """Return the evaluation points in sequence-steps, rising, the last one being the end of training.

        That is the budget, or the share of it at which a network that is trained on all data stops.

        A few are log-spaced up to 1/9 of the budget, the others even: the early phase changes fast, while most of
        the gain comes late. Each rung is added, and replaces a point very near to it.
        """
        count = self.training.evaluations
        early = [1 / 9 / 3**k for k in range(3, 0, -1)] if count >= 12 else []
        evenly = count - len(early)
        start = 1 / 9 if early else 0.0
        regular = early + [start + (1 - start) * (k + 1) / evenly for k in range(evenly - 1)]
        for rung in self.rungs:
            near = min(regular, key=lambda share: abs(share - rung), default=None)
            if near is not None and abs(near - rung) <= 0.5 / evenly:
                regular.remove(near)
        budget = self.training.budget
        points = sorted({max(1, round(share * budget)) for share in [*regular, *self.rungs, 1.0]})
        if self.fitted is not None:
            end = max(1, round(self.fitted.stop * budget))
            points = [*(point for point in points if point < end), end]
        return tuple(points)

    def point_of(self, rung: float) -> int:
        """Return the index of the evaluation point of a rung."""
        return self.points.index(max(1, round(rung * self.training.budget)))


def trial_config(
    params: Mapping[str, Value],
    space: Space,
    base: Mapping[str, Any],
    pruning: PruningConfig,
    study_seed: int,
    run: RunConfig,
    kernel: Kernel | None,
    plugins: Mapping[str, str] | None = None,
) -> TrialConfig:
    """Return the configuration of a trial: a study's fixed settings with sampled hyperparameters.

    Args:
        params: hyperparameters by flat name.
        space: that they were drawn from.
        base: `data`, `score`, `model` and `training` of the study as plain mappings.
        pruning: its rungs become evaluation points.
        study_seed: the study's seed, which together with the configuration gives the trial's seed.
        run: device, engine and threads; they do not enter the seed.
        kernel: that the study computes with, None if there is none.
        plugins: that the study uses: "optimizer lion" -> "lion-sweep 0.2"; those of the trial enter its seed.

    Raises:
        pydantic.ValidationError: the combination breaks a limit of the sections.
    """
    document: dict[str, Any] = {key: dict(base[key]) for key in ("data", "score", "model", "training")}
    training = document["training"]
    for owner in ("optimizer", "scheduler"):
        if owner in params:
            training[owner] = {"name": params[owner]}
        else:
            training[owner] = dict(training[owner])
    if "model" in params:
        document["model"]["options"] = {}
    for path, value in space.placed(params):
        target = document
        for key in path[:-1]:
            target = target[key]
        if path[-1] not in ("optimizer", "scheduler"):
            target[path[-1]] = value
        elif path[-1] not in params:  # fixed by a value of readout_refit
            target[path[-1]] = {"name": value}
    for name in ModelConfig.only_if_set:  # the own model has the same seed whether the space names it or not
        if document["model"].get(name) == ModelConfig.model_fields[name].default:
            del document["model"][name]
    used = plugins_of(document, plugins or {})
    if used:
        document["plugins"] = used
    document["rungs"] = tuple(rung.at for rung in pruning.rungs) if pruning.enabled else ()
    content = {**document, "data": without_folders(document["data"])}
    # A refit comes after training, so a trial with it and one without it start from the same weights.
    content["training"] = {key: value for key, value in training.items() if key != "readout_refit"}
    seed = seed_of(study_seed, content)
    config = TrialConfig.model_validate(
        {**document, "seed": seed, "device": run.device, "threads": run.threads}
    )
    engine = engine_name(run.engine, kernel, run.device, config.model, config.training)
    return config.model_copy(update={"engine": engine})


def plugins_of(document: Mapping[str, Any], plugins: Mapping[str, str]) -> tuple[str, ...]:
    """Return the plug-ins that a trial uses: "optimizer lion = lion-sweep 0.2".

    Args:
        document: `data`, `score`, `model` and `training` of the trial.
        plugins: that its study may use, with their origins.
    """
    model, training = document["model"], document["training"]
    names = {
        "optimizer": training["optimizer"]["name"],
        "scheduler": training["scheduler"]["name"],
        "cell": model.get("cell"),
        "model": model.get("kind"),
        "source": document["data"].get("source"),
        "objective": document["score"].get("objective"),
    }
    keys = [f"{kind} {name}" for kind, name in names.items()]
    return tuple(f"{key} = {plugins[key]}" for key in sorted(keys) if key in plugins)


def config_of(record: TrialRecord) -> TrialConfig:
    """Return the configuration in a trial's record.

    Raises:
        StoreError: it is no valid one; the text names the file.
    """
    try:
        return trial_config_from_json(record.config)
    except (ValidationError, RecursionError) as error:
        reason = "nested too deep"
        if isinstance(error, ValidationError):
            first = error.errors(include_url=False, include_input=False)[0]
            reason = f"{'.'.join(['config', *map(str, first['loc'])])}: {first['msg']}"
        raise StoreError(
            f"trials/{record.number:04d}/trial.json is damaged: {reason}; remove the trial's folder, and sweep run "
            "trains it again"
        ) from error


def trial_config_from_json(values: Mapping[str, Any]) -> TrialConfig:
    """Return the configuration in a trial's record."""
    return TrialConfig.model_validate_json(json.dumps(values))
