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
constexpr int registers = SWEEP_BYTES == 64 ? 32 : 16;

/// Rows of a block `V` vectors wide: as many as leave registers for a row of weights and one broadcast number.
constexpr int max_rows(int V) { return int(minimum(8, (registers - V - 1) / V)); }

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
  const T *w = p.weights, *in = p.in, *init = p.init;  // copies: what is stored might else be these numbers
  T* out = p.out;
  const Index in_row = p.in_row, init_row = p.init_row, out_row = p.out_row;
  for (Index k = p.k; k > 0; --k, w += p.weights_step, in += p.in_step) {
    Vec<T> weights[V];
#pragma GCC unroll 3
    for (int v = 0; v < V; ++v) weights[v] = load(w + v * lanes<T>);
#pragma GCC unroll 8
    for (int n = 0; n < N; ++n) {
      const Vec<T> x = splat(in[n * in_row]);
#pragma GCC unroll 3
      for (int v = 0; v < V; ++v) sum[n][v] += x * weights[v];
    }
  }
#pragma GCC unroll 8
  for (int n = 0; n < N; ++n, init += init_row, out += out_row)
#pragma GCC unroll 3
    for (int v = 0; v < V; ++v) store(out + v * lanes<T>, load(init + v * lanes<T>) + sum[n][v]);
}

/// Computes a block of n <= N rows.
template <class T, int V, int N = max_rows(V)>
void rows(Index n, const Product<T>& p) {
  if constexpr (N > 1)
    if (n < N) return rows<T, V, N - 1>(n, p);
  block<T, V, N>(p);
}

/// Cuts `total` into parts of at most `limit`, as equal as can be.
struct Cut {
  Index parts, least, larger;  // the first `larger` parts hold one more than `least`
  Cut(Index total, Index limit)
      : parts((total + limit - 1) / limit), least(parts ? total / parts : 0), larger(total - parts * least) {}
  Index begin(Index part) const { return part * least + minimum(part, larger); }
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
  const Cut panels(vectors<T>(m), max_vectors), sums(k, longest_sum);
  for (Index panel = 0; panel < panels.parts; ++panel) {
    const Index first = panels.begin(panel), width = panels.begin(panel + 1) - first;
    const Cut groups(rows_count, max_rows(int(width)));
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
          rows<T, 1>(count, p);
        else if (width == 2)
          rows<T, 2>(count, p);
        else
          rows<T, 3>(count, p);
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
    const Index begin = panels.begin(panel) * lanes<T>, width = panels.begin(panel + 1) * lanes<T> - begin;
    for (Index column = 0; column < width; ++column) {
      const T* from = numbers + (begin + column) * column_stride;
      for (Index row = 0; row < k; ++row)
        to[row * width + column] = begin + column < m ? from[row * row_stride] : T(0);
    }
    to += k * width;
  }
}
