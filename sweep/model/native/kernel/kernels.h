// What a translation unit compiled for one instruction set offers to engine.cpp.

#pragma once
#include "engine.h"

using Index = int64_t;

struct Kernel {
  Index (*tiles)(const SweepCall&);
  Index (*workspace)(const SweepCall&);
  void (*prepare)(const SweepCall&);           // once, before the tiles of the forward pass
  // with `place`, a piece of the workspace that no other tile uses between this tile's forward and backward pass
  void (*forward)(const SweepCall&, Index tile, Index place);
  void (*backward)(const SweepCall&, Index tile, Index place);
  void (*train)(const SweepCall&, Index tile, Index place);
  void (*finish_backward)(const SweepCall&);   // adds up the gradients of the tiles, in their order
  double (*squared_error)(const SweepCall&);   // the sum of the tiles' own, after `train`
  double (*multiply_adds)(Index rounds);       // returns something that depends on them
  Index multiply_adds_per_round;
};

/// Returns how many tiles run at a time, each with a thread of its own.
inline Index places_at_once(const SweepCall& call, Index tiles) {
  const Index wanted = call.threads > 1 ? call.threads : 1;
  return wanted < tiles ? wanted : tiles;
}

/// Null where the compiler could not build the set. [0]: float, [1]: double.
extern const Kernel* const baseline_kernels;
extern const Kernel* const avx2_kernels;
extern const Kernel* const avx512_kernels;
