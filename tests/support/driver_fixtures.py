"""Fixtures of tests that drive studies without worker processes."""

import random

import pytest

from sweep.search import driver as driver_module
from sweep.search.executors import EXECUTORS
from tests.support.attack import LateSlot, finish_now


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
