"""Finding studies: the known study files, and the file and results folder that a command names."""

from dataclasses import dataclass
from pathlib import Path

from sweep.config.errors import UsageError
from sweep.config.registry import nearest
from sweep.config.text import shortened
from sweep.store import StudyFolder, checked_study_name, study_folders

PACKAGE = Path(__file__).resolve().parents[1]


def study_files() -> dict[str, Path]:
    """Return the known study files by name: those in ./studies first, then those that come with sweep."""
    files: dict[str, Path] = {}
    for folder in (Path("studies"), PACKAGE / "studies_shipped", PACKAGE.parent / "studies"):
        for path in sorted(folder.glob("*.toml")):
            files.setdefault(path.stem, path)
    return files


@dataclass(frozen=True)
class Chosen:
    """A study that a command named: its file, and the folder of its results."""

    file: Path
    folder: StudyFolder


def chosen_study(study: str, name: str | None, results: Path) -> Chosen:
    """Return the file and results folder of a study given as a name or a path.

    Args:
        study: name of a known study file, or a path that ends in .toml.
        name: of the results folder; None: the name of the file, or of the results folder that holds it.
        results: folder of all studies.

    Raises:
        UsageError: the study does not exist; the text gives the nearest known name.
    """
    path = Path(study)
    if path.suffix == ".toml":
        if not _is_file(path):
            raise UsageError(f"the study file {shortened(str(path))} does not exist")
    else:
        known = study_files()
        stored = StudyFolder(results / study)
        if study in known:
            path = known[study]
        elif stored.exists():
            path = stored.path / "study.toml"
        else:
            raise UsageError(
                f"no study named {shortened(repr(study))}.{nearest(study, known)} Known: {', '.join(known)}"
            )
    stored_here = path.name == "study.toml" and (path.parent / "trials").is_dir()
    default = path.resolve().parent.name if stored_here else path.stem
    return Chosen(path, StudyFolder(results / checked_study_name(default if name is None else name)))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # such as a name that is too long
        return False


def stored_study(study: str, results: Path) -> StudyFolder:
    """Return the results folder of a study given as a name, or as the path of the folder.

    Raises:
        UsageError: it has no results; the text gives the nearest study that has.
    """
    for folder in (StudyFolder(results / study), StudyFolder(Path(study))):
        if folder.exists():
            return folder
    known = [folder.name for folder in study_folders(results)]
    listed = f"Studies in {results}: {', '.join(known)}" if known else f"No studies in {results}"
    raise UsageError(
        f"study {shortened(repr(study))} has no results.{nearest(study, known)} {listed}. Start one with `sweep run`"
    )
