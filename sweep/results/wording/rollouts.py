"""Shown rollouts in words: which series, channel and start they are, and their times."""

import numpy as np

from sweep.data.types import Array
from sweep.results.shown_rollouts import Group, ShownRollout

LONGEST = 32  # characters of a name in a picture; a longer one loses its middle


def short_name(name: str, most: int = LONGEST) -> str:
    """Return a name with at most `most` characters; a longer one loses its middle, as both ends tell names apart."""
    if len(name) <= most:
        return name
    head = (most - 1) * 2 // 3
    return f"{name[:head].rstrip()}…{name[len(name) - (most - 1 - head) :].lstrip()}"


def group_name(group: Group, most: int = LONGEST) -> str:
    """Return series and channel of a group: "Ulm · load [kW]"; empty if there is one group."""
    return " · ".join(short_name(name, most) for name in (group.series, group.channel) if name)


def rollout_title(shown: ShownRollout) -> str:
    """Return the heading of a drawn rollout: "worst of 24, median start: Ulm · load [kW]"."""
    start = "only start" if shown.start_role == "only" else f"{shown.start_role} start"
    name = group_name(shown.group)
    title = f"{shown.role} of {shown.groups}, {start}" if shown.role else start
    return f"{title}: {name}" if name else title


def time_text(time: np.datetime64) -> str:
    """Return a time without the parts that are zero: 2024-02-28 07:00, 2024-02-28."""
    text = str(time.astype("datetime64[s]")).replace("T", " ")
    for zero in (":00", " 00:00"):
        text = text.removesuffix(zero)
    return text


def tick_texts(times: Array) -> list[str]:
    """Return times as the texts of ticks: without the year, and without the day, where it is the same in all."""
    texts = [time_text(time) for time in times]
    if any(len(text) != len(texts[0]) for text in texts) or len(texts[0]) < len("2024-02-28 07:00"):
        return texts
    if len({text[:10] for text in texts}) == 1:
        return [texts[0], *(text[11:] for text in texts[1:])]
    return [text[5:] for text in texts] if len({text[:4] for text in texts}) == 1 else texts


def span_text(times: Array) -> str:
    """Return the first and the last of some times: "2024-02-28 07:00 to 2024-03-01 06:00"."""
    return f"{time_text(times[0])} to {time_text(times[-1])}"
