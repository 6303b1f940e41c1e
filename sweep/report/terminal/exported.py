"""The output of `sweep export`: what was written, and how to use it."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from sweep.config.text import plural
from sweep.report.terminal.console import print_facts, print_line

BASES = {
    "confirmed": "on fresh seeds",
    "selected": "its own network, not confirmed",
    "fitted": "on all data, not scored",
}


def print_exported(document: Mapping[str, Any], console: Console) -> None:
    """Print what was written and the command that forecasts with it.

    Args:
        document: of the export (docs/export.md).
        console: to print on.
    """
    card, path = document["card"], str(document["path"])
    count = plural(len(card["networks"]), "network")
    print_line(console, f"{card['study']}: {count} of trial {card['trial']}, {BASES[card['basis']]}")
    if card["verdict_kind"] in ("baseline", "nothing"):
        print_line(console, f"The study's verdict: {card['verdict']}", "yellow")
    facts = [
        ("weights", ", ".join(one["weights"] for one in card["networks"])),
        ("card", "card.json, README.md"),
    ]
    if document["scripts_refused"] is None:
        facts.append(("scripts", ", ".join(name for name in document["files"] if name.endswith(".py"))))
        facts.append(("ONNX", ", ".join(one["onnx"] for one in card["networks"])))
    print_facts(console, facts)
    if document["scripts_refused"] is not None:
        print_line(console, str(document["scripts_refused"]))
        print_line(console, f"wrote {path}", wrap=False)
        return
    script = shlex.quote(str(Path(path, "forecast_numpy.py")))
    ahead = set(card["coding"]["known"]) - set(card["coding"]["static"])
    known = " --known future.csv" if ahead else ""
    print_line(
        console,
        f"wrote {path}. Next: python {script} past.csv --steps {card['scores']['horizon']}{known} > forecast.csv",
        wrap=False,
    )
