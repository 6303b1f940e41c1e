"""The parts of all plots: colours that colour-blind readers can distinguish, quiet axes, figures as PNG bytes."""

import io
import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ft2font import LoadFlags
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Affine2D, Transform

Ticks = Sequence[tuple[float, str]]

# Okabe & Ito (2008), "Color Universal Design"; distinguishable with any common colour blindness.
ROLLOUT = "#d55e00"  # vermilion: the network on its own output
ONE_STEP = "#0072b2"  # blue: the network on true inputs
BASELINE = "#2b8cc4"  # a darker sky blue: the best baseline
GOOD = "#009e73"  # bluish green: how long the rollout is right
TRUTH = "#3a3f47"
FAINT = "#8b929c"
INK = "#22262b"
QUIET = "#5a616b"
GRID = "#e6e8eb"
STATES = {
    "complete": ROLLOUT,
    "pruned": "#999999",
    "diverged": "#cc79a7",
    "running": "#56b4e9",
    "failed": "#000000",
}
MARKERS = {"complete": "o", "pruned": "v", "diverged": "X", "running": "s", "failed": "."}
INPUTS = ("#56b4e9", "#cc79a7", "#e69f00")  # sky blue, reddish purple, orange: inputs from outside
SMALL, NORMAL = 8.0, 9.0
HALO = {"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 1.0}  # behind text over curves


def new_figure(width: float, height: float, dpi: int) -> Figure:
    """Return an empty white figure on an Agg canvas, outside of pyplot's global state."""
    figure = Figure(figsize=(width, height), dpi=dpi, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def png(figure: Figure) -> bytes:
    """Return the figure as PNG bytes; equal figures give equal bytes."""
    buffer = io.BytesIO()
    # most of a picture's time is text, and a fifth of that its hinting
    with rc_context({"text.hinting": "none"}):
        figure.savefig(
            buffer,
            format="png",
            dpi=figure.dpi,
            metadata={"Software": None},
            pil_kwargs={"compress_level": 3},
        )
    return buffer.getvalue()


def ruled(
    axes: Axes,
    x: tuple[float, float],
    y: tuple[float, float],
    x_ticks: Ticks = (),
    y_ticks: Ticks = (),
    title: str = "",
    note: str = "",
    x_name: str = "",
    log: bool = False,
) -> Axes:
    """Give an axes limits, thin horizontal rules, tick labels and a heading, and return it.

    Matplotlib builds three lines and two texts per tick, which is most of the cost of such a figure. This function
    draws one set of lines and one text per tick instead.

    Args:
        axes: a new axes.
        x: limits.
        y: limits.
        x_ticks: (place, text) pairs.
        y_ticks: (place, text) pairs, each with a rule.
        title: bold, above at the left; above the note where both are too long for one line.
        note: above at the right.
        x_name: quantity on the horizontal axis, with its unit.
        log: whether y is logarithmic.
    """
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#aeb4bc")
    axes.spines["bottom"].set_linewidth(0.8)
    axes.xaxis.set_visible(False)
    axes.yaxis.set_visible(False)
    if log:
        axes.set_yscale("log")
    axes.set_xlim(*x)
    axes.set_ylim(*y)
    rules = [[(0, place), (1, place)] for place, _ in y_ticks]
    axes.add_collection(
        LineCollection(rules, colors=GRID, linewidths=0.8, transform=axes.get_yaxis_transform(), zorder=0.5),
        autolim=False,
    )
    for place, text in y_ticks:
        label(
            axes,
            0,
            place,
            text,
            (-4, 0),
            color=QUIET,
            ha="right",
            va="center",
            over=axes.get_yaxis_transform(),
        )
    for place, text in x_ticks:
        label(
            axes, place, 0, text, (0, -4), color=QUIET, ha="center", va="top", over=axes.get_xaxis_transform()
        )
    if x_name:
        label(axes, 0.5, 0, x_name, (0, -15), color=QUIET, ha="center", va="top")
    room = axes.bbox.width * 72 / axes.figure.dpi
    if note:
        label(axes, 1, 1, fitted(note, SMALL, room), (0, 4), color=QUIET, ha="right", va="bottom")
    if title:
        beside = text_width(note, SMALL) + 12 if note else 0.0
        lift = 4 if text_width(title, NORMAL, bold=True) <= room - beside else 14  # else a line of its own
        title = fitted(title, NORMAL, room, bold=True)
        label(axes, 0, 1, title, (0, lift), size=NORMAL, weight="bold", va="bottom")
    return axes


def linear_ticks(low: float, high: float, count: int, text: Callable[[float], str] | None = None) -> Ticks:
    """Return at most `count` + 1 round places within low..high, with their texts."""
    places = [float(p) for p in MaxNLocator(count, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)]
    inside = [0.0 if abs(p) < 1e-9 * (high - low) else p for p in places if low <= p <= high]
    return tuple((place, (text or tick_text)(place)) for place in inside)


def tick_text(place: float) -> str:
    """Return the text of a tick, short for large numbers: 0.25, 1.05 M."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(place) >= 100 * size or (size > 1e3 and abs(place) >= size):
            return f"{place / size:g} {unit}"
    return f"{place:g}"


def level_ticks(low: float, high: float, count: int) -> tuple[Ticks, str]:
    """Return `linear_ticks`, and the level to add to their texts; "" unless the range is tiny beside its level.

    At an offset of 1e9, ticks one apart would otherwise all read 1e+09.
    """
    ticks = linear_ticks(low, high, count)
    if len({text for _, text in ticks}) == len(ticks):
        return ticks, ""
    middle = ticks[len(ticks) // 2][0]
    return tuple((place, f"{place - middle:+.3g}") for place, _ in ticks), f"{middle:.15g}"


def log_ticks(low: float, high: float) -> Ticks:
    """Return the whole decades within low..high, every second or third if there are many."""
    bottom, top = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    every = 1 + (top - bottom) // 5
    return tuple((10.0**k, f"{10.0**k:g}") for k in range(top, bottom - 1, -every))


def label(
    axes: Axes,
    x: float,
    y: float,
    text: str,
    lift: tuple[float, float] = (0, 0),
    size: float = SMALL,
    over: Transform | None = None,
    **style: Any,
) -> Text:
    """Write text at a place, literally: `$` starts no formula.

    Args:
        axes: to which the place belongs.
        x: in the axes' width, 0..1, unless `over` says otherwise.
        y: in its height.
        text: one line.
        lift: points to move it right and up.
        size: in points.
        over: transform of the place, such as that of the data.
        **style: of matplotlib.text.Text.
    """
    transform = axes.transAxes if over is None else over
    if lift != (0, 0):
        scale = axes.figure.dpi / 72
        transform = transform + Affine2D().translate(lift[0] * scale, lift[1] * scale)
    style.setdefault("color", INK)
    # on the figure rather than the axes: this makes no clip path, which only costs time here
    return axes.figure.text(
        x, y, drawable(text), fontsize=size, transform=transform, parse_math=False, **style
    )


def key(
    axes: Axes, entries: Sequence[tuple[str, str]], lift: float = 4, right: bool = True, base: float = 1.0
) -> None:
    """Write names in their colours in one row above an axes, cut where they are wider: a legend without lines.

    Args:
        axes: whose row it is.
        entries: names and colours.
        lift: points above the base.
        right: whether the row ends at the right, or begins at the left.
        base: in the axes' height; 0: below it.
    """
    renderer = axes.figure.canvas.get_renderer()  # type: ignore[attr-defined]
    scale = axes.figure.dpi / 72
    offset, room = 0.0, axes.bbox.width / scale
    if sum(text_width(text, SMALL, bold=True) + 9 for text, _ in entries) > room:
        entries = [
            (fitted(text, SMALL, room / len(entries) - 9, bold=True), color) for text, color in entries
        ]
    for text, color in reversed(entries) if right else entries:
        place = (-offset, lift) if right else (offset, lift)
        written = label(
            axes,
            float(right),
            base,
            text,
            place,
            color=color,
            weight="bold",
            ha="right" if right else "left",
            va="bottom",
        )
        offset += written.get_window_extent(renderer).width / scale + 9


def text_width(text: str, size: float, bold: bool = False) -> float:
    """Return the width of a line of text in points.

    Args:
        text: one line.
        size: of the font, in points.
        bold: whether it is bold.
    """
    font = _font(bold)
    font.set_size(size, 72)
    font.set_text(drawable(text), 0.0, flags=LoadFlags.NO_HINTING)
    return float(font.get_width_height()[0]) / 64


def fitted(text: str, size: float, room: float, bold: bool = False) -> str:
    """Return the text, cut at its end so that it is at most `room` points wide; nothing ever overprints another.

    Args:
        text: one line.
        size: of the font, in points.
        room: in points.
        bold: whether it is bold.
    """
    if text_width(text, size, bold) <= room:
        return text
    fits = next((n for n in range(len(text) - 1, 0, -1) if text_width(f"{text[:n]}…", size, bold) <= room), 0)
    return f"{text[:fits].rstrip()}…" if fits else ""


@cache
def _font(bold: bool = False) -> Any:
    return get_font(findfont(FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal")))


def drawable(text: str) -> str:
    """Return the text with characters that the plots' font lacks, and control characters, replaced by `?`."""
    font = _font()
    return "".join(c if c == "\n" or (c.isprintable() and font.get_char_index(ord(c))) else "?" for c in text)
