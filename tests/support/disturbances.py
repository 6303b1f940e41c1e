"""What disturbs or observes a driver of trials that cost nothing: it dies, is asked to stop, or is counted."""

import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from sweep.search import Interrupts
from sweep.search.tasks import Functions
from sweep.store import StudyFolder
from tests.support.attack import fake_finish, fake_segment

WRITES = [(StudyFolder, name) for name in ("write_record", "write_resume", "write_files", "drop_resume")]


class Killed(BaseException):
    """The driver's death."""


class Mortality:
    """Makes a driver die at a random call of some methods, before or after the call takes effect."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, methods: Sequence[tuple[type, str]], seed: int
    ) -> None:
        self.chance = random.Random(seed)
        self.calls_left = 0  # until it dies; 0 or less: it does not
        self.deaths = 0
        for owner, name in methods:
            monkeypatch.setattr(owner, name, self._mortal(getattr(owner, name)))

    def _mortal(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            self.calls_left -= 1
            if self.calls_left == 0:
                raise Killed
            result = method(*args, **kwargs)
            if self.calls_left == 1 and self.chance.random() < 0.5:
                raise Killed
            return result

        return wrapper

    def attempt(self, drive: Callable[[], Any], most: int) -> Any:
        """Return what `drive` returns, None if the driver died; it dies within `most` calls."""
        self.calls_left = self.chance.randint(2, most)
        try:
            return drive()
        except Killed:
            self.deaths += 1
            return None


def stopping(interrupts: Interrupts, after: int) -> Functions:
    """Return functions of made-up trials; the segment with the number `after` asks the driver to stop."""
    computed = 0

    def segment(config, checkpoint, point):
        nonlocal computed
        computed += 1
        interrupts.requests = int(computed == after)
        return fake_segment(config, checkpoint, point)

    return Functions(segment, fake_finish)


def counting(seen: list[tuple[str, int, int]]) -> Functions:
    """Return functions of made-up trials that note configuration, seed and point of each segment in `seen`."""

    def segment(config, checkpoint, point):
        seen.append((config.key, config.seed, point))
        return fake_segment(config, checkpoint, point)

    return Functions(segment, fake_finish)
