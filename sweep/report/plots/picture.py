"""A picture that shows itself in a notebook."""

from pathlib import Path


class Picture(bytes):
    """A PNG: bytes that a notebook shows as a picture and that can be saved."""

    def _repr_png_(self) -> bytes:
        return bytes(self)

    def __repr__(self) -> str:
        return f"<PNG picture of {len(self):,} bytes>"

    def save(self, path: str | Path) -> Path:
        """Write the PNG to a file and return its path."""
        path = Path(path)
        path.write_bytes(self)
        return path
