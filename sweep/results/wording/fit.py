"""A fit in words: networks that were trained on all data, which nothing has scored."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from sweep.config.text import plural


def fit_text(fit: Mapping[str, Any]) -> str:
    """Return one line about a stored fit or update."""
    networks, samples = plural(len(fit["trainings"]), "network"), plural(fit["data"]["samples"], "sample")
    done = f"trained on all {samples}"
    if fit["data"].get("added"):
        done += f", {fit['data']['added']:,} of them added since the study ran"
    if fit["begins"] is not None:
        done = f"updated with the {samples} of {PurePath(fit['data']['name']).name}"
    return f"Fit of trial {fit['number']}: {networks}, {done}, {fit['share']:.0%} of the budget; not scored."


def added_text(file: str, added: int) -> str:
    """Return that a file begins with a study's data, and how many rows follow.

    Args:
        file: its path.
        added: rows, at least 1.
    """
    name = PurePath(file).name
    return f"{name} begins with the data of the study; {plural(added, 'row')} added since are trained on, too"


def fit_texts(fit: Mapping[str, Any]) -> list[str]:
    """Return the lines about a fit or an update that has just ended."""
    texts = [fit_text(fit)]
    if fit["left_out"]:
        texts.append(f"{plural(fit['left_out'], 'network')} left out: not trained to the end.")
    if fit["begins"] is None:
        source = fit["from"]
        networks = plural(len(source["trainings"]), "network")
        which = (
            f"{networks} of fresh seeds"
            if source["basis"] == "confirmed"
            else "the trial's own network, which was selected and not confirmed"
        )
        texts.append(f"The choices of validation are replaced by the median choices of {which}.")
    if fit["ridge"] is not None:
        texts.append(f"The readout is solved with a ridge of {fit['ridge']:g}.")
    if fit["lowered_at"]:
        shares = ", ".join(f"{share:.0%}" for share in fit["lowered_at"])
        texts.append(f"The learning rate is lowered at {shares} of the budget.")
    return texts
