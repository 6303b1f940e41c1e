import pytest

from sweep.config.ranges import Choice, IntUniform, LogUniform, OneMinusLog
from sweep.config.space import Axis
from sweep.diagnosis.finding import Change, Finding
from sweep.diagnosis.trial_diagnosis import Diagnosis
from sweep.results.checks.near_bound import near_bound, prescribed_values

AXES = {
    "sgd.lr": Axis("sgd.lr", ("training",), LogUniform(1e-3, 1.0)),
    "sgd.momentum": Axis("sgd.momentum", ("training",), OneMinusLog(0.0, 0.99)),
    "cell": Axis("cell", ("model",), Choice(("lstm", "gru"))),
    "hidden": Axis("hidden", ("model",), IntUniform(8, 107)),
}
LR_OF_TRAINING = {"sgd.lr": Axis("sgd.lr", ("training", "optimizer", "lr"), LogUniform(1e-3, 1.0))}


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
        (None, "not applicable", "No configuration is named"),
    ],
)
def test_a_best_value_within_five_percent_of_a_bound_is_found(params, severity, text):
    found = near_bound(params, AXES)
    assert found.severity == severity
    assert text in found.text


@pytest.mark.parametrize(("prescribed", "severity"), [(0.3, "ok"), (2.0, "issue")])
def test_a_bound_from_which_the_diagnosis_leads_away_is_left_alone(prescribed, severity):
    """Near the upper end of the rate: "search higher" must not stand beside "try a lower rate"."""
    found = near_bound({"sgd.lr": 0.955}, LR_OF_TRAINING, {"lr": prescribed})
    assert found.severity == severity


def test_the_first_prescription_of_the_first_finding_counts():
    def finding(severity, *values):
        changes = tuple((Change("training.optimizer.lr", value),) for value in values)
        return Finding("C01", severity, "", prescriptions=changes)

    findings = (finding("ok", 5.0), finding("issue", 0.1, 0.2), finding("tip", 0.3))
    assert prescribed_values(Diagnosis({}, findings, {}, "")) == {"lr": 0.1}
    assert prescribed_values(None) == {}
