"""Mistakes in a study file about `model.feedback`: what a network that never sees its own forecasts cannot use."""

from collections.abc import Mapping

from sweep.config.data_section import DataConfig
from sweep.config.ranges import Range, ends
from sweep.config.section import Section
from sweep.config.sections import RECURRENT, ModelConfig, TrainingConfig

# Settings that act on the channels among a network's inputs, and so on nothing without feedback.
OF_FEEDBACK = ("readout", "unroll", "input_noise")
NO_INPUTS = (
    "without feedback the network sees the known inputs alone, and the data have none: name columns in data.known or "
    "features in data.calendar"
)
NO_FEEDBACK = (
    "without feedback no forecast is an input of the next, so there is no closed loop and no exposure gap"
)


def without_effect(name: str) -> str:
    """Return the mistake of a range of `OF_FEEDBACK` in a space without any feedback."""
    return f"space.{name}: has no effect without feedback: drop it"


def without_feedback_at(model: ModelConfig, spans: Mapping[str, Range]) -> str:
    """Return the key path that lets trials be without feedback; empty if all have it.

    Args:
        model: of the study.
        spans: the ranges of the space by flat name.
    """
    if "feedback" in spans:
        return "space.feedback" if False in ends(spans["feedback"]) else ""
    return "" if model.feedback else "model.feedback"


def feedback_problems(sections: Mapping[str, Section], spans: Mapping[str, Range]) -> list[str]:
    """Return the mistakes of a study in which some trial has no feedback.

    Args:
        sections: the valid ones by name.
        spans: the ranges of the space by flat name.
    """
    data, model, training = (sections.get(name) for name in ("data", "model", "training"))
    place = without_feedback_at(model if isinstance(model, ModelConfig) else ModelConfig(), spans)
    if not place:
        return []
    problems = []
    # whether a source has inputs is seen when its data are made
    if isinstance(data, DataConfig) and data.source is None and not (data.inputs or data.calendar):
        problems.append(f"{place}: {NO_INPUTS}")
    others = [kind for kind in (ends(spans["model"]) if "model" in spans else ()) if kind != RECURRENT]
    if others and place == "model.feedback":
        problems.append(
            f"{place}: only {RECURRENT} can go without feedback, not {', '.join(map(str, others))}"
        )
    if isinstance(training, TrainingConfig) and training.unroll and "unroll" not in spans:
        problems.append(
            f"training.unroll: trains the network on its own forecasts, which it does not see without feedback "
            f"({place}): set it to 0, or give it as a choice in [space], where trials without feedback have none"
        )
    return problems
