import pytest


@pytest.fixture(autouse=True)
def every_test_has_one_thread(one_thread: None) -> None:
    """Of torch: see `one_thread`."""
