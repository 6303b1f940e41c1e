"""The address of a database server: what it must be, how it is shown, and what must never be shown."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from sweep.config.errors import UsageError

DRIVER = "postgresql+psycopg"
WANTED = f"wanted {DRIVER}://USER@HOST:PORT/DATABASE"
MASK = "***"


@dataclass(frozen=True)
class ServerAddress:
    """Where a database is. Its text, also in tracebacks, never contains the password."""

    url: URL = field(repr=False)

    def __str__(self) -> str:
        user = f"{self.url.username}@" if self.url.username else ""
        port = f":{self.url.port}" if self.url.port else ""
        return f"{user}{self.url.host or 'localhost'}{port}/{self.url.database or ''}"

    def connector(self, defaults: Mapping[str, Any]) -> Callable[[], Any]:
        """Return the function that connects.

        Args:
            defaults: arguments of the connection that the address need not give, by libpq's names.

        Raises:
            UsageError: psycopg is not installed.
        """
        try:
            import psycopg
        except ImportError as error:
            raise UsageError("--storage needs psycopg: pip install 'sweep[postgres]'") from error
        _, arguments = self.url.get_dialect()().create_connect_args(self.url)
        return lambda: psycopg.connect(**{**defaults, **arguments})

    def masked(self, text: str) -> str:
        """Return a text, such as a message of the server, without the password."""
        secrets = [self.url.password, self.url.query.get("password"), self.url.query.get("sslpassword")]
        for secret in secrets:
            if secret:
                text = text.replace(str(secret), MASK)
        return text


def server_address(text: str) -> ServerAddress:
    """Return the address that a text names.

    Raises:
        UsageError: it is not the address of a PostgreSQL database. The message contains no part of it.
    """
    if not text.startswith(f"{DRIVER}://"):
        raise UsageError(f"--storage: {WANTED}, got another kind of address")
    if text.partition("?")[0].count("@") > 1:  # the rest of such a password would be taken for a host
        raise UsageError(f"--storage: {WANTED}; in a password, write @ as %40 and % as %25")
    try:
        url = make_url(text)
        fits = bool(url.database) and re.fullmatch(r"[\w.:\-]*", url.host or "")
    except (ArgumentError, ValueError):  # such as a port that is not a number
        fits = None
    if not fits:
        raise UsageError(
            f"--storage: {WANTED}, got an address without database, or with another host or port"
        )
    return ServerAddress(url)
