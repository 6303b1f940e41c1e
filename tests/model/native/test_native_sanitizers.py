"""The kernel's own test program, under the address and undefined-behaviour sanitizers, on every instruction set."""

import os
import platform
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sweep.model.native.library import instruction_sets

KERNEL = Path(__file__).parents[3] / "sweep/model/native/kernel"
PROGRAM = Path(__file__).with_name("kernel_test.cpp")
# with -O1 the compiler takes five times as long over the checks, more than the program then saves
COMMON = ["-std=gnu++17", "-O0", "-fno-sanitize-recover=all"]
SETS = {  # as in setup.py
    "avx2": ["-mavx2", "-mfma"],
    "avx512": ["-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl", "-mfma"],
}
EMULATED = {  # where the processor has AVX2 alone: the code for AVX-512, its few intrinsics as loops
    "avx512": [
        "-O1",  # loops that are not optimised would run for minutes
        "-fexpensive-optimizations",  # fuses multiply-adds, as the quotient needs
        "-fno-sanitize=undefined",  # which the same source has with the other sets: half a minute of compilation
        f"-I{Path(__file__).with_name('emulated')}",
        *SETS["avx2"],
        *(f"-D__AVX512{part}__" for part in ("F", "DQ", "BW", "VL")),
        "-Wno-psabi",
    ],
    "engine": ["-D__builtin_cpu_supports(name)=1"],
}


# Checks of memory as calls: written out, they take the compiler three times as long.
CALLS = ["--param", "asan-instrumentation-with-call-threshold=0"]  # of g++


def compiler() -> str:
    path = os.environ.get("CXX") or shutil.which("g++") or shutil.which("clang++")
    assert path, "the kernel's sanitizer tests need g++ or clang++"
    return path


def cores() -> int:
    """Return this process's share of the cores, of which other tests take theirs."""
    return max(1, (os.cpu_count() or 1) // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


def built(folder: Path, sanitizers: str) -> Path:
    """Return the test program, compiled with the kernel's sources side by side."""
    intel = platform.machine().lower() in ("x86_64", "amd64")
    sets = {**SETS, **EMULATED} if instruction_sets()[-1] == "avx2" else SETS
    sanitize = f"-fsanitize={sanitizers}"

    def compiled(source: Path) -> Path:
        object_file = folder / f"{source.stem}.o"
        flags = [*COMMON, sanitize, *(sets.get(source.stem, []) if intel else [])]
        flags += CALLS if sets.get(source.stem, [""])[0] == "-O1" and "clang" not in compiler() else []
        command = [compiler(), *flags, f"-I{KERNEL}", "-c", source, "-o", object_file]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return object_file

    with ThreadPoolExecutor(cores()) as pool:
        objects = list(pool.map(compiled, [*sorted(KERNEL.glob("*.cpp")), PROGRAM]))
    program = folder / "kernel_test"
    subprocess.run([compiler(), sanitize, *objects, "-o", program, "-pthread"], check=True)
    return program


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.skipif(sys.platform == "win32", reason="the kernel is not built on Windows")
def test_the_kernel_keeps_within_its_memory_and_defined_behaviour(tmp_path: Path):
    program = built(tmp_path, "address,undefined")
    done = subprocess.run([program], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert " shapes, 0 failures" in done.stdout
    if instruction_sets()[-1].startswith("avx"):
        assert done.stdout.startswith("3 instruction sets")  # one of them emulated, where it is not there
