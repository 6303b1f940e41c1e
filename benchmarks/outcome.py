"""How good the networks are: our configurations on fresh seeds beside their rivals, on the locked test.

    python benchmarks/outcome.py [NAME...] [--group clean|noisy|dysts] [--seeds 5] [--data FOLDER] [--json]
    python benchmarks/outcome.py --rivals             # without our own networks
    python benchmarks/outcome.py --quick              # small budgets, one seed: does everything run?

Each entry of `outcome_entries.py` is one row. Rivals are sweep's baselines. They choose their settings on validation
data (the echo state network out of 72 settings) and are scored on the same locked test starts as our networks. Ours is
one configuration per entry, trained on fresh seeds; where noise decides, it is chosen out of eight on validation, on a
seed of its own. Beside each score stand CPU seconds: of a rival for choosing, fitting and forecasting, of a network for
its training with all evaluations. `--data` names a folder with laser.csv and elecdemand.csv; without it these two are
left out. The systems of dysts need its wheel, which pip downloads. Set OMP_NUM_THREADS=1.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from machine import machine
from outcome_entries import ENTRIES, Entry

from sweep.config.data_section import DataConfig
from sweep.config.engines import engine_name
from sweep.config.sections import ModelConfig, ScoreConfig, TrainingConfig
from sweep.config.seeds import seed_of
from sweep.config.trial import TrialConfig
from sweep.model import best_kernel
from sweep.score import BASELINES, score_baselines_on_test
from sweep.score.baselines.simple import CannotServe
from sweep.trial import finish, load_data, run_segment, score_on_test

SHOWN = ("echo_state_network", "random_readout", "analogues", "ar")  # rivals with a column of their own
SEEDS = 5
CHOOSING = 1000  # the seed on which an entry's choices are compared
QUICK = ("two_tones", "rossler", "ar2")
QUICK_BUDGET = 50_000


def trial(entry: Entry, data: Mapping[str, Any], seed: int, **changes: Any) -> TrialConfig:
    """Return the configuration of an entry on a fresh seed.

    Args:
        entry: the row.
        data: its section `data`, with the full path of its file.
        seed: 0, 1, ...
        changes: settings of the section `training` that replace the entry's.
    """
    model = ModelConfig.model_validate(entry.model)
    training = TrainingConfig.model_validate({**entry.training, **changes})
    return TrialConfig(
        data=DataConfig.model_validate(data),
        score=ScoreConfig.model_validate(entry.score),
        model=model,
        training=training,
        seed=seed_of("outcome", entry.name, seed),
        engine=engine_name("auto", best_kernel(), "cpu", model, training),
    )


def network(config: TrialConfig) -> dict[str, Any]:
    """Train a configuration to its end; return its best checkpoint's scores on validation and test, and CPU seconds."""
    began = time.process_time()
    checkpoint, errors = None, []
    for point in range(len(config.points)):
        segment = run_segment(config, checkpoint, point)
        checkpoint = segment.checkpoint
        errors.append(segment.evaluation.scores.rollout_error)
        if segment.diverged:
            break
    seconds = time.process_time() - began
    assert checkpoint is not None
    test = score_on_test(config, finish(config, checkpoint).files["checkpoint.pt"])
    return {
        "validation_error": min(errors),
        "rollout_error": test.rollout_error,
        "valid_steps": test.valid_steps,
        "cpu_seconds": seconds,
    }


