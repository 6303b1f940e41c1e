"""The facts about a trial's configuration that its optimizer and its network know."""

from sweep.config.trial import TrialConfig
from sweep.diagnosis.causes import SetupFacts
from sweep.model.cells import CELLS
from sweep.train.optimizers import OPTIMIZERS


def setup_facts(config: TrialConfig, channels: int) -> SetupFacts:
    """Return the facts about the optimizer and the network that a diagnosis needs.

    Args:
        config: the trial.
        channels: number of channels of the data; known inputs are not counted among the weights.
    """
    optimizer, model = OPTIMIZERS[config.training.optimizer.name], config.model
    weights = (
        CELLS[model.cell].multiply_adds(channels, model.hidden, model.layers) if model.recurrent else None
    )
    return SetupFacts(optimizer.full_batch, optimizer.has_momentum, weights)
