"""Errors that a user can cause: shown as a message without a traceback. Anything else is a bug."""


class SweepError(Exception):
    """Something the user can mend; its text says what was wanted, what came and what to do."""


class StudyFileError(SweepError):
    """A study file, an override or a search space is wrong. Holds one line per mistake."""

    def __init__(self, problems: list[str], where: str = "study") -> None:
        self.problems = problems
        self.where = where
        lines = problems if len(problems) > 1 else problems[:1]
        super().__init__(f"{where}: " + ("\n  ".join(["", *lines]) if len(lines) > 1 else lines[0]))

    def __reduce__(self) -> tuple[type, tuple[list[str], str]]:
        return (type(self), (self.problems, self.where))


class UsageError(SweepError):
    """The call asks for what there is not, or for what its study cannot do."""


class UnknownName(SweepError, KeyError):
    """A name that no table holds; the text gives the nearest known one."""

    def __str__(self) -> str:
        return str(self.args[0])


class DataError(SweepError):
    """Data that cannot be used; the text names file, column, row and what to do."""


class StoreError(SweepError):
    """The results folder cannot be read or written; the text names the path."""


class StudyLocked(SweepError):
    """Another driver holds the study; the text says which."""


class StudyChanged(UsageError):
    """The study file no longer matches what the results were made with; the text gives the difference."""
