"""What all plots share: colours that colour-blind readers tell apart, quiet axes, figures as PNG bytes."""

import io
from functools import cache
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font

# Okabe & Ito (2008), "Color Universal Design"; told apart with any common colour blindness.
ROLLOUT = "#d55e00"  # vermilion: what the network makes of its own output
ONE_STEP = "#0072b2"  # blue: what it makes of true inputs
GOOD = "#009e73"  # bluish green: how long the rollout is right
TRUTH = "#3a3f47"
FAINT = "#8b929c"
INK = "#22262b"
GRID = "#e6e8eb"
STATES = {"complete": ROLLOUT, "pruned": "#999999", "diverged": "#cc79a7", "running": "#56b4e9", "failed": "#000000"}
MARKERS = {"complete": "o", "pruned": "v", "diverged": "X", "running": "s", "failed": "."}
SMALL, NORMAL = 8.0, 9.0


def new_figure(width: float, height: float, dpi: int) -> Figure:
    """Return an empty white figure on an Agg canvas, outside of pyplot's global state."""
    figure = Figure(figsize=(width, height), dpi=dpi, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def png(figure: Figure) -> bytes:
    """Return the figure as PNG bytes; equal figures give equal bytes."""
    buffer = io.BytesIO()
    figure.savefig(
        buffer, format="png", dpi=figure.dpi, metadata={"Software": None}, pil_kwargs={"compress_level": 4}
    )
    return buffer.getvalue()


def quiet(axes: Axes, grid: str = "y") -> Axes:
    """Make the frame of an axes recede behind its data, and return it."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color("#c4c8ce")
        axes.spines[side].set_linewidth(0.8)
    axes.tick_params(
        axis="both", which="both", labelsize=SMALL, colors="#5a616b", length=2.5, width=0.7, pad=2
    )
    axes.set_axisbelow(True)
    if grid:
        axes.grid(axis=grid, color=GRID, linewidth=0.7)  # type: ignore[arg-type]
    return axes


def heading(axes: Axes, text: str, note: str = "") -> None:
    """Write a left-aligned heading above an axes, with a note in a lighter tone at its right."""
    label(axes, 0.0, 1.0, text, 3, size=NORMAL, weight="bold", ha="left", va="bottom")
    if note:
        label(axes, 1.0, 1.0, note, 3, size=SMALL, color="#5a616b", ha="right", va="bottom")


def label(
    axes: Axes, x: float, y: float, text: str, lift: float = 0.0, size: float = SMALL, **style: Any
) -> Any:
    """Write text at a place of the axes (0..1, or of the data with `transform`), literally: `$` starts no formula."""
    style.setdefault("color", INK)
    style.setdefault("transform", axes.transAxes)
    offset = axes.annotate(
        drawable(text),
        (x, y),
        xycoords=style.pop("transform"),
        xytext=(0, lift),
        textcoords="offset points",
        fontsize=size,
        annotation_clip=False,
        **style,
    )
    offset.set_parse_math(False)
    return offset


@cache
def _font() -> Any:
    return get_font(findfont("DejaVu Sans"))


def drawable(text: str) -> str:
    """Return the text with characters that the plots' font lacks, and control characters, replaced by `?`."""
    font = _font()
    return "".join(c if c == "\n" or (c.isprintable() and font.get_char_index(ord(c))) else "?" for c in text)
