"""The form of study.toml, the settings with which a study ran, as far as the report reads them."""

import tomllib
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from sweep.config.sections import PruningConfig
from sweep.store.forms.json_form import LARGEST_COUNT, OPEN, Count, Misfit, Number, Text, misfit_of

Positive = Annotated[int, Field(gt=0, le=LARGEST_COUNT)]
Table = dict[str, Any]


class SizeForm(TypedDict, total=False):
    """`[score]`, `[training]` and `[search]`: their sizes."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    warmup: Positive
    horizon: Positive
    starts: Positive
    from_start: bool | Literal["test"]
    budget: Positive
    trials: Positive
    seed: Count
    sampler: Text


class DiagnosisForm(TypedDict, total=False):
    """`[diagnosis]`."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    mute: list[Text]
    probes: list[Text]
    checks: list[Text]


class FactsForm(TypedDict, total=False):
    """`[record]`: facts about the data and the machine."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    source: Text
    overrides: list[Text]
    data_fingerprint: Text
    data: Table
    warnings: list[Text]
    channels: list[Text]
    targets: list[Count]
    period: Number
    lyapunov_time: Number
    horizon: Positive
    horizon_test: Positive
    block: Positive
    score_format: Count
    scale_from: list[Text]
    n_eff_validation: Count
    n_eff_test: Count
    falling_schedulers: list[Text]
    engine: Text
    instructions: Text
    versions: dict[str, Text]


class StudyForm(TypedDict, total=False):
    """study.toml."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    name: Text
    description: Text
    data: Table
    score: SizeForm
    model: Table
    training: SizeForm
    search: SizeForm
    pruning: Table
    confirm: Table
    run: Table
    diagnosis: DiagnosisForm
    space: Table
    plugins: Table
    record: FactsForm


STUDY: TypeAdapter[Any] = TypeAdapter(StudyForm)


def study_values(content: bytes) -> dict[str, Any]:
    """Return the values of a study.toml.

    Raises:
        Misfit: the content is not TOML, or a value that the report reads is of another kind.
    """
    try:
        values = tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Misfit(str(error).split("\n", 1)[0]) from None
    try:
        STUDY.validate_python(values, strict=True)
        PruningConfig.model_validate(values.get("pruning", {}))
    except ValidationError as error:
        raise misfit_of(error) from None
    return values
