"""The reason of each next step in words."""

from collections.abc import Callable, Mapping
from typing import Any

from sweep.config.text import plural
from sweep.results.next_steps import NextStep
from sweep.results.wording.confirmation import seeds_text
from sweep.results.wording.numbers import list_text

Facts = Mapping[str, Any]


def next_step_text(step: NextStep) -> str:
    """Return why a step is proposed, in a sentence or two."""
    return REASONS[step.code](step.facts)


def _resume(facts: Facts) -> str:
    total = "" if facts["trials"] is None else f", up to {plural(facts['trials'], 'trial')}"
    return f"The study has not ended; this resumes it{total}."


def _confirm(facts: Facts) -> str:
    if facts["outdated"]:
        return "Better trials came after the last confirmation; this confirms them on fresh seeds."
    return "The best score is selected, so it looks better than it is. Fresh seeds show what it is worth."


def _seeds(facts: Facts) -> str:
    trials = list_text([facts["leader"], *facts["equals"]])
    return f"Trials {trials} are not distinguishable on {seeds_text(facts['seeds'])}. More seeds may decide."


def _wider(facts: Facts) -> str:
    names = facts["names"]
    verb, bound = ("is", "a bound of its range") if len(names) == 1 else ("are", "a bound of their ranges")
    return f"{list_text(names)} of the best trial {verb} at {bound}. A wider range may hold a better value."


def _longer(facts: Facts) -> str:
    if facts["sure"]:
        return f"The best networks were still gaining at the end. This trains {facts['times']} times as long."
    return f"Training may have ended too early. This trains {facts['times']} times as long, to find out."


def _treat(facts: Facts) -> str:
    return f"The best network may be mended: its diagnosis is {facts['cause']}. This tests the advice on fresh seeds."


def _shorter(facts: Facts) -> str:
    return f"Nothing has skill over half of the {facts['horizon']} steps. This scores the first {facts['steps']} alone."


def _forecast(facts: Facts) -> str:
    text = f"This forecasts with {facts['name']}, the verdict's choice."
    if facts["inputs"]:
        names = list_text(facts["inputs"])
        text += (
            f" It needs {names} of each step: add --known FILE, unless the data end with rows that have them."
        )
    return text


REASONS: Mapping[str, Callable[[Facts], str]] = {
    "resume": _resume,
    "failed": lambda facts: f"No trial has a score. This shows why trial {facts['number']} failed.",
    "scaling": lambda facts: (
        f"Most trials have the cause {facts['cause']}. This scales each series by its own statistics."
    ),
    "confirm": _confirm,
    "seeds": _seeds,
    "wider": _wider,
    "longer": _longer,
    "treat": _treat,
    "shorter": _shorter,
    "forecast": _forecast,
    "export": lambda facts: "This writes the network with its scaling for use without sweep.",
}
