"""Are the ranges wide enough?"""

from collections.abc import Mapping
from typing import Any

from sweep.config.ranges import Choice, OneMinusLog
from sweep.config.space import Axis
from sweep.diagnosis.check import CheckSpec
from sweep.diagnosis.finding import Finding
from sweep.diagnosis.trial_diagnosis import Diagnosis
from sweep.results.diagnoses import SHOWN
from sweep.results.wording.numbers import param_text

EDGE = 0.05  # of a range, on its own scale; our choice


def near_bound(
    params: Mapping[str, Any] | None, axes: Mapping[str, Axis], prescribed: Mapping[str, float] | None = None
) -> Finding:
    """Is a hyperparameter of the best trial so near a bound that its range may be too narrow?

    Near is within 5 % of the range, on the range's own scale. A momentum of 0 is the natural end of its scale and
    does not count. Nor does a bound from which the diagnosis of the trial leads away.

    Args:
        params: of the best trial by flat name; None without a best trial.
        axes: of the search space by flat name.
        prescribed: values that the diagnosis of the best trial prescribes first, by the last part of their key path.
    """
    if params is None:
        return CHECK.finding("not applicable", "No configuration is named.")
    sentences, position, ends = [], {}, {}
    for name, value in params.items():
        axis = axes.get(name)
        if axis is None or isinstance(axis.span, Choice):
            continue
        span = axis.span
        position[name] = span.to_unit(value)
        lower = position[name] < EDGE and not (isinstance(span, OneMinusLog) and span.low == 0)
        other = (prescribed or {}).get(axis.path[-1])
        away = other is not None and (other > value if lower else other < value)
        if (lower or position[name] > 1 - EDGE) and not away:
            end, where = ("low", "lower") if lower else ("high", "higher")
            ends[name] = end
            sentences.append(
                f"{name} = {param_text(name, value)} is at the {end} end of "
                f"{param_text(name, span.low)} to {param_text(name, span.high)}: search {where}."
            )
    if not position:
        return CHECK.finding("not applicable", "The best trial has no hyperparameter with a range.")
    evidence = {"position": position, "edge": EDGE, "ends": ends}
    if sentences:
        return CHECK.finding("issue", " ".join(sentences), evidence)
    return CHECK.finding("ok", "No hyperparameter of the best trial asks for a wider range.", evidence)


def prescribed_values(diagnosis: Diagnosis | None) -> dict[str, float]:
    """Return the numbers that a diagnosis prescribes first, by the last part of their key path."""
    findings = () if diagnosis is None else diagnosis.findings
    changes = [
        change
        for finding in findings
        if finding.severity in SHOWN
        for first in finding.prescriptions[:1]
        for change in first
    ]
    return {
        change.path.split(".")[-1]: float(change.value)
        for change in reversed(changes)  # the first of several stays
        if isinstance(change.value, int | float) and not isinstance(change.value, bool)
    }


CHECK = CheckSpec(
    name="near_bound",
    titles=("The best trial is at a bound of its range", "The ranges are wide enough"),
    check=lambda tables: near_bound(
        None if tables.best is None else tables.best.params,
        tables.study.axes,
        prescribed_values(None if tables.best is None else tables.study.diagnoses.get(tables.best.number)),
    ),
    source='Deep Learning Tuning Playbook, "Identifying bad search space boundaries"',
)
