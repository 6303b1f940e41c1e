"""One trial as pure functions: a segment trains from one evaluation point to the next and evaluates there.

Nothing here reads or writes files of results: the functions return bytes and records.
"""

from sweep.trial.finish import Finished, diagnosis_bytes, finish, score_on_test
from sweep.trial.inputs import data_facts, give_data, load_data
from sweep.trial.probing import probe_trial
from sweep.trial.segment import Segment, run_segment
from sweep.trial.setup_facts import setup_facts

__all__ = [
    "Finished",
    "Segment",
    "data_facts",
    "diagnosis_bytes",
    "finish",
    "give_data",
    "load_data",
    "probe_trial",
    "run_segment",
    "score_on_test",
    "setup_facts",
]
