"""The command line: click parses, one function of the API works, the result is printed."""

from sweep.cli.main import main

__all__ = ["main"]
