"""The command line, called in this process, and settings that make a study of sines tiny."""

from click.testing import CliRunner, Result

from sweep.cli import main

TINY_TRIALS = [
    "--set", "model.hidden=4", "--set", "model.layers=1", "--set", "training.budget=4000",
    "--set", "training.window=32", "--set", "training.evaluations=4", "--set", "score.warmup=40",
    "--set", "score.horizon=40", "--set", "score.starts=4",
]  # fmt: skip
TINY = [  # of the default study
    *TINY_TRIALS, "--set", "data.options.length=100", "--set", "data.options.series=10",
    "--set", "space.readout_refit.always.window=32", "--set", "space.readout_refit.always.window_stride=1",
    "--set", "space.readout_refit.always.budget=4000", "--set", "space.readout_refit.always.evaluations=4",
]  # fmt: skip


def invoke(*args: str) -> Result:
    return CliRunner().invoke(main, list(args), catch_exceptions=False)
