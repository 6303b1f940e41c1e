"""Facts about the components of a study."""

from sweep.study.components import falling_schedulers
from sweep.study.open_study import open_study


def falling(results, *schedulers):
    overrides = [f"space.scheduler=[{', '.join(repr(name) for name in schedulers)}]"]
    return falling_schedulers(open_study("sine", results, overrides=overrides).config)


def test_the_schedulers_whose_rates_fall_to_zero(tmp_path):
    assert falling(tmp_path, "none", "step", "exponential", "plateau") == []
    assert falling(tmp_path, "one_cycle", "none", "cosine", "warmup_cosine") == [
        "cosine",
        "one_cycle",
        "warmup_cosine",
    ]
