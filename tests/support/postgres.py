"""A PostgreSQL server of the tests' own: unprivileged, on a free port, in a temporary folder."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.support.dask_cluster import free_port
from tests.support.waiting import wait_for

PASSWORD = "not/for?eyes%"  # of the role "admin"; in a URL these characters are encoded
ENCODED = "not%2Ffor%3Feyes%25"
DEBIAN = Path("/usr/lib/postgresql")


def binaries() -> Path:
    """Return the folder of PostgreSQL's programs; without one the test is skipped, on CI for Linux it fails."""
    elsewhere = shutil.which("initdb")
    folders = [Path(elsewhere).parent] if elsewhere else []
    folders += sorted(DEBIAN.glob("*/bin"), key=lambda folder: int(folder.parent.name))  # the newest last
    folders = [folder for folder in folders if (folder / "postgres").exists()]
    if not folders:
        if "CI" in os.environ and sys.platform == "linux":
            pytest.fail("PostgreSQL is missing: apt-get install postgresql")
        pytest.skip("PostgreSQL is not installed")
    return folders[-1]


class Postgres:
    """A server with the role "admin" and the database "postgres"."""

    def __init__(self) -> None:
        self.programs = binaries()
        self.folder = Path(tempfile.mkdtemp(prefix="sweep-postgres-"))
        self.user: dict[str, Any] = {}
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            account = next((a for a in pwd.getpwall() if a.pw_name == "postgres"), pwd.getpwnam("nobody"))
            self.user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        (self.folder / "password").write_text(PASSWORD)
        words = ["-U", "admin", "--auth=scram-sha-256", "--pwfile", self.folder / "password", "--no-sync"]
        self._run("initdb", "-D", self.folder / "data", *words, "-E", "UTF8", "--locale=C")

    def url(self, user: str = "admin", password: str = ENCODED, database: str = "postgres") -> str:
        return f"postgresql+psycopg://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        settings = ["listen_addresses=127.0.0.1", f"unix_socket_directories={self.folder}", "fsync=off"]
        self._process = subprocess.Popen(
            [
                self.programs / "postgres", "-D", self.folder / "data", "-p", str(self.port),
                *(word for setting in settings for word in ("-c", setting)),
            ],
            cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self.user,
        )  # fmt: skip
        wait_for(self._answers, 60, "PostgreSQL")

    def stop(self) -> None:
        """Stop at once, as by a power cut, with the connections that are open."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(30)
            self._process = None

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        """Return the rows of a statement that admin executes."""
        import psycopg

        with psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user="admin",
            password=PASSWORD,
            dbname="postgres",
            autocommit=True,
        ) as connection:
            cursor = connection.execute(statement)  # type: ignore[call-overload]
            return list(cursor) if cursor.description else []

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def _answers(self) -> bool:
        import psycopg

        with contextlib.suppress(psycopg.OperationalError):
            self.execute("SELECT 1")
            return True
        return False

    def _run(self, program: str, *words: Any) -> None:
        subprocess.run(
            [self.programs / program, *words],
            cwd=self.folder, check=True, stdout=subprocess.DEVNULL, **self.user,
        )  # fmt: skip
