// The one matrix product that everything is made of.
//
//   out[n][m] = init[n][m] + sum over k of in[n][k] * weights[k][m]
//
// m runs along the lanes of vectors, n over rows whose numbers are broadcast. A block of sums, such as 3 vectors
// by 4 rows, stays in registers while k runs. Recurrent steps, input projections,
// gradients of inputs and gradients of weights are all this product with other strides. `init` comes last,
// so that a gradient over many steps is a sum of sums, which rounds far less than one long sum. Two such sums
// may run one after the other in the same registers, and columns that do not fill a vector may be summed along k.

constexpr int max_vectors = 3, max_vectors_of_two_rows = 6, max_vectors_of_one_row = 12;
constexpr Index longest_sum = 256;  // beyond, k is cut: sums of sums round less, and a panel stays in cache
constexpr int registers = SWEEP_BYTES == 64 ? 32 : 16;

/// Rows of a block `V` vectors wide: as many as leave registers for a row of weights and one broadcast number.
constexpr int max_rows(int V) {
  return V > max_vectors_of_two_rows ? 1 : V > max_vectors ? 2 : int(minimum(8, (registers - V - 1) / V));
}

/// Vectors of a block, at most: a panel that few rows meet is wide, as its sums would else wait for each other.
constexpr Index widest_panel(Index rows, bool packed) {
  return packed || rows > 2 ? max_vectors : rows == 2 ? max_vectors_of_two_rows : max_vectors_of_one_row;
}

/// Rows of numbers to be broadcast, and the weights that they meet.
template <class T>
struct Factors {
  Index k;
  const T* weights;
  Index weights_step;  // from k to k + 1
  const T* in;
  Index in_row, in_step;  // from n to n + 1, from k to k + 1
};

template <class T>
struct Product {
  Factors<T> first, second;
  const T* init;
  Index init_row;
  T* out;
  Index out_row;
  const char* ahead;  // prefetched with the first k; not read here
  Index ahead_step;   // bytes from k to k + 1; 0: no prefetch
};

/// Always inlined, or the sums would go through memory.
template <class T, int V, int N>
__attribute__((always_inline)) inline void add_products(Vec<T> (&sum)[N][V], const Factors<T>& f, const char* ahead,
                                                        Index ahead_step) {
  const T *w = f.weights, *in = f.in;  // copies: else the compiler must assume that a store changes them
  const Index in_row = f.in_row;
  for (Index k = f.k; k > 0; --k, w += f.weights_step, in += f.in_step, ahead += ahead_step) {
    if constexpr (N > 2) __builtin_prefetch(ahead);  // with one or two rows prefetching is slower
    Vec<T> weights[V];
#pragma GCC unroll 12
    for (int v = 0; v < V; ++v) weights[v] = load(w + v * lanes<T>);
#pragma GCC unroll 8
    for (int n = 0; n < N; ++n) {
      const Vec<T> x = splat(in[n * in_row]);
#pragma GCC unroll 12
      for (int v = 0; v < V; ++v) sum[n][v] += x * weights[v];
    }
  }
}

template <class T, int V, int N, bool two>
void block(const Product<T>& p) {
  Vec<T> sum[N][V] = {};
  const T* init = p.init;
  T* out = p.out;
  const Index init_row = p.init_row, out_row = p.out_row;
  const Index step = p.ahead_step;
  add_products<T, V, N>(sum, p.first, p.ahead, step);
  if constexpr (two) add_products<T, V, N>(sum, p.second, p.ahead + p.first.k * step, step);
#pragma GCC unroll 8
  for (int n = 0; n < N; ++n, init += init_row, out += out_row)
#pragma GCC unroll 12
    for (int v = 0; v < V; ++v) store(out + v * lanes<T>, load(init + v * lanes<T>) + sum[n][v]);
}

/// Computes a block of n <= N rows.
template <class T, int V, bool two, int N = max_rows(V)>
void rows(Index n, const Product<T>& p) {
  if constexpr (N > 1)
    if (n < N) return rows<T, V, two, N - 1>(n, p);
  block<T, V, N, two>(p);
}

