// The one matrix product that everything is made of.
//
//   out[n][m] = init[n][m] + sum over k of in[n][k] * weights[k][m]
//
// m runs along the lanes of vectors, n over rows whose numbers are broadcast. A block of up to
// `max_vectors` x `max_rows` sums stays in registers while k runs. Recurrent steps, input projections,
// gradients of inputs and gradients of weights are all this product with other strides. `init` comes last,
// so that a gradient over many steps is a sum of sums, which rounds far less than one long sum.

constexpr int max_vectors = 3;
constexpr Index longest_sum = 256;  // beyond, k is cut: sums of sums round less, and a panel stays in cache
constexpr int max_rows = SWEEP_BYTES == 64 ? 8 : 4;  // 3 x 8 sums of 32 registers, 3 x 4 of 16

template <class T>
struct Product {
  Index k;
  const T* weights;
  Index weights_step;  // from k to k + 1
  const T* in;
  Index in_row, in_step;  // from n to n + 1, from k to k + 1
  const T* init;
  Index init_row;
  T* out;
  Index out_row;
};

template <class T, int V, int N>
void block(const Product<T>& p) {
  Vec<T> sum[N][V] = {};
  const T* w = p.weights;
  const T* in = p.in;
  const Index row = p.in_row;
  for (Index k = 0; k < p.k; ++k, w += p.weights_step, in += p.in_step) {
    Vec<T> weights[V];
#pragma GCC unroll 3
    for (int v = 0; v < V; ++v) weights[v] = load(w + v * lanes<T>);
#pragma GCC unroll 8
    for (int n = 0; n < N; ++n) {
      const Vec<T> x = splat(in[n * row]);
#pragma GCC unroll 3
      for (int v = 0; v < V; ++v) sum[n][v] += x * weights[v];
    }
  }
#pragma GCC unroll 8
  for (int n = 0; n < N; ++n)
#pragma GCC unroll 3
    for (int v = 0; v < V; ++v)
      store(p.out + n * p.out_row + v * lanes<T>, load(p.init + n * p.init_row + v * lanes<T>) + sum[n][v]);
}

template <class T, int V>
void rows(int n, const Product<T>& p) {
  switch (n) {
    case 1: return block<T, V, 1>(p);
    case 2: return block<T, V, 2>(p);
    case 3: return block<T, V, 3>(p);
    case 4: return block<T, V, 4>(p);
    default: break;
  }
  if constexpr (max_rows == 8) {
    switch (n) {
      case 5: return block<T, V, 5>(p);
      case 6: return block<T, V, 6>(p);
      case 7: return block<T, V, 7>(p);
      default: return block<T, V, 8>(p);
    }
  }
}

/// Cuts `total` into parts of at most `limit`, as equal as can be.
struct Cut {
  Index total, parts;
  Cut(Index total, Index limit) : total(total), parts((total + limit - 1) / limit) {}
  Index begin(Index part) const { return part * (total / parts) + minimum(part, total % parts); }
};

template <class T>
constexpr Index vectors(Index numbers) {
  return (numbers + lanes<T> - 1) / lanes<T>;
}
template <class T>
constexpr Index padded(Index numbers) {
  return vectors<T>(numbers) * lanes<T>;
}

/// A matrix of k rows whose m columns lie along lanes: packed in panels as `pack` does, or plain rows.
template <class T>
struct Matrix {
  const T* numbers;
  Index pitch;  // of plain rows; 0: packed
};

/// Computes `rows_count` rows of the product with a matrix of `k` rows and `m` columns. Rows of `init` and
/// `out` hold padded(m) numbers. A panel of the matrix stays in cache while n runs.
/// k >= 1; `in` and `out` do not overlap.
template <class T>
void multiply(Index k, Index m, Index rows_count, Matrix<T> matrix, const T* in, Index in_row, Index in_step,
              const T* init, Index init_row, T* out, Index out_row) {
  if (rows_count == 0) return;
  const Cut panels(vectors<T>(m), max_vectors), groups(rows_count, max_rows), sums(k, longest_sum);
  for (Index panel = 0; panel < panels.parts; ++panel) {
    const Index first = panels.begin(panel), width = panels.begin(panel + 1) - first;
    for (Index sum = 0; sum < sums.parts; ++sum) {
      const Index from = sums.begin(sum);
      Product<T> p;
      p.k = sums.begin(sum + 1) - from;
      p.weights_step = matrix.pitch ? matrix.pitch : width * lanes<T>;
      p.weights = matrix.numbers + first * lanes<T> * (matrix.pitch ? 1 : k) + from * p.weights_step;
      p.in_row = in_row, p.in_step = in_step, p.out_row = out_row;
      p.init_row = sum ? out_row : init_row;
      for (Index group = 0; group < groups.parts; ++group) {
        const Index n = groups.begin(group), count = groups.begin(group + 1) - n;
        p.in = in + n * in_row + from * in_step;
        p.out = out + n * out_row + first * lanes<T>;
        p.init = sum ? p.out : init + n * init_row + first * lanes<T>;
        if (width == 1)
          rows<T, 1>((int)count, p);
        else if (width == 2)
          rows<T, 2>((int)count, p);
        else
          rows<T, 3>((int)count, p);
      }
    }
  }
}

/// Packs a matrix into panels of up to `max_vectors` vectors, zeros in the lanes behind column m.
/// Element (row, column) is read from numbers[row * row_stride + column * column_stride].
template <class T>
void pack(Index k, Index m, const T* numbers, Index row_stride, Index column_stride, T* to) {
  const Cut panels(vectors<T>(m), max_vectors);
  for (Index panel = 0; panel < panels.parts; ++panel) {
    const Index begin = panels.begin(panel) * lanes<T>, end = panels.begin(panel + 1) * lanes<T>;
    for (Index row = 0; row < k; ++row)
      for (Index column = begin; column < end; ++column)
        *to++ = column < m ? numbers[row * row_stride + column * column_stride] : T(0);
  }
}
