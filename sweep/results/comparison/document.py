"""A comparison as one JSON document: what `sweep compare --json` prints (docs/compare.md)."""

from dataclasses import asdict
from typing import Any

from sweep.config.records import to_json
from sweep.results.comparison.compared import Comparison, Pair, Side
from sweep.results.comparison.differences import Setting
from sweep.results.wording.comparison import verdict_text

FORMAT = 1


def comparison_document(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as JSON values."""
    document: dict[str, Any] = to_json(
        {"format": FORMAT, "worse": comparison.worse, "pairs": [_pair(pair) for pair in comparison.pairs]}
    )
    return document


def _pair(pair: Pair) -> dict[str, Any]:
    differences = pair.differences
    return {
        "verdict": pair.verdict,
        "text": verdict_text(pair),
        "alarm": pair.alarm,
        "first": _side(pair.first),
        "second": _side(pair.second),
        "differences": {
            "settings": _rows(differences.settings),
            "space": _rows(differences.space),
            "data": _rows(differences.data),
            "machine": _rows(differences.machine),
        },
        "basis": asdict(pair.basis),
        "budget": asdict(pair.budget),
        "search": {"ahead": asdict(pair.ahead), "behind": asdict(pair.behind)},
        "seeds": None if pair.seeds is None else asdict(pair.seeds),
        "new_symptom": None if pair.symptom is None else asdict(pair.symptom),
    }


def _side(side: Side) -> dict[str, Any]:
    scores, equal, baseline, test = side.scores, side.equal, side.baseline, side.on_test
    return {
        "name": side.name,
        "leader": scores.leader,
        "symptom": side.symptom,
        "selected": scores.best.error,
        "fresh": None if side.fresh is None else asdict(side.fresh),
        "fresh_errors": scores.fresh,
        "test": None
        if test is None
        else {"rollout_error": test.rollout_error, "valid_steps": test.valid_steps},
        "baseline": None
        if baseline is None
        else {"name": baseline.name, "rollout_error": baseline.rollout_error},
        "trials": len(scores.trials),
        "sequence_steps": int(scores.cost[-1]),
        "equal_budget": {"trials": len(equal.trials), "rollout_error": equal.best.error},
        "errors": equal.errors.tolist(),  # by trial, within the equal budget
        "best_so_far": [
            {"trials": index + 1, "sequence_steps": int(cost), "rollout_error": float(error)}
            for index, (cost, error) in enumerate(zip(scores.cost, scores.best_so_far, strict=True))
        ],
    }


def _rows(entries: tuple[Setting, ...]) -> list[dict[str, Any]]:
    return [asdict(entry) for entry in entries]