/// Computes a block of n rows and `width` vectors, up to `max_vectors_of_one_row`.
template <class T, bool two, int V = 1>
void panel(Index width, Index n, const Product<T>& p) {
  if constexpr (V < (two ? max_vectors : max_vectors_of_one_row))
    if (width > V) return panel<T, two, V + 1>(width, n, p);
  rows<T, V, two>(n, p);
}

/// Cuts `total` into parts of at most `limit`, as equal as can be.
struct Cut {
  Index parts, least, longer;  // the first `longer` parts hold one more than `least`
  Cut(Index total, Index limit)
      : parts((total + limit - 1) / limit), least(parts ? total / parts : 0), longer(total - parts * least) {}
  Index begin(Index part) const { return part * least + minimum(part, longer); }
};

template <class T>
constexpr Index vectors(Index numbers) {
  return (numbers + lanes<T> - 1) / lanes<T>;
}
template <class T>
constexpr Index padded(Index numbers) {
  return vectors<T>(numbers) * lanes<T>;
}

/// A matrix of k rows whose m columns lie along lanes: packed as `pack` does, or plain rows.
template <class T>
struct Matrix {
  const T* numbers;
  Index pitch;  // of plain rows; 0: packed
  Index apart;  // last columns of a packed matrix that stand apart, each with its k numbers along the lanes
};

/// A packed matrix of k rows without columns apart, and the rows, `in_row` from each other, that meet it.
template <class T>
struct Operand {
  Index k;
  const T *packed, *in;
  Index in_row;
};

/// Memory that will be read or written soon. A product asks for most of it, little by little: whoever asks for much at
/// once waits.
struct Ahead {
  const void* from;
  Index bytes;
};

/// Returns how many columns had better stand apart: those that do not fill a vector, where they are few and k is long.
/// Such a column costs k / lanes multiply-adds and its share of `totals`, for which 10 more are reckoned (3 to 10 make no
/// measurable difference); a vector of columns, full or not, costs k.
template <class T>
constexpr Index columns_apart(Index k, Index m) {
  const Index rest = m % lanes<T>;
  return rest * (k + 10 * lanes<T>) < k * lanes<T> ? rest : 0;
}

/// Computes N rows of R columns whose k lie along the lanes. Rows of `in` are read up to one vector beyond their end.
template <class T, int R, int N = 4>
void dots(Index n, Index k, const T* columns, const T* in, Index in_row, const T* init, Index init_row, T* out,
          Index out_row) {
  if constexpr (N > 1)
    if (n < N) return dots<T, R, N - 1>(n, k, columns, in, in_row, init, init_row, out, out_row);
  Vec<T> sum[N][R] = {};
  auto add = [&](Index begin, auto loaded) {
    Vec<T> column[R];
#pragma GCC unroll 3
    for (int r = 0; r < R; ++r) column[r] = load(columns + r * padded<T>(k) + begin);
#pragma GCC unroll 4
    for (int row = 0; row < N; ++row) {
      const Vec<T> x = loaded(in + row * in_row + begin);
#pragma GCC unroll 3
      for (int r = 0; r < R; ++r) sum[row][r] += x * column[r];
    }
  };
  const Index whole = k / lanes<T> * lanes<T>;
  for (Index begin = 0; begin < whole; begin += lanes<T>) add(begin, [](const T* from) { return load(from); });
  if (whole < k) add(whole, [=](const T* from) { return load(from, k - whole); });
  constexpr int rows_at_once = int(lanes<T> / near_lanes<T>), columns_at_once = int(near_lanes<T>);
#pragma GCC unroll 4
  for (int row = 0; row < N; row += rows_at_once)
#pragma GCC unroll 2
    for (int r = 0; r < R; r += columns_at_once) {
      T part[lanes<T>];  // missing rows and columns are filled with copies, whose totals are not used
      store(part, totals<T>([&](int i, int j) __attribute__((always_inline)) {
              return sum[row + i < N ? row + i : N - 1][r + j < R ? r + j : R - 1];
            }));
      for (int i = 0; i < rows_at_once && row + i < N; ++i)
        for (int j = 0; j < columns_at_once && r + j < R; ++j) {
          const Index row_of = row + i, column_of = r + j;
          out[row_of * out_row + column_of] = init[row_of * init_row + column_of] + part[i * columns_at_once + j];
        }
    }
}

