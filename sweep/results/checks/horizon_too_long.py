"""Can the horizon be forecast?"""

import pandas as pd

from sweep.diagnosis.check import CheckSpec
from sweep.diagnosis.finding import Finding
from sweep.results.wording.numbers import number_text

SKILL_LEAST = 0.25  # against the mean: half of its error, over half of the horizon. Our choice


def horizon_too_long(board: pd.DataFrame) -> Finding:
    """Does a trial or a baseline have skill over half of the horizon?

    A forecast with half the mean's error over half of the horizon, and no skill after, has skill 0.25.

    Args:
        board: from `leaderboard`.
    """
    scored = board[board["rollout_error"].notna() & (board["name"] != "mean")]
    if not len(scored):
        return CHECK.finding("not applicable", "Nothing has been scored yet.")
    means = board.loc[(board["name"] == "mean") & (board["kind"] == "baseline"), "rollout_error"]
    mean = float(means.iloc[0]) if len(means) and means.iloc[0] > 0 else 1.0
    first = scored.sort_values("rollout_error", kind="stable").iloc[0]
    skill = 1 - float(first["rollout_error"]) / mean
    evidence = {"skill": skill, "by": str(first["name"]), "least": SKILL_LEAST}
    words = f"skill {number_text(skill, 2)} against the mean"
    if skill < SKILL_LEAST:
        text = (
            f"Neither a trial nor a baseline has skill over half of the horizon (best: {first['name']}, {words}): "
            "the data do not allow a forecast that long, or the budget does not allow enough training."
        )
        return CHECK.finding("issue", text, evidence)
    return CHECK.finding("ok", f"{first['name']} has {words}.", evidence)


CHECK = CheckSpec(
    name="horizon_too_long",
    titles=("The horizon is too long", "The horizon fits the data"),
    check=lambda tables: horizon_too_long(tables.leaderboard),
    source="our choice",
)
