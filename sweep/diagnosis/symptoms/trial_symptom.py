"""The symptom of a trial, from those of its starts and channels."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from sweep.data.types import Array
from sweep.diagnosis.symptoms.evidence import RolloutEvidence
from sweep.diagnosis.symptoms.growth import error_growth
from sweep.diagnosis.symptoms.known_symptoms import SYMPTOMS
from sweep.diagnosis.symptoms.measures import Measures
from sweep.diagnosis.symptoms.start_symptoms import StartSymptoms, start_symptoms_of
from sweep.diagnosis.symptoms.wording import DEVIATIONS, SCALES, detail
from sweep.score.metrics import nrmse_by_step, valid_steps

MIXED = 0.6  # share; a trial without a symptom of that share is a mixture. Our choice
PHASELESS = ("S02", "S06", "S07", "S13")  # for these the phase against the truth's tones means nothing
ALL_FINE = 0.8  # share of fine starts; a mostly fine trial with fewer is a mixture. Our choice


@dataclass(frozen=True)
class TrialSymptom:
    """How a trial's rollout fails."""

    code: str  # of the largest share of starts and channels; "fine" only if MIXED of them are fine
    mixture: bool  # no symptom has a share of MIXED, or "fine" has less than ALL_FINE
    shares: Mapping[str, float]  # by code, largest first; they sum to 1
    by_start: tuple[str, ...]  # the most frequent failure among a start's channels; S01 if none fails
    by_start_and_channel: tuple[tuple[str, ...], ...]  # [start][channel]
    numbers: Mapping[
        str, float | int | str | bool | None
    ]  # medians over starts and channels with the main code
    applicable: Mapping[str, str]  # by code: why it cannot be decided here, or ""
    confidence: float
    text: str
    hopeless: str = (
        ""  # why no forecast is known to be better than the best trivial one; training mends nothing then
    )

    @property
    def title(self) -> str:
        """Return the main symptom's title; of a mixture, the two largest."""
        if not self.mixture:
            return SYMPTOMS[self.code].title
        others = [code for code in self.shares if code != self.code]
        return " / ".join(SYMPTOMS[code].title for code in (self.code, *others[:1]))


def symptom_of_trial(evidence: RolloutEvidence) -> TrialSymptom:
    """Return how the rollout fails: a pure function of the evidence, without random numbers or training."""
    starts = start_symptoms_of(evidence)
    counts = Counter(symptom.verdict.code for symptom in starts.symptoms)
    total = len(starts.symptoms)
    shares = {code: count / total for code, count in sorted(counts.items(), key=lambda c: (-c[1], c[0]))}
    code = _speaking(shares)
    channels = evidence.truth.shape[2]
    codes = [symptom.verdict.code for symptom in starts.symptoms]
    by_start_and_channel = tuple(tuple(codes[k : k + channels]) for k in range(0, total, channels))
    numbers = _numbers(evidence, starts, code)
    sure = [symptom.verdict.confidence for symptom in starts.symptoms if symptom.verdict.code == code]
    mixture = shares[code] < (ALL_FINE if code == "S01" else MIXED)
    return TrialSymptom(
        code=code,
        mixture=mixture,
        shares=shares,
        by_start=tuple(_of_start(row) for row in by_start_and_channel),
        by_start_and_channel=by_start_and_channel,
        numbers=numbers,
        applicable=_applicable(starts),
        confidence=float(np.mean(sure)) * min(1.0, shares[code] / MIXED),
        text=_text(code, mixture, shares, numbers, evidence.truth.shape[1], starts.hopeless),
        hopeless=starts.hopeless,
    )


def _speaking(shares: Mapping[str, float]) -> str:
    """Return the trial's main symptom: "fine" if at least MIXED are fine, else the most frequent failure."""
    if shares.get("S01", 0.0) >= MIXED or len(shares) == 1:
        return "S01" if "S01" in shares else next(iter(shares))
    return next(code for code in shares if code != "S01")


def _of_start(row: tuple[str, ...]) -> str:
    failing = Counter(code for code in row if code != "S01")
    return min(failing, key=lambda code: (-failing[code], code)) if failing else "S01"