/// Computes `rows_count` rows of the last `apart` columns of a packed matrix.
template <class T>
void multiply_apart(Index apart, Index rows_count, Index k, const T* columns, const T* in, Index in_row, const T* init,
                    Index init_row, T* out, Index out_row) {
  const Cut columns_cut(apart, 3), groups(rows_count, 4);
  for (Index part = 0; part < columns_cut.parts; ++part) {
    const Index first = columns_cut.begin(part), count = columns_cut.begin(part + 1) - first;
    for (Index group = 0; group < groups.parts; ++group) {
      const Index row = groups.begin(group), n = groups.begin(group + 1) - row;
      const auto some = count == 1 ? dots<T, 1> : count == 2 ? dots<T, 2> : dots<T, 3>;
      some(n, k, columns + first * padded<T>(k), in + row * in_row, in_row, init + row * init_row + first, init_row,
           out + row * out_row + first, out_row);
    }
  }
}

/// Computes `rows_count` rows of the product with a matrix of `k` rows and `m` columns. Rows of `init` and `out` hold
/// padded(m) numbers, and are written one after the other; the numbers beyond the first m are undefined. A panel of the
/// matrix stays in cache while n runs. A second operand of as many columns is added on the way; then the matrix is
/// packed without columns apart, and both have a k of `longest_sum` at most together. `ahead` is prefetched meanwhile.
/// k >= 1; `in` and `out` do not overlap; of a packed matrix in_step is 1.
template <class T>
void multiply(Index k, Index m, Index rows_count, Matrix<T> matrix, const T* in, Index in_row, Index in_step,
              const T* init, Index init_row, T* out, Index out_row, Operand<T> second = {}, Ahead ahead = {}) {
  if (rows_count == 0) return;
  const Index whole = vectors<T>(m - matrix.apart);
  const Cut panels(whole, widest_panel(rows_count, matrix.pitch == 0)), sums(k, longest_sum);
  Cut groups(0, 1);
  const char* next = static_cast<const char*>(ahead.from ? ahead.from : in);
  Index next_step = 0;
  Index cut_for = 0;  // panels have two widths at most, and a division for each costs more than to ask
  for (Index number = 0; number < panels.parts; ++number) {
    const Index first = panels.begin(number), width = panels.begin(number + 1) - first;
    if (width != cut_for) {
      groups = Cut(rows_count, max_rows(int(width)));
      cut_for = width;
      if (ahead.from && number == 0)
        next_step = minimum(64, 1 + ahead.bytes / (panels.parts * groups.parts * (k + second.k)));
    }
    for (Index sum = 0; sum < sums.parts; ++sum) {
      const Index from = sums.begin(sum);
      Product<T> p;
      p.first.k = sums.begin(sum + 1) - from;
      p.first.weights_step = matrix.pitch ? matrix.pitch : width * lanes<T>;
      p.first.weights = matrix.numbers + first * lanes<T> * (matrix.pitch ? 1 : k) + from * p.first.weights_step;
      p.first.in_row = in_row, p.first.in_step = in_step;
      p.second = {second.k, second.packed + first * lanes<T> * second.k, width * lanes<T>, nullptr,
                  second.in_row, 1};
      p.out_row = out_row;
      p.ahead_step = next_step;
      p.init_row = sum ? out_row : init_row;
      for (Index group = 0; group < groups.parts; ++group) {
        const Index n = groups.begin(group), count = groups.begin(group + 1) - n;
        p.first.in = in + n * in_row + from * in_step;
        p.second.in = second.in + n * second.in_row;
        p.out = out + n * out_row + first * lanes<T>;
        p.ahead = next;
        next += next_step * (p.first.k + second.k);
        p.init = sum ? p.out : init + n * init_row + first * lanes<T>;
        if (second.k)
          panel<T, true>(width, count, p);
        else
          panel<T, false>(width, count, p);
      }
    }
  }
  if (matrix.apart)
    multiply_apart<T>(matrix.apart, rows_count, k, matrix.numbers + k * whole * lanes<T>, in, in_row,
                      init + whole * lanes<T>, init_row, out + whole * lanes<T>, out_row);
}

