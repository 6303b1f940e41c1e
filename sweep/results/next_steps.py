"""What to do next: at most three commands, chosen by what the study shows."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sweep.config.range_text import parse_range, span_document
from sweep.config.ranges import IntUniform, LogUniform, OneMinusLog, Range, SpaceError
from sweep.config.space import COMPONENTS
from sweep.diagnosis.finding import Finding
from sweep.results.commands import changed_run_command, study_command
from sweep.results.contest import Contest
from sweep.results.diagnoses import mendable_causes
from sweep.results.selection import candidates
from sweep.results.study import StoredStudy
from sweep.results.verdict import Verdict

MOST = 3  # steps that are shown: more would be a list, not an answer
LONGER = 3  # times the budget; our choice: half a decade
SHORTER = 2  # the horizon is divided by it; our choice
WIDER = 10.0  # times a logarithmic range, beyond the bound; our choice: a decade
MORE_SEEDS = 2  # times the seeds of a tied confirmation
LEAST_SEEDS = 5  # below, the exact test distinguishes nothing
LEAST_HORIZON = 10  # steps


@dataclass(frozen=True)
class NextStep:
    """A command to run next, and the facts that its reason names."""

    code: str
    command: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def next_steps(study: StoredStudy, verdict: Verdict, findings: Mapping[str, Finding]) -> tuple[NextStep, ...]:
    """Return at most three steps, the most important first.

    A confirmed configuration that the verdict names is used first and improved afterwards; else the improvements come
    first, and the use of what there is last.

    Args:
        study: as stored.
        verdict: of the study.
        findings: of its checks, by code.
    """
    if not study.finished:
        return (_resume(study),)
    if verdict.kind == "unknown":
        failed = [record.number for record in study.records if record.state == "failed"]
        return tuple(
            NextStep("failed", study_command(study.folder, "show", number, ...), {"number": number})
            for number in failed[:1]
        )
    improvements = list(itertools.islice(_improvements(study, verdict, findings), MOST))
    if verdict.kind == "nothing":
        return tuple(improvements)
    facts = {"name": verdict.use and verdict.use.name, "inputs": study.inputs_ahead}
    use = NextStep("forecast", study_command(study.folder, "forecast"), facts)
    if verdict.kind == "configuration" and study.confirmation is not None:
        export = NextStep("export", study_command(study.folder, "export", ..., study.folder.name))
        return (use, *improvements, export)[:MOST]
    return (*improvements[: MOST - 1], use)


def _improvements(
    study: StoredStudy, verdict: Verdict, findings: Mapping[str, Finding]
) -> Iterator[NextStep]:
    """Yield the steps that may give a better forecast or a surer verdict, the most important first."""
    contest = verdict.contest
    yield from _scaling(study)
    yield from _confirmation(study)
    yield from _seeds(study, verdict)
    yield from _wider(study, contest, findings["near_bound"])
    yield from _longer(study, contest, findings["budget_is_the_limit"])
    yield from _treatment(study, contest, verdict)
    yield from _shorter(study, findings["horizon_too_long"])


def _resume(study: StoredStudy) -> NextStep:
    asked = (study.document.get("search") or {}).get("trials")
    return NextStep("resume", study_command(study.folder, "run"), {"trials": asked})


def _scaling(study: StoredStudy) -> Iterator[NextStep]:
    """Yield the advice to scale by series if most diagnosed trials have that prescription.

    Other settings do not help where one scaling does not fit all series.
    """
    first: dict[str, int] = {}
    for diagnosis in study.diagnoses.values():
        for finding in mendable_causes(diagnosis.findings, study.muted):
            changes = finding.prescriptions[0]
            if [(change.path, change.value) for change in changes] == [("data.scaling", "series")]:
                title = f"{finding.code} {finding.title}"
                first[title] = first.get(title, 0) + 1
    for title, count in first.items():
        if 2 * count >= len(study.diagnoses):
            command = changed_run_command(study, "by-series", {"data.scaling": "series"})
            yield NextStep("scaling", command, {"cause": title})
            return


def _confirmation(study: StoredStudy) -> Iterator[NextStep]:
    best, _ = candidates(study.records, study.baselines)
    if best and study.confirmation is None:
        yield NextStep("confirm", study_command(study.folder, "confirm"), {"outdated": study.outdated})


def _seeds(study: StoredStudy, verdict: Verdict) -> Iterator[NextStep]:
    """Yield more seeds where the best configurations are tied, and the network is what is to be used."""
    done = study.confirmation
    if done is None or done["verdict"] != "tied" or not study.enough_starts:
        return
    if verdict.kind != "configuration":
        return
    seeds = max(LEAST_SEEDS, MORE_SEEDS * done["seeds"])
    command = study_command(study.folder, "confirm", ..., "--top", len(done["arms"]), "--seeds", seeds)
    yield NextStep(
        "seeds", command, {"leader": done["leader"], "equals": done["equals"], "seeds": done["seeds"]}
    )


def _wider(study: StoredStudy, contest: Contest, finding: Finding) -> Iterator[NextStep]:
    """Yield wider ranges for the hyperparameters that are at a bound."""
    ends = finding.evidence.get("ends") or {}
    changes: dict[str, Any] = {}
    for name, end in ends.items():
        path, wide = _space_path(study, name), _widened(study.axes[name].span, end == "high")
        if path is not None and wide is not None:
            changes[path] = span_document(wide)
    if changes and finding.severity == "issue":
        yield NextStep("wider", changed_run_command(study, "wider", changes), {"names": list(ends)})


def _widened(span: Range, upwards: bool) -> Range | None:
    """Return a range that reaches further at one end; None where it cannot."""
    try:
        if isinstance(span, LogUniform):
            ends = (span.low, span.high * WIDER) if upwards else (span.low / WIDER, span.high)
            return parse_range({"log": [float(f"{end:.6g}") for end in ends]})
        if isinstance(span, OneMinusLog):
            high = 1 - (1 - span.high) / WIDER
            return parse_range({"log1m": [span.low, float(f"{high:.6g}")]}) if upwards else None
        if isinstance(span, IntUniform):
            ends = (span.low, 2 * span.high) if upwards else (max(1, span.low // 2), span.high)
            return parse_range({"int": list(ends)}) if ends != (span.low, span.high) else None
    except SpaceError:
        return None
    return None  # a linear range often ends where the setting ends, as a share does


def _space_path(study: StoredStudy, name: str) -> str | None:
    """Return the key path of a hyperparameter's range in the study file."""
    space = study.document.get("space") or {}
    if name in space:
        return f"space.{name}"
    owner, _, key = name.partition(".")
    for component in COMPONENTS:
        settings = space.get(component)
        if isinstance(settings, Mapping) and key in (settings.get(owner) or {}):
            return f"space.{component}.{owner}.{key}"
    return None


