"""The accuracy of the diagnosis on planted faults that were not used to choose a threshold, and of its rivals.

    python -m benchmarks.diagnosis.accuracy --cache DIR --labels labels.json --mends mends.json [--split final]

The diagnosis is the shipped one (sweep/diagnosis/causes/calibration.json). Rivals learn from the calibration runs.
Runs of both splits that are in the cache are used. Intervals: 95 % bootstrap over backgrounds and their runs.

    false alarms    share of healthy runs with an alarm
    detection       share of biting faults with an alarm
    top 1, top 3    share of biting faults with an alarm whose first cause (one of whose first three causes) is
                    accepted: the planted cause, or one whose prescription was measured to mend the fault
    planted only    top 1 with the planted cause as the only right answer
"""

import argparse
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.diagnosis.backgrounds import SCORED
from benchmarks.diagnosis.bites import interval
from benchmarks.diagnosis.calibrate import FALSE_ALARMS, top, usable
from benchmarks.diagnosis.cases import case_of
from benchmarks.diagnosis.data import KINDS
from benchmarks.diagnosis.faults import FAULTS, HEALTHY, KEPT_OUT_SEVERITY
from benchmarks.diagnosis.mends import accepted
from benchmarks.diagnosis.record import Cache
from benchmarks.diagnosis.rivals import RULES, Forest, configuration, majority
from benchmarks.diagnosis.runs import Key, numbered_places, plan
from sweep.diagnosis.causes.cause_model import shipped_model
from sweep.diagnosis.causes.features import FEATURES
from sweep.diagnosis.causes.findings import likely

Rows = Mapping[Key, Mapping[str, float]]
PARTS = ("known", "severity kept out", "kind kept out")


@dataclass(frozen=True)
class Answer:
    """A method's answer for a run: whether there is an alarm, and the causes, most likely first."""

    alarm: bool
    causes: Sequence[str]


def part_of(key: Key) -> str:
    """Return the part of the scores that a run belongs to."""
    if KINDS[key.kind].kept_out:
        return "kind kept out"
    return "severity kept out" if key.severity == KEPT_OUT_SEVERITY else "known"


def ours(cache: Cache, scored: Rows) -> dict[Key, Answer]:
    """Return the answers of the shipped diagnosis."""
    model = shipped_model()
    found = {}
    for key, row in scored.items():
        alarm, possible = likely(case_of(cache, plan(key).settled(cache.data)), model, row)
        found[key] = Answer(alarm, top(possible))
    return found


def forest(known: Rows, scored: Rows, names: Sequence[str]) -> dict[Key, Answer]:
    """Return the answers of a random forest; its alarm level is set on calibration runs that it has not seen."""
    rows, answers = list(known.values()), [key.cause for key in known]
    groups = np.asarray([key.place for key in known])
    healthy: list[float] = []
    for half in np.array_split(np.unique(groups), 3):
        test = np.isin(groups, half)
        model = Forest(names).fit(
            [rows[i] for i in np.flatnonzero(~test)], [answers[i] for i in np.flatnonzero(~test)]
        )
        well = [rows[i] for i in np.flatnonzero(test) if answers[i] == HEALTHY]
        healthy += [1 - one[HEALTHY] for one in model.probabilities(well)]
    alarm = float(np.quantile(healthy, 1 - FALSE_ALARMS))
    found = Forest(names).fit(rows, answers).probabilities(list(scored.values()))
    return {key: Answer(1 - one[HEALTHY] > alarm, top(one)) for key, one in zip(scored, found, strict=True)}


def settings_alone(known: Rows, scored: Rows) -> dict[Key, Answer]:
    """Return the answers of a random forest that sees the configuration and no measurement."""
    seen, asked = ({key: configuration(plan(key).config) for key in rows} for rows in (known, scored))
    return forest(seen, asked, list(next(iter(seen.values()))))


def threshold(known: Rows, scored: Rows) -> dict[Key, Answer]:
    """Return the answers of a plain threshold on the rollout error, which names no cause."""
    healthy = [row["rollout"] for key, row in known.items() if key.cause == HEALTHY]
    limit = float(np.quantile(healthy, 1 - FALSE_ALARMS))
    return {key: Answer(row["rollout"] > limit, ()) for key, row in scored.items()}


def by_rules(cache: Cache, scored: Rows) -> dict[str, dict[Key, Answer]]:
    """Return the answers of the rules of one-step training doctors."""
    found: dict[str, dict[Key, Answer]] = {name: {} for name in RULES}
    for key in scored:
        case = case_of(cache, plan(key).settled(cache.data))
        for name, rules in RULES.items():
            causes = rules(case)
            found[name][key] = Answer(bool(causes), causes)
    return found


def guesses(known: Rows, scored: Rows) -> dict[str, dict[Key, Answer]]:
    """Return guesses: always the most frequent cause, and a random cause in half of the runs."""
    rng = np.random.default_rng(0)
    order = majority([key.cause for key in known])
    return {
        "most frequent": {key: Answer(True, order) for key in scored},
        "random": {
            key: Answer(bool(rng.random() < 0.5), [str(cause) for cause in rng.permutation(order)])
            for key in scored
        },
    }


