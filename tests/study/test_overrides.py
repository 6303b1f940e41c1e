"""Which of several overrides hold, and that saying the same again changes nothing."""

from sweep.study.open_study import _last_of_each


def test_the_last_one_of_a_key_holds():
    assert _last_of_each(["a.b=1", "a.b=2"]) == ["a.b=2"]
    assert _last_of_each(["a.b=1", "c=1", "a.b=2"]) == ["c=1", "a.b=2"]
    assert _last_of_each(["a.b=1", "a.b=2", "a.b=1"]) == ["a.b=1"]


def test_what_is_said_again_stays_in_its_place():
    recorded = ["a.b=1", "c=1", "a={b = 3}"]
    assert _last_of_each([*recorded, "a.b=1", "c=1"]) == recorded
    assert _last_of_each([*recorded, "a.b=2"]) == ["c=1", "a={b = 3}", "a.b=2"]
