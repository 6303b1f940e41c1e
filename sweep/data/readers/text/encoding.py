"""The text of a file as UTF-8, whatever its encoding; other kinds of files are refused by what they seem to be."""

import codecs
import json
import re

from sweep.config.errors import DataError
from sweep.data.facts import Fact

# First bytes of other kinds of files, what they are, and what to do.
KINDS = (
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "save it as .xlsx or .csv"),
    (b"PAR1", "a Parquet file", "rename it to .parquet"),
    (b"ARROW1", "a Feather file", "rename it to .feather"),
    (b"FEA1", "a Feather file of version 1", "write it again as .parquet or .csv"),
    (b"\x93NUMPY", "an array of numpy", "rename it to .npy"),
    (b"MATLAB ", "a MATLAB file", "rename it to .mat"),
    (b"\x89HDF", "an HDF5 file or a MATLAB file of version 7.3", "export it as .csv"),
    (b"SQLite format 3", "an SQLite database", "export the table as .csv"),
    (b"%PDF", "a PDF document", "export the table as .csv"),
    (b"BZh", "compressed by bzip2", "unpack it"),
    (b"\xfd7zXZ", "compressed by xz", "unpack it"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd", "unpack it"),
)
HTML = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|\?xml)", re.IGNORECASE)
JSON = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:\{\s*\"|\[\s*[\[{])")
MARKS = (  # byte order marks; that of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
WORDS = {"utf-16-le": "UTF-16", "utf-16-be": "UTF-16", "cp1252": "Windows-1252", "latin-1": "Latin-1"}
CONTROL = bytes(
    sorted(set(range(32)) - set(b"\t\n\r\f\x1a\x1b"))
)  # not in text; tabs, line ends and the like are
BINARY = 0.01  # share of control characters from which a file is not text; our choice


def utf8_text(name: str, data: bytes, encoding: str) -> tuple[bytes, tuple[Fact, ...]]:
    """Return the text as UTF-8 without a byte order mark, and what was understood of its encoding.

    Args:
        name: of the file, for messages.
        data: content of the file, unpacked.
        encoding: the setting; empty is recognised.

    Raises:
        DataError: the file is not text, or not in the given encoding.
    """
    _require_text(name, data)
    if encoding:
        return _given(name, data, encoding)
    for mark, marked in MARKS:
        if data.startswith(mark):
            if marked == "utf-8":
                data = data[len(mark) :]
                break
            return _decoded(name, data, marked), _facts(marked)
    if b"\0" in data:
        wide = _wide(data)
        if not wide:
            raise DataError(
                f"{name}: contains NUL bytes, so that it is not text or damaged: export it again as .csv"
            )
        return _decoded(name, data, wide), _facts(wide)
    head = data[:65536]
    if len(head) - len(head.translate(None, CONTROL)) > BINARY * len(head):
        raise DataError(f"{name}: is not text but binary data: export it as .csv")
    try:
        if not data.isascii():
            data.decode("utf-8")
        return data, ()
    except UnicodeDecodeError as error:
        if not data[: error.start].isascii():
            line = data.count(b"\n", 0, error.start) + 1
            raise DataError(
                f"{name}, line {line}: text that is UTF-8 before is not UTF-8 here: correct the line, or set "
                'data.encoding = "cp1252", or another encoding, for the whole file'
            ) from None
    for guess in ("cp1252", "latin-1"):  # any bytes are Latin-1
        try:
            text = data.decode(guess)
            break
        except UnicodeDecodeError:
            continue
    return text.encode(), _facts(guess, guessed=True)


def _given(name: str, data: bytes, encoding: str) -> tuple[bytes, tuple[Fact, ...]]:
    try:
        text = _decoded(name, data, encoding)
        known = codecs.lookup(encoding).name
    except LookupError:
        raise DataError(
            f'data.encoding = {json.dumps(encoding)}: unknown: such as "utf-8", "utf-16", "latin-1" or "cp1252"'
        ) from None
    return text, () if known in ("utf-8", "utf-8-sig", "ascii") else _facts(encoding)


def _decoded(name: str, data: bytes, encoding: str) -> bytes:
    try:
        return data.decode(encoding).removeprefix("\ufeff").encode()
    except UnicodeError as error:
        raise DataError(
            f"{name}: not text of the encoding {encoding} ({error}): "
            "set data.encoding to that of the file, or save it as UTF-8"
        ) from None


def _facts(encoding: str, guessed: bool = False) -> tuple[Fact, ...]:
    return (
        Fact(
            "encoding", WORDS.get(encoding, encoding.upper()), f"encoding = {json.dumps(encoding)}", guessed
        ),
    )


def _wide(data: bytes) -> str:
    """Return the kind of UTF-16 by where its zero bytes are, or "" if it is something else."""
    head = data[:4096]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if len(data) % 2 or max(even, odd) < 0.3 * len(head[::2]) or min(even, odd) > 0.02 * len(head):
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


def _require_text(name: str, data: bytes) -> None:
    if not data[:1000].strip() and not data.strip():
        raise DataError(f"{name}: the file is empty: write the column names in the first line, values below")
    for first, kind, remedy in KINDS:
        if data.startswith(first):
            raise DataError(f"{name}: is not text, but seems to be {kind}: {remedy}")
    if data.startswith(b"PK\x03\x04"):
        excel = b"[Content_Types]" in data[:4096] or b"xl/workbook" in data
        kind, remedy = (
            ("an Excel workbook", "rename it to .xlsx") if excel else ("a zip archive", "unpack it")
        )
        raise DataError(f"{name}: is not text, but seems to be {kind}: {remedy}")
    for pattern, kind in ((HTML, "a web page or XML"), (JSON, "JSON")):
        if pattern.match(data[:1000]):
            raise DataError(f"{name}: is not a table, but seems to be {kind}: export the table as .csv")
