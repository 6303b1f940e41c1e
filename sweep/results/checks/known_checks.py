"""The table of checks, and how all checks of a study are run."""

from collections.abc import Sequence

from sweep.config.errors import UnknownName
from sweep.config.plugins import PluginError
from sweep.config.registry import Registry
from sweep.diagnosis.check import CheckSpec
from sweep.diagnosis.finding import Finding
from sweep.results.checks import (
    beaten_by_baseline,
    budget_is_the_limit,
    checkpoint_regret,
    choices_matter,
    few_starts,
    horizon_too_long,
    loss_is_lying,
    near_bound,
    pruning_stopped_winners,
    trial_failures,
    within_seed_noise,
)
from sweep.results.study_tables import StudyTables

CHECKS: Registry[CheckSpec] = Registry(  # in the order in which a person should read the findings
    "check",
    [
        beaten_by_baseline.CHECK,
        loss_is_lying.CHECK,
        checkpoint_regret.CHECK,
        choices_matter.CHECK,
        near_bound.CHECK,
        horizon_too_long.CHECK,
        budget_is_the_limit.CHECK,
        within_seed_noise.CHECK,
        pruning_stopped_winners.CHECK,
        few_starts.CHECK,
        trial_failures.CHECK,
    ],
    spec=CheckSpec,
)


def check_findings(tables: StudyTables, names: Sequence[str] = ()) -> list[Finding]:
    """Return the findings of sweep's own checks, then those of the plug-ins named.

    Args:
        tables: of the study.
        names: checks of plug-ins, from `diagnosis.checks` of the study. A check that cannot be used, raises an error
            or returns something else gives a finding "not applicable" whose text names it.
    """
    own = [spec.check(tables) for spec in CHECKS.values()]
    return own + [_outside_finding(tables, name) for name in dict.fromkeys(names)]


def _outside_finding(tables: StudyTables, name: str) -> Finding:
    if name in set(CHECKS):
        reason = CHECKS.outside().broken.get(
            name, f"{name!r} is one of sweep's own checks, which always run."
        )
        return Finding(f"{name} (plug-in)", "not applicable", reason, title=f"{name} (plug-in)")
    try:
        spec = CHECKS[name]
    except (UnknownName, PluginError) as error:
        return Finding(name, "not applicable", str(error), title=name)
    label = f"Check {name!r} of {CHECKS.origin(name)}"
    try:
        finding = spec.check(tables)
    except Exception as error:  # of the plug-in: it must not take the report down
        reason = " ".join(str(error).split())
        return spec.finding("not applicable", f"{label} failed: {type(error).__name__}: {reason}")
    if not isinstance(finding, Finding) or finding.code != name:
        got = f"code {finding.code!r}" if isinstance(finding, Finding) else type(finding).__name__
        return spec.finding("not applicable", f"{label} must return a Finding with its own code, got {got}.")
    return finding
