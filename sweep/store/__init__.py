"""The results folder of a study: everything that is read from it or written to it.

The folders of trials hold the records; study.db, or a study on a database server, is a projection of them that
Optuna's tools can read.
"""

from sweep.store.folder import StudyFolder, study_folders
from sweep.store.lock import DriverLock
from sweep.store.optuna_rows import sampled
from sweep.store.optuna_study import OptunaProjection, rebuilt_text
from sweep.store.projection import NoProjection, Projection
from sweep.store.server_study import ServerProjection
from sweep.store.study_name import checked_study_name

__all__ = [
    "DriverLock",
    "NoProjection",
    "OptunaProjection",
    "Projection",
    "ServerProjection",
    "StudyFolder",
    "checked_study_name",
    "rebuilt_text",
    "sampled",
    "study_folders",
]