def chosen_settings(entry: Entry, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the choice with the lowest validation error on a seed of its own, with the CPU seconds of all of them."""
    if len(entry.choices) == 1:
        return {"changes": entry.choices[0], "cpu_seconds": 0.0}
    results = [network(trial(entry, data, CHOOSING, **choice)) for choice in entry.choices]
    best = min(range(len(results)), key=lambda k: results[k]["validation_error"])
    return {"changes": entry.choices[best], "cpu_seconds": sum(result["cpu_seconds"] for result in results)}


def rival(name: str, config: TrialConfig) -> dict[str, Any]:
    """Return a baseline's scores on test, with settings chosen on validation, and CPU seconds; or a `reason`."""
    data = load_data(config.data, config.score)
    began = time.process_time()
    try:
        settings = BASELINES[name].choose(data)
    except CannotServe as error:
        return {"reason": str(error), "cpu_seconds": time.process_time() - began}
    test = score_baselines_on_test(data, {name: {"settings": settings}})[name]
    kept = {key: test[key] for key in ("rollout_error", "valid_steps", "settings", "reason") if key in test}
    return {**kept, "cpu_seconds": time.process_time() - began}


def row(entry: Entry, folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Return all results of an entry."""
    data, lyapunov_time = dict(entry.data), None
    if entry.make is not None:
        path = folder / data["path"]
        lyapunov_time = entry.make(path, given.data or Path())
        data["path"] = str(path)
    changes = {"budget": QUICK_BUDGET, "evaluations": 2} if given.quick else {}
    seeds = 1 if given.quick else given.seeds
    chosen = {} if given.rivals or given.quick else chosen_settings(entry, data)
    changes = {**chosen["changes"], **changes} if chosen else changes
    config = trial(entry, data, 0, **changes)
    lyapunov_time = load_data(config.data, config.score).lyapunov_time or lyapunov_time
    rivals = {name: rival(name, config) for name in BASELINES}
    networks = []
    if not given.rivals:
        networks = [network(trial(entry, data, seed, **changes)) for seed in range(seeds)]
    return {
        "name": entry.name,
        "group": entry.group,
        "goal": entry.goal,
        "horizon": entry.score["horizon"],
        "lyapunov_time": lyapunov_time,
        "configuration": config.model_dump(mode="json", include={"model", "training"}),
        "chosen": chosen,
        "networks": networks,
        "rivals": rivals,
    }


def number(result: Mapping[str, Any], lyapunov_time: float | None) -> str:
    """Return "error (Lyapunov times or steps; CPU seconds)" of one rival."""
    if "reason" in result:
        return "–"
    steps = result["valid_steps"]
    held = f"{steps / lyapunov_time:.1f} LT" if lyapunov_time else f"{steps:.0f} steps"
    return f"{result['rollout_error']:.2g} ({held}; {result['cpu_seconds']:.0f} s)"


def ours(networks: list[dict[str, Any]], lyapunov_time: float | None) -> str:
    """Return "median [lowest, highest] (...)" of our networks."""
    if not networks:
        return "–"
    errors = [entry["rollout_error"] for entry in networks]
    middle = {key: float(np.median([entry[key] for entry in networks])) for key in networks[0]}
    return number(middle, lyapunov_time).replace(" (", f" [{min(errors):.2g}, {max(errors):.2g}] (", 1)


def table_row(result: Mapping[str, Any]) -> str:
    """Return a row of the Markdown table."""
    time_unit = result["lyapunov_time"]
    rivals = [number(result["rivals"][name], time_unit) for name in SHOWN]
    others = {
        name: entry for name, entry in result["rivals"].items() if name not in SHOWN and "reason" not in entry
    }
    best = min(others, key=lambda name: others[name]["rollout_error"])
    cells = [
        f"{result['name']}, {result['horizon']} steps",
        result["goal"],
        ours(result["networks"], time_unit),
        *rivals,
        f"{best} {others[best]['rollout_error']:.2g}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Run and print; a row as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"rows to compute: {', '.join(ENTRIES)}")
    parser.add_argument("--group", choices=sorted({entry.group for entry in ENTRIES.values()}))
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"fresh seeds (default {SEEDS})")
    parser.add_argument("--rivals", action="store_true", help="leave our own networks out")
    parser.add_argument("--quick", action="store_true", help="one seed and a small budget")
    parser.add_argument("--data", type=Path, help="folder of laser.csv and elecdemand.csv")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    given = parser.parse_args()

    unknown = set(given.names) - set(ENTRIES)
    if unknown:
        parser.error(f"no entry named {', '.join(sorted(unknown))}; known: {', '.join(ENTRIES)}")
    names = given.names or (QUICK if given.quick and not given.group else tuple(ENTRIES))
    chosen = [ENTRIES[name] for name in names if given.group in (None, ENTRIES[name].group)]
    left_out = [entry.name for entry in chosen if entry.recorded and given.data is None]
    if left_out:
        print(f"left out, as --data is not given: {', '.join(left_out)}", file=sys.stderr)
    chosen = [entry for entry in chosen if entry.name not in left_out]

    if not given.json:
        print(machine() + "\n")
        print("| data | goal | ours: median [lowest, highest] | " + " | ".join(SHOWN) + " | best other |")
        print("|---|---|---|" + "---|" * len(SHOWN) + "---|", flush=True)
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for entry in chosen:
            results.append(row(entry, Path(folder), given))
            if not given.json:
                print(table_row(results[-1]), flush=True)
    if given.json:
        print(json.dumps({"machine": machine(), "rows": results}, indent=1))


if __name__ == "__main__":
    main()