/// Packs a matrix into panels of up to `max_vectors` vectors, then the columns that stand apart, all padded with zeros.
/// Element (row, column) is numbers[row * row_stride + column * column_stride], times scale(column).
template <class T, class Scale>
void pack(Index k, Index m, const T* numbers, Index row_stride, Index column_stride, T* to, Index apart, Scale scale) {
  const Cut panels(vectors<T>(m - apart), max_vectors);
  for (Index number = 0; number < panels.parts; ++number) {
    const Index begin = panels.begin(number) * lanes<T>, width = panels.begin(number + 1) * lanes<T> - begin;
    const Index full = minimum(width, m - apart - begin);
    double scales[max_vectors * lanes<T>];
    for (Index column = 0; column < full; ++column) scales[column] = scale(begin + column);
    const T* from = numbers + begin * column_stride;
    for (Index row = 0; row < k; ++row, from += row_stride, to += width) {
      for (Index column = 0; column < full; ++column)
        to[column] = T(double(from[column * column_stride]) * scales[column]);
      for (Index column = full; column < width; ++column) to[column] = T(0);
    }
  }
  for (Index column = m - apart; column < m; ++column, to += padded<T>(k)) {
    const T* from = numbers + column * column_stride;
    const double factor = scale(column);
    for (Index row = 0; row < padded<T>(k); ++row)
      to[row] = row < k ? T(double(from[row * row_stride]) * factor) : T(0);
  }
}

/// The sum over many rows of `in` times `d`: rows as many as the numbers of `in`, columns as many as those of `d`.
/// Whole vectors of columns first, row by row; then each of the last columns, apart, if that takes fewer multiply-adds:
/// the numbers of `in` lie along the lanes there, so nothing is summed over lanes, unlike in `columns_apart`.
template <class T>
struct Outer {
  Index rows, columns, apart;

  Outer(Index rows, Index columns)
      : rows(rows), columns(columns), apart(columns % lanes<T> * vectors<T>(rows) < rows ? columns % lanes<T> : 0) {}

  Index whole() const { return columns - apart; }
  Index pitch() const { return padded<T>(whole()); }
  Index size() const { return rows * pitch() + apart * padded<T>(rows); }

  void add(Index n, const T* in, Index in_row, const T* d, Index d_row, T* sum) const {
    multiply<T>(n, whole(), rows, {d, d_row, 0}, in, 1, in_row, sum, pitch(), sum, pitch());
    T* last = sum + rows * pitch();
    multiply<T>(n, rows, apart, {in, in_row, 0}, d + whole(), 1, d_row, last, padded<T>(rows), last, padded<T>(rows));
  }

  /// Adds rows [begin, end) of a sum to `to`, a column's after the other's; `first` replaces what was there.
  void add_to(T* to, const T* sum, Index begin, Index end, bool first) const {
    for (Index column = 0; column < columns; ++column) {
      const Index beyond = column - whole(), step = beyond < 0 ? pitch() : 1;
      const T* from = beyond < 0 ? sum + column : sum + rows * pitch() + beyond * padded<T>(rows);
      for (Index row = begin; row < end; ++row, ++to) *to = first ? from[row * step] : *to + from[row * step];
    }
  }
};
