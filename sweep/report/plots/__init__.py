"""Pictures of trials and studies, as PNG bytes drawn with Agg.

The variable MPLBACKEND never matters: a notebook sets it for its shell commands, too, where its backend may be missing,
and then matplotlib cannot be imported. So the first import is made without it.
"""

import contextlib
import os
import sys

if "matplotlib" not in sys.modules and "MPLBACKEND" in os.environ:
    backend = os.environ.pop("MPLBACKEND")
    try:
        import matplotlib
    finally:
        os.environ["MPLBACKEND"] = backend
    with contextlib.suppress(ValueError):  # the backend is missing, and only pyplot needs it
        matplotlib.rcParams["backend"] = backend  # as its import does
