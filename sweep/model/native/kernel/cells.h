// The elementwise halves of LSTM and GRU steps for one sequence, forward and backward.
//
// Gate order and biases are torch's, pre-activations in `units` of theirs. Kept per step, as rows of `hidden` numbers:
// LSTM i, f, g, o; GRU r, z, n, and the factor of r. The backward pass computes tanh(c) again: the cell itself is kept
// as a state, and a fifth row would take a sixth more memory.
// Equations: Hochreiter & Schmidhuber (1997) with Gers et al. (2000)'s forget gate; Cho et al. (2014) with
// the reset after the product; the backward halves are their derivatives (docs/engine.md).
//
// Rows may be read up to one vector beyond their end, but are never written there. Steps forward go twice over the
// units: one loop's chain of a sigmoid and a tanh would be too long for a processor to overlap with the next.
// Both cells have the same arguments; a cell leaves out the names of those it does not use.

template <class T>
struct LstmStep {
  static constexpr Index gates = 4, kept = 4;
  static constexpr Index joint = 4;  // first gates, which need only the sum of the input's and the state's part
  static constexpr double units[gates] = {sigmoid_unit, sigmoid_unit, tanh_unit, sigmoid_unit};

  /// z: pre-activations of all gates; c: before; writes c_after, h_after and, if `keep`, kept.
  template <bool keep>
  static void forward(Index hidden, T* z, const T*, const T*, const T*, const T* c, T* kept, T* h_after, T* c_after) {
    for (Index j = 0; j < hidden; j += lanes<T>) {
      const Index rest = hidden - j;
      const Vec<T> i = sigmoid<T>(load(z + j));
      const Vec<T> f = sigmoid<T>(load(z + hidden + j));
      const Vec<T> g = hyperbolic_tangent<T>(load(z + 2 * hidden + j));
      if constexpr (keep) {
        store(kept + j, i, rest);
        store(kept + hidden + j, f, rest);
        store(kept + 2 * hidden + j, g, rest);
      }
      store(c_after + j, f * load(c + j) + i * g, rest);
    }
    for (Index j = 0; j < hidden; j += lanes<T>) {
      const Index rest = hidden - j;
      const Vec<T> o = sigmoid<T>(load(z + 3 * hidden + j));
      if constexpr (keep) store(kept + 3 * hidden + j, o, rest);
      store(h_after + j, o * hyperbolic_tangent<T>(load(c_after + j) * T(tanh_unit)), rest);
    }
  }

  /// d_out: gradient of the output; dh, dc: of the state after the step; dh is left as it is, the product
  /// with the recurrent weights replaces it; dc becomes that before the step. dz: of the pre-activations.
  static void backward(Index hidden, const T* kept, const T*, const T* c, const T* c_after, const T* d_out, T* dh,
                       T* dc, T* dz, T*) {
    for (Index j = 0; j < hidden; j += lanes<T>) {
      const Index rest = hidden - j;
      const Vec<T> i = load(kept + j), f = load(kept + hidden + j), g = load(kept + 2 * hidden + j);
      const Vec<T> o = load(kept + 3 * hidden + j), squashed = hyperbolic_tangent<T>(load(c_after + j) * T(tanh_unit));
      const Vec<T> d = load(d_out + j) + load(dh + j);
      const Vec<T> d_cell = load(dc + j) + d * o * (T(1) - squashed * squashed);
      store(dz + j, d_cell * g * i * (T(1) - i), rest);
      store(dz + hidden + j, d_cell * load(c + j) * f * (T(1) - f), rest);
      store(dz + 2 * hidden + j, d_cell * i * (T(1) - g * g), rest);
      store(dz + 3 * hidden + j, d * squashed * o * (T(1) - o), rest);
      store(dc + j, d_cell * f, rest);
    }
  }
};

template <class T>
struct GruStep {
  static constexpr Index gates = 3, kept = 4;
  static constexpr Index joint = 2;  // r and z; of n, the state's part alone is scaled by r
  static constexpr double units[gates] = {sigmoid_unit, sigmoid_unit, tanh_unit};

  /// z: pre-activations of r and z, which may be overwritten; n_x, n_h: the input's and the state's part of n;
  /// h: before; writes h_after and, if `keep`, kept but for its last row, which is n_h.
  template <bool keep>
  static void forward(Index hidden, T* z, const T* n_x, const T* n_h, const T* h, const T*, T* kept, T* h_after, T*) {
    T* gate = keep ? kept : z;
    for (Index j = 0; j < joint * hidden; j += lanes<T>) store(gate + j, sigmoid<T>(load(z + j)), joint * hidden - j);
    for (Index j = 0; j < hidden; j += lanes<T>) {
      const Index rest = hidden - j;
      const Vec<T> reset = load(gate + j), update = load(gate + hidden + j);
      const Vec<T> n = hyperbolic_tangent<T>(load(n_x + j) + reset * load(n_h + j));
      if constexpr (keep) store(kept + 2 * hidden + j, n, rest);
      store(h_after + j, n + update * (load(h + j) - n), rest);
    }
  }

  /// As for the LSTM; dh becomes the direct part of the gradient before the step, to which the product with
  /// the recurrent weights is added. dzx and dzh differ in the last gate.
  static void backward(Index hidden, const T* kept, const T* h, const T*, const T*, const T* d_out, T* dh, T*, T* dzx,
                       T* dzh) {
    for (Index j = 0; j < hidden; j += lanes<T>) {
      const Index rest = hidden - j;
      const Vec<T> r = load(kept + j), z = load(kept + hidden + j), n = load(kept + 2 * hidden + j);
      const Vec<T> product = load(kept + 3 * hidden + j) * T(1 / tanh_unit);
      const Vec<T> d = load(d_out + j) + load(dh + j);
      const Vec<T> d_n = d * (T(1) - z) * (T(1) - n * n);
      const Vec<T> d_z = d * (load(h + j) - n) * z * (T(1) - z);
      const Vec<T> d_r = d_n * product * r * (T(1) - r);
      store(dzx + j, d_r, rest);
      store(dzx + hidden + j, d_z, rest);
      store(dzx + 2 * hidden + j, d_n, rest);
      store(dzh + j, d_r, rest);
      store(dzh + hidden + j, d_z, rest);
      store(dzh + 2 * hidden + j, d_n * r, rest);
      store(dh + j, d * z, rest);
    }
  }
};
