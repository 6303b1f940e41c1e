"""A treatment in words: its table, and sentences that say whether the prescriptions helped.

Every function takes an entry of `treatments` of the report's document, or one of its arms.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sweep.config.text import plural
from sweep.results.wording.confirmation import seed_range_text, seeds_text
from sweep.results.wording.diagnosis import setting_text
from sweep.results.wording.numbers import capital_text, number_text
from sweep.results.wording.text_table import TextTable

TREATMENT_LEGEND = (
    "fresh: interquartile mean of the rollout error over fresh seeds; seeds: the lowest and the highest error; "
    "decades: mean of log10(error / error of the unchanged trial on the same seed), below 0 is better, with its 95 % "
    "interval; better: on how many seeds"
)
HEAD = ("", "fresh", "seeds", "decades", "95 %", "better")
VERDICTS = {
    "helps": "helps",
    "harms": "harms",
    "no difference shown": "makes no difference that could be shown",
    "no claim": "allows no claim",
}


def treatment_heading(treatment: Mapping[str, Any]) -> str:
    """Return the heading of the table."""
    seeds = seeds_text(treatment["seeds"])
    return f"Trial {treatment['number']}, treated on {seeds} each, rollout errors on validation"


def arm_name(arm: Mapping[str, Any]) -> str:
    """Return the name of an arm: unchanged, prescription 1, own change, random change."""
    if arm["kind"] == "random":
        return "random change"
    return str(arm["kind"]) if arm["kind"] == "unchanged" else _advice_name(arm)


def differences_text(changes: Sequence[Mapping[str, Any]]) -> str:
    """Return changes of a trial in words: "training.optimizer.lr 0.3 → 0.03, model.cell lstm → gru"."""
    return ", ".join(
        f"{change['path']} {setting_text(change['path'], change['was'])} → "
        f"{setting_text(change['path'], change['value'])}"
        if "was" in change
        else f"{change['path']} {setting_text(change['path'], change['value'])}"
        for change in changes
    )


def treatment_table(treatment: Mapping[str, Any]) -> TextTable:
    """Return a row per arm: its errors on fresh seeds, and its effect against the unchanged trial."""
    return TextTable(HEAD, tuple(_row(arm) for arm in treatment["arms"]))


def _row(arm: Mapping[str, Any]) -> tuple[str, ...]:
    errors, effect = arm["errors"], arm["against_unchanged"]
    own = (arm_name(arm), number_text(arm["iqm"]["value"]), seed_range_text(errors))
    if effect is None:
        return (*own, "", "", "")
    return (*own, f"{effect['decades']:+.2f}", _interval(effect), f"{effect['better']} of {len(errors)}")


def treatment_texts(treatment: Mapping[str, Any]) -> list[str]:
    """Return the results of a treatment, a paragraph each: chance, prescriptions, the random change, and limits."""
    texts = [_chance_text(treatment)]
    texts += [_arm_text(arm) for arm in treatment["arms"] if arm["kind"] == "prescription"]
    texts += [_random_text(treatment)]
    texts += [
        f"{capital_text(_advice_name(entry))} is left out ({differences_text(entry['changes'])}): {entry['reason']}."
        for entry in treatment["left_out"]
    ]
    if treatment["unmended"]:
        causes = ", ".join(f"{cause['code']} {cause['title']}" for cause in treatment["unmended"])
        texts.append(f"No change of configuration helps against {causes}; only other data do.")
    if treatment["reason"] is not None:
        texts.append(f"This treatment allows no claim: {treatment['reason']}.")
    shown = sum(arm["kind"] == "prescription" for arm in treatment["arms"])
    tried = len(treatment["tried"])
    if tried > 1:
        earlier = ", including those of earlier treatments" if tried > shown else ""
        texts.append(
            f"{tried} prescribed configurations have been tried on this trial{earlier}. Each one is a further chance "
            "of a lucky result."
        )
    done = {entry["prescription"] for entry in (*treatment["arms"], *treatment["left_out"])}
    others = [entry for entry in treatment["offered"] if entry["prescription"] not in done]
    if others:
        listed = "; ".join(
            f"{entry['prescription']} ({entry['code']} {differences_text(entry['changes'])})"
            for entry in others
        )
        texts.append(f"Other prescriptions, for --prescription: {listed}.")
    return texts


def treatment_short_text(treatment: Mapping[str, Any]) -> str:
    """Return one line on a treatment: `trial 3: prescription 1 (C01) helps, and beats a random change`."""
    parts = []
    for arm in treatment["arms"]:
        if arm["kind"] == "prescription":
            code = "" if arm["code"] is None else f" ({arm['code']})"
            beats = {True: ", and beats a random change", False: ", but is not shown to beat a random change"}
            more = beats.get(arm["beats_random"], "") if arm["verdict"] == "helps" else ""
            parts.append(f"{arm_name(arm)}{code} {VERDICTS[arm['verdict']]}{more}")
    return f"trial {treatment['number']}: {'; '.join(parts)}"


def treatment_helped(treatment: Mapping[str, Any]) -> bool:
    """Return whether a prescription helps and beats the random change."""
    return any(arm["verdict"] == "helps" and arm["beats_random"] for arm in treatment["arms"])


def _chance_text(treatment: Mapping[str, Any]) -> str:
    unchanged, chance = treatment["arms"][0], treatment["chance"]
    text = (
        f"Trial {treatment['number']} scored {number_text(treatment['rollout_error'])}. Trained again unchanged on "
        f"{seeds_text(treatment['seeds'])}, it reaches {number_text(unchanged['iqm']['value'])}, "
        f"{_size(chance['decades'])}: this difference is chance."
    )
    if treatment["state"] == "pruned":
        text += " (The trial had been pruned and is now trained to the end, which is part of the difference.)"
    return text


def _arm_text(arm: Mapping[str, Any]) -> str:
    """Return whether a prescription helped, compared with the unchanged trial and with the random change."""
    effect, random, seeds = arm["against_unchanged"], arm["against_random"], len(arm["errors"])
    code = "" if arm["code"] is None else f"{arm['code']} {arm['title']}: "
    text = (
        f"{capital_text(arm_name(arm))} ({code}{differences_text(arm['changes'])}) {VERDICTS[arm['verdict']]}: "
        f"{_compared(effect, 'unchanged', seeds)}"
    )
    one_sided = effect["low"] is not None and not effect["low"] <= 0 <= effect["high"]
    if arm["verdict"] == "no difference shown" and one_sided:
        text += ", too few for a claim"
    if random is not None:
        compared = _compared(random, "the random change", seeds)
        if random["verdict"] == "harms":
            text += f"; it is worse than a random change, {compared}"
        elif arm["beats_random"] is None:
            text += f"; {compared}"
        else:
            beats = "beats" if arm["beats_random"] else "is not shown to beat"
            text += f"; it {beats} a random change, {compared}"
    return f"{text}.{_notes(arm)}"


def _random_text(treatment: Mapping[str, Any]) -> str:
    random = next((arm for arm in treatment["arms"] if arm["kind"] == "random"), None)
    if random is None:
        return f"There is no random change to compare with: {treatment['random_reason']}."
    compared = _compared(random["against_unchanged"], "unchanged", len(random["errors"]))
    return (
        f"The random change ({differences_text(random['changes'])}) {VERDICTS[random['verdict']]}: {compared}."
        f"{_notes(random)}"
    )


def _notes(arm: Mapping[str, Any]) -> str:
    notes = ""
    if arm["failed"]:
        count = plural(len(arm["errors"]), "training")
        notes += (
            f" Of its {count}, {arm['failed']} failed and {'counts' if arm['failed'] == 1 else 'count'} as 1."
        )
    if not arm["same_starts"]:
        notes += " It moves the validation starts, so it is scored on other rollouts: part of the effect may be that."
    for change in arm["changes"]:
        if change["path"] == "training.budget":
            notes += f" It trains {number_text(change['value'] / change['was'], 2)} times as long."
    return notes


def _compared(effect: Mapping[str, Any], what: str, seeds: int) -> str:
    interval = "" if effect["low"] is None else f" (95 %: {_interval(effect)})"
    count = effect["better" if effect["decades"] <= 0 else "worse"]
    return f"{_size(effect['decades'])} than {what}{interval}, on {count} of {plural(seeds, 'seed')}"


def _size(decades: float) -> str:
    return f"{abs(decades):.2f} decades {'better' if decades <= 0 else 'worse'}"


def _interval(effect: Mapping[str, Any]) -> str:
    return "–" if effect["low"] is None else f"{effect['low']:+.2f} to {effect['high']:+.2f}"


def _advice_name(entry: Mapping[str, Any]) -> str:
    return "own change" if entry["prescription"] is None else f"prescription {entry['prescription']}"
