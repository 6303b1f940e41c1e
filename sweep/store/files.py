"""Writing files so that a reader never sees half of one, whatever dies in between."""

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sweep.config.errors import StoreError


def write_atomic(path: Path, content: bytes, durable: bool = True, remove: bool = False) -> None:
    """Replace a file by new content: afterwards it holds the old or the new bytes, whole.

    Args:
        path: the file; its folder must exist.
        content: the bytes.
        durable: wait until the bytes survive a power cut. Without it they survive the death of any
            process, which is enough for what can be computed again.
        remove: remove the old file first: dying in between leaves none. Some file systems write at once what
            replaces another file, which doubles the time of a large one.

    Raises:
        StoreError: the disk is full, the folder is missing or cannot be written.
    """
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        if remove:
            path.unlink(missing_ok=True)
        os.replace(temporary, path)
        if durable:
            sync_folder(path.parent)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        raise StoreError(f"cannot write {path}: {error.strerror or error}") from error


def write_json(path: Path, document: Mapping[str, Any], durable: bool = True) -> None:
    """Write a JSON document atomically; non-finite numbers are an error, not `NaN` in the file."""
    text = json.dumps(document, indent=1, allow_nan=False)
    write_atomic(path, (text + "\n").encode(), durable)


def read_json(path: Path) -> dict[str, Any]:
    """Return a JSON document.

    Raises:
        StoreError: the file cannot be read or is no JSON object.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise StoreError(f"{path} is damaged: {error}") from error
    if not isinstance(document, dict):
        raise StoreError(f"{path} is damaged: an object was wanted, got {type(document).__name__}")
    return document


def sync_folder(folder: Path) -> None:
    """Wait until a folder's entries survive a power cut.

    Raises:
        OSError: the disk refuses.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
