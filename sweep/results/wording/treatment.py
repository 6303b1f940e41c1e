"""What a treatment showed, for people: a table, and sentences that say whether the advice worked."""

from collections.abc import Mapping, Sequence
from typing import Any

from sweep.results.wording.confirmation import range_text, seeds_text
from sweep.results.wording.numbers import number_text, param_text

LEGEND = (
    "fresh: interquartile mean of the rollout error over fresh seeds; seeds: the lowest and the highest; decades: mean "
    "of log10(error / that of unchanged on the same seed), below 0 is better, with its 95 % interval; better: on how "
    "many seeds"
)
HEAD = ("", "fresh", "seeds", "decades", "95 %", "better")
WIDTHS = (18, 9, 18, 9, 16, 8)
VERDICTS = {
    "helps": "helps",
    "harms": "harms",
    "no difference shown": "makes no difference that could be shown",
    "no claim": "allows no claim",
}


def arm_name(arm: Mapping[str, Any]) -> str:
    """Return what an arm is called: unchanged, prescription 1, own change, random change."""
    if arm["kind"] == "random":
        return "random change"
    return str(arm["kind"]) if arm["kind"] == "unchanged" else _advice_name(arm)


def changes_text(changes: Any) -> str:
    """Return changes in words: "training.optimizer.lr 0.3 → 0.03, model.cell lstm → gru"."""
    return ", ".join(
        f"{change['path']} {_value(change['path'], change['was'])} → {_value(change['path'], change['value'])}"
        if "was" in change
        else f"{change['path']} {_value(change['path'], change['value'])}"
        for change in changes
    )


