"""Which rules a diagnosis was made by: a digest of the rules themselves, so that none can change unnoticed."""

import functools
import hashlib
from pathlib import Path

HOME = Path(__file__).parent


@functools.cache
def rules_version(home: Path = HOME) -> str:
    """Return 12 hexadecimal digits that differ wherever the code or the weights of diagnoses differ.

    Of every source file and JSON file of this package, names and contents, whatever the line ends.

    Args:
        home: folder of the package.
    """
    digest = hashlib.sha256()
    paths = [path for path in home.rglob("*") if path.suffix in (".py", ".json")]
    for path in sorted(paths, key=lambda path: path.relative_to(home).as_posix()):
        digest.update(path.relative_to(home).as_posix().encode() + b"\0")
        digest.update(path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return digest.hexdigest()[:12]
