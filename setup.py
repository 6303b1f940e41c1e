"""Builds the native engine beside the package; everything else about the package is in setup.cfg.

The kernel is C++17 without Python or torch headers, one source per instruction set. Where there is no
compiler the package installs without it, and torch computes the networks.
"""

import os
import platform

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError

KERNEL = "sweep/model/native/kernel"
SOURCES = [f"{KERNEL}/{name}.cpp" for name in ("engine", "baseline", "avx2", "avx512")]
DEPENDS = [
    f"{KERNEL}/{name}.h" for name in ("engine", "kernels", "set", "lanes", "product", "cells", "network")
]
# gnu++17 leaves it to the compiler what is fused to multiply-adds. With -ffp-contract=fast clang's choice hangs on the
# code around: a forward pass with a way back would have other last bits than one without
COMMON = ["-std=gnu++17", "-O3", "-g0"]
FLAGS = {
    "avx2": ["-mavx2", "-mfma"],
    "avx512": ["-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl", "-mfma"],
}
LOST = (
    "sweep: the native engine could not be built ({error}). Torch computes the networks instead: "
    "GRUs and float64 train about ten times slower, LSTMs two times. A C++17 compiler (gcc or clang) mends it."
)


class BuildKernel(build_ext):
    """Compiles each instruction set with its own flags, and lets the package do without the engine."""

    def run(self) -> None:
        """Build, or say what is lost."""
        try:
            super().run()
        except Exception as error:
            print(LOST.format(error=error))

    def build_extension(self, extension: Extension) -> None:
        """Compile each source with the flags of its instruction set, and link."""
        intel = platform.machine().lower() in ("x86_64", "amd64")
        compile_one = self.compiler.compile

        def compile_each(sources, *args, extra_postargs=None, **kwargs):  # type: ignore[no-untyped-def]
            objects = []
            for source in sources:
                name = source.rsplit("/", 1)[-1].removesuffix(".cpp")
                flags = [*(extra_postargs or []), *(FLAGS.get(name, []) if intel else [])]
                try:
                    objects += compile_one([source], *args, extra_postargs=flags, **kwargs)
                except CompileError:
                    if not FLAGS.get(name):
                        raise
                    # a compiler that does not know this set: its source then says that it is not there
                    objects += compile_one([source], *args, extra_postargs=extra_postargs, **kwargs)
            return objects

        self.compiler.compile = compile_each
        try:
            super().build_extension(extension)
        except Exception as error:
            print(LOST.format(error=error))


if (
    platform.system() == "Darwin"
):  # one architecture: the flags of the other's instruction sets would not compile
    os.environ.setdefault("ARCHFLAGS", f"-arch {platform.machine()}")

setup(
    ext_modules=[
        Extension(
            "sweep.model.native._kernel",
            SOURCES,
            depends=DEPENDS,
            language="c++",
            extra_compile_args=COMMON,
            extra_link_args=["-pthread"],
            optional=True,
        )
    ],
    cmdclass={"build_ext": BuildKernel},
)
