"""Features: the numbers of a case that the model of causes reads. One file for each origin, one table of all."""

from collections.abc import Mapping

from sweep.diagnosis.causes.features.feature import Feature
from sweep.diagnosis.causes.features.network import NETWORK, PROBED
from sweep.diagnosis.causes.features.setting import SETTING
from sweep.diagnosis.causes.features.training import TRAINING

FEATURES: Mapping[str, Feature] = {**SETTING, **TRAINING, **NETWORK}

__all__ = ["FEATURES", "NETWORK", "PROBED", "SETTING", "TRAINING", "Feature"]
