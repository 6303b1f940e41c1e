"""The data of a fit: those of its study, with the rows that were added since the study ran."""

from dataclasses import dataclass
from pathlib import Path, PurePath

from sweep.config.data_section import DataConfig
from sweep.config.errors import StudyChanged, UsageError
from sweep.config.text import plural
from sweep.data import Data, load
from sweep.data.beginning import rows_from_document
from sweep.store import StudyFolder
from sweep.study.open_study import OpenStudy, require_same_data


@dataclass(frozen=True)
class Grown:
    """Data that begin with those of a study."""

    config: DataConfig
    own: Data  # of the study: their beginning
    rows: int | None  # of it, over all series, up to the last complete one of each; None: not recorded

    def added(self, whole: Data) -> int:
        """Return how many rows were added since the study ran.

        Args:
            whole: all of the data.
        """
        return 0 if self.rows is None or whole.rows is None else whole.rows.complete - self.rows


def grown_data(study: OpenStudy, path: Path | None) -> Grown:
    """Return the settings of data that begin with a study's own, and these.

    Args:
        study: with results.
        path: of the data; None: the study's own file, to which rows may have been added.

    Raises:
        StudyChanged: the data do not begin with those of the study.
        UsageError: the study's data come from a source, and a file is given.
        DataError: the data cannot be read.
    """
    config, score, folder = study.config.data, study.config.score, study.folder
    if path is not None:
        if config.path is None:
            raise UsageError(
                f"the data of {folder.name} come from source {config.source!r}, which no file continues: drop --data"
            )
        config = config.model_copy(update={"path": str(path.expanduser().resolve())})
    stored = folder.read_document("rows")
    if config.path is None or stored is None:
        own = load(config, score)
        require_same_data(folder, own.fingerprint)
        return Grown(config, own, None)
    rows = rows_from_document(stored)
    try:
        own = load(config, score, beginning=rows)
    except StudyChanged as error:
        raise StudyChanged(_refusal(config, folder, str(error))) from None
    if own.rows != rows or own.fingerprint != (study.facts or {})["data_fingerprint"]:
        raise StudyChanged(_refusal(config, folder, f"their first {plural(rows.complete, 'row')} differ"))
    return Grown(config, own, rows.complete)


def _refusal(config: DataConfig, folder: StudyFolder, reason: str) -> str:
    return (
        f"the data in {PurePath(config.path or '').name} do not begin with those of the study {folder.name}: {reason}. "
        "Restore the old rows, give a file that begins with them (--data FILE), or run a study of the new data under "
        "another name (--name)"
    )