def figures(answers: Mapping[Key, Answer], right: Mapping[str, set[str]]) -> dict[str, dict[str, Any]]:
    """Return the figures by part and name: value, interval, runs."""
    found: dict[str, dict[str, Any]] = {}
    for part in PARTS:
        keys = [
            key
            for key in answers
            if part_of(key) == part or (part != "kind kept out" and key.cause == HEALTHY)
        ]
        keys = [key for key in keys if KINDS[key.kind].kept_out == (part == "kind kept out")]
        well = [key for key in keys if key.cause == HEALTHY]
        ill = [key for key in keys if key.cause != HEALTHY]
        named = {key for key in ill if answers[key].alarm}
        found[part] = {
            "false alarms": share(well, [answers[key].alarm for key in well]),
            "detection": share(ill, [answers[key].alarm for key in ill]),
            "top 1": share(ill, [key in named and _right(answers[key], 1, right[key.cause]) for key in ill]),
            "top 3": share(ill, [key in named and _right(answers[key], 3, right[key.cause]) for key in ill]),
            "planted only": share(
                ill, [key in named and _right(answers[key], 1, {key.cause}) for key in ill]
            ),
        }
    return found


def _right(answer: Answer, count: int, accepted: set[str]) -> bool:
    return bool(set(answer.causes[:count]) & accepted)


def share(keys: Sequence[Key], hits: Sequence[bool]) -> dict[str, Any] | None:
    """Return a share with its interval, clustered by background; None without runs."""
    if not keys:
        return None
    low, high = interval([float(hit) for hit in hits], numbered_places(keys))
    return {"value": float(np.mean(hits)), "low": low, "high": high, "runs": len(keys)}


def confusions(answers: Mapping[Key, Answer]) -> dict[str, dict[str, int]]:
    """Return the counts of the first named cause by planted fault; "nothing" if there was no alarm."""
    found: dict[str, Counter[str]] = {fault: Counter() for fault in (HEALTHY, *FAULTS)}
    for key, answer in answers.items():
        found[key.cause][answer.causes[0] if answer.alarm and answer.causes else "nothing"] += 1
    return {fault: dict(counts.most_common()) for fault, counts in found.items() if counts}


def document(cache: Cache, known: Rows, scored: Rows, right: Mapping[str, set[str]]) -> dict[str, Any]:
    """Return all results, as JSON values."""
    mine = ours(cache, scored)
    methods = {
        "sweep": mine,
        "random forest, same features": forest(known, scored, list(FEATURES)),
        "random forest, all settings": settings_alone(known, scored),
        "threshold on the rollout error": threshold(known, scored),
        **by_rules(cache, scored),
        **guesses(known, scored),
    }
    bitten = [key for key in scored if key.cause != HEALTHY]
    sizes = [len(right[key.cause]) for key in bitten]
    return {
        "calibration_runs": len(known),
        "scored_runs": len(scored),
        "accepted": {fault: sorted(causes) for fault, causes in right.items()},
        "accepted_size": float(np.mean(sizes)),
        "chance": float(np.mean(sizes)) / (len(FAULTS) - 1),
        "figures": {name: figures(answers, right) for name, answers in methods.items()},
        "confusions": {
            part: confusions({key: answer for key, answer in mine.items() if part_of(key) == part})
            for part in PARTS
        },
        "by_cause": {
            fault: share(keys, [mine[key].alarm and _right(mine[key], 1, right[fault]) for key in keys])
            for fault in FAULTS
            if (keys := [key for key in bitten if key.cause == fault])
        },
    }


def text(results: Mapping[str, Any]) -> str:
    """Return the table as Markdown."""
    lines = [
        f"{results['calibration_runs']} calibration runs, {results['scored_runs']} scored runs; "
        f"accepted answers per fault {results['accepted_size']:.1f} on average, by chance {results['chance']:.0%}.",
        "",
    ]
    names = ("false alarms", "detection", "top 1", "top 3", "planted only")
    for part in PARTS:
        lines += [
            f"**{part}**",
            "",
            "| method | " + " | ".join(names) + " |",
            "|---" * (len(names) + 1) + "|",
        ]
        for method, parts in results["figures"].items():
            cells = [_cell(parts[part][name]) for name in names]
            lines.append(f"| {method} | " + " | ".join(cells) + " |")
        lines.append("")
    for part, table in results["confusions"].items():
        lines.append(f"Confusions, {part}:")
        for fault, counts in table.items():
            listed = ", ".join(f"{name} {count}" for name, count in counts.items())
            lines.append(f"* `{fault}`: {listed}")
        lines.append("")
    return "\n".join(lines)


def _cell(value: Mapping[str, Any] | None) -> str:
    return "–" if value is None else f"{value['value']:.1%} ({value['low']:.0%} to {value['high']:.0%})"


def main(arguments: Sequence[str] | None = None) -> None:
    """Score, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--mends", type=Path, help="document of benchmarks.diagnosis.mends --json")
    parser.add_argument("--split", choices=SCORED, default="score")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--symptoms", type=Path, help="document of symptoms.py --json, to go with --json")
    parser.add_argument("--treated", type=Path, help="document of benchmarks.diagnosis.treat --json, same")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    known, scored = (
        usable(options.cache, options.labels, split, options.seeds, options.workers)
        for split in ("calibrate", options.split)
    )
    right = accepted(json.loads(options.mends.read_text()) if options.mends else [])
    results = document(Cache(options.cache), known, scored, right)
    for name in ("symptoms", "treated"):
        path = getattr(options, name)
        results |= {name: json.loads(path.read_text())} if path else {}
    print(json.dumps(results, indent=1) if options.json else text(results))


if __name__ == "__main__":
    main()
