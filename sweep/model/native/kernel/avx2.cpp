// x86-64 with AVX2 and FMA. Built with those flags, or left empty where the compiler has none.
#if defined(__AVX2__) && defined(__FMA__)
#define SWEEP_SET avx2
#define SWEEP_BYTES 32
#define SWEEP_KERNELS avx2_kernels
#include "set.h"
#else
#include "kernels.h"
const Kernel* const avx2_kernels = nullptr;
#endif
