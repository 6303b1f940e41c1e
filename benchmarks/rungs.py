"""Which early score predicts the final one, and which pruning rule keeps the best trials.

    sweep run sine --name sine_unpruned --trials 110 --set pruning.enabled=false --set search.sampler=random ...
    python benchmarks/rungs.py results/sine_unpruned [more studies]

Reads finished, unpruned studies. Prints the Spearman correlation of each early score with the final score by
rung, and, for several rules, how many of the final best fifteen and best five they would have kept and at which
share of the cost. Rules are replayed by sweep's own decision function, in the order of the trials.
"""

import sys
from itertools import product
from pathlib import Path

import numpy as np
from scipy.stats import rankdata, spearmanr

from sweep.config.records import PREFIXES, Evaluation, TrialRecord
from sweep.search.pruning import is_kept
from sweep.store import StudyFolder

SHARES = (1 / 27, 1 / 9, 1 / 3, 2 / 3)


def scores_at(evaluations: tuple[Evaluation, ...]) -> dict[str, float]:
    """Return every candidate score from the evaluations up to a rung."""
    last = evaluations[-1].scores
    found = {
        "one-step error": last.one_step_error,
        "one-step nrmse": last.one_step_nrmse,
        "nrmse": last.nrmse,
    }
    for share, error in zip(PREFIXES, last.prefix_errors, strict=True):
        found[f"rollout {share:g} H"] = error
        found[f"best so far, rollout {share:g} H"] = min(
            e.scores.prefix_errors[PREFIXES.index(share)] for e in evaluations
        )
    return found


def reached(record: TrialRecord, share: float) -> tuple[Evaluation, ...]:
    """Return the evaluations of a trial up to a share of its budget; all of them where it diverged before."""
    budget = record.config["training"]["budget"]
    early = tuple(e for e in record.evaluations if e.sequence_steps <= share * budget * 1.02)
    return early or record.evaluations[:1]


def table(records: list[TrialRecord]) -> dict[float, dict[str, np.ndarray]]:
    """Return candidate scores by rung: (trial,) arrays, with two sums of ranks."""
    result = {}
    for share in SHARES:
        rows = [scores_at(reached(record, share)) for record in records]
        columns = {key: np.array([row[key] for row in rows]) for key in rows[0]}
        ranks = {key: rankdata(values) for key, values in columns.items()}
        columns["ranks: one-step nrmse + rollout 0.03 H"] = ranks["one-step nrmse"] + ranks["rollout 0.03 H"]
        columns["ranks: one-step nrmse + rollout 0.1 H"] = ranks["one-step nrmse"] + ranks["rollout 0.1 H"]
        columns["ranks: rollout 0.03 H + 0.1 H"] = ranks["rollout 0.03 H"] + ranks["rollout 0.1 H"]
        result[share] = columns
    return result


def replay(by_rung: list[tuple[float, np.ndarray, float]], final: np.ndarray) -> tuple[np.ndarray, float]:
    """Return which trials a rule keeps, and its share of the unpruned cost.

    Args:
        by_rung: per rung its share of the budget, the trials' scores there, and the share that goes on.
        final: (trial,) final scores.
    """
    alive = np.ones(len(final), dtype=bool)
    cost = np.zeros(len(final))
    before = 0.0
    for at, scores, keep in by_rung:
        cost[alive] += at - before
        before = at
        on = alive.copy()
        for number in np.flatnonzero(alive):
            earlier = [float(scores[k]) if alive[k] else "missed" for k in range(number)]
            on[number] = is_kept(float(scores[number]), earlier, keep, startup=8)
        alive = on
    cost[alive] += 1 - before
    return alive, float(cost.mean())


def main(folders: list[str]) -> None:
    """Print the tables of each study."""
    for folder in folders:
        records = [
            r for r in StudyFolder(Path(folder)).records() if r.settled and r.rollout_error is not None
        ]
        final = np.array([record.rollout_error for record in records])
        columns = table(records)
        print(
            f"\n## {folder}: {len(records)} unpruned trials, best {final.min():.3g}, median {np.median(final):.3g}\n"
        )
        print("| early score | " + " | ".join(f"{share:.0%}" for share in SHARES) + " |")
        print("|---|" + "---|" * len(SHARES))
        for key in columns[SHARES[0]]:
            cells = [f"{spearmanr(columns[share][key], final).statistic:.2f}" for share in SHARES]
            print(f"| {key} | " + " | ".join(cells) + " |")
        print("\n| at 11 % | keep | at 33 % | keep | best 15 kept | best 5 kept | cost |")
        print("|---|---|---|---|---|---|---|")
        best = np.argsort(final, kind="stable")
        candidates = [
            "one-step nrmse",
            "rollout 0.03 H",
            "rollout 0.1 H",
            "best so far, rollout 0.03 H",
            "best so far, rollout 0.1 H",
            "best so far, rollout 0.3 H",
            "best so far, rollout 1 H",
            "ranks: one-step nrmse + rollout 0.03 H",
        ]
        for first, second in product(candidates, candidates):
            for keeps in ((2 / 3, 1 / 2), (1 / 2, 1 / 2), (1 / 3, 1 / 3)):
                rule = [(1 / 9, columns[1 / 9][first], keeps[0]), (1 / 3, columns[1 / 3][second], keeps[1])]
                alive, cost = replay(rule, final)
                print(
                    f"| {first} | {keeps[0]:.2f} | {second} | {keeps[1]:.2f} | "
                    f"{alive[best[:15]].sum()} | {alive[best[:5]].sum()} | {cost:.2f} |"
                )


if __name__ == "__main__":
    main(sys.argv[1:])
