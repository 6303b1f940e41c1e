// x86-64 with AVX-512 F, DQ, BW and VL. Built with those flags, or left empty where the compiler has none.
#if defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512BW__) && defined(__AVX512VL__)
#define SWEEP_SET avx512
#define SWEEP_BYTES 64
#define SWEEP_KERNELS avx512_kernels
#include "set.h"
#else
#include "kernels.h"
const Kernel* const avx512_kernels = nullptr;
#endif
