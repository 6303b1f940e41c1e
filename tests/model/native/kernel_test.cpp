// Calls the kernel's C interface over many shapes with buffers of exactly the right size, for sanitizers to
// watch; see test_native_sanitizers.py. Checks that everything is written, that gradients are those of
// finite differences, that float agrees with double, and that the processor's state is left as it was.

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <memory>
#include <vector>

#include "engine.h"

namespace {

struct Shape {
  int64_t cell, layers, hidden, inputs;
  std::vector<int64_t> sizes;
  int64_t tanh_between, relu_output, increment, batch, steps, free_steps, threads;
  int64_t gates() const { return cell == 0 ? 4 : 3; }
  int64_t parts() const { return cell == 0 ? 2 : 1; }
  int64_t outputs() const { return sizes.empty() ? hidden : sizes.back(); }
};

int failures = 0;

void expect(bool good, const Shape& s, int64_t set, const char* what, double value) {
  if (good) return;
  ++failures;
  std::printf("%s: %g (cell %lld layers %lld hidden %lld inputs %lld dense %zu batch %lld steps %lld free %lld set %lld)\n",
              what, value, (long long)s.cell, (long long)s.layers, (long long)s.hidden, (long long)s.inputs,
              s.sizes.size(), (long long)s.batch, (long long)s.steps, (long long)s.free_steps, (long long)set);
}

/// Numbers between -1 and 1 that are the same everywhere.
struct Source {
  uint64_t state;
  double operator()() {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return double(int64_t(state >> 11)) / double(int64_t(1) << 52) - 1.0;
  }
};

/// An array of its own on the heap, so that one number too far is noticed on either side.
template <class T>
struct Array {
  int64_t size;
  std::unique_ptr<T[]> numbers;
  explicit Array(int64_t size) : size(size), numbers(new T[size_t(size)]) {
    for (int64_t i = 0; i < size; ++i) numbers[size_t(i)] = std::numeric_limits<T>::quiet_NaN();
  }
  Array(int64_t size, Source& source, double scale) : Array(size) {
    for (int64_t i = 0; i < size; ++i) numbers[size_t(i)] = T(float(scale * source()));
  }
  T& operator[](int64_t i) { return numbers[size_t(i)]; }
};

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};

/// A call, its inputs, and what came out.
template <class T>
struct Run {
  const Shape& shape;
  int64_t set;
  std::vector<Array<T>> parameters, d_parameters, state, d_state, last, d_last, trace;
  Array<T> x, outputs, d_outputs, d_x;

  Run(const Shape& s, int64_t set, uint64_t seed)
      : shape(s), set(set), x(0), outputs(s.batch * s.steps * s.outputs()),
        d_outputs(0), d_x(s.batch * s.steps * s.inputs) {
    Source source{seed};
    auto parameter = [&](int64_t count, double width) {
      parameters.emplace_back(count, source, 1.0 / std::sqrt(width));
      d_parameters.emplace_back(count);
    };
    const int64_t rows = s.gates() * s.hidden, units = s.layers * s.batch * s.hidden;
    for (int64_t layer = 0; layer < s.layers; ++layer) {
      parameter(rows * (layer ? s.hidden : s.inputs), double(s.hidden));
      parameter(rows * s.hidden, double(s.hidden));
      parameter(rows, double(s.hidden));
      parameter(rows, double(s.hidden));
    }
    int64_t width = s.hidden;
    for (const int64_t size : s.sizes) {
      parameter(size * width, double(width));
      parameter(size, double(width));
      width = size;
    }
    x = Array<T>(s.batch * s.steps * s.inputs, source, 2.0);
    d_outputs = Array<T>(outputs.size, source, 1.0);
    for (int64_t part = 0; part < s.parts(); ++part) {
      state.emplace_back(units, source, 1.0), d_state.emplace_back(units);
      d_last.emplace_back(units, source, 1.0), last.emplace_back(units);
      trace.emplace_back(s.steps * units);
    }
  }

