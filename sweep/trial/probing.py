"""The probes of a trial's network."""

from collections.abc import Iterable
from typing import Any

from sweep.config.records import to_json
from sweep.config.trial import TrialConfig
from sweep.diagnosis.probes import ProbeSpec, Subject, measured
from sweep.trial.inputs import load_data, validation_task
from sweep.trial.network import trained
from sweep.trial.process import trial_process


def probe_trial(
    config: TrialConfig, weights: bytes, probes: Iterable[ProbeSpec]
) -> dict[str, dict[str, Any]]:
    """Return the numbers that probes measure on a stored trial's network and the validation starts.

    Args:
        config: the trial.
        weights: the bytes of its checkpoint.pt.
        probes: to take.

    Returns:
        As JSON values, per probe its numbers, or only `reason` if it does not apply.
    """
    with trial_process():
        network = trained(config, load_data(config.data, config.score), weights)
        return probed(Subject(network, validation_task(config), config.seed), probes)


def probed(subject: Subject, probes: Iterable[ProbeSpec]) -> dict[str, dict[str, Any]]:
    """Return the numbers that probes measure, as JSON values by name; non-finite numbers are None."""
    return {probe.name: to_json(measured(probe, subject)) for probe in probes}
