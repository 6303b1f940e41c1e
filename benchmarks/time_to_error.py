"""How much computing a study takes until its best trial reaches a rollout error, beside its echo state network.

    python benchmarks/time_to_error.py RESULTS/STUDY ERROR [--json]

Reads a stored study. Trials count in the order of their numbers, each with all the seconds of its worker (training,
evaluations, end), whether it was pruned or not. Scores are those on validation that the search sees. The echo state
network counts with the search for its settings; it may not reach the error.
"""

import argparse
import json
from pathlib import Path

from machine import machine

from sweep.results.study import read_study
from sweep.store import StudyFolder


def main() -> None:
    """Read and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("study", type=Path)
    parser.add_argument("error", type=float)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    study = read_study(StudyFolder(given.study))
    spent, reached = 0.0, None
    for record in sorted(study.records, key=lambda record: record.number):
        spent += record.seconds
        if record.rollout_error is not None and record.rollout_error <= given.error:
            reached = record
            break
    rival = study.baselines.get("echo_state_network", {})
    result = {
        "error": given.error,
        "trial": None if reached is None else reached.number,
        "trial_error": None if reached is None else reached.rollout_error,
        "seconds": spent,
        "echo_state_network_error": rival.get("rollout_error"),
        "echo_state_network_seconds": rival.get("seconds"),
        "machine": machine(),
    }
    if given.json:
        print(json.dumps(result, indent=1))
        return
    ours = f"not within {len(study.records)} trials"
    if reached is not None:
        ours = f"trial {reached.number}, {reached.rollout_error:.2g}"
    print(result["machine"])
    print(f"rollout error {given.error:g}: {ours}, after {spent:.0f} s of workers")
    if rival:
        print(f"echo state network: {rival['rollout_error']:.2g} after {rival['seconds']:.0f} s")


if __name__ == "__main__":
    main()