  /// Runs forward, and backward if `keep`; with targets a training step instead, whose loss it returns.
  double operator()(bool keep, bool traced, bool bare, Array<T>* targets = nullptr, int64_t burn_in = 0) {
    const Shape& s = shape;
    SweepCall c{};
    c.bytes = sizeof(T), c.cell = s.cell, c.layers = s.layers, c.hidden = s.hidden, c.inputs = s.inputs;
    c.dense = int64_t(s.sizes.size()), c.sizes = s.sizes.data();
    c.tanh_between = s.tanh_between, c.relu_output = s.relu_output, c.increment = s.increment;
    c.batch = s.batch, c.steps = s.steps, c.free_steps = s.free_steps;
    c.instructions = set, c.threads = s.threads, c.keep = keep;
    std::vector<const void*> in;
    std::vector<void*> out;
    for (auto& p : parameters) in.push_back(p.numbers.get());
    for (auto& p : d_parameters) out.push_back(p.numbers.get());
    c.parameters = in.data(), c.x = x.numbers.get(), c.outputs = outputs.numbers.get();
    for (size_t part = 0; part < state.size(); ++part) {
      c.state[part] = bare ? nullptr : state[part].numbers.get();
      c.last[part] = targets ? nullptr : last[part].numbers.get();
      c.trace[part] = traced ? trace[part].numbers.get() : nullptr;
      c.d_last[part] = bare ? nullptr : d_last[part].numbers.get();
      c.d_state[part] = bare ? nullptr : d_state[part].numbers.get();
    }
    if (targets) c.targets = targets->numbers.get(), c.burn_in = burn_in, c.weight = 0.5;
    const int64_t bytes = sweep_workspace(&c);
    const std::unique_ptr<void, Free> workspace(std::aligned_alloc(64, size_t(bytes)));
    for (int64_t i = 0; i < bytes; ++i) static_cast<unsigned char*>(workspace.get())[i] = 0xFF;  // NaN
    c.workspace = workspace.get();
    c.d_parameters = out.data();
    if (targets) {
      c.d_outputs = c.outputs;
      for (auto& p : d_parameters)
        for (int64_t i = 0; i < p.size; ++i) p[i] = T(0);
      return sweep_train(&c);
    }
    sweep_forward(&c);
    if (!keep) return 0;
    c.d_outputs = d_outputs.numbers.get();
    c.d_x = bare ? nullptr : d_x.numbers.get();
    sweep_backward(&c);
    return 0;
  }

  /// The sum whose gradients `d_outputs` and `d_last` ask for.
  double value() {
    double sum = 0;
    for (int64_t i = 0; i < outputs.size; ++i) sum += double(outputs[i]) * double(d_outputs[i]);
    for (size_t part = 0; part < last.size(); ++part)
      for (int64_t i = 0; i < last[part].size; ++i) sum += double(last[part][i]) * double(d_last[part][i]);
    return sum;
  }

  /// Inputs and their gradients.
  std::vector<std::pair<Array<T>*, Array<T>*>> leaves() {
    std::vector<std::pair<Array<T>*, Array<T>*>> all{{&x, &d_x}};
    for (size_t i = 0; i < parameters.size(); ++i) all.emplace_back(&parameters[i], &d_parameters[i]);
    for (size_t i = 0; i < state.size(); ++i) all.emplace_back(&state[i], &d_state[i]);
    return all;
  }
};

template <class T>
bool finite(Array<T>& array) {
  for (int64_t i = 0; i < array.size; ++i)
    if (!std::isfinite(double(array[i]))) return false;
  return true;
}

double smallest = 5e-324;

