"""False alarms of `sweep compare --fail-if-worse`, and how often it catches a doubled error.

    OMP_NUM_THREADS=1 python benchmarks/compare.py make FOLDER 60 calm    # studies that differ in search.seed alone
    python benchmarks/compare.py measure FOLDER
    python benchmarks/compare.py simulate 120 24    # searches of a made-up error, 24 trials each

`make` runs cheap studies of a sine with noise: 20 or 24 trials of TPE with pruning, networks of 8 units, the best 3
confirmed on 5 fresh seeds. In `calm` studies noise limits the forecasts, and seeds differ little; in `noisy` ones the
training is too short, and two seeds of one configuration differ by a factor of two. The searches, and with them the
confirmations, differ in their seeds alone. It continues where it was stopped. `measure` compares them: each once, in
disjoint pairs, and then all with all in both directions, which uses each study many times. For a planted fault, every
forecast of the second study gets twice its error, and its stored rollouts are scored again. `simulate` has more
searches than a machine can train: Optuna's TPE as sweep configures it, on an error that five hyperparameters decide up
to a factor of seeds.
"""

import itertools
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import optuna
from machine import machine

import sweep
from sweep.config.records import Evaluation, Scores, TrialRecord
from sweep.results.comparison.compared import compared
from sweep.results.study import StoredStudy, read_study
from sweep.score.baselines import analogues, echo_state, random_readout
from sweep.score.metrics import rollout_error
from sweep.stats.bootstrap import iqm
from sweep.store.folder import StudyFolder

STUDY = """
[data]
source = "sine"
options = { noise = NOISE, length = 400, series = SERIES, T = TIME }
[score]
warmup = 40
horizon = HORIZON
starts = 16
[model]
hidden = 8
layers = 1
[training]
budget = BUDGET
window = 32
evaluations = 4
readout_refit = "end"
[search]
trials = TRIALS
width = 4
[space]
cell = ["lstm", "gru"]
batch_size = [8, 16, 32]
scheduler = ["none", "cosine"]
[space.optimizer.adam]
lr = { log = [1e-3, 1e-1] }
momentum = { log1m = [0.0, 0.99] }
[space.optimizer.rmsprop]
lr = { log = [1e-3, 1e-1] }
"""
KINDS = {
    "calm": {"NOISE": 0.3, "SERIES": 6, "TIME": 4, "HORIZON": 24, "BUDGET": 6_000, "TRIALS": 20},
    "noisy": {"NOISE": 0.05, "SERIES": 4, "TIME": 20, "HORIZON": 40, "BUDGET": 10_000, "TRIALS": 24},
}
TOP, SEEDS = 3, 5  # of the confirmations, the default
SEED_NOISE = 0.3  # standard deviation of the natural logarithm of a simulated error between seeds


def make(folder: Path, count: int, kind: str) -> None:
    """Run the studies of a kind that are not there yet."""
    echo_state.RESERVOIRS, echo_state.UNITS = 2, 20  # baselines do not enter the alarm
    random_readout.NETWORKS, random_readout.HIDDEN = (("gru", 0),), 16
    analogues.DIMENSIONS, analogues.LAGS, analogues.NEIGHBOURS = (1, 2), (1,), (8,)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "cheap.toml"
    text = STUDY
    for key, value in KINDS[kind].items():
        text = text.replace(key, str(value))
    file.write_text(text)
    for seed in range(count):
        overrides, name = (f"search.seed={seed}",), f"seed-{seed:03d}"
        sweep.run(str(file), name=name, results=folder, overrides=overrides, executor="inline", plots=False)
        print(f"{name} done", flush=True)


def measure(folder: Path) -> None:
    """Print the alarms of pairs without a difference, and of pairs whose second study has twice the error."""
    paths = sorted(path.parent for path in folder.glob("seed-*/confirmation.json"))
    studies = [read_study(StudyFolder(path)) for path in paths]
    _print_rates(studies, [doubled(study) for study in studies])


def doubled(study: StoredStudy) -> StoredStudy:
    """Return a study in which every forecast has twice the error."""
    below = study.folder.below("confirm")
    return replace(
        study,
        records=tuple(_doubled(study.folder, record) for record in study.records),
        fresh=tuple(_doubled(below, record) for record in study.fresh),
    )


def _doubled(folder: StudyFolder, record: TrialRecord) -> TrialRecord:
    if record.rollout_error is None:
        return record
    arrays = folder.rollout(record.number)
    truth = arrays["truth"]
    forecast = truth + 2 * (arrays["forecast"] - truth)
    error = rollout_error(forecast, truth, arrays["scale"], int(arrays["block"]))
    return replace(record, rollout_error=error)


