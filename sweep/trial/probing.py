"""The probes of a stored trial's network."""

from typing import Any

from sweep.config.trial import TrialConfig
from sweep.diagnosis.probes import PROBES, measured
from sweep.trial.finish import trained
from sweep.trial.process import trial_process
from sweep.trial.segment import load_data, validation_task


def probe_trial(config: TrialConfig, weights: bytes) -> dict[str, dict[str, Any]]:
    """Return what the probes measure on a trained network and the validation starts, by name.

    Args:
        config: the trial.
        weights: the bytes of its checkpoint.pt.

    Returns:
        Per probe its numbers and `seconds`; only `reason` and `seconds` where it does not apply.
    """
    with trial_process():
        data = load_data(config.data, config.score)
        network, task = trained(config, data, weights), validation_task(config)
        return {name: measured(probe, network, task, config.seed) for name, probe in PROBES.items()}
