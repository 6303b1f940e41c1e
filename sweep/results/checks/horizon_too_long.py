"""Can the horizon be forecast?"""

from sweep.config.text import plural
from sweep.diagnosis.check import CheckSpec
from sweep.diagnosis.finding import Finding
from sweep.results.contest import Contest
from sweep.results.wording.numbers import number_text
from sweep.score.comparisons import SIGHTED

SKILL_LEAST = 0.25  # half of the trivial error, over half of the horizon. Our choice


def horizon_too_long(contest: Contest, driven: bool = False) -> Finding:
    """Does the leading configuration or a baseline have skill over half of the horizon?

    Skill is against the best trivial forecast, or against an error of 1 if none is scored. A forecast with half of
    that error over half of the horizon, and no skill after, has skill 0.25.

    Args:
        contest: whose scores decide.
        driven: whether inputs from outside drive the data. A lack of skill then shows a limit of the data only if
            baselines that see the inputs are scored.
    """
    trivial = contest.trivial
    others = [
        entry for entry in (contest.network, *contest.baselines) if entry is not None and not entry.trivial
    ]
    if not others:
        return CHECK.finding("not applicable", "Nothing has been scored yet.")
    if trivial is not None and trivial.exact:
        evidence = {"skill": None, "by": trivial.name, "least": SKILL_LEAST}
        return CHECK.finding("ok", f"{trivial.name} is exact.", evidence)
    bar, against = (1.0, "a constant") if trivial is None else (trivial.rollout_error, trivial.name)
    first = min(others, key=lambda entry: entry.rollout_error)
    skill = 1 - first.rollout_error / bar
    evidence = {"skill": skill, "by": first.name, "against": against, "least": SKILL_LEAST}
    words = f"skill {number_text(skill, 2)} against {against}"
    sighted = [entry.name for entry in contest.baselines if entry.name in SIGHTED]
    if skill < SKILL_LEAST and driven and not sighted:
        text = (
            f"Nothing has skill over half of the horizon (best: {first.name}, {words}), but that shows no limit of the "
            "data: no baseline that sees the inputs from outside is scored."
        )
        return CHECK.finding("not applicable", text, evidence)
    if skill < SKILL_LEAST:
        seen = f", and {plural(len(sighted), 'baseline')} saw the inputs from outside" if driven else ""
        text = (
            f"Neither a network nor a baseline has skill over half of the horizon (best: {first.name}, {words}){seen}: "
            "the data do not allow a forecast that long, or nothing has learnt what they hold."
        )
        return CHECK.finding("issue", text, evidence)
    return CHECK.finding("ok", f"{first.name} has {words}.", evidence)


CHECK = CheckSpec(
    name="horizon_too_long",
    titles=("The horizon is too long", "The horizon fits the data"),
    check=lambda tables: horizon_too_long(tables.contests.decisive, tables.study.driven),
    source="our choice",
)
