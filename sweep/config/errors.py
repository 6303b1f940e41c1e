"""The errors that a user can cause: shown as one message without a traceback. Any other error is a bug."""

import errno


class SweepError(Exception):
    """An error that the user can correct; the text says what was wanted, what came and what to do."""


class StudyFileError(SweepError):
    """A study file, an override or a search space is invalid; there is one line for each mistake."""

    def __init__(self, problems: list[str], where: str = "study") -> None:
        self.problems = problems
        self.where = where
        lines = problems if len(problems) > 1 else problems[:1]
        super().__init__(f"{where}: " + ("\n  ".join(["", *lines]) if len(lines) > 1 else lines[0]))

    def __reduce__(self) -> tuple[type, tuple[list[str], str]]:
        return (type(self), (self.problems, self.where))


class UsageError(SweepError):
    """A command names something that does not exist, or that its study does not support."""


class UnknownName(SweepError, KeyError):
    """A name that is not in a table; the text gives the nearest known name."""

    def __str__(self) -> str:
        return str(self.args[0])


class DataError(SweepError):
    """Invalid data; the text names file, column and row, and says what to do. There is one line for each problem."""

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        text = "\n  ".join([f"{len(problems)} problems with the data:", *problems])
        super().__init__(text if len(problems) > 1 else problems[0])

    def __reduce__(self) -> tuple[type, tuple[str, ...]]:
        return (type(self), self.problems)


class StoreError(SweepError):
    """The results folder cannot be read or written; the text names the path."""


class CannotWrite(StoreError):
    """A file or folder cannot be written; what is there is intact."""


class DamagedCheckpoint(StoreError):
    """The bytes of a checkpoint are not those of the trial's network; the text says in what they differ."""


class StudyLocked(SweepError):
    """Another process runs the study; the text names it."""


class StudyChanged(UsageError):
    """The settings, the data or the engine differ from those of the stored study; the text gives the difference."""


# Parts of the texts of torch's errors when memory is short, which are RuntimeErrors on a CPU.
MEMORY_WORDS = (
    "can't allocate memory",
    "not enough memory",
    "out of memory",
    "bad allocation",
    "std::bad_alloc",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that memory is short: Python's, NumPy's, torch's, or the operating system's."""
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    if isinstance(error, ImportError):  # of a library that does not fit into the address space
        return "failed to map segment" in str(error) or "annot allocate memory" in str(error)
    if isinstance(error, RuntimeError):
        return any(word in str(error).lower() for word in MEMORY_WORDS)
    return isinstance(error, MemoryError)
