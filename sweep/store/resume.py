"""The content of resume.bin: a header of JSON values and opaque bytes of the worker, with a digest of both."""

import hashlib
import json
import struct
from collections.abc import Mapping
from typing import Any

from sweep.config.records import json_bytes

MAGIC = b"sweep-resume-1\n"
DIGEST_SIZE = 32  # bytes of SHA-256


def packed(header: Mapping[str, Any], checkpoint: bytes) -> bytes:
    """Return header and checkpoint as one content, so that both are of the same moment."""
    head = json_bytes(header)
    body = struct.pack("<Q", len(head)) + head + checkpoint
    return MAGIC + hashlib.sha256(body).digest() + body


def unpacked(content: bytes) -> tuple[dict[str, Any], bytes] | None:
    """Return header and checkpoint, None if the content is damaged."""
    start = len(MAGIC) + DIGEST_SIZE
    digest, body = content[len(MAGIC) : start], content[start:]
    if content[: len(MAGIC)] != MAGIC or hashlib.sha256(body).digest() != digest:
        return None
    (length,) = struct.unpack("<Q", body[:8])
    return json.loads(body[8 : 8 + length]), body[8 + length :]
