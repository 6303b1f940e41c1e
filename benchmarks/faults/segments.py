"""Faults inside a segment, such as errors and crashes: that trial fails with the reason, the others are unaffected."""

import os
import resource
import shutil
from pathlib import Path

import torch

from benchmarks.faults.children import Child, command
from benchmarks.faults.studies import SECONDS, Place
from benchmarks.faults.table import Table
from sweep.cli import main
from sweep.config.records import TrialRecord
from tests.support.attack import comparable, sound

TRIALS = 8
SETTINGS = (
    "search.sampler='random'", "pruning.enabled=false",
    "space.optimizer={adam={lr={log=[1e-3,1e-2]}},faulty={lr={log=[1e-3,1e-2]}}}",
)  # fmt: skip
PLUGIN = """
import asyncio, ctypes, os, sys
import torch
from sweep.extend import LogUniform, OptimizerSpec

class Odd(Exception):
    def __init__(self, one, two):
        super().__init__("cannot be unpickled")

def fault():
    {fault}

class Faulty(torch.optim.Adam):
    def step(self, closure=None):
        fault()
        return super().step(closure)

def make(params, settings, decay):
    return Faulty(params, lr=settings["lr"])

FAULTY = OptimizerSpec(
    name="faulty", make=make, defaults={{"lr": 1e-3}}, space={{"lr": LogUniform(1e-3, 1e-2)}}, source="none"
)
"""
# What the segment does, the executors that it is tried on, and a part of the reason that must be stored.
FAULTS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "an exception": ("raise ValueError('bad')", ("inline", "loky"), "ValueError: bad"),
    "SystemExit": ("sys.exit(3)", ("inline", "loky"), "sys.exit(3)"),
    "a BaseException": ("raise asyncio.CancelledError('off')", ("inline", "loky"), "CancelledError: off"),
    "an error that cannot travel": ("raise Odd(1, 2)", ("loky",), "Odd: cannot be unpickled"),
    "MemoryError": ("raise MemoryError", ("inline", "loky"), "out of memory"),
    "torch out of memory": ("torch.empty(1 << 60)", ("inline",), "out of memory"),
    "exit of C": ("os._exit(1)", ("loky",), "its worker process died"),
    "a segfault": ("ctypes.string_at(0)", ("loky",), "SIGSEGV"),
    "RLIMIT_AS": ("bytearray(1 << 40)", ("loky",), "out of memory"),
}
QUICK = ("SystemExit", "a BaseException")


def fail_in_segments(folder: Path, quick: bool, table: Table) -> None:
    """Try every fault on one optimizer of two; the trials of the other one must be those of a study without it."""
    sane = _records(folder / "sane", "pass", "inline")
    expected = {r.number: comparable(r) for r in sane if r.params["optimizer"] == "adam"}
    assert 0 < len(expected) < TRIALS, "both optimizers must be drawn"
    for name, (fault, executors, reason) in FAULTS.items():
        if quick and name not in QUICK:
            continue
        row = table.row("7" if "memory" in reason else "6", f"{name} in a segment")
        for executor in executors[: 1 if quick else None]:
            row.attempts += TRIALS - len(expected)
            try:
                records = _records(folder / f"{name}-{executor}".replace(" ", "-"), fault, executor)
                for record in records:
                    if record.number in expected:
                        assert comparable(record) == expected[record.number], f"trial {record.number} differs"
                    else:
                        assert record.state == "failed", f"trial {record.number} is {record.state}"
                        assert reason in str(record.reason), f"trial {record.number} failed: {record.reason}"
            except AssertionError as error:
                row.loss(f"{executor}: {error}")


def _records(path: Path, fault: str, executor: str) -> list[TrialRecord]:
    place = Place(path).prepare()
    plugin = place.path.parent / f"{path.name}.py"
    plugin.write_text(PLUGIN.format(fault=fault))
    words = [word for setting in SETTINGS for word in ("--set", setting)]
    words = [*place.words("run"), *words, "--plugin", str(plugin), "--executor", executor, "--workers", "2"]
    child = command(words, place.log)
    code = child.wait(SECONDS)
    if code is None:
        child.kill()
    assert code == 0, f"it ended with {code}: {place.printed[-300:]}"
    assert not child.left, "processes are left"
    assert "Traceback" not in place.printed, "a traceback was printed"
    return sound(place.study, TRIALS)


def fork_after_threads(folder: Path, quick: bool, table: Table) -> None:
    """Row 16: a program that has used torch with threads forks, and its child runs a study."""
    row = table.row("16", "fork after torch has used threads")
    for executor in ("inline",) if quick else ("inline", "loky"):
        row.attempts += 1
        place = Place(folder / f"forked-{executor}").prepare()

        def work(place: Place = place, executor: str = executor) -> None:
            torch.set_num_threads(4)
            layer = torch.nn.LSTM(128, 128)
            layer(torch.ones(20, 64, 128))[0].sum().backward()
            pid = os.fork()
            if pid == 0:
                code = 70
                try:
                    main([*place.words("run"), "--executor", executor, "--workers", "2"])
                except SystemExit as end:
                    code = end.code if isinstance(end.code, int) else 1
                os._exit(code)
            raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

        child = Child(work, place.log)
        code = child.wait(SECONDS)
        if code is None:
            child.kill()
        if code != 0:
            row.loss(f"{executor}: {'it hangs' if code is None else f'it ended with {code}'}")


def short_of_memory(folder: Path, quick: bool, table: Table) -> None:
    """Row 7: a driver with little address space says so in one line and is resumed."""
    row = table.row("7", "RLIMIT_AS of a driver")
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    for more in (8,) if quick else (8, 64, 256):
        row.attempts += 1
        place = Place(folder / f"limit-{more}").prepare()
        limit = used + more * (1 << 20)
        child = command(
            place.words("run"), place.log,
            lambda limit=limit: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
        )  # fmt: skip
        code = child.wait(SECONDS)
        try:
            if code is None:
                child.kill()
            assert code in (0, 1, 3), f"{more} MB more: it ended with {code}: {place.printed[-200:]}"
            assert "Traceback" not in place.printed, f"{more} MB more: a traceback was printed"
            if code == 0:
                shutil.rmtree(place.path)
        except AssertionError as error:
            row.loss(str(error))
