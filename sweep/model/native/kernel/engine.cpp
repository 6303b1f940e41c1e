// Chooses the instruction set at run time and spreads tiles of the batch over threads.

#include <chrono>
#include <system_error>
#include <thread>
#include <vector>

#include "kernels.h"

namespace {

enum Instructions : int64_t { baseline, avx2, avx512 };

const Kernel& kernel(int64_t instructions, int64_t bytes) {
  const Kernel* set = baseline_kernels;
  if (instructions == avx2 && avx2_kernels) set = avx2_kernels;
  if (instructions == avx512 && avx512_kernels) set = avx512_kernels;
  return set[bytes == 8];
}

/// Runs every tile once, in a place of its own or in one per thread. Tiles share nothing that is written and read
/// later, so their order changes nothing. Tiles for which no thread can be started run here.
void over_tiles(const SweepCall& call, Index tiles, bool own_places, void (*run)(const SweepCall&, Index, Index)) {
  const Index threads = places_at_once(call, tiles);
  auto some = [&](Index first) {
    for (Index tile = first; tile < tiles; tile += threads) run(call, tile, own_places ? tile : first);
  };
  std::vector<std::thread> others;
  others.reserve(size_t(threads));
  for (Index thread = 1; thread < threads; ++thread) {
    try {
      others.emplace_back(some, thread);
    } catch (const std::system_error&) {
      some(thread);
    }
  }
  some(0);
  for (auto& other : others) other.join();
}

}  // namespace

extern "C" {

int64_t sweep_instructions(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (avx512_kernels && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
    return avx512;
  if (avx2_kernels && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return avx2;
#endif
  return baseline;
}

int64_t sweep_workspace(const SweepCall* call) { return kernel(call->instructions, call->bytes).workspace(*call); }

void sweep_forward(const SweepCall* call) {
  const Kernel& k = kernel(call->instructions, call->bytes);
  k.prepare(*call);
  over_tiles(*call, k.tiles(*call), true, k.forward);
}

void sweep_backward(const SweepCall* call) {
  const Kernel& k = kernel(call->instructions, call->bytes);
  over_tiles(*call, k.tiles(*call), true, k.backward);
  k.finish_backward(*call);
}

double sweep_train(const SweepCall* given) {
  SweepCall call = *given;
  call.d_outputs = call.outputs;  // the outputs are replaced by their gradient
  const Kernel& k = kernel(call.instructions, call.bytes);
  k.prepare(call);
  over_tiles(call, k.tiles(call), false, k.train);
  k.finish_backward(call);
  return k.squared_error(call);
}

double sweep_peak(int64_t instructions, int64_t bytes) {
  const Kernel& k = kernel(instructions, bytes);
  const Index rounds = 200000;
  double best = 0;  // over parts that are shorter than the time slices of an operating system
  for (int part = 0; part < 10; ++part) {
    const auto begin = std::chrono::steady_clock::now();
    volatile double sink = k.multiply_adds(rounds);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    (void)sink;
    const double rate = 2.0 * double(k.multiply_adds_per_round) * double(rounds) / taken.count();
    if (rate > best) best = rate;
  }
  return best;
}
}
