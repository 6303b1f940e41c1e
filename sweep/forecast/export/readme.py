"""README.md of an exported forecaster: its tables, scripts, scores and limits, for a reader without sweep."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sweep.config.text import plural
from sweep.forecast.export.card import Card
from sweep.forecast.export.last_rows import NAME as LAST_ROWS
from sweep.results.wording.numbers import number_text, range_text

SHOWN_LEVELS = (50, 80, 90)  # percent, of an example
STEPS = 100  # in the examples, where no horizon is known
BASES = {
    "confirmed": "the trainings of this configuration on fresh seeds",
    "selected": "the training that the search scored; it was not confirmed on fresh seeds",
    "fitted": "trainings on all data, validation and test included; they are not scored",
}
SCALINGS = {
    "global": "all series together",
    "series": "each series by its own",
    "none": "not scaled: mean 0 and standard deviation 1",
}
LIMITS = (
    "Each step of the forecast feeds on the one before. Beyond the horizon of the scores nothing was measured.",
    "The networks know the data above. After a change of the process they must be trained again.",
    "The past must be even in time and without gaps, in the units of the training data.",
    "A series that was not in the training data is scaled by the statistics of all series together.",
    "Other machines round differently: expect equal forecasts to about 7 digits in float32, 15 in float64, and "
    "less over long horizons of chaotic data.",
)


def readme(card: Card, refused: str, has_rows: bool = False) -> str:
    """Return the text.

    Args:
        card: of the forecaster.
        refused: why there are no scripts; empty: there are.
        has_rows: whether the latest rows of the data are beside it.
    """
    about = card.about
    title = f"A forecaster of the study {_code(about['study'])}" if "study" in about else "A forecaster"
    parts = [
        f"# {title}",
        _networks(card),
        _use(card, refused, has_rows),
        _tables(card),
        _preparation(card),
        *_data(about),
        *_scores(about),
        *_intervals(card),
        "## Limits\n\n" + _bullets(LIMITS),
        "## Configuration\n\n" + _table(("setting", "value"), _settings(card)),
        *_versions(about),
    ]
    return "\n\n".join(parts) + "\n"


def _networks(card: Card) -> str:
    count, basis = len(card.networks), BASES.get(str(card.about.get("basis")), "")
    kind = (
        f"{card.model.cell}, {card.precision}"
        if card.model.recurrent
        else f"{card.model.kind}, {card.precision}"
    )
    text = f"{plural(count, 'network')} ({kind})" + (f": {basis}." if basis else ".")
    return text + (" The forecast is the median of theirs." if count > 1 else "")


def _use(card: Card, refused: str, has_rows: bool) -> str:
    if refused:
        return (
            f"## Use\n\n{refused[0].upper()}{refused[1:]}. With sweep and the plug-in "
            f"({', '.join(map(_code, card.plugins)) or 'unknown'}): "
            "`sweep.load_forecaster(path).forecast(past, steps)`."
        )
    known = " --known future.csv" if _asks_known(card) else ""
    past = LAST_ROWS if has_rows else "past.csv"
    asked = f"{past} --steps {(card.about.get('scores') or {}).get('horizon') or STEPS}{known}"
    rows = [
        (f"`python forecast_torch.py {asked} > forecast.csv`", "torch"),
        (f"`python forecast_numpy.py {asked} > forecast.csv`", "NumPy"),
        (f"`python forecast_onnx.py {asked} > forecast.csv`", "NumPy, onnxruntime"),
        ("`sweep.load_forecaster(path).forecast(past, steps)`", "sweep"),
    ]
    return (
        "## Use\n\n"
        + _table(("command", "needs"), rows)
        + (
            f"\n\n`{LAST_ROWS}` holds the latest rows of the data; put later ones in its place."
            if has_rows
            else ""
        )
        + "\n\nAll give the same forecast. Each script is also a module with a function `forecast`. Keep the files of "
        "this folder together.\n\n`network_<k>.safetensors` holds the weights. `model_<k>.onnx` computes one step in "
        "model units: `input` (batch, channel + known input) and `state_<k>` (layer, batch, hidden; zeros before a "
        "first step) give `forecast` (batch, channel) and `next_state_<k>`."
    )


def _tables(card: Card) -> str:
    coding, columns = card.coding, card.columns
    inputs = [name for name in coding.known if name not in coding.static]
    rows = [
        *((_code(name), "to forecast" if k in coding.targets else "to forecast, not scored")
          for k, name in enumerate(coding.channels)),
        *((_code(name), "known input: its future is given in `--known`") for name in inputs),
        *((_code(name), "input, constant in each series") for name in coding.static),
    ]  # fmt: skip
    if columns.time:
        rows.append(
            (_code(columns.time), "time of the local clock, such as 2024-12-31 23:00, 2024-12-31 or 2024-12")
        )
    rows.append((_code(columns.series), _series(card)))
    step = "" if card.step is None else f" Rows are {card.step.text} apart."
    text = (
        "## Tables\n\n`past.csv` has a header, commas and decimal points, and the oldest row first."
        f"{step} The last {plural(coding.past_steps, 'row')} of each series count.\n\n"
        + _table(("column", "content"), rows)
    )
    if _asks_known(card):
        text += (
            "\n\n`future.csv` has the known inputs of the steps to forecast, one row for each step"
            + (" and series." if coding.series else ".")
            + (
                " Without a column of times in it, the times continue those of the past."
                if columns.time
                else ""
            )
        )
    elif coding.calendar:
        text += "\n\nThe times continue those of the past, unless `--known` gives a table with other times."
    return text


def _preparation(card: Card) -> str:
    coding = card.coding
    data = card.about.get("configuration", {}).get("data", {})
    transforms = ", ".join(
        f"{name} (lag {coding.season})" if name == "seasonal_difference" else name
        for name in coding.transforms
    )
    waves = [f"sine and cosine of {name}" for name in coding.calendar]
    later = ", ".join([*waves, *map(_code, coding.known)])
    channels = "the channels" if card.model.feedback else "zeros in place of the channels"
    after = f", then of the next time: {later}" if later else ""
    steps = [
        f"Transforms, in this order: {transforms or 'none'}. They consume {plural(coding.codec.lag, 'row')}.",
        "Scaling: subtract the mean and divide by the standard deviation of the transformed training data"
        + (f" ({SCALINGS[data['scaling']]})" if data.get("scaling") in SCALINGS else "")
        + ", in `card.json` under `coding`.",
        f"Warm-up: {plural(coding.warmup, 'true row')} set the state of the network.",
        f"An input of the network, in model units: {channels} of one time{after}.",
        "The forecast is scaled back, and the transforms are inverted in reverse order.",
    ]
    return "## What the scripts do\n\n" + _bullets(steps)


def _data(about: Mapping[str, Any]) -> list[str]:
    data = about.get("data")
    if not data:
        return []
    rows = [("name", _code(data["name"])), ("SHA-256 of the arrays", _code(data["fingerprint"]))]
    if data["span"]:
        rows.append(("first and last time", _code(" to ".join(data["span"]))))
    if data["rows"]:
        rows.append(("rows", f"{sum(data['rows'])} in {plural(len(data['rows']), 'series', 'series')}"))
    return ["## Data\n\n" + _table(("fact", "value"), rows)]


def _scores(about: Mapping[str, Any]) -> list[str]:
    scores, symptom = about.get("scores"), about.get("symptom")
    if not scores:
        return []
    confirmed, test = scores["confirmed"] or {}, scores["test"] or {}
    interval = confirmed.get("rollout_error") or {}
    rows = [
        ("selected, on validation", number_text(scores["selected"]["rollout_error"])),
        ("confirmed on fresh seeds", _with_interval(interval)),
        ("locked test", number_text(test.get("rollout_error"))),
    ]
    lines = [
        f"## Scores\n\nRollout errors over {plural(scores['horizon'], 'step')}, "
        "free-running; 0 is exact, 1 is useless.",
        _table(("score", "rollout error"), rows),
    ]
    if about["basis"] == "fitted":
        lines.append(
            "These are scores of other trainings of this configuration. The networks here are not scored."
        )
    lines.append(f"Verdict of the study: {_plain(about['verdict'])}")
    if symptom:
        lines.append(
            f"Symptom of its rollouts: {symptom['code']} {_plain(symptom['title'])}. {_plain(symptom['text'])}"
        )
    return ["\n\n".join(lines)]


def _intervals(card: Card) -> list[str]:
    measured = card.intervals
    if measured is None:
        return []
    given = measured.intervals
    if given is None:
        return [f"## Intervals\n\nThere are {_plain(measured.reason)}."]
    own = [level for level in SHOWN_LEVELS if given.gives(level)]
    levels = ", ".join(map(str, own)) + ("," if len(own) == 1 else "")
    text = (
        f"`card.json` holds the errors of {plural(given.n, 'rollout')} that chose nothing, for intervals over "
        f"{plural(given.horizon, 'step')}. `sweep.load_forecaster(path).forecast(past, steps, levels=({levels}))` "
        "gives them. The scripts give the forecast alone."
    )
    return [f"## Intervals\n\n{text}" + (f" They were {_plain(measured.other)}." if measured.other else "")]


def _with_interval(value: Mapping[str, Any]) -> str:
    text = number_text(value.get("value"))
    return text if value.get("low") is None else f"{text} ({range_text(value['low'], value['high'])})"


def _settings(card: Card) -> list[tuple[str, str]]:
    configuration = card.about.get("configuration") or {"model": card.document()["model"]}
    return [
        (f"`{section}.{key}`", _code(json.dumps(value, ensure_ascii=False)))
        for section, values in configuration.items()
        if isinstance(values, Mapping)
        for key, value in values.items()
        if value is not None
    ]


def _versions(about: Mapping[str, Any]) -> list[str]:
    versions = about.get("versions")
    return (
        ["## Versions\n\n" + _bullets(f"{name} {version}" for name, version in versions.items())]
        if versions
        else []
    )


def _asks_known(card: Card) -> bool:
    return set(card.coding.known) > set(card.coding.static)


def _series(card: Card) -> str:
    names = card.coding.series
    if not names:
        return "name of the series, if there are several"
    shown = ", ".join(map(_code, names[:10])) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
    return f"name of the series; in training: {shown}"


def _table(head: tuple[str, str], rows: Sequence[tuple[str, str]]) -> str:
    cells = [head, ("---", "---"), *((left, right.replace("|", "\\|")) for left, right in rows)]
    return "\n".join(f"| {left} | {right} |" for left, right in cells)


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"* {line}" for line in lines)


def _plain(text: str) -> str:
    return " ".join(text.split())


def _code(value: object) -> str:
    """Return a value as code on one line; a backtick in it cannot end it."""
    text = _plain(str(value)).replace("`", "'").replace("|", "/")
    return f"`{text}`"
