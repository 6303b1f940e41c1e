"""The picture of README.md: a loss that falls, the dead rollout behind it, and the rollout after the fix.

    python benchmarks/readme_picture.py [--results results] [--to docs/img/loss_and_rollout.png]

Runs two studies of one trial each, or reads them where they are complete: the forum's own setting (the first trial
of studies/forum.toml) and the last row of "A path to 1000 steps" in docs/forum.md. Both have the same network size,
optimizer, momentum, batch size, budget, data and seed. Takes about two minutes on one core.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import sweep
from sweep.api import LoadedStudy

FIX = (
    'enqueue=[{optimizer="adam","adam.lr"=0.005,"adam.momentum"=0.9,scheduler="cosine",batch_size=16,cell="lstm"}]',
    "training.window=128",
    "training.shuffle=true",
    "training.burn_in=20",
    "model.readout=increment",
)
LOSS, BAD, GOOD, TRUTH, QUIET = "#0072b2", "#d55e00", "#009e73", "#b4bac2", "#5a616b"  # Okabe & Ito (2008)
PAST = 125  # true steps drawn before the forecast: one period


def trained(name: str, overrides: tuple[str, ...], results: Path) -> LoadedStudy:
    """Return the study of one trial, trained unless it is complete."""
    execution = sweep.Execution(workers=1, plots=False)
    sweep.run(
        "forum", trials=1, name=name, overrides=overrides, results=results, confirm=False, execution=execution
    )
    return sweep.load_study(results / name)


def draw_loss(axes: Axes, study: LoadedStudy, curves: pd.DataFrame) -> None:
    """Draw the training loss over the updates, on a log scale, with a dot at the checkpoint that is rolled out."""
    trial = study.trials.iloc[0]
    axes.plot(curves["updates"], curves["loss"], color=LOSS, lw=1.6)
    chosen = curves.iloc[(curves["sequence_steps"] - trial["best_at"]).abs().argmin()]
    axes.plot(chosen["updates"], chosen["loss"], "o", color=BAD, ms=7, clip_on=False, zorder=3)
    axes.set_yscale("log")
    axes.set_ylim(3e-5, 5)
    axes.set_yticks([1, 1e-2, 1e-4], ["1", "0.01", "0.0001"])
    axes.minorticks_off()
    axes.set_xlim(0, curves["updates"].iloc[-1])
    axes.set_xlabel("update")
    headline(axes, "The loss looks good", f"one-step error {trial['one_step_error']:.2g}", LOSS)


def draw_rollout(axes: Axes, study: LoadedStudy, title: str, color: str) -> None:
    """Draw the rollout from the first validation start over the truth."""
    arrays = study.rollout(0)
    past = arrays["past"][0, -PAST:, 0]
    truth, forecast = arrays["truth"][0, :, 0], arrays["forecast"][0, :, 0]
    horizon = len(truth)
    axes.plot(np.arange(-PAST, horizon), np.concatenate([past, truth]), color=TRUTH, lw=3.6, label="truth")
    axes.plot(np.arange(horizon), forecast, color=color, lw=1.7, label="forecast")
    axes.axvline(0, color=QUIET, lw=0.8, ls=":")
    axes.legend(loc="upper right", ncols=2, fontsize=10, frameon=False, borderaxespad=0)
    axes.set_xlim(-PAST, horizon)
    axes.set_ylim(-1.3, 1.65)
    axes.set_yticks([-1, 0, 1])
    axes.set_xlabel("step of the rollout")
    row = study.trials.iloc[0]
    note = f"rollout error {row['rollout_error']:.2g}, right for {row['valid_steps']:.0f} of {horizon} steps"
    headline(axes, title, note, color)


def headline(axes: Axes, title: str, note: str, color: str) -> None:
    """Write a bold title and, below it, a line of numbers."""
    axes.text(0, 1.17, title, transform=axes.transAxes, weight="bold", fontsize=13)
    axes.text(0, 1.05, note, transform=axes.transAxes, color=color, fontsize=11)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--to", type=Path, default=Path("docs/img/loss_and_rollout.png"))
    args = parser.parse_args()
    post = trained("readme_post", (), args.results)
    fixed = trained("readme_fixed", FIX, args.results)
    curves = pd.read_csv(args.results / "readme_post" / "trials" / "0000" / "curves.csv")
    figure = Figure(figsize=(12, 3.1), dpi=100, layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=(1, 1.4, 1.4))
    draw_loss(left, post, curves)
    draw_rollout(middle, post, "The rollout is dead", BAD)
    draw_rollout(right, fixed, "The fix: same optimizer, same budget", GOOD)
    for axes in (left, middle, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=10, colors=QUIET)
        axes.xaxis.label.set(color=QUIET, fontsize=11)
    figure.savefig(args.to, metadata={"Software": None})
    print(f"{args.to}: {args.to.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
