"""Reading tables that are text: encoding, dialect, header and the writing of numbers are recognised."""

from sweep.data.readers.text.read import read_text

__all__ = ["read_text"]
