"""The form that each stored file must have, and the checks that refuse any other content.

Whoever reads a stored file then needs no care of its own. Keys that an older version did not write may be absent.
"""

from sweep.store.forms.baseline import REMEDY as BASELINE_REMEDY
from sweep.store.forms.baseline import baseline_arrays
from sweep.store.forms.curves import curves_table
from sweep.store.forms.documents import DOCUMENTS, OTHER
from sweep.store.forms.json_form import Misfit, parsed
from sweep.store.forms.pictures import is_whole_png
from sweep.store.forms.records import RECORD, related
from sweep.store.forms.rollouts import rollout_arrays
from sweep.store.forms.study_file import study_values

__all__ = [
    "BASELINE_REMEDY",
    "DOCUMENTS",
    "OTHER",
    "RECORD",
    "Misfit",
    "baseline_arrays",
    "curves_table",
    "is_whole_png",
    "parsed",
    "related",
    "rollout_arrays",
    "study_values",
]