def simulate(searches: int, trials: int) -> None:
    """Print the same rates of simulated searches by TPE."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    found = [simulated(seed, trials, 1.0) for seed in range(searches)]
    _print_rates(found, [simulated(seed, trials, 2.0) for seed in range(searches)])


def simulated(seed: int, trials: int, factor: float) -> StoredStudy:
    """Return a study of a search by TPE; `factor` multiplies every error."""
    rng = np.random.default_rng([seed, trials])
    noise = rng.lognormal(0, SEED_NOISE, trials + TOP * SEEDS)
    sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True, group=True)
    study = optuna.create_study(sampler=sampler)
    levels: list[float] = []
    for number in range(trials):
        trial = study.ask()
        rate, momentum = trial.suggest_float("lr", -3, -1), trial.suggest_float("momentum", 0, 2)
        bad = {"lstm": 0.3, "gru": 0.0}[trial.suggest_categorical("cell", ["lstm", "gru"])]
        bad += {"none": 0.2, "cosine": 0.0}[trial.suggest_categorical("scheduler", ["none", "cosine"])]
        bad += abs(rate + 1.7) + 0.3 * abs(momentum - 0.8) + 0.1 * abs(trial.suggest_int("batch", 3, 5) - 4)
        levels.append(0.1 * np.exp(bad))
        study.tell(trial, min(1.0, levels[-1] * noise[number]))
    levels = [factor * level for level in levels]
    errors = np.minimum(1.0, np.array(levels) * noise[:trials])
    best = np.argsort(errors, kind="stable")[:TOP]
    fresh = np.minimum(1.0, np.array(levels)[best, None] * noise[trials:].reshape(TOP, SEEDS))
    leader = int(np.argmin(iqm(fresh, axis=1)))
    arms = [
        {"number": int(number), "replications": [0, 1, 2, 3, 4], "iqm": {"value": float(iqm(row))}}
        | {"valid_steps": [0.0] * SEEDS}
        for number, row in zip(best, fresh, strict=True)
    ]
    return StoredStudy(
        folder=StudyFolder(Path("simulated") / str(seed)),
        document={"name": f"search {seed}", "record": {"score_format": 2, "data_fingerprint": "simulated"}},
        records=tuple(_record(number, error) for number, error in enumerate(errors)),
        baselines={},
        missing_baselines={},
        winner=None,
        confirmation={"leader": int(best[leader]), "arms": arms, "seeds": SEEDS},
        fresh=tuple(_record(number, error) for number, error in enumerate(fresh[leader])),
    )


def _record(number: int, error: float) -> TrialRecord:
    scores = Scores(float(error), (float(error),) * 4, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0)
    evaluation = Evaluation(0, 1, 1, scores, 0.0, 0.0)
    config = {"seed": number, "training": {"budget": 1}}
    return TrialRecord(
        number, "complete", {}, config, "sampled", (evaluation,), float(error), best=0, sequence_steps=1
    )


def _print_rates(same: Sequence[StoredStudy], worse: Sequence[StoredStudy]) -> None:
    count = len(same)
    apart = [(k, k + 1) for k in range(0, count - 1, 2)]
    everyone = list(itertools.permutations(range(count), 2))
    if len(everyone) > 2000:
        drawn = np.random.default_rng(0).choice(len(everyone), 2000, replace=False)
        everyone = [everyone[index] for index in sorted(drawn)]
    print(f"{machine()}\n{count} studies")
    for what, pairs in (("disjoint pairs", apart), (f"{len(everyone)} pairs of all with all", everyone)):
        _print_alarms(f"{what}, no difference", same, same, pairs)
        _print_alarms(f"{what}, twice the error", same, worse, pairs)


def _print_alarms(
    what: str, first: Sequence[StoredStudy], second: Sequence[StoredStudy], pairs: Sequence[tuple[int, int]]
) -> None:
    results = [compared([first[a], second[b]]).pairs[0] for a, b in pairs]
    alarms, scores, symptoms, search, seeds = (
        sum(values)
        for values in zip(
            *(
                (
                    pair.alarm,
                    pair.verdict == "worse",
                    pair.symptom is not None,
                    pair.ahead.beyond_chance,
                    pair.seeds is not None and pair.seeds.p <= 0.05 and pair.seeds.first_wins > 0.5,
                )
                for pair in results
            ),
            strict=True,
        )
    )
    print(
        f"{what}: {alarms} alarms in {len(pairs)} ({alarms / len(pairs):.2%}); worse {scores}, new symptom {symptoms}; "
        f"alone, the test between searches {search}, that between seeds {seeds}"
    )


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    if command == "make":
        make(Path(arguments[0]), int(arguments[1]), arguments[2])
    elif command == "measure":
        measure(Path(arguments[0]))
    else:
        simulate(int(arguments[0]), int(arguments[1]))