def _numbers(
    evidence: RolloutEvidence, starts: StartSymptoms, code: str
) -> dict[str, float | int | str | bool | None]:
    of_code = [symptom for symptom in starts.symptoms if symptom.verdict.code == code]
    seen = [symptom.measures for symptom in of_code if symptom.measures is not None]

    def median(read: Callable[[Measures], float | None], of: list[Measures] | None = None) -> float | None:
        values = [value for value in map(read, seen if of is None else of) if value is not None]
        return float(np.median(values)) if values else None

    followed = [] if code in PHASELESS else seen  # a forecast has a phase only if it has the truth's tones
    growth = error_growth(_nrmse(evidence), evidence.block)
    steps = valid_steps(evidence.forecast, evidence.truth, evidence.scale, evidence.block)
    locked = [m.locked_period for m in seen if m.locked_period is not None]
    lost = Counter(round(period) for m in seen for period in m.lost)
    return {
        "starts": len(evidence.truth),
        "channels": evidence.truth.shape[2],
        "horizon": evidence.truth.shape[1],
        "valid_steps": float(np.median(steps)),
        "valid_periods": float(np.median(steps)) / evidence.period if evidence.period else None,
        "valid_lyapunov_times": (
            float(np.median(steps)) / evidence.lyapunov_time if evidence.lyapunov_time else None
        ),
        "decay_per_step": median(lambda m: m.decay_per_step),
        "amplitude_early": median(lambda m: m.amplitude_early),
        "amplitude_late": median(lambda m: m.amplitude_late),
        "frequency_error": median(lambda m: m.frequency_error, followed),
        "frequency_error_size": median(
            lambda m: None if m.frequency_error is None else abs(m.frequency_error), followed
        ),
        "phase_r2": median(lambda m: m.phase_r2, followed),
        "phase_first": median(lambda m: m.phase_first, followed),
        "phase_last": median(lambda m: m.phase_last, followed),
        "level_late": median(lambda m: m.level_late),
        "first_error": median(lambda m: m.first_error),
        "recurrence": median(lambda m: m.recurrence),
        "rest_late": median(lambda m: m.rest_late),
        "locked_share": len(locked) / len(seen) if seen else None,
        "locked_period": float(np.median(locked)) if locked else None,
        "lost_period": float(lost.most_common(1)[0][0]) if lost else None,
        "growth_exponent": growth.exponent,
        "growth_exponent_r2": growth.exponent_r2,
        "growth_rate": growth.rate,
        "growth_rate_r2": growth.rate_r2,
        "growth_exponential": growth.exponential,
        "tonal_share": float(np.mean(starts.tonal)),
        "tones": max(starts.tones),
        "foretold": float(np.mean(starts.foretold)),
        "unit": SCALES if evidence.exact is None or not evidence.exact.any() else DEVIATIONS,
        "limit_steps": starts.limit.steps if starts.limit.limited else None,
        "limit": starts.hopeless or starts.limit.why,
        **_trivial_numbers(evidence, starts),
    }


def _trivial_numbers(evidence: RolloutEvidence, starts: StartSymptoms) -> dict[str, float | str | None]:
    """Return the numbers of the best trivial forecast, for comparison; empty if it is not known."""
    trivial = evidence.trivial
    if trivial is None:
        return {}
    return {
        "trivial": trivial.name,
        "trivial_error": trivial.rollout_error,
        "trivial_valid_steps": float(np.median(trivial.valid_steps)),
        "trivial_skill": starts.skill,
    }


def _nrmse(evidence: RolloutEvidence) -> Array:
    return nrmse_by_step(evidence.forecast, evidence.truth, evidence.scale)


def _applicable(starts: StartSymptoms) -> dict[str, str]:
    """Return by code why it cannot be decided on this truth; "" if it can."""
    known = ", ".join(f"{share:.2f}" for share in starts.foretold)
    reasons = {
        "nothing": "",
        "tones": (
            ""
            if any(starts.tonal)
            else f"the truth has no lasting tones (they forecast {known} of its variance), so it has no phase"
        ),
        "several tones": "" if max(starts.tones) > 1 else "the truth has fewer than two tones",
        "limits": "" if starts.limit.limited or starts.hopeless else starts.limit.why,
    }
    return {code: reasons[symptom.needs] for code, symptom in SYMPTOMS.items()}


def _text(
    code: str,
    mixture: bool,
    shares: Mapping[str, float],
    numbers: Mapping[str, float | int | str | bool | None],
    horizon: int,
    hopeless: str,
) -> str:
    held = f"The median start holds for {numbers['valid_steps']:.0f} of {horizon} steps"
    trivial = numbers.get("trivial_valid_steps")
    held += "." if trivial is None else f", {numbers['trivial']} for {trivial:.0f}."
    sentence = detail(code, numbers)
    if hopeless and code != "S12":  # whose sentence it is
        held += f" {hopeless[0].upper()}{hopeless[1:]}."
    if mixture:
        parts = ", ".join(f"{share:.0%} {SYMPTOMS[c].title}" for c, share in shares.items())
        return f"A mixture: {parts}. {sentence[0].upper()}{sentence[1:]} {held}"
    return f"{SYMPTOMS[code].title.capitalize()} from {shares[code]:.0%} of starts and channels: {sentence} {held}"
