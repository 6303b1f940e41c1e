"""What is on disk: the only reader and writer of a results folder.

Trial folders hold the records; study.db is their projection for the Optuna world.
"""

from sweep.store.folder import StudyFolder, study_folders
from sweep.store.lock import DriverLock
from sweep.store.optuna_study import OptunaProjection, sampled
from sweep.store.projection import NoProjection, Projection
from sweep.store.study_name import checked_study_name

__all__ = [
    "DriverLock",
    "NoProjection",
    "OptunaProjection",
    "Projection",
    "StudyFolder",
    "checked_study_name",
    "sampled",
    "study_folders",
]
