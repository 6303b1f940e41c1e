"""The case of a run, with its probes, and its features."""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.diagnosis.record import Cache, inside
from benchmarks.diagnosis.runs import Key, plan
from sweep.config.records import to_json
from sweep.config.trial import TrialConfig
from sweep.diagnosis.causes import Case, curves_of
from sweep.diagnosis.causes.features import FEATURES, PROBED
from sweep.diagnosis.facts import facts_of
from sweep.diagnosis.probes import PROBES, Subject, measured
from sweep.trial.inputs import load_data, validation_task
from sweep.trial.network import trained
from sweep.trial.process import trial_process
from sweep.trial.setup_facts import setup_facts


def case_of(cache: Cache, config: TrialConfig) -> Case:
    """Return the case of a run that has been made; missing probes are taken now.

    Raises:
        FileNotFoundError: the run has not been made.
    """
    record = cache.record(config)
    if record is None:
        raise FileNotFoundError(cache.place(config))
    with inside(cache.data):
        facts = facts_of(load_data(config.data, config.score))
        return Case(
            config=config,
            record=record,
            curves=curves_of(cache.file(config, "curves.csv")),
            probes=_probes(cache, config),
            facts=facts,
            setup=setup_facts(config, facts.channels),
        )


def _probes(cache: Cache, config: TrialConfig) -> dict[str, dict[str, Any]]:
    stored = cache.diagnosis(config).get("probes", {})
    if set(PROBED) <= set(stored):
        return dict(stored)
    place = cache.place(config).with_suffix(".probes.json")  # a run whose diagnosis does not hold them
    if place.exists():
        return dict(json.loads(place.read_text()))
    weights = cache.file(config, "checkpoint.pt")
    with trial_process():
        network = trained(config, load_data(config.data, config.score), weights)
        task = validation_task(config)
        subject = Subject(network, task, config.seed)
        found = {name: measured(PROBES[name], subject) for name in PROBED}
    values: dict[str, dict[str, Any]] = to_json(found)
    place.write_text(json.dumps(values))
    return values


def features_of(cache: Cache, key: Key) -> tuple[Key, dict[str, float] | None]:
    """Return a run's features by name, None if the run has not been made."""
    config = plan(key).settled(cache.data)
    try:
        case = case_of(cache, config)
    except FileNotFoundError:
        return key, None
    return key, {name: feature.read(case) for name, feature in FEATURES.items()}


def all_features(
    folder: Path, keys: Sequence[Key], workers: int
) -> Iterator[tuple[Key, dict[str, float] | None]]:
    """Yield the features of runs, in order."""
    cache = Cache(folder)
    if workers == 1:
        yield from (features_of(cache, key) for key in keys)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as executor:
        yield from executor.map(features_of, [cache] * len(keys), keys, chunksize=8)
