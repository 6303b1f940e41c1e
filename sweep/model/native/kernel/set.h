// The kernels of one instruction set. The including file sets SWEEP_SET (a namespace), SWEEP_BYTES (of a
// register) and SWEEP_KERNELS (what engine.cpp calls them), and is compiled with that set's flags. All code
// lies in an unnamed namespace and uses no library templates: what the linker could share between sets
// would run on processors that lack them.

#include "kernels.h"
#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

namespace SWEEP_SET {
namespace {

constexpr Index minimum(Index a, Index b) { return a < b ? a : b; }

#include "lanes.h"
#include "product.h"
#include "cells.h"
#include "network.h"

/// Treats numbers too small for full precision as zero while it lives: they cost a hundred times more, and
/// `sigmoid` relies on it.
struct FlushSubnormals {
#if defined(__SSE2__)
  unsigned before = _mm_getcsr();
  FlushSubnormals() { _mm_setcsr(before | 0x8040); }
  ~FlushSubnormals() { _mm_setcsr(before); }
#elif defined(__aarch64__)
  uint64_t before;
  FlushSubnormals() {
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" : : "r"(before | uint64_t(1) << 24));
  }
  ~FlushSubnormals() { __asm__ volatile("msr fpcr, %0" : : "r"(before)); }
#else
  FlushSubnormals() {}
#endif
};

template <class T>
struct Entry {
  template <class F>
  static void on(const SweepCall& call, F f) {
    FlushSubnormals flush;
    if (call.cell == 0)
      f(Network<T, LstmStep<T>>(call));
    else
      f(Network<T, GruStep<T>>(call));
  }
  static Index tiles(const SweepCall& c) {
    Index n = 0;
    on(c, [&](const auto& network) { n = network.tiles.parts; });
    return n;
  }
  static Index workspace(const SweepCall& c) {
    Index n = 0;
    on(c, [&](const auto& network) { n = network.bytes(); });
    return n;
  }
  static void prepare(const SweepCall& c) {
    on(c, [](const auto& network) { network.prepare(); });
  }
  static void forward(const SweepCall& c, Index tile, Index place) {
    on(c, [=](const auto& network) { network.forward(network.tile(tile, place)); });
  }
  static void backward(const SweepCall& c, Index tile, Index place) {
    on(c, [=](const auto& network) { network.backward(network.tile(tile, place)); });
  }
  static void train(const SweepCall& c, Index tile, Index place) {
    on(c, [=](const auto& network) {
      const auto here = network.tile(tile, place);
      network.forward(here);
      network.compare(here);
      network.backward(here);
    });
  }
  static double squared_error(const SweepCall& c) {
    double sum = 0;
    on(c, [&](const auto& network) { sum = network.squared_error(); });
    return sum;
  }
  static void finish_backward(const SweepCall& c) {
    on(c, [](const auto& network) { network.finish_backward(); });
  }

  /// Enough independent sums to hide the latency of a multiply-add, all in registers.
  static constexpr int sums = SWEEP_BYTES == 64 ? 24 : 12;
  static double multiply_adds(Index rounds) {
    volatile T known_later = T(0.5);  // sums whose numbers are known beforehand, compilers leave out
    const T unknown = known_later;
    Vec<T> sum[sums], factor = splat(T(1) - unknown), term = splat(unknown);
    for (int i = 0; i < sums; ++i) sum[i] = splat(unknown + T(i));
    for (Index round = 0; round < rounds; ++round) {
#pragma GCC unroll 24
      for (int i = 0; i < sums; ++i) sum[i] = sum[i] * factor + term;
    }
    double total = 0;
    for (int i = 0; i < sums; ++i) total += sum[i][0];
    return total;
  }

  static constexpr Kernel kernel{tiles, workspace,       prepare,       forward,       backward,
                                 train, finish_backward, squared_error, multiply_adds, sums * lanes<T>};
};

const Kernel both[2] = {Entry<float>::kernel, Entry<double>::kernel};

}  // namespace
}  // namespace SWEEP_SET

extern const Kernel* const SWEEP_KERNELS;
const Kernel* const SWEEP_KERNELS = SWEEP_SET::both;
