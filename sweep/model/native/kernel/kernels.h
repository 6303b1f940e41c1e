// What a translation unit compiled for one instruction set offers to engine.cpp.

#pragma once
#include "engine.h"

using Index = int64_t;

struct Kernel {
  Index (*tiles)(const SweepCall&);
  Index (*workspace)(const SweepCall&);
  void (*prepare)(const SweepCall&);           // once, before the tiles of the forward pass
  void (*forward)(const SweepCall&, Index tile);
  void (*backward)(const SweepCall&, Index tile);
  void (*finish_backward)(const SweepCall&);   // adds up what the tiles found, in their order
  double (*multiply_adds)(Index rounds);       // returns something that depends on them
  Index multiply_adds_per_round;
};

/// Null where the compiler could not build the set. [0]: float, [1]: double.
extern const Kernel* const baseline_kernels;
extern const Kernel* const avx2_kernels;
extern const Kernel* const avx512_kernels;