void check(const Shape& shape, int64_t set) {
  Run<double> run(shape, set, 7);
  run(true, true, false);
  expect(finite(run.outputs), shape, set, "outputs not written", 0);
  for (auto& part : run.last) expect(finite(part), shape, set, "last not written", 0);
  for (auto& part : run.trace) expect(finite(part), shape, set, "trace not written", 0);
  Run<double> forgetful(shape, set, 7);
  forgetful(false, true, false);
  for (int64_t i = 0; i < run.outputs.size; ++i)
    expect(forgetful.outputs[i] == run.outputs[i], shape, set, "other outputs without a way back", double(i));
  volatile double one = 1.0;
  expect(smallest * one > 0, shape, set, "subnormal numbers are flushed outside the kernel", 0);

  Run<float> single(shape, set, 7);
  single(true, true, false);
  double largest = 1, apart = 0;
  for (int64_t i = 0; i < run.outputs.size; ++i) {
    largest = std::fmax(largest, std::fabs(run.outputs[i]));
    apart = std::fmax(apart, std::fabs(run.outputs[i] - double(single.outputs[i])));
  }
  expect(apart < 1e-4 * largest, shape, set, "float is far from double", apart);

  // along a random direction through all inputs at once, the gradient is what two values differ by
  const double step = 1e-6;
  Run<double> up(shape, set, 7), down(shape, set, 7);
  auto leaves = run.leaves(), above = up.leaves(), below = down.leaves();
  Source source{99};
  double wanted = 0, size = 0;
  for (size_t leaf = 0; leaf < leaves.size(); ++leaf) {
    expect(finite(*leaves[leaf].second), shape, set, "gradient not written", double(leaf));
    expect(finite(*single.leaves()[leaf].second), shape, set, "float gradient not written", double(leaf));
    for (int64_t i = 0; i < leaves[leaf].first->size; ++i) {
      const double direction = source();
      (*above[leaf].first)[i] += step * direction;
      (*below[leaf].first)[i] -= step * direction;
      wanted += direction * (*leaves[leaf].second)[i];
      size += std::fabs(direction * (*leaves[leaf].second)[i]);
    }
  }
  up(false, false, false), down(false, false, false);
  const double came = (up.value() - down.value()) / (2 * step);
  expect(std::fabs(came - wanted) <= 1e-6 * (1 + size), shape, set, "gradient is not the difference", came - wanted);

  run(true, false, true);  // no states, no gradients of inputs: no null pointer is followed
  expect(finite(run.outputs), shape, set, "outputs not written without a state", 0);

  // a training step is the same with the loss's own gradient of the outputs
  Run<double> trained(shape, set, 7);
  const int64_t burn_in = shape.steps / 3, width = shape.outputs(), row = shape.steps * width;
  Array<double> targets(run.outputs.size, source, 1.0);
  double sum = 0, count = double(shape.batch * (shape.steps - burn_in) * width);
  for (int64_t i = 0; i < run.outputs.size; ++i) {
    const double error = i % row < burn_in * width ? 0 : run.outputs[i] - targets[i];
    sum += error * error;
    run.d_outputs[i] = 2 / count * error * 0.5;
  }
  run(true, false, true);
  const double loss = trained(true, false, true, &targets, burn_in);
  if (shape.threads > 1) {  // tiles share the places of fewer threads
    Shape serial = shape;
    serial.threads = 1;
    Run<double> again(serial, set, 7);
    expect(again(true, false, true, &targets, burn_in) == loss, shape, set, "loss depends on threads", loss);
    for (size_t p = 0; p < run.d_parameters.size(); ++p)
      for (int64_t i = 0; i < run.d_parameters[p].size; ++i)
        expect(again.d_parameters[p][i] == trained.d_parameters[p][i], shape, set, "gradient depends on threads",
               double(p));
  }
  expect(std::fabs(loss - 0.5 * sum / count) <= 1e-12 * loss, shape, set, "loss is not the mean", loss);
  for (size_t p = 0; p < run.d_parameters.size(); ++p)
    for (int64_t i = 0; i < run.d_parameters[p].size; ++i)
      expect(trained.d_parameters[p][i] == run.d_parameters[p][i], shape, set, "training finds another gradient",
             double(p));
}

/// Gates far out are exactly 0 and 1: the cell neither takes up nor forgets, and then adds one at every step.
template <class T>
void check_ends(int64_t set) {
  const Shape shape{0, 1, 5, 1, {}, 0, 0, 0, 2, 9, 0, 1};
  for (const bool open : {false, true}) {
    Run<T> run(shape, set, 7);
    for (auto& parameter : run.parameters)
      for (int64_t i = 0; i < parameter.size; ++i) parameter[i] = T(0);
    for (int64_t i = 0; i < 20; ++i) run.parameters[2][i] = T(i < 5 && !open ? -1e30 : 1e30);
    run(false, false, false);
    for (int64_t i = 0; i < run.last[1].size; ++i) {
      double wanted = double(run.state[1][i]);
      for (int64_t step = 0; open && step < shape.steps; ++step) wanted = double(T(wanted + 1));
      expect(double(run.last[1][i]) == wanted, shape, set, "gates are not quite open or closed", double(run.last[1][i]));
    }
  }
}

}  // namespace

int main() {
  int64_t checked = 0;
  for (int64_t set = 0; set <= sweep_instructions(); ++set) check_ends<float>(set), check_ends<double>(set);
  for (int64_t set = 0; set <= sweep_instructions(); ++set)
    for (int64_t cell = 0; cell < 2; ++cell)
      for (const int64_t hidden : {1, 7, 16, 33, 62})  // 62: several columns apart, in two passes
        for (const int64_t batch : {1, 3, 17, 40})
          for (const int64_t layers : {1, 3}) {
            if (batch == 40 && hidden != 7) continue;  // three tiles in two places: one size is enough
            if (hidden == 62 && (batch > 3 || layers > 1)) continue;
            if (hidden == 33 && batch == 17 && layers > 1) continue;  // a third of all the time
            const int64_t steps = 1 + (hidden * 5 + batch) % 19, channels = 1 + (hidden + batch) % 3;
            const int64_t threads = batch == 40 ? 2 : 1 + batch / 8, free = steps / 3, odd = (batch + layers) % 2;
            check({cell, layers, hidden, channels, {}, 0, 0, 0, batch, steps, 0, threads}, set);
            check({cell, layers, hidden, channels, {channels}, 0, 0, 1, batch, steps, free, threads}, set);
            check({cell, layers, hidden, channels + 2, {9, 4, channels}, 1, 0, odd, batch, steps, free, threads}, set);
            checked += 3;
          }
  std::printf("%lld instruction sets, ", (long long)sweep_instructions() + 1);
  std::printf("%lld shapes, %d failures\n", (long long)checked, failures);
  return failures ? 1 : 0;
}
