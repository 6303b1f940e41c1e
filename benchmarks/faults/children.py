"""Commands of `sweep` in forked processes: they start within milliseconds, as every module is imported already."""

import contextlib
import io
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
from PIL import Image

import sweep.api  # noqa: F401 - imported once, for all children
from sweep.cli import main
from sweep.report.page import page
from sweep.report.plots import trial as trial_plot


def _pixel() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (1, 1)).save(content, "PNG")
    return content.getvalue()


PIXEL = _pixel()


class Child:
    """A process in a session of its own, whose output goes to a file."""

    def __init__(self, work: Callable[[], object], log: Path) -> None:
        sys.stdout.flush()
        self.log = log
        self.pid = os.fork()
        if self.pid == 0:
            code = 70
            try:
                os.setsid()
                output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
                os.dup2(output, 1)
                os.dup2(output, 2)
                work()
                code = 0
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else 1
            except BaseException:
                traceback.print_exc()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def wait(self, seconds: float) -> int | None:
        """Return the exit code, negative for a signal; None if it still runs after the seconds."""
        until = time.monotonic() + seconds
        while True:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status)
            if time.monotonic() > until:
                return None
            time.sleep(0.002)

    def kill(self) -> None:
        """Kill all processes of its session."""
        with contextlib.suppress(ProcessLookupError):  # it has not begun its session yet
            os.killpg(self.pid, signal.SIGKILL)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)

    @property
    def left(self) -> list[int]:
        """Return the living processes of its session."""
        found = []
        for process in psutil.process_iter():
            try:
                if os.getsid(process.pid) == self.pid and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process.pid)
            except (ProcessLookupError, psutil.NoSuchProcess):
                continue
        return found


def command(words: Sequence[str], log: Path, prepare: Callable[[], object] = lambda: None) -> Child:
    """Start a command of `sweep` with pictures of one pixel; `prepare` is called in its process first."""

    def work() -> None:
        trial_plot.draw_trial = page.draw_trial = lambda *which, **what: PIXEL  # type: ignore[assignment]
        prepare()
        main(list(words))

    return Child(work, log)
