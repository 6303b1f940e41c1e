"""A comparison of studies in words: the verdict, the scores and what differs."""

from typing import Any

from sweep.config.text import plural, shortened, toml_text
from sweep.diagnosis.symptoms import SYMPTOMS
from sweep.results.comparison.compared import Pair, Side
from sweep.results.selection import FEW_STARTS
from sweep.results.wording.numbers import count_text, number_text, range_text
from sweep.results.wording.text_table import TextTable

COMPARISON_LEGEND = (
    "fresh: interquartile mean of the rollout error of the leading configuration over fresh seeds, with its 95 % "
    "interval; selected: the lowest error of the search; at equal budgets: the lowest error within it; test: the "
    "leading configuration on the locked test"
)
KINDS = {"settings": "Settings", "space": "Space", "data": "Data", "machine": "Machine and versions"}
VALUE_MOST = 48  # characters of a setting's value in a table


def heading_text(pair: Pair) -> str:
    """Return the names of both studies."""
    return f"{pair.second.name} against {pair.first.name}"


def verdict_text(pair: Pair) -> str:
    """Return whether the second study is worse or better, and by which evidence; and a new symptom."""
    return " ".join(text for text in (_score_text(pair), symptom_text(pair)) if text)


def _score_text(pair: Pair) -> str:
    first, second = pair.first.name, pair.second.name
    if pair.verdict == "no claim":
        return f"No claim about {second} and {first}: {_no_claim_text(pair)}."
    if pair.verdict == "no difference shown":
        return f"No difference between {second} and {first} is shown: {_no_difference_text(pair)}."
    ahead, names = (
        (pair.ahead, (first, second)) if pair.verdict == "worse" else (pair.behind, (second, first))
    )
    text = (
        f"{second} is {pair.verdict} than {first}: {plural(ahead.ahead, 'trial')} of {names[0]} "
        f"{'is' if ahead.ahead == 1 else 'are'} better than the best trial of {names[1]} (p {number_text(ahead.p, 2)})"
    )
    if pair.seeds is None:
        return f"{text}. Fresh seeds do not enter, as not both studies are confirmed."
    return f"{text}, and on fresh seeds the leading configurations differ ({_fresh_text(pair)})."


def _no_claim_text(pair: Pair) -> str:
    n_eff = pair.basis.n_eff
    if n_eff is not None and n_eff < FEW_STARTS:
        return (
            f"only {plural(n_eff, 'start does', 'starts do')} not overlap, and claims need {FEW_STARTS}; give more "
            "validation data, or a shorter horizon"
        )
    counts = [len(side.equal.trials) for side in (pair.first, pair.second)]
    return (
        f"{counts[0]} and {plural(counts[1], 'trial')} within the equal budget are too few to tell a difference from "
        "the luck of a search; run more trials"
    )


def _no_difference_text(pair: Pair) -> str:
    parts = [
        f"{ahead.ahead} of {plural(len(side.equal.trials), 'trial')} of {side.name} "
        f"{'is' if ahead.ahead == 1 else 'are'} better than the best trial of {other.name}"
        for ahead, side, other in (
            (pair.ahead, pair.first, pair.second),
            (pair.behind, pair.second, pair.first),
        )
        if ahead.ahead or (ahead is pair.ahead and not pair.behind.ahead)
    ]
    ahead = pair.ahead if pair.ahead.ahead else pair.behind
    text = f"{parts[0]} (p {number_text(ahead.p, 2)}; {ahead.needed} are needed)"
    return text if pair.seeds is None else f"{text}; on fresh seeds {_fresh_text(pair)}"


def _fresh_text(pair: Pair) -> str:
    assert pair.seeds is not None and pair.first.fresh is not None and pair.second.fresh is not None
    return (
        f"{number_text(pair.second.fresh.value)} against {number_text(pair.first.fresh.value)}, "
        f"p {number_text(pair.seeds.p, 2)}"
    )


def symptom_text(pair: Pair) -> str | None:
    """Return which new symptom the second study shows; None without one."""
    new = pair.symptom
    if new is None:
        return None
    networks = [len(side.scores.fresh) or 1 for side in (pair.first, pair.second)]
    return (
        f"New symptom in the leading configuration of {pair.second.name}: {title_of(new.code)}, in "
        f"{new.networks[1]} of {plural(networks[1], 'network')} ({new.networks[0]} of {networks[0]} in "
        f"{pair.first.name}) and in its best {plural(new.best_trials[1], 'trial')}, but in none of the best "
        f"{new.best_trials[0]} of {pair.first.name}."
    )


def title_of(code: str | None) -> str:
    """Return code and title of a symptom: `S05 frequency drift`; `–` for None."""
    return "–" if code is None else f"{code} {SYMPTOMS[code].title}" if code in SYMPTOMS else code


def basis_text(pair: Pair) -> str:
    """Return what the compared scores are of, and the equal budget."""
    basis, budget = pair.basis, pair.budget
    apart = "" if basis.n_eff is None else f", of which {basis.n_eff} do not overlap"
    what = f"Rollout errors on validation: {plural(basis.starts, 'start')}{apart}, {plural(basis.horizon, 'step')}."
    if basis.kind == "rescored":
        what += (
            f" The stored scores are of different tasks ({'; '.join(basis.reasons)}), so the stored rollouts are "
            f"scored again on the {plural(basis.starts, 'start')} that both studies share, with the scales of "
            f"{pair.first.name}."
        )
    spent = (
        plural(budget.limit, "trial")
        if budget.unit == "trials"
        else f"{count_text(budget.limit)} sequence-steps"
    )
    return f"{what} Equal budget: {spent} of each search."


def scores_table(pair: Pair) -> TextTable:
    """Return the scores of both studies, a row each."""
    head = ("", "fresh", "95 %", "selected", "at equal budgets", "trials", "test", "best baseline", "symptom")
    return TextTable(head, tuple(_row(side) for side in (pair.first, pair.second)))


def _row(side: Side) -> tuple[str, ...]:
    fresh, baseline = side.fresh, side.baseline
    return (
        side.name,
        "–" if fresh is None else number_text(fresh.value),
        "–" if fresh is None else range_text(fresh.low, fresh.high),
        number_text(side.scores.best.error),
        number_text(side.equal.best.error),
        f"{len(side.equal.trials)} of {len(side.scores.trials)}",
        "–" if side.on_test is None else number_text(side.on_test.rollout_error),
        "–" if baseline is None else f"{baseline.name} {number_text(baseline.rollout_error)}",
        title_of(side.symptom),
    )


def differences_table(pair: Pair) -> TextTable | None:
    """Return what differs, a row per key path; None if nothing does."""
    rows = tuple(
        (entry.path, KINDS[kind], _value(entry.first), _value(entry.second))
        for kind, entry in pair.differences.items
    )
    return TextTable(("setting", "part", pair.first.name, pair.second.name), rows) if rows else None


NOTHING_DIFFERS = "Nothing differs: settings, space, data, machine and versions are the same."


def _value(value: Any) -> str:
    return (
        "not set"
        if value is None
        else shortened(toml_text(value) if not isinstance(value, str) else value, VALUE_MOST)
    )
