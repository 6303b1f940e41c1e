"""stub"""
from pathlib import Path
from sweep.data.recording import Recording
def read_file(path: str, base: Path | None, id_column: str, time_column: str) -> Recording:
    raise NotImplementedError
