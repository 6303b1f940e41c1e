"""Files that are written as a whole: a reader never sees a part of one, even if the writer is killed."""

import contextlib
import json
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sweep.config.errors import CannotWrite, StoreError

TOKEN_BYTES = 6  # of the random part of a temporary file's name


def write_atomic(path: Path, content: bytes, durable: bool = True, remove: bool = False) -> None:
    """Replace the content of a file; if this fails, the file has all of the old or all of the new bytes.

    Args:
        path: the file; its folder must exist.
        content: the new bytes.
        durable: wait until the bytes survive a power failure. Otherwise they survive the end of any process, which is
            enough for content that can be computed again.
        remove: remove the old file first; if the process is killed in between, there is no file. Some file systems
            write a file that replaces another to disk immediately, which doubles the time for a large one.

    Raises:
        StoreError: the disk is full, or the folder is missing or cannot be written.
    """
    temporary = None
    try:
        handle, temporary = _new_file(path)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        if remove:
            path.unlink(missing_ok=True)
        os.replace(temporary, path)
        if durable:
            sync_folder(path.parent)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        raise CannotWrite(f"cannot write {path}: {error.strerror or error}") from error


def _new_file(path: Path) -> tuple[int, Path]:
    """Return a handle of a new file beside a path, which is open to others as the user's umask says, and its path."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(TOKEN_BYTES)}")
    return os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), temporary


def is_temporary(path: Path) -> bool:
    """Return whether a file has the name of one that `write_atomic` has not completed, whatever it was to become."""
    return re.fullmatch(rf"\..+\.[0-9a-f]{{{2 * TOKEN_BYTES}}}", path.name) is not None


def require_inside(root: Path, path: Path) -> None:
    """Check that writing a path below a folder writes inside that folder: no part of it is a symbolic link.

    Args:
        root: may itself be a link, such as one to a larger disk.
        path: below it; need not exist.

    Raises:
        StoreError: a part is a link; the text names it.
    """
    place = root
    for part in path.relative_to(root).parts:
        place = place / part
        if place.is_symlink():
            raise StoreError(
                f"{place} is a symbolic link, and sweep writes only inside {root}: replace the link by a folder or "
                "file of its own, or remove it"
            )


def write_json(path: Path, document: Mapping[str, Any], durable: bool = True) -> None:
    """Write a JSON document atomically.

    Raises:
        ValueError: a number is not finite.
        StoreError: as in `write_atomic`.
    """
    text = json.dumps(document, indent=1, allow_nan=False)
    write_atomic(path, (text + "\n").encode(), durable)


def read_json(path: Path) -> dict[str, Any]:
    """Return a JSON document that is not one of a study's folder.

    Raises:
        StoreError: the file cannot be read, or is not a JSON object.
    """
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{path} is damaged: {error}") from error
    if not isinstance(document, dict):
        raise StoreError(f"{path} is damaged: wanted a JSON object, got {type(document).__name__}")
    return document


def sync_folder(folder: Path) -> None:
    """Wait until the entries of a folder survive a power failure.

    Raises:
        OSError: the disk reports an error.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
