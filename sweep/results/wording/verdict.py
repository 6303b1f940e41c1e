"""The verdict in words: the first line of every report."""

from sweep.results.contest import Contender, Contest
from sweep.results.study import StoredStudy
from sweep.results.verdict import Verdict
from sweep.results.wording.confirmation import seeds_text
from sweep.results.wording.numbers import number_text, steps_text

PLACES = {"test": "on the locked test", "validation": "on validation"}


def verdict_text(verdict: Verdict, study: StoredStudy) -> str:
    """Return what to use, with the numbers behind it; marked as preliminary before the study has ended."""
    if verdict.kind == "unknown":
        return f"No verdict: {study.named[1]}."
    text = {"configuration": _configuration, "baseline": _baseline, "nothing": _nothing}[verdict.kind](
        verdict, study
    )
    return text if study.finished else f"Preliminary: {text[0].lower()}{text[1:]}"


def trivial_steps_text(valid_steps: float) -> str:
    """Return the most valid steps of a trivial forecast, to be shown beside those of a network."""
    return f"a trivial forecast: {valid_steps:.0f}"


def _configuration(verdict: Verdict, study: StoredStudy) -> str:
    contest, use, other = verdict.contest, verdict.use, verdict.other
    assert use is not None
    tied = study.confirmation is not None and study.confirmation["verdict"] == "tied"
    first = ", the first among equals" if tied else ""
    text = (
        f"Use the configuration of {use.name}{first}: {_basis(contest)}, it has a rollout error of "
        f"{number_text(use.rollout_error)} {PLACES[contest.part]}"
    )
    text += "." if other is None else f"; the best baseline, {other.name}, {_has(other)}."
    return f"{text}{_steps(verdict, use, study)}{_loss(verdict, use, study)}"


def _baseline(verdict: Verdict, study: StoredStudy) -> str:
    use, network = verdict.use, verdict.other
    assert use is not None and network is not None
    how = "it is exact" if use.exact else f"it has a rollout error of {number_text(use.rollout_error)}"
    return (
        f"Use {use.name}: {how} {PLACES[verdict.contest.part]}; {_network(verdict.contest, network)} "
        f"{_has(network)}.{_steps(verdict, network, study)}{_loss(verdict, network, study)}"
    )


def _nothing(verdict: Verdict, study: StoredStudy) -> str:
    contest, trivial, network = verdict.contest, verdict.use, verdict.other
    assert network is not None
    place = PLACES[contest.part]
    if trivial is None:
        error = number_text(network.rollout_error)
        return f"Nothing beats a trivial forecast: {_network(contest, network)} has a rollout error of {error} {place}."
    how = "is exact" if trivial.exact else f"has a rollout error of {number_text(trivial.rollout_error)}"
    rival = f"{_network(contest, network)} {_has(network)}"
    text = f"Nothing beats a trivial forecast: {trivial.name} {how} {place}, {rival}"
    rest = next((entry for entry in contest.baselines if not entry.trivial), None)
    return f"{text}." if rest is None else f"{text}, and the best other baseline, {rest.name}, {_has(rest)}."


def _basis(contest: Contest) -> str:
    if contest.seeds:
        return f"confirmed on {seeds_text(contest.seeds)}"
    return "selected and not confirmed on fresh seeds"


def _network(contest: Contest, network: Contender) -> str:
    return f"the best network ({network.name}, {_basis(contest)})"


def _has(entry: Contender) -> str:
    return "is exact" if entry.exact else f"has {number_text(entry.rollout_error)}"


def _steps(verdict: Verdict, network: Contender, study: StoredStudy) -> str:
    """Return how long the forecast of the network holds; it is not praised unless it beats the trivial forecasts."""
    contest = verdict.contest
    if network.valid_steps is None:
        return ""
    horizon = study.horizon_on_test if contest.part == "test" else study.horizon
    steps = steps_text(network.valid_steps, horizon)
    who = "It" if verdict.kind == "configuration" else "The network"
    trivial = contest.trivial_valid_steps
    if not contest.holds(network):
        return f" {who} is valid for {steps} steps, a trivial forecast for {trivial or 0.0:.0f}."
    beside = "" if trivial is None else f" ({trivial_steps_text(trivial)})"
    return f" {who} holds its forecast for {steps} steps{beside}."


def _loss(verdict: Verdict, network: Contender, study: StoredStudy) -> str:
    """Return what the loss would have picked, if that is clearly worse."""
    loss = verdict.loss
    if loss is None:
        return ""
    which = (
        f"trial {loss.number}" if loss.number != network.number else "another checkpoint of the same trial"
    )
    return (
        f" The loss would have picked {which}, with a rollout error of {number_text(loss.rollout_error)} on validation "
        f"and {steps_text(loss.valid_steps, study.horizon)} valid steps."
    )
