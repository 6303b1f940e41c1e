"""The symptoms: how a rollout can fail, each with its stable code."""

from dataclasses import dataclass
from typing import Literal

from sweep.config.registry import Registry

Needs = Literal["nothing", "tones", "several tones", "limits"]


@dataclass(frozen=True)
class Symptom:
    """One way in which a free-running forecast fails. docs/diagnosis/symptoms.md has a section for each."""

    name: str  # the stable code
    title: str
    meaning: str  # one line, as a reader who sees only the plot would say it
    needs: Needs  # what the truth must be for the symptom to be decidable


SYMPTOMS: Registry[Symptom] = Registry(
    "symptom",
    [
        Symptom("S01", "fine", "The forecast holds for at least 90 % of the horizon.", "nothing"),
        Symptom(
            "S02", "collapsed to a constant", "It stops moving within a tenth of the horizon.", "nothing"
        ),
        Symptom("S03", "damped", "It oscillates, but dies out: half of the amplitude or less.", "nothing"),
        Symptom("S04", "growing or saturated", "It swings, or rests, far outside the data.", "nothing"),
        Symptom(
            "S05", "frequency drift", "Right wave, wrong speed: the phase error grows steadily.", "tones"
        ),
        Symptom(
            "S06", "wrong or locked cycle", "It repeats itself, in a cycle that is not the data's.", "nothing"
        ),
        Symptom("S07", "irregular", "It wanders without a period, and not as the data do.", "nothing"),
        Symptom("S08", "level drift or offset", "The movement is there, at the wrong level.", "nothing"),
        Symptom("S09", "lost tone", "One of several oscillations is gone, the others live.", "several tones"),
        Symptom(
            "S10",
            "right climate, lost phase",
            "It looks like the data, but no longer follows them.",
            "nothing",
        ),
        Symptom(
            "S11", "wrong from the first step", "It is off before any error could have grown.", "nothing"
        ),
        Symptom("S12", "data-limited", "It goes as far as chaos or noise let any forecast go.", "limits"),
        Symptom(
            "S13", "diverged", "It left the data by more than ten scales, or is not a number.", "nothing"
        ),
    ],
)

HEALTHY = ("S01", "S12")  # nothing for a network to mend
