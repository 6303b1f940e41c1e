"""Comparing stored studies. Nothing is trained."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sweep.config.errors import CannotWrite
from sweep.report.write import write_comparison
from sweep.results.comparison.compared import Comparison, compared
from sweep.results.comparison.document import comparison_document
from sweep.results.study import read_study
from sweep.study.open_study import open_study


@dataclass(frozen=True)
class Compared:
    """A comparison and its page."""

    comparison: Comparison
    page: Path | None  # None: it could not be written
    warning: str | None = None  # why not

    @property
    def worse(self) -> bool:
        """Return whether some later study is worse than the first, or shows a new symptom."""
        return self.comparison.worse

    def document(self) -> dict[str, Any]:
        """Return what `sweep compare --json` prints (docs/compare.md)."""
        return comparison_document(self.comparison)


def compare(*studies: str, results: str | Path = "results", page: str | Path | None = None) -> Compared:
    """Compare every later stored study with the first, and write the page.

    Args:
        studies: names of at least two studies, or the paths of their folders.
        results: folder of all studies, for names.
        page: file to write the page to; None: compare.html in the report folder of the last study, and a warning
            in the result where that folder cannot be written.

    Raises:
        SweepError: a study has no results, the studies cannot be compared, or the named file cannot be written.
    """
    folders = [open_study(study, results, stored=True).folder for study in studies]
    comparison = compared([read_study(folder) for folder in folders])
    try:
        return Compared(comparison, write_comparison(comparison, folders[-1], page))
    except CannotWrite as error:
        if page is not None:
            raise
        return Compared(comparison, None, str(error))  # such as results of somebody else
