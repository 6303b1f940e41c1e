"""Did pruning stop a trial that would have won?"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sweep.config.records import TrialRecord
from sweep.config.text import plural
from sweep.diagnosis.check import CheckSpec
from sweep.diagnosis.finding import Finding
from sweep.results.selection import leading_arm
from sweep.results.wording.numbers import number_text, percent_text
from sweep.stats.paired_effect import FLOOR

WINS = 0.1  # decades below the best trial: a fifth less error. Our choice, as for the budget
TOP = 3  # ranks that a confirmation examines; our choice
FEWEST = 4  # audited trials; below, nothing is concluded. Our choice
MISS = 0.05  # how often the bound on the share may be too low


def pruning_stopped_winners(
    records: Sequence[TrialRecord],
    audit: Mapping[str, Any] | None,
    confirmation: Mapping[str, Any] | None = None,
    top: int = TOP,
) -> Finding:
    """Would a pruned trial have ended clearly below the best one?

    It is an issue if an audited trial ends at least WINS decades below the lowest rollout error of the study, or if the
    configuration of a pruned trial leads on fresh seeds, where nothing is pruned. The drawn trials are a sample of the
    pruned trials that were not nearest to being kept: at most `share_bound` of these would have been among the best,
    with a confidence of 1 - MISS.

    Args:
        records: of the study.
        audit: audit.json, None where nothing was audited.
        confirmation: confirmation.json of today's best trials, None if there is none.
        top: how many ranks count as the best.
    """
    pruned = sum(record.state == "pruned" for record in records)
    if not pruned:
        return CHECK.finding("ok", "Nothing was pruned.", {"pruned": 0})
    leader = None if confirmation is None else leading_arm(confirmation)
    if leader is not None and leader["selected_state"] == "pruned":
        text = (
            f"Trial {leader['number']} was pruned, and its configuration leads on fresh seeds: keep more trials at the "
            "rungs (pruning.rungs), or move the rungs later."
        )
        return CHECK.finding("issue", text, {"pruned": pruned, "leader": leader["number"]})
    entries = [] if audit is None else [e for e in audit["trials"] if e["error"] is not None]
    scored = sorted(
        record.rollout_error
        for record in records
        if record.state != "pruned" and record.settled and record.rollout_error is not None
    )
    if len(entries) < min(FEWEST, pruned) or not scored:
        text = (
            f"Not known: {plural(pruned, 'trial')} {'was' if pruned == 1 else 'were'} pruned, and too few of them have "
            "been trained to the end since. Run sweep audit to train some."
        )
        return CHECK.finding("not applicable", text, {"pruned": pruned, "audited": len(entries)})
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
    text = f"Of {plural(len(entries), 'pruned trial')} that were trained to the end"
    if pruned > len(entries):
        text += f" ({len(entries) - len(drawn)} nearest to being kept, {len(drawn)} drawn from the others)"
    text += (
        f", {len(good) or 'none'} would have been among the best {top}. The lowest error is that of trial "
        f"{lowest['number']}, {number_text(lowest['error'])}; the lowest selected score of the study is "
        f"{number_text(best)}. {len(as_good) or 'None'} of them {'ends' if len(as_good) == 1 else 'end'} within a "
        f"factor of {10**WINS:.2g} of it."
    )
    if bound is not None:
        text += (
            f" Of the {len(drawn)} drawn ones, {hits or 'none'} would have been among the best: at most "
            f"{percent_text(bound)} of all such trials (95 % confidence)."
        )
    if not evidence["reproduced"]:
        text += " Their scores up to the rung differ from the stored ones: this machine rounds differently."
    if gain >= WINS:
        text += " Pruning stopped a winner: keep more trials at the rungs (pruning.rungs), or move the rungs later."
    return CHECK.finding("issue" if gain >= WINS else "ok", text, evidence)


def largest_share(hits: int, draws: int) -> float | None:
    """Return the share that `hits` of `draws` leave possible, wrong once in 1 / MISS times; None without draws.

    Source: the exact binomial bound of Clopper and Pearson (1934), one-sided.
    """
    if not draws:
        return None
    if hits == draws:
        return 1.0
    from scipy.stats import beta  # here: the import takes half a second

    return float(beta.ppf(1 - MISS, hits + 1, draws - hits))


CHECK = CheckSpec(
    name="pruning_stopped_winners",
    titles=("Pruning stopped a winner", "Pruning stopped no winner"),
    check=lambda tables: pruning_stopped_winners(
        tables.study.records, tables.study.audit, tables.study.confirmation
    ),
    source="the bound of Clopper and Pearson (1934); thresholds are our choice",
)
