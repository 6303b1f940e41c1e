"""The table of symptoms: the ways in which a rollout can fail, each with its stable code."""

from dataclasses import dataclass
from typing import Literal

from sweep.config.registry import Registry

Needs = Literal["nothing", "tones", "several tones", "limits"]


@dataclass(frozen=True)
class Symptom:
    """One way in which a free-running forecast fails. docs/diagnosis/symptoms.md has a section for each."""

    name: str  # the stable code
    title: str
    meaning: str  # one line: what a reader sees in the plot
    needs: Needs  # what the truth must have, or the symptom cannot be decided


SYMPTOMS: Registry[Symptom] = Registry(
    "symptom",
    [
        Symptom("S01", "fine", "The forecast holds for at least 90 % of the horizon.", "nothing"),
        Symptom(
            "S02",
            "collapsed to a constant",
            "The forecast stops moving within a tenth of the horizon.",
            "nothing",
        ),
        Symptom(
            "S03", "damped", "The oscillation dies out, to half of the truth's amplitude or less.", "nothing"
        ),
        Symptom(
            "S04", "growing or saturated", "The forecast swings or rests far outside the data.", "nothing"
        ),
        Symptom(
            "S05",
            "frequency drift",
            "The wave is right, its speed is wrong: the phase error grows steadily.",
            "tones",
        ),
        Symptom(
            "S06",
            "wrong or locked cycle",
            "The forecast repeats itself, in a cycle that is not the data's.",
            "nothing",
        ),
        Symptom(
            "S07",
            "irregular",
            "The forecast wanders without a period, and its statistics are not the data's.",
            "nothing",
        ),
        Symptom("S08", "level drift or offset", "The movement is right, the level is wrong.", "nothing"),
        Symptom(
            "S09",
            "lost tone",
            "One of several oscillations is missing, the others are present.",
            "several tones",
        ),
        Symptom(
            "S10",
            "right climate, lost phase",
            "The forecast looks like the data but no longer follows them.",
            "nothing",
        ),
        Symptom(
            "S11",
            "wrong from the first step",
            "The forecast is wrong before any error could have grown.",
            "nothing",
        ),
        Symptom(
            "S12",
            "data-limited",
            "The forecast is as good as the data allow: chaos or noise end any known forecast as soon.",
            "limits",
        ),
        Symptom(
            "S13",
            "diverged",
            "The forecast left the data by more than ten scales and standard deviations, or is not a number.",
            "nothing",
        ),
        Symptom(
            "S14",
            "no better than a trivial forecast",
            "The forecast stays near the truth, but the mean, the last value or a straight line is as good.",
            "nothing",
        ),
    ],
)

HEALTHY = ("S01", "S12")  # not failures of the network
