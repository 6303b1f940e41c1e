"""Did pruning stop trials that would have won? What an audit of some pruned trials says."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sweep.config.records import TrialRecord
from sweep.results.checks.study_findings import Finding
from sweep.results.wording.numbers import count_text, number_text
from sweep.stats.paired_effect import FLOOR
from sweep.store.folder import StudyFolder

CODE = "pruning_stopped_winners"
WINS = 0.1  # decades below the best trial: a fifth less error. Our choice, as for the budget
TOP = 3  # ranks that a confirmation would look at; our choice
FEWEST = 4  # audited trials; below, nothing is concluded. Our choice
MISS = 0.05  # how often the bound on the share may be too low


def pruning_stopped_winners(
    records: Sequence[TrialRecord], audit: Mapping[str, Any] | None, top: int = TOP
) -> Finding:
    """Would a trial that was pruned have ended clearly below the best one, had it been let?

    Found where one of the audited trials ends at least WINS decades below the lowest rollout error of the study. What
    was drawn speaks for the pruned trials that were not nearest: at most so large a share of them would have been
    among the best, with a confidence of 1 - MISS.

    Source: the exact binomial bound of Clopper and Pearson (1934), one-sided; thresholds are our choice.

    Args:
        records: of the study.
        audit: audit.json, None where nothing was audited.
        top: how many ranks count as the best.
    """
    pruned = sum(record.state == "pruned" for record in records)
    if not pruned:
        return Finding(CODE, "clear", "Nothing was pruned.", {"pruned": 0})
    entries = [] if audit is None else [e for e in audit["trials"] if e["error"] is not None]
    scored = sorted(
        record.rollout_error
        for record in records
        if record.state != "pruned" and record.settled and record.rollout_error is not None
    )
    if len(entries) < min(FEWEST, pruned) or not scored:
        text = (
            f"{pruned} trial{' was' if pruned == 1 else 's were'} pruned, and too few of them trained to their end to "
            "say what they would have come to: sweep audit does that."
        )
        return Finding(CODE, "unknown", text, {"pruned": pruned, "audited": len(entries)})
    bar, best = scored[min(top, len(scored)) - 1], scored[0]
    lowest = min(entries, key=lambda entry: (entry["error"], entry["number"]))
    gain = math.log10(max(best, FLOOR) / max(lowest["error"], FLOOR))
    good = [entry["number"] for entry in entries if entry["error"] < bar]
    as_good = [e["number"] for e in entries if math.log10(max(e["error"], FLOOR) / max(best, FLOOR)) < WINS]
    drawn = [entry for entry in entries if entry["picked"] == "drawn"]
    hits = sum(entry["error"] < bar for entry in drawn)
    bound = largest_share(hits, len(drawn))
    evidence = {
        "pruned": pruned,
        "audited": len(entries),
        "drawn": len(drawn),
        "drawn_good": hits,
        "share_bound": bound,
        "good": good,
        "as_good": as_good,
        "top": top,
        "best": best,
        "lowest": lowest["error"],
        "lowest_number": lowest["number"],
        "gain": gain,
        "threshold": WINS,
        "reproduced": all(entry["reproduced"] for entry in entries),
    }
    sample = f"Of {len(entries)} pruned trials that were trained to their end"
    if pruned > len(entries):
        sample += f" ({len(entries) - len(drawn)} nearest to being kept, {len(drawn)} drawn from the others)"
    reached = (
        f"the lowest is trial {lowest['number']} at {number_text(lowest['error'])}, beside the best trial's "
        f"{number_text(best)}"
    )
    among = f"{len(good) or 'none'} would have been among the best {top}"
    text = f"{sample}, {among}; {reached}. {len(as_good) or 'None'} of them {'ends' if len(as_good) == 1 else 'end'} "
    text += f"within a factor of {10**WINS:.2g} of it."
    if bound is not None:
        text += f" Of the {len(drawn)} drawn it is {hits or 'none'}: "
        text += f"at most {bound:.0%} of such trials (95 % confidence)."
    if not evidence["reproduced"]:
        text += " They did not repeat what was stored up to their rung: this machine computes other bits."
    if gain >= WINS:
        text += " Pruning stopped a winner: keep more at the rungs (pruning.rungs), or let them come later."
        return Finding(CODE, "found", text, evidence)
    return Finding(CODE, "clear", text, evidence)


def audit_lines(audit: Mapping[str, Any]) -> list[str]:
    """Return a table of at most 80 columns in plain lines: each audited trial when it was pruned, and at its end."""
    head = ("", "picked", "pruned after", "pruned at", "at its end", "valid steps")
    rows = [head] + [
        (
            f"trial {entry['number']}",
            entry["picked"],
            count_text(entry["pruned_at"]),
            number_text(entry["pruned_error"]),
            entry["state"] if entry["error"] is None else number_text(entry["error"]),
            number_text(entry["valid_steps"]),
        )
        for entry in audit["trials"]
    ]
    widths = (14, 9, 15, 12, 13, 14)
    return [
        f"  {row[0]}".ljust(widths[0])
        + "".join(text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True))
        for row in rows
    ]


def audit_text(folder: StudyFolder) -> str:
    """Return what a stored study's audit says, as the report does."""
    return pruning_stopped_winners(folder.records(), folder.read_document("audit")).text


def largest_share(hits: int, draws: int) -> float | None:
    """Return the share that `hits` of `draws` leave possible, wrong once in 1 / MISS times; None without draws."""
    if not draws:
        return None
    if hits == draws:
        return 1.0
    from scipy.stats import beta  # here: to import it takes half a second

    return float(beta.ppf(1 - MISS, hits + 1, draws - hits))
