"""Faults of the disk, full or failing when it syncs: one clear line, what was stored stays, a resume completes it."""

import errno
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.faults.children import command
from benchmarks.faults.studies import SECONDS, Place, check
from benchmarks.faults.table import Table
from sweep.store import StudyFolder
from tests.support.attack import comparable

# Lets one call of write or fsync on a file of the results fail, for SQLite's C code as for Python's. The count starts
# anew in every process; FAULT_AT is the number of the first call that fails, and all later ones fail, too.
SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/types.h>
static int calls;
static int fails(int fd, const char *name) {
    const char *wanted = getenv("FAULT_CALL"), *folder = getenv("FAULT_FOLDER"), *at = getenv("FAULT_AT");
    if (!wanted || !folder || !at || !strstr(wanted, name)) return 0;
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0) return 0;
    path[n] = 0;
    if (strncmp(path, folder, strlen(folder))) return 0;
    return ++calls >= atoi(at);
}
#define NUMBER (atoi(getenv("FAULT_ERRNO")))
ssize_t write(int fd, const void *b, size_t n) {
    if (fails(fd, "write")) { errno = NUMBER; return -1; }
    return ((ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write"))(fd, b, n);
}
ssize_t pwrite64(int fd, const void *b, size_t n, off64_t o) {
    if (fails(fd, "write")) { errno = NUMBER; return -1; }
    return ((ssize_t (*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64"))(fd, b, n, o);
}
int fsync(int fd) {
    if (fails(fd, "fsync")) { errno = NUMBER; return -1; }
    return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}
int fdatasync(int fd) {
    if (fails(fd, "fsync")) { errno = NUMBER; return -1; }
    return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd);
}
"""
FAULTS = {
    "12": ("EIO when a file is synced", "fsync", errno.EIO, "Input/output error", 30),
    "11": ("a full disk", "write", errno.ENOSPC, "No space left", 120),
}
ROOT = Path(__file__).resolve().parents[2]


def failing_disk(reference: Place, folder: Path, attempts: int, seed: int, table: Table) -> None:
    """Rows 11 and 12: from a random call on, every write or sync in the study's folder fails."""
    shim = folder / "shim.so"
    source = folder / "shim.c"
    source.write_text(SHIM)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", shim, source, "-ldl"], check=True)
    for number, (name, call, code, text, most) in FAULTS.items():
        row, chance = table.row(number, name), random.Random(f"{seed}/{number}")
        for attempt in range(attempts):
            row.attempts += 1
            at = chance.randint(1, most)
            place = Place(folder / f"disk-{number}-{attempt}").prepare()
            try:
                _fail_once(place, shim, call, code, text, at)
                known = _settled(place)
                place.finish("run")
                after = _settled(place)
                assert {n: after.get(n) for n in known} == known, "a result that was stored has changed"
                check(place, reference, ("run",))
                shutil.rmtree(place.path)
            except AssertionError as error:
                row.loss(f"from call {at} on: {str(error).splitlines()[0]}")


def _fail_once(place: Place, shim: Path, call: str, code: int, text: str, at: int) -> None:
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "LD_PRELOAD": str(shim), "FAULT_CALL": call, "FAULT_AT": str(at),
        "FAULT_ERRNO": str(code), "FAULT_FOLDER": str(place.results),
    }  # fmt: skip
    words = [sys.executable, "-c", "from sweep.cli import main; main()", *place.words("run")]
    done = subprocess.run(
        words,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=SECONDS,
    )
    place.log.write_text(done.stderr)
    if done.returncode == 0:
        return  # it needed fewer calls
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert done.returncode == 1, f"it ended with {done.returncode}: {done.stderr[-200:]}"
    assert "Traceback" not in done.stderr, "a traceback was printed"
    assert len(errors) == 1, f"not one line with the error: {done.stderr[-200:]}"
    assert str(place.results) in errors[0], f"the path is not named: {errors[0]}"
    assert text.lower() in errors[0].lower() or "full" in errors[0] or "I/O" in errors[0], errors[0]


def _settled(place: Place) -> dict[int, object]:
    records = StudyFolder(place.study).readable_records()[0]
    return {record.number: comparable(record) for record in records if record.settled}


def copied(reference: Place, folder: Path, wanted: int, seed: int, table: Table) -> None:
    """Row 14: copies of the folder at random moments of a run; each is resumed or at least opened."""
    row, chance = table.row("14", "a copy at a random moment of a run"), random.Random(seed)
    made = 0
    while made < wanted:
        place = Place(folder / f"copied-{made}").prepare()
        child = command(place.words("run"), place.log)
        copies: list[tuple[Path, dict[int, object]]] = []
        while child.wait(chance.expovariate(1 / 0.1)) is None and made < wanted:
            before = _settled(place)
            copy = folder / f"copy-{made}"
            _copy(place.path, copy)
            copies.append((copy, before))
            made += 1
        child.wait(SECONDS)
        for copy, before in copies:
            row.attempts += 1
            try:
                Place(copy).finish("run")
                check(Place(copy), reference, ("run",))
                after = _settled(Place(copy))
                assert {n: after.get(n) for n in before} == before, (
                    "an acknowledged trial is missing or changed"
                )
                shutil.rmtree(copy)
            except AssertionError as error:
                row.loss(str(error).splitlines()[0])
        shutil.rmtree(place.path)


def _copy(source: Path, target: Path) -> None:
    """Copy a folder that changes meanwhile, as `cp -r` does it: files that vanish are left out."""
    for path in [source, *sorted(source.rglob("*"))]:
        there = target / path.relative_to(source)
        try:
            if path.is_dir():
                there.mkdir(exist_ok=True)
            else:
                shutil.copyfile(path, there)
        except FileNotFoundError:
            continue
