"""Fixtures of tests that drive studies without worker processes."""

import random
import shutil
from pathlib import Path

import pytest

from sweep.search import driver as driver_module
from sweep.search.executors import EXECUTORS
from tests.support.attack import LateSlot, drive, finish_now, small_study


@pytest.fixture
def in_random_order(monkeypatch):
    """Let tasks finish in a random order, several at once now and then: `in_random_order(seed)`."""

    def install(seed):
        chance = random.Random(seed)

        def wait(futures, timeout, return_when):
            pending = [future for future in futures if not future.done()]
            for future in chance.sample(pending, chance.randint(1, len(pending))) if pending else ():
                finish_now(future)

        monkeypatch.setitem(EXECUTORS, "inline", LateSlot)
        monkeypatch.setattr(driver_module, "wait", wait)

    return install


@pytest.fixture(scope="module")
def driven_once(request, tmp_path_factory):
    """The folder of a small study with as many trials as the module's TOTAL. Shared: tests change their own copy."""
    path = tmp_path_factory.mktemp("once") / "attacked"
    drive(small_study(), path, request.module.TOTAL)
    return path


@pytest.fixture
def driven(driven_once, tmp_path):
    """The folder of a copy of that study."""
    return Path(shutil.copytree(driven_once, tmp_path / "attacked"))
