"""The stored fits of a study: networks that were trained on all its data, and their updates with new data."""

from typing import Any

from sweep.store import StudyFolder

FIT = "fit"  # purpose of the fresh seeds, name of the folder, and of the document in it


def fit_folder(folder: StudyFolder) -> StudyFolder:
    """Return the folder of a study's fits, whether it exists or not."""
    return folder.below(FIT)


def stored_fits(folder: StudyFolder) -> list[dict[str, Any]]:
    """Return the fits and updates of a study that were trained to their end, the latest last.

    Raises:
        StoreError: the file is damaged.
    """
    document = fit_folder(folder).read_document(FIT)
    return [] if document is None else list(document["fits"])


def store_fit(folder: StudyFolder, entry: dict[str, Any]) -> None:
    """Store a fit or an update after the others, or in its place if it is stored already."""
    entries = stored_fits(folder)
    place = next((k for k, other in enumerate(entries) if other["key"] == entry["key"]), len(entries))
    entries[place : place + 1] = [entry]
    fit_folder(folder).write_document(FIT, {"fits": entries})


def latest_fit(folder: StudyFolder, number: int | None = None) -> dict[str, Any] | None:
    """Return the latest fit or update of a trial, None if there is none.

    Args:
        folder: of the study.
        number: of the trial; None: the one that was fitted last.
    """
    entries = [entry for entry in stored_fits(folder) if number in (None, entry["number"])]
    return entries[-1] if entries else None
