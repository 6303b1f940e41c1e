"""A study as it begins or goes on: read, held against its results, and recorded there."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sweep.catalogue import catalogue
from sweep.config.errors import StudyChanged, SweepError
from sweep.config.study import StudyConfig, differences
from sweep.config.study_file import read_study
from sweep.data import Data, window_warnings
from sweep.host import host_facts
from sweep.score import block_length
from sweep.search import check_sampler
from sweep.store import StudyFolder
from sweep.studies import chosen_study
from sweep.study_engine import engine_facts, with_engine


def read(
    study: str, overrides: Sequence[str] = (), name: str | None = None, results: Path = Path("results")
) -> tuple[StudyConfig, StudyFolder, list[str], Path]:
    """Return a study as it would run: its configuration, results folder, overrides and file.

    A study that has results runs with the overrides recorded there, and the given ones on top.

    Raises:
        StudyFileError: with every mistake of the file.
        StudyChanged: it differs from what the results folder was made with; the text gives the difference.
    """
    chosen = chosen_study(study, name, results)
    recorded: list[str] = []
    old = chosen.folder.read_study() if chosen.folder.exists() else None
    if old is not None:
        recorded = list(old.get("record", {}).get("overrides", []))
    together = _last_words([*recorded, *_last_words(overrides)])
    config = read_study(chosen.file, together, catalogue())
    config = replace(config, name=chosen.folder.name, data=_with_whole_path(config, chosen.file))
    check_sampler(config.search.sampler, config.space)
    if old is not None:
        changed = differences(old, config.document())
        if changed:
            listed = "\n  ".join(changed)
            raise StudyChanged(
                f"the study in {chosen.folder.path} was made with other settings:\n  {listed}\n"
                "Run it under another name (--name), or take the change back"
            )
    config = with_engine(config, None if old is None else old.get("record", {}))
    return config, chosen.folder, together, chosen.file


def data_warnings(config: StudyConfig, data: Data) -> tuple[str, ...]:
    """Return what is odd about a study's data.

    Raises:
        DataError: no training series holds any window that trials may ask for.
    """
    return (*data.warnings, *window_warnings(data, config.windows))


def check_data(folder: StudyFolder, data: Data) -> None:
    """Raise StudyChanged where a study's data are not those it began with."""
    if not folder.exists():
        return
    before = folder.read_study().get("record", {}).get("data_fingerprint")
    if before is not None and before != data.fingerprint:
        raise StudyChanged(
            f"the data of the study in {folder.path} have changed since it began; run it under another name (--name)"
        )


def write_study(
    folder: StudyFolder, config: StudyConfig, data: Data, overrides: list[str], source: Path
) -> None:
    """Store a study as it runs, with what its data and this machine are."""
    horizon = data.validation.truth.shape[1]
    record = {
        "source": str(source),
        "overrides": overrides,
        "data_fingerprint": data.fingerprint,
        "channels": list(data.channels),
        "targets": list(data.targets),
        "period": data.period,
        "lyapunov_time": data.lyapunov_time,
        "block": block_length(data.period, horizon),
        "n_eff_validation": data.validation.n_eff,
        "n_eff_test": data.test.n_eff,
        **engine_facts(config),
        **host_facts(),
    }
    folder.write_study({**config.document(), "record": record})


def make_folder(folder: StudyFolder) -> None:
    """Make a study's folder.

    Raises:
        SweepError: it cannot be made.
    """
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SweepError(f"cannot make the folder {folder.path}: {error.strerror or error}") from error


def _last_words(overrides: Sequence[str]) -> list[str]:
    """Return the last override of each key path; one that says what was said before stays in its place."""
    said: dict[str, str] = {}
    for text in overrides:
        key = text.partition("=")[0].strip()
        if said.get(key) != text:
            said.pop(key, None)
            said[key] = text
    return list(said.values())


def _with_whole_path(config: StudyConfig, file: Path) -> Any:
    """Return [data] with a path that holds from everywhere: relative ones are relative to the study file."""
    if config.data.path is None:
        return config.data
    return config.data.model_copy(update={"path": str((file.parent / config.data.path).resolve())})
