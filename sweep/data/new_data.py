"""Tables that are read as a study's data were: new data of the same shape, and inputs of the steps to forecast."""

import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sweep.config.data_section import DataConfig
from sweep.config.errors import DataError
from sweep.config.registry import nearest
from sweep.data.coding import Coding, require_shape
from sweep.data.facts import Fact
from sweep.data.readers import read_file
from sweep.data.recording import Recording, step_seconds_of

# Keys of [data] that a table may leave open, and that must be read alike in a second one.
RECOGNISED = ("time_column", "id_column", "time_format", "time_zone")


def settled(config: DataConfig, facts: Sequence[Fact]) -> DataConfig:
    """Return the settings with the columns, the form and the zone of times that were recognised in the study's data.

    Args:
        config: of the study.
        facts: that were understood of its data.
    """
    found = {}
    for fact in facts:
        found.update(tomllib.loads(fact.key) if fact.key else {})
    default = {name: type(config).model_fields[name].default for name in RECOGNISED}
    open_ = {
        name: found[name] for name in RECOGNISED if name in found and getattr(config, name) == default[name]
    }
    return config.model_copy(update=open_)


def read_new_data(path: str, config: DataConfig, coding: Coding, study: Recording | None) -> Recording:
    """Return the series of a file with the study's channels and inputs; its other columns are left out.

    Args:
        path: absolute, or relative to the current directory.
        config: as `settled`.
        coding: of the study's networks.
        study: the study's own series; None: they are gone, and the step is that of the coding.

    Raises:
        DataError: a column is missing, the step is another one, or as in `sweep.data.readers.read_file`.
    """
    new = _read(path, config, {"channels": coding.channels})
    own = () if study is None else study.series
    pace = next((one.timeline for one in own if one.timeline is not None and len(one.values) > 1), None)
    if study is None:
        require_shape(coding, replace(new, known=coding.known), step_seconds_of(new.series))
    series = []
    for one in new.series:
        if pace is None or one.timeline is None:
            series.append(one)
            continue
        timeline = one.timeline.in_steps_of(pace)
        if timeline is None:
            assert study is not None
            raise DataError(
                f"{one.label}: the step is {new.step}, but that of the study's data is {study.step}: give data in the "
                "steps of the study"
            )
        series.append(replace(one, timeline=timeline))
    if coding.calendar and any(one.timeline is None for one in series):
        raise DataError(f"{new.name}: no column of dates, which the study's data have: add it")
    return replace(new, series=tuple(series))


def read_known(path: str, config: DataConfig, coding: Coding) -> Recording:
    """Return a file's inputs that change as the channels of its series; its other columns are left out.

    Its times must be those of the steps: it is not resampled.

    Raises:
        DataError: the study has no such inputs, a column is missing, or as in `sweep.data.readers.read_file`.
    """
    changing = tuple(name for name in coding.known if name not in coding.static)
    if not changing:
        raise DataError("the study has no inputs that must be known ahead: drop --known")
    known = _read(path, config, {"channels": changing, "known": (), "static": (), "resample": ""})
    return replace(known, name=Path(path).name)


def _read(path: str, config: DataConfig, update: dict[str, object]) -> Recording:
    file = Path(path).expanduser()
    if not file.is_file():
        beside = [one.name for one in file.parent.iterdir()] if file.parent.is_dir() else []
        raise DataError(
            f"{path}: no such file in {file.parent.absolute()}.{nearest(file.name, beside)} Check its path"
        )
    alone: dict[str, object] = {
        "source": None,
        "options": {},
        "path": path,
        "validation_path": None,
        "test_path": None,
        "target": (),
    }
    settings = config.model_copy(update={**alone, **update})
    if not settings.time_format:
        return read_file(path, None, settings)
    try:  # 03/04/2024 means what it means in the study's data
        return read_file(path, None, settings)
    except DataError:  # perhaps the times have another form, such as none of the seconds
        return read_file(path, None, settings.model_copy(update={"time_format": ""}))
