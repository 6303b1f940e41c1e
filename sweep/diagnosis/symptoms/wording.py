"""Sentences that give a symptom's numbers."""

import math
from collections.abc import Mapping

SCALES, DEVIATIONS = "scales", "training standard deviations"  # units; the latter where the data are exact
Numbers = Mapping[str, float | int | str | bool | None]


def _trivial_text(numbers: Numbers) -> str:
    """Return how the best trivial forecast compares."""
    name, skill = numbers.get("trivial"), numbers.get("trivial_skill")
    if not isinstance(skill, int | float):
        return f"the trivial forecast {name} is exact"
    return f"the trivial forecast {name} is as good or better (skill against it {skill:.2g})"


def detail(code: str, numbers: Numbers) -> str:
    """Return the sentence of a symptom with its numbers."""

    def number(name: str) -> float:
        value = numbers.get(name)
        return float(value) if isinstance(value, int | float) else math.nan

    unit = numbers.get("unit", SCALES)
    late, early = number("amplitude_late"), number("amplitude_early")
    gamma = number("decay_per_step")
    life = f", a half-life of {math.log(2) / gamma:.0f} steps" if gamma > 0 else ""
    sentences = {
        "S01": f"amplitude ratio {late:.2f} at the end, level error {abs(number('level_late')):.2f} {unit}.",
        "S02": f"it moves {late:.1%} as much as the truth, at a level {number('level_late'):+.2f} {unit} from it.",
        "S03": f"the amplitude falls from {early:.2f} to {late:.2f} of the truth's, {gamma:.2g} per step{life}.",
        "S04": f"the amplitude goes from {early:.2f} to {late:.2f} of the truth's.",
        "S05": (
            f"frequency error {number('frequency_error_size'):.2%}, phase error {abs(number('phase_last')):.2f} "
            f"rad at the end (R² of a straight line {number('phase_r2'):.2f})."
        ),
        "S06": f"it repeats itself (mismatch {number('recurrence'):.3f}) at {late:.2f} of the truth's amplitude.",
        "S07": f"it has no period and not the data's statistics (mismatch of repetitions {number('recurrence'):.2f}).",
        "S08": f"its level is {number('level_late'):+.2f} {unit} from the truth's at the end.",
        "S09": f"the tone of period {number('lost_period'):.0f} steps is missing, others are present.",
        "S10": "it has the statistics of the data, but its phase is lost.",
        "S11": f"its error is {number('first_error'):.2f} {unit} in the first quarter block, before errors could grow.",
        "S12": f"{numbers.get('limit')}.",
        "S13": "it has values beyond ten scales and standard deviations, or values that are not numbers.",
        "S14": f"{_trivial_text(numbers)}.",
    }
    locked = number("locked_period")
    if code in ("S05", "S06") and number("locked_share") >= 0.5:
        return f"{sentences[code]} It is locked to a cycle of exactly {locked:.0f} steps."
    return sentences[code]
