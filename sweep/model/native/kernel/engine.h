// The C interface of the recurrent engine: the struct that Python fills in, and the functions that it calls.
//
// All arrays are dense, row-major, of `bytes`-byte floating-point numbers. Null pointers mean "not given"
// or "not wanted". The functions hold no state and may be called from any thread. They check nothing: layers,
// hidden, inputs, batch and steps are at least 1, free_steps is below steps, and steps that are fed or outputs
// that are increments need as many inputs as outputs.

#pragma once
#include <cstdint>

extern "C" {

struct SweepCall {
  // --- shape
  int64_t bytes;             // of a number: 4 or 8
  int64_t cell;              // 0: LSTM, 1: GRU
  int64_t layers, hidden, inputs;
  int64_t dense;             // linear layers of the readout; 0: the outputs are the top layer's states
  const int64_t* sizes;      // their outputs
  int64_t tanh_between;      // between linear layers: 1 tanh, 0 ReLU
  int64_t relu_output;       // ReLU after the last
  int64_t increment;         // the readout is added to the first channels of the input
  int64_t batch, steps;
  int64_t free_steps;        // the last steps, fed with the forecast of the step before
  // --- how
  int64_t instructions;      // 0: baseline, 1: AVX2, 2: AVX-512
  int64_t threads;           // over tiles of the batch; the bits do not depend on it
  int64_t keep;              // 1: keep in the workspace what the backward pass needs
  void* workspace;           // `sweep_workspace` bytes, aligned to 64
  // --- forward
  const void* const* parameters;  // per layer w_ih, w_hh, b_ih, b_hh as torch has them; per linear layer w, b;
                                  // only the forward pass reads them
  const void* x;                  // (batch, steps, inputs)
  const void* state[2];           // h and c, (layers, batch, hidden); null: zeros
  void* outputs;                  // (batch, steps, output)
  void* last[2];                  // state after the last step; may be null
  void* trace[2];                 // state after every step, (steps, layers, batch, hidden)
  // --- backward
  const void* d_outputs;
  const void* d_last[2];
  void* const* d_parameters;
  void* d_x;
  void* d_state[2];
  // --- training
  const void* targets;            // (batch, steps, output); given to `sweep_train` alone, whose workspace is smaller
  int64_t burn_in;                // first steps whose errors do not count; below steps
  double weight;                  // of the mean squared error
};

/// Returns the best instruction set of this processor that was built; lower ones serve, too.
int64_t sweep_instructions(void);
/// Returns the bytes of workspace that a call needs.
int64_t sweep_workspace(const SweepCall*);
/// Fills outputs, last, trace.
void sweep_forward(const SweepCall*);
/// After a forward call with `keep` and the same workspace: fills the gradients.
void sweep_backward(const SweepCall*);
/// With `keep`, `targets` and `outputs`: returns `weight` times the mean squared error and adds its gradient to what
/// d_parameters holds; the outputs become its gradient. Tile after tile goes forward and back, so that a thread has one
/// history in memory at a time. No states, and no gradients but those of the parameters.
double sweep_train(const SweepCall*);
/// Runs fused multiply-adds on registers for some milliseconds; returns the peak in FLOP per second.
double sweep_peak(int64_t instructions, int64_t bytes);
}
