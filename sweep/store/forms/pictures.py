"""Pictures: whether a PNG is whole, which needs no library for pictures."""

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
LARGEST_SIDE = 20_000  # pixels; a plot of a trial has about 1,000, and a foreign one must not fill the memory


def is_whole_png(content: bytes) -> bool:
    """Return whether a content is a PNG of reasonable size whose chunks are all there and undamaged.

    Source: PNG specification, third edition, sections 5.2 to 5.4.
    """
    if not content.startswith(SIGNATURE):
        return False
    place = len(SIGNATURE)
    kinds: list[bytes] = []
    while place + 12 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, place)
        end = place + 8 + length
        if end + 4 > len(content):
            return False
        if zlib.crc32(content[place + 4 : end]) != struct.unpack_from(">I", content, end)[0]:
            return False
        if not kinds and (kind != b"IHDR" or length != 13 or not _fits(content, place + 8)):
            return False
        kinds.append(kind)
        place = end + 4
    return b"IDAT" in kinds and kinds[-1] == b"IEND" and place == len(content)


def _fits(content: bytes, place: int) -> bool:
    width: int
    height: int
    width, height = struct.unpack_from(">II", content, place)
    return 0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE
