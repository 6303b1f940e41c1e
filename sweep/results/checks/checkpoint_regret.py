"""Is the last checkpoint worse than the best one?"""

import numpy as np
import pandas as pd

from sweep.diagnosis.check import CheckSpec
from sweep.diagnosis.finding import Finding
from sweep.results.loss_choice import COST_FOUND
from sweep.results.wording.numbers import number_text


def checkpoint_regret(trials: pd.DataFrame) -> Finding:
    """How much worse are the last checkpoint, and the one of the lowest one-step error, than the chosen one?

    Over the trials that trained to the end; regret is a difference of rollout errors, >= 0.

    Args:
        trials: from `trials_frame`.
    """
    done = trials[(trials["state"] == "complete") & trials["regret_last"].notna()]
    if not len(done):
        return CHECK.finding("not applicable", "No trial has trained to the end yet.", {"trials": 0})
    last, loss = done["regret_last"].to_numpy(float), done["regret_one_step"].dropna().to_numpy(float)
    evidence = {
        "trials": len(done),
        "median_last": float(np.median(last)),
        "worst_last": float(last.max()),
        "share_last": float((last > COST_FOUND).mean()),
        "median_one_step": float(np.median(loss)) if len(loss) else None,
        "worst_one_step": float(loss.max()) if len(loss) else None,
        "share_one_step": float((loss > COST_FOUND).mean()) if len(loss) else None,
        "threshold": COST_FOUND,
    }
    text = (
        f"In {(last > COST_FOUND).sum()} of {len(done)} trials that trained to the end, the last checkpoint "
        f"rolls out worse than the best one by more than {COST_FOUND:g} "
        f"(median {number_text(float(np.median(last)), 2)}, worst {number_text(float(last.max()), 2)})."
    )
    if len(loss):
        text += (
            f" The checkpoint with the lowest one-step error does so in {(loss > COST_FOUND).sum()} "
            f"(median {number_text(float(np.median(loss)), 2)}, worst {number_text(float(loss.max()), 2)})."
        )
    found = bool((last > COST_FOUND).any() or (loss > COST_FOUND).any())
    return CHECK.finding("issue" if found else "ok", text, evidence)


CHECK = CheckSpec(
    name="checkpoint_regret",
    titles=("The last checkpoint is not the best", "The last checkpoint is as good as the best"),
    check=lambda tables: checkpoint_regret(tables.trials),
    source="our choice",
)
