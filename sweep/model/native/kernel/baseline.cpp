// What every processor of the platform runs: 128-bit vectors.
#define SWEEP_SET baseline
#define SWEEP_BYTES 16
#define SWEEP_KERNELS baseline_kernels
#include "set.h"
