import pytest

from sweep.config.ranges import Choice, IntUniform, LogUniform, OneMinusLog
from sweep.config.space import Axis
from sweep.results.checks.near_bound import near_bound

AXES = {
    "sgd.lr": Axis("sgd.lr", ("training",), LogUniform(1e-3, 1.0)),
    "sgd.momentum": Axis("sgd.momentum", ("training",), OneMinusLog(0.0, 0.99)),
    "cell": Axis("cell", ("model",), Choice(("lstm", "gru"))),
    "hidden": Axis("hidden", ("model",), IntUniform(8, 107)),
}


@pytest.mark.parametrize(
    ("params", "severity", "text"),
    [
        ({"sgd.lr": 1e-3 * 1000**0.96}, "issue", "search higher"),  # .96 of the log range
        ({"sgd.lr": 1e-3 * 1000**0.04}, "issue", "search lower"),
        ({"sgd.lr": 1e-3 * 1000**0.94}, "ok", "No hyperparameter"),  # a linear scale would say .66
        ({"sgd.lr": 0.955}, "issue", "search higher"),
        ({"sgd.momentum": 0.0}, "ok", "No hyperparameter"),  # 0 is the end of what there is
        ({"sgd.momentum": 0.989}, "issue", "search higher"),
        ({"hidden": 8}, "issue", "search lower"),
        ({"cell": "gru"}, "not applicable", "no hyperparameter with a range"),
        (None, "not applicable", "no best trial"),
    ],
)
def test_a_best_value_within_five_percent_of_a_bound_is_found(params, severity, text):
    found = near_bound(params, AXES)
    assert found.severity == severity
    assert text in found.text
