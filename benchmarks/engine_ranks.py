"""Whether both engines rank the same trials alike: the first configurations of a study, on each engine.

    python benchmarks/engine_ranks.py [study] [trials] [budget]

Each configuration is trained on the native engine, on torch's with the same seed, and on the native engine with another
seed, which is the noise that any ranking has. Printed: Spearman correlations of the rollout errors, and the median
difference in decades.
"""

import sys

import numpy as np
from joblib import Parallel, delayed
from machine import machine
from scipy.stats import spearmanr
from study_speed import configurations

from sweep.config.trial import TrialConfig
from sweep.trial import run_segment


def error(config: TrialConfig) -> float:
    """Return the rollout error of a trial's best checkpoint."""
    checkpoint, errors = None, []
    for point in range(len(config.points)):
        segment = run_segment(config, checkpoint, point)
        checkpoint = segment.checkpoint
        errors.append(segment.evaluation.scores.rollout_error)
        if segment.diverged:
            break
    return min(errors)


def main() -> None:
    """Train and print."""
    name = sys.argv[1] if len(sys.argv) > 1 else "sine"
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 24
    budget = int(sys.argv[3]) if len(sys.argv) > 3 else 500_000
    configs = configurations(name, count, budget, evaluations=12)
    arms = [
        arm
        for config in configs
        for arm in (
            config,
            config.model_copy(update={"engine": "torch"}),
            config.model_copy(update={"seed": config.seed + 1}),
        )
    ]
    with Parallel(n_jobs=2) as parallel:
        errors = np.array(parallel(delayed(error)(arm) for arm in arms)).reshape(-1, 3)
    print(f"{machine()}; {name}, {count} configurations of {budget:,} sequence-steps, {configs[0].engine}")
    for label, column in (("torch, same seed", 1), ("native, another seed", 2)):
        rho = spearmanr(errors[:, 0], errors[:, column]).statistic
        decades = np.median(np.abs(np.log10(errors[:, 0] / errors[:, column])))
        print(f"native against {label}: Spearman {rho:.3f}, median difference {decades:.3f} decades")


if __name__ == "__main__":
    main()
