"""Who wins: the candidates, the trial that is named, and whether its lead is more than chance."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sweep.config.records import TrialRecord
from sweep.config.text import plural
from sweep.stats.ranking import Ranking

TRIVIAL = ("mean", "persistence", "drift")  # a trial that does not beat all of them is not a candidate
FEW_STARTS = 8  # starts that do not overlap; below, no claim that one setting beats another (docs/metrics.md)
NO_SCORE = "no trial was completed with a score"

Baselines = Mapping[str, Mapping[str, Any]]  # entries of baselines.json by name


def ranked(records: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Return the settled trials with a score, lowest rollout error on validation first, then by number."""
    scored = [record for record in records if record.settled and record.rollout_error is not None]
    return sorted(scored, key=lambda record: (record.rollout_error, record.number))


def candidates(records: Sequence[TrialRecord], baselines: Baselines) -> tuple[list[TrialRecord], str | None]:
    """Return the trials that beat the trivial forecasts, lowest rollout error on validation first.

    Scores of 1 and scores that do not beat every trivial forecast are left out. Of equal scores the lower
    number comes first; of equal configurations with equal scores only that one is kept.

    Args:
        records: of a study.
        baselines: those without a `rollout_error` are ignored.

    Returns:
        The trials, and None or the reason why there are none.
    """
    scored = [record for record in ranked(records) if record.best is not None]
    if not scored:
        return [], NO_SCORE
    lowest = scored[0].rollout_error
    assert lowest is not None
    bars = _trivial_errors(baselines)
    good = [record for record in scored if _beats(record.rollout_error, bars)]
    if not good and lowest >= 1:
        return [], "every trial's rollout error is 1: as bad as it can be"
    if not good:
        name, bar = _lowest(bars)
        return (
            [],
            f"no trial beats the baseline {name!r}: best rollout error {lowest:.3g}, baseline {bar:.3g}",
        )
    different: list[TrialRecord] = []
    seen: set[str] = set()
    for record in good:
        content = {key: value for key, value in record.config.items() if key not in ("seed", "device")}
        text = json.dumps(content, sort_keys=True, default=str)
        if text not in seen:
            seen.add(text)
            different.append(record)
    return different, None


def named_trial(
    records: Sequence[TrialRecord], baselines: Baselines, confirmation: Mapping[str, Any] | None
) -> tuple[int | None, str | None]:
    """Return the number of the trial that wins, or None and the reason why none does.

    With a confirmation the trial whose configuration leads on fresh seeds wins; without one, the selected trial:
    the first of the candidates.

    Args:
        records: of the study.
        baselines: of the study.
        confirmation: confirmation.json of today's best trials, None if there is none.
    """
    if confirmation is not None:
        return confirmed_trial(confirmation, baselines)
    best, reason = candidates(records, baselines)
    return (best[0].number, None) if best else (None, reason)


def confirmed_trial(confirmation: Mapping[str, Any], baselines: Baselines) -> tuple[int | None, str | None]:
    """Return the trial whose configuration leads on fresh seeds, or None and the reason why none is named."""
    leader = leading_arm(confirmation)
    error = leader["iqm"]["value"]
    if error >= 1:
        return None, "on fresh seeds every configuration's rollout error is 1: as bad as it can be"
    bars = _trivial_errors(baselines)
    if _beats(error, bars):
        return leader["number"], None
    name, bar = _lowest(bars)
    return None, (
        f"on fresh seeds no configuration beats the baseline {name!r}: lowest rollout error {error:.3g}, "
        f"baseline {bar:.3g}"
    )


def leading_arm(confirmation: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the arm of a confirmation that leads on fresh seeds, named or not."""
    arms: list[Mapping[str, Any]] = confirmation["arms"]
    return next(arm for arm in arms if arm["number"] == confirmation["leader"])


def is_current(confirmation: Mapping[str, Any], records: Sequence[TrialRecord], baselines: Baselines) -> bool:
    """Return whether a confirmation is of today's best trials; better ones may have been added since."""
    best, _ = candidates(records, baselines)
    confirmed = {arm["number"] for arm in confirmation["arms"]}
    return confirmed == {record.number for record in best[: len(confirmed)]}


def confirmation_verdict(
    ranks: Ranking, claims: bool, n_eff: int | None, shape: tuple[int, int]
) -> tuple[str, str | None]:
    """Return "winner", "tied" or "alone", and for the last two the reason why no winner is named.

    Args:
        ranks: of the arms.
        claims: whether there are enough starts for any claim.
        n_eff: validation starts that do not overlap.
        shape: numbers of arms and seeds.
    """
    if shape[0] == 1:
        return "alone", "only one configuration was confirmed, so it cannot be compared"
    if not claims:
        return "tied", (
            f"only {plural(n_eff or 0, 'validation start does', 'validation starts do')} not overlap; below "
            f"{FEW_STARTS}, the report never claims that one configuration beats another"
        )
    if not ranks.equals:
        return "winner", None
    if shape[1] <= 3:  # the exact test has at least p = 0.1 then
        return "tied", (
            f"{plural(shape[1], 'seed')} each {'is' if shape[1] == 1 else 'are'} too few to distinguish "
            "configurations, whatever the errors"
        )
    return "tied", "the differences are within the noise between seeds"


def _trivial_errors(baselines: Baselines) -> dict[str, float]:
    """Return the rollout errors of the trivial forecasts that are scored, by name."""
    errors = {name: baselines.get(name, {}).get("rollout_error") for name in TRIVIAL}
    return {name: error for name, error in errors.items() if error is not None}


def _lowest(bars: Mapping[str, float]) -> tuple[str, float]:
    return min(bars.items(), key=lambda bar: bar[1])


def _beats(error: float | None, bars: Mapping[str, float]) -> bool:
    assert error is not None
    return error < 1 and all(error < bar for bar in bars.values())