def treatment_rows(treatment: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return the table's rows as texts, under HEAD."""
    rows: list[tuple[str, ...]] = []
    for arm in treatment["arms"]:
        errors, found = arm["errors"], arm["against_unchanged"]
        spread = range_text(min(errors), max(errors)) if len(errors) > 1 else "–"
        beside = ("", "", "") if found is None else (
            f"{found['decades']:+.2f}",
            _interval(found),
            f"{found['better']} of {len(errors)}",
        )  # fmt: skip
        rows.append((arm_name(arm), number_text(arm["iqm"]["value"]), spread, *beside))
    return rows


def treatment_lines(treatment: Mapping[str, Any]) -> list[str]:
    """Return a table of at most 80 columns in plain lines."""
    lines = []
    for row in (HEAD, *treatment_rows(treatment)):
        cells = [f"  {row[0]}".ljust(WIDTHS[0])]
        cells += [text.rjust(width) for text, width in zip(row[1:], WIDTHS[1:], strict=True)]
        lines.append("".join(cells).rstrip())
    return lines


def treatment_texts(treatment: Mapping[str, Any]) -> list[str]:
    """Return what a treatment showed, a paragraph each: by chance alone, by each prescription, by a random change."""
    texts = [chance_text(treatment)]
    texts += [verdict_text(arm) for arm in treatment["arms"] if arm["kind"] == "prescription"]
    texts += [_random_text(treatment)]
    texts += [
        f"{_capital(_advice_name(entry))} is left out ({changes_text(entry['changes'])}): {entry['reason']}."
        for entry in treatment["left_out"]
    ]
    if treatment["unmended"]:
        causes = ", ".join(f"{cause['code']} {cause['title']}" for cause in treatment["unmended"])
        texts.append(f"No configuration mends, and only other data help against: {causes}.")
    if treatment["reason"] is not None:
        texts.append(f"Nothing is claimed: {treatment['reason']}.")
    shown = sum(arm["kind"] == "prescription" for arm in treatment["arms"])
    tried = len(treatment["tried"])
    if tried > 1:
        earlier = ", those of earlier calls among them" if tried > shown else ""
        texts.append(
            f"{tried} prescribed configurations have been tried on this trial{earlier}: each is a further chance to "
            "be lucky."
        )
    done = {arm["prescription"] for arm in treatment["arms"]}
    done |= {entry["prescription"] for entry in treatment["left_out"]}
    others = [entry for entry in treatment["offered"] if entry["prescription"] not in done]
    if others:
        listed = "; ".join(
            f"{entry['prescription']} ({entry['code']} {changes_text(entry['changes'])})" for entry in others
        )
        texts.append(f"Also prescribed, for --prescription: {listed}.")
    return texts


def chance_text(treatment: Mapping[str, Any]) -> str:
    """Return what running the trial again unchanged gives: what any treatment would seem to do by chance alone."""
    unchanged, found = treatment["arms"][0], treatment["chance"]
    text = (
        f"Trial {treatment['number']} scored {number_text(treatment['rollout_error'])}; trained again unchanged on "
        f"{seeds_text(treatment['seeds'])} it reaches {number_text(unchanged['iqm']['value'])}, "
        f"{_size(found['decades'])} with nothing changed: that is chance."
    )
    if treatment["state"] == "pruned":
        text += " (It was pruned, and is now trained to the end: a part is that.)"
    return text


def verdict_text(arm: Mapping[str, Any]) -> str:
    """Return whether a prescription worked, beside the trial unchanged and beside the random change."""
    found, random, seeds = arm["against_unchanged"], arm["against_random"], len(arm["errors"])
    code = "" if arm["code"] is None else f"{arm['code']} {arm['title']}: "
    text = (
        f"{_capital(arm_name(arm))} ({code}{changes_text(arm['changes'])}) {VERDICTS[arm['verdict']]}: "
        f"{_beside(found, 'unchanged', seeds)}"
    )
    one_sided = found["low"] is not None and not found["low"] <= 0 <= found["high"]
    if arm["verdict"] == "no difference shown" and one_sided:
        text += ", too few for a claim"
    if random is not None:
        how = {True: "it beats a random change", False: "it is not shown to beat a random change"}
        said = (
            "it is worse than a random change"
            if random["verdict"] == "harms"
            else how.get(arm["beats_random"])
        )
        beside = _beside(random, "that", seeds)
        text += f"; {beside}" if said is None else f"; {said}, {beside}"
    return f"{text}.{_notes(arm)}"


def treatment_values(treatments: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what the page shows of each treatment: its number, a verdict, a table and sentences."""
    return [
        {
            "number": treatment["number"],
            "worked": any(arm["verdict"] == "helps" and arm["beats_random"] for arm in treatment["arms"]),
            "short": short_text(treatment),
            "head": HEAD,
            "rows": treatment_rows(treatment),
            "texts": treatment_texts(treatment),
        }
        for treatment in treatments
    ]


def short_text(treatment: Mapping[str, Any]) -> str:
    """Return one line on a treatment: `trial 3: prescription 1 (C01) helps, and beats a random change`."""
    parts = []
    for arm in treatment["arms"]:
        if arm["kind"] == "prescription":
            code = "" if arm["code"] is None else f" ({arm['code']})"
            beats = {True: ", and beats a random change", False: ", but is not shown to beat a random change"}
            more = beats.get(arm["beats_random"], "") if arm["verdict"] == "helps" else ""
            parts.append(f"{arm_name(arm)}{code} {VERDICTS[arm['verdict']]}{more}")
    return f"trial {treatment['number']}: {'; '.join(parts)}"


def _random_text(treatment: Mapping[str, Any]) -> str:
    random = next((arm for arm in treatment["arms"] if arm["kind"] == "random"), None)
    if random is None:
        return f"No random change stands beside it: {treatment['random_reason']}."
    beside = _beside(random["against_unchanged"], "unchanged", len(random["errors"]))
    return (
        f"The random change ({changes_text(random['changes'])}) {VERDICTS[random['verdict']]}: {beside}."
        f"{_notes(random)}"
    )


def _notes(arm: Mapping[str, Any]) -> str:
    notes = ""
    count = len(arm["errors"])
    if arm["failed"]:
        notes += f" {arm['failed']} of its {count} trainings failed and count as 1."
    if not arm["same_starts"]:
        notes += " It moves the validation starts: it is scored on other rollouts, and a part may be that."
    budget = [change for change in arm["changes"] if change["path"] == "training.budget"]
    for change in budget:
        notes += f" It trains {number_text(change['value'] / change['was'], 2)} times as long."
    return notes


def _beside(found: Mapping[str, Any], what: str, seeds: int) -> str:
    interval = "" if found["low"] is None else f" (95 %: {_interval(found)})"
    count = found["better" if found["decades"] <= 0 else "worse"]
    return f"{_size(found['decades'])} than {what}{interval}, on {count} of {seeds} seeds"


def _size(decades: float) -> str:
    return f"{abs(decades):.2f} decades {'better' if decades <= 0 else 'worse'}"


def _interval(found: Mapping[str, Any]) -> str:
    if found["low"] is None:
        return "–"
    return f"{found['low']:+.2f} to {found['high']:+.2f}"


def _advice_name(entry: Mapping[str, Any]) -> str:
    return "own change" if entry["prescription"] is None else f"prescription {entry['prescription']}"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _value(path: str, value: Any) -> str:
    if value is None:
        return "default"
    if isinstance(value, Mapping):
        name = str(value.get("name", ""))
        rest = [f"{key} {param_text(key, entry)}" for key, entry in value.items() if key != "name"]
        return " ".join([name, *rest])
    return param_text(path, value)
