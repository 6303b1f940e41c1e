"""Did trials fail?"""

import pandas as pd

from sweep.config.text import plural
from sweep.diagnosis.check import CheckSpec
from sweep.diagnosis.finding import Finding

LISTED = 5  # numbers of missing folders, and
REASONS = 3  # reasons of failures that the text lists


def trial_failures(trials: pd.DataFrame) -> Finding:
    """Which trials ended with an error instead of a score, and which folders are missing?

    Args:
        trials: from `trials_frame`.
    """
    failed = trials[trials["state"] == "failed"]
    gone = sorted(set(range(int(trials["number"].max()) + 1)) - set(trials["number"])) if len(trials) else []
    if gone:
        listed = ", ".join(str(number) for number in gone[:LISTED]) + (
            " and more" if len(gone) > LISTED else ""
        )
        text = (
            f"{plural(len(failed), 'trial')} failed, and {plural(len(gone), 'trial folder')} "
            f"{'is' if len(gone) == 1 else 'are'} missing ({listed}): sweep run trains missing trials again."
        )
        return CHECK.finding("issue", text, {"failed": len(failed), "gone": gone})
    if not len(failed):
        return CHECK.finding("ok", f"{plural(len(trials), 'trial')}, no failure.", {"failed": 0})
    reasons = failed["reason"].fillna("no reason recorded").value_counts()
    listed = "; ".join(f"{reason} ({count})" for reason, count in list(reasons.items())[:REASONS])
    evidence = {"failed": len(failed), "numbers": [int(number) for number in failed["number"]]}
    text = f"{len(failed)} of {plural(len(trials), 'trial')} failed: {listed}."
    return CHECK.finding("issue", text, evidence)


CHECK = CheckSpec(
    name="trial_failures",
    titles=("Trials failed", "No trial failed"),
    check=lambda tables: trial_failures(tables.trials),
    source="our choice",
)