def _longer(study: StoredStudy, contest: Contest, finding: Finding) -> Iterator[NextStep]:
    """Yield a longer budget where the trials still gained, or where their diagnoses say that they were cut short."""
    if not finding.evidence.get("longer") or contest.network is None:
        return
    config = next(record.config for record in study.records if record.number == contest.network.number)
    training = config.get("training") or {}
    refit, budget = str(training.get("readout_refit")), training.get("budget")
    own = (study.document.get("space") or {}).get("readout_refit") or {}
    fixed = isinstance(own, Mapping) and "budget" in (own.get(refit) or {})
    path = f"space.readout_refit.{refit}.budget" if fixed else "training.budget"
    if budget:
        command = changed_run_command(study, "longer", {path: LONGER * int(budget)})
        yield NextStep("longer", command, {"times": LONGER, "sure": finding.severity == "issue"})


def _treatment(study: StoredStudy, contest: Contest, verdict: Verdict) -> Iterator[NextStep]:
    """Yield the treatment of the leading trial, unless it was treated or the verdict is to use it."""
    number = None if contest.network is None else contest.network.number
    if number is None or verdict.kind == "configuration":
        return
    diagnosis = study.diagnoses.get(number)
    causes = mendable_causes(diagnosis.findings, study.muted) if diagnosis is not None else []
    if causes and number not in {treatment["number"] for treatment in study.treatments}:
        facts = {"number": number, "cause": f"{causes[0].code} {causes[0].title}"}
        yield NextStep("treat", study_command(study.folder, "treat", number, ...), facts)


def _shorter(study: StoredStudy, finding: Finding) -> Iterator[NextStep]:
    horizon = study.horizon
    if (
        finding.severity != "issue"
        or horizon is None
        or horizon < SHORTER * LEAST_HORIZON
        or study.from_start
    ):
        return
    steps = horizon // SHORTER
    command = changed_run_command(study, "shorter", {"score.horizon": steps})
    yield NextStep("shorter", command, {"horizon": horizon, "steps": steps})
