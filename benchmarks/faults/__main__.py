"""Run the fault matrix: `python -m benchmarks.faults [--quick]`, from the root of the repository."""

import os

os.environ.update(
    OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1"
)  # before torch: it forks

from benchmarks.faults.matrix import main

if __name__ == "__main__":
    main()
