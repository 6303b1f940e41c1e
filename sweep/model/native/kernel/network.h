// One tile of the batch through the whole network: forward, backward, or both for a training step, and their memory.
//
// A tile is a few sequences that run through all time steps together, a chunk of steps at a time: within a
// chunk one layer goes through all steps before the next one does. Free-running steps are chunks of one.
// Arrays are time-major, [step][sequence][number].

constexpr Index tile_rows = 16;    // sequences of a tile at most
constexpr Index chunk_rows = 128;  // steps x sequences of a chunk at most: gate gradients stay in cache
constexpr Index slack = 64;        // numbers behind every array that may be read

/// Hands out pieces of one block of memory; with no block it only adds up.
struct Memory {
  char* base;
  Index used = 0;
  template <class T>
  T* take(Index numbers) {
    T* piece = base ? reinterpret_cast<T*>(base + used) : nullptr;
    used += ((numbers + slack) * Index(sizeof(T)) + 63) / 64 * 64;
    return piece;
  }
};

inline Index larger(Index a, Index b) { return a > b ? a : b; }

template <class T>
void copy(T* to, const T* from, Index count) {
  if (from)
    for (Index i = 0; i < count; ++i) to[i] = from[i];
  else
    for (Index i = 0; i < count; ++i) to[i] = T(0);
}

template <class T, class Cell>
struct Network {
  static constexpr bool lstm = Cell::gates == 4;
  static constexpr Index parts = lstm ? 2 : 1;

  const SweepCall& call;
  const Index layers, hidden, inputs, dense, steps, forced;
  const Index rows;   // gate rows of a layer
  const Index joint, split;  // of them: those whose parts from input and state are only added; those kept apart
  const Index pitch;  // of a row of gates
  const Index wide;   // of a row of hidden units, inputs or readout, where sums are
  const Index h_row, x_row;  // of histories: a one behind each row makes a bias's gradient a row of the weights'
  const Cut tiles;
  const Index tile_limit, chunk, slots;

  explicit Network(const SweepCall& c)
      : call(c), layers(c.layers), hidden(c.hidden), inputs(c.inputs), dense(c.dense), steps(c.steps),
        forced(c.steps - c.free_steps), rows(Cell::gates * c.hidden), joint(Cell::joint * c.hidden),
        split(rows - joint), pitch(padded<T>(rows)),
        wide(padded<T>(widest(c))), h_row(c.hidden + 1), x_row(c.inputs + 1), tiles(c.batch, tile_rows),
        tile_limit((c.batch + tiles.parts - 1) / tiles.parts),
        chunk(larger(1, minimum(c.steps, chunk_rows / tile_limit))), slots(c.keep ? c.steps : chunk) {}

  static Index widest(const SweepCall& c) {
    Index most = larger(c.hidden, c.inputs);
    for (Index j = 0; j < c.dense; ++j) most = larger(most, c.sizes[j]);
    return most;
  }

  Index input_of(Index layer) const { return layer ? hidden : inputs; }
  Index input_row(Index layer) const { return layer ? h_row : x_row; }
  Index dense_input(Index j) const { return j ? call.sizes[j - 1] : hidden; }
  Index dense_row(Index j) const { return j ? call.sizes[j - 1] : h_row; }
  Index outputs() const { return dense ? call.sizes[dense - 1] : hidden; }
  const T* parameter(Index index) const { return static_cast<const T*>(call.parameters[index]); }
  T* gradient(Index index) const { return static_cast<T*>(call.d_parameters[index]); }

  // --- memory that all tiles share -----------------------------------------------------------------

  struct Shared {
    T *one, *zeros;
    // per layer, then per linear layer
    T *input_weights, *hidden_weights, *bias, *state_bias, *dense_weights, *dense_bias;
    T *input_back, *hidden_back, *dense_back;
  };

  /// Whether a step's input and state meet the joint gates' weights in one product. Not where the inputs' weights are
  /// many, as they then serve a chunk while they are in cache.
  bool in_one_product(Index in) const { return hidden + in <= longest_sum; }

  Index most_input() const { return larger(hidden, inputs); }
  Index packed_row() const { return padded<T>(joint) + padded<T>(split); }
  Index input_size() const { return most_input() * packed_row(); }
  Index hidden_size() const { return hidden * packed_row(); }
  Outer<T> input_outer(Index layer) const { return {input_row(layer), rows}; }  // its last row is a bias's gradient
  Outer<T> hidden_outer() const { return {lstm ? hidden : h_row, rows}; }  // an LSTM's two biases have one gradient
  Index dense_size() const { return padded<T>(widest(call)) * widest(call); }
  Index back_size() const { return rows * padded<T>(most_input()); }

  Shared shared(Memory& memory) const {
    Shared s;
    s.one = memory.take<T>(1);
    s.zeros = memory.take<T>(larger(pitch, wide));
    s.input_weights = memory.take<T>(layers * input_size());
    s.hidden_weights = memory.take<T>(layers * hidden_size());
    s.bias = memory.take<T>(layers * packed_row());
    s.state_bias = memory.take<T>(layers * padded<T>(split));
    s.dense_weights = memory.take<T>(dense * dense_size());
    s.dense_bias = memory.take<T>(dense * wide);
    const Index kept = call.keep ? 1 : 0;
    s.input_back = memory.take<T>(kept * layers * back_size());
    s.hidden_back = memory.take<T>(kept * layers * back_size());
    s.dense_back = memory.take<T>(kept * dense * dense_size());
    return s;
  }

  // --- memory of one tile --------------------------------------------------------------------------

  struct Tile {
    Index number, first, count;
    T *x, *h, *c, *kept, *read;             // history: read by the backward pass
    T *from_input, *n_x, *reading;          // of a chunk: the inputs' part of joint gates, and of a GRU's n
    T *z, *n_h;                             // of a step: pre-activations of joint gates, and the states' part of n
    T *dzx, *dzh, *d_in, *d_out, *d_read;   // of a chunk, backward
    T *dh, *dc, *fed;                       // carried from step to step, backward; `fed` is written before it is read
  };

  /// What a tile finds, kept until all are through.
  struct Found {
    T *input, *hidden, *dense, *dense_bias;  // gradients, added up over the steps; of gates with biases as a last row
    double* squared_error;                   // the sum over the scored steps
  };

  Index read_width() const {
    Index sum = 0;
    for (Index j = 0; j < dense; ++j) sum += call.sizes[j];
    return sum;
  }

  Tile tile(Index number, Memory& memory) const {
    Tile t;
    const Index kept = call.keep ? 1 : 0, b = tile_limit;
    t.number = number;
    t.first = tiles.begin(number);
    t.count = tiles.begin(number + 1) - t.first;
    t.x = memory.take<T>(steps * b * x_row);
    t.h = memory.take<T>(layers * (slots + 1) * b * h_row);
    t.c = memory.take<T>(lstm ? layers * (slots + 1) * b * hidden : 0);
    t.kept = memory.take<T>(kept * layers * kept_size());
    t.read = memory.take<T>(slots * b * read_width());
    t.from_input = memory.take<T>(in_one_product(most_input()) ? 0 : chunk * b * pitch);
    t.n_x = memory.take<T>(split ? chunk * b * wide : 0);
    t.z = memory.take<T>(b * pitch);
    t.n_h = memory.take<T>(split && !kept ? b * wide : 0);
    t.reading = memory.take<T>(chunk * b * wide);
    t.dzx = memory.take<T>(kept * layers * chunk * b * pitch);
    t.dzh = lstm ? t.dzx : memory.take<T>(kept * layers * chunk * b * pitch);
    t.d_in = memory.take<T>(kept * chunk * b * wide);
    t.d_out = memory.take<T>(kept * chunk * b * wide);
    t.d_read = memory.take<T>(kept * larger(dense, 1) * chunk * b * wide);
    t.dh = memory.take<T>(kept * layers * b * wide);
    t.dc = memory.take<T>(kept * layers * b * wide);
    t.fed = memory.take<T>(kept * b * outputs());
    return t;
  }

  /// Of a layer; a product writes whole vectors into the last row.
  Index kept_size() const { return slots * tile_limit * Cell::kept * hidden + lanes<T>; }

  /// Numbers that the gradients of the first layers' input weights take.
  Index input_outers(Index count) const {
    return count ? input_outer(0).size() + (count - 1) * input_outer(1).size() : 0;
  }

  Found found(Memory& memory) const {
    const Index kept = call.keep ? 1 : 0;
    Found f;
    f.input = memory.take<T>(kept * input_outers(layers));
    f.hidden = memory.take<T>(kept * layers * hidden_outer().size());
    f.dense = memory.take<T>(kept * dense * dense_size());
    f.dense_bias = memory.take<T>(kept * dense * wide);
    f.squared_error = memory.take<double>(1);
    return f;
  }

  /// Where tiles have their histories: a training step goes forward and back in one, and hands its place on.
  Index places() const { return call.targets ? places_at_once(call, tiles.parts) : tiles.parts; }

  Index bytes() const {
    Memory memory{nullptr};
    shared(memory);
    for (Index place = 0; place < places(); ++place) tile(0, memory);
    for (Index number = 0; number < tiles.parts; ++number) found(memory);
    return memory.used;
  }

  Shared shared() const {
    Memory memory{static_cast<char*>(call.workspace)};
    return shared(memory);
  }

  Tile tile(Index number, Index place) const {
    Memory counting{nullptr};
    shared(counting);
    const Index before = counting.used;
    tile(0, counting);
    Memory memory{static_cast<char*>(call.workspace) + before + place * (counting.used - before)};
    return tile(number, memory);
  }

  Found found(Index number) const {
    Memory counting{nullptr};
    shared(counting);
    for (Index place = 0; place < places(); ++place) tile(0, counting);
    const Index before = counting.used;
    found(counting);
    Memory memory{static_cast<char*>(call.workspace) + before + number * (counting.used - before)};
    return found(memory);
  }

  T* h(const Tile& t, Index layer, Index slot) const {
    return t.h + (layer * (slots + 1) + slot) * t.count * h_row;
  }
  T* c(const Tile& t, Index layer, Index slot) const {
    return lstm ? t.c + (layer * (slots + 1) + slot) * t.count * hidden : nullptr;
  }
  T* kept(const Tile& t, Index layer, Index slot) const {
    return t.kept + layer * kept_size() + slot * t.count * Cell::kept * hidden;
  }
  T* read(const Tile& t, Index j, Index slot) const {
    Index before = 0;
    for (Index k = 0; k < j; ++k) before += call.sizes[k];
    return t.read + slots * t.count * before + slot * t.count * call.sizes[j];
  }
  T* x(const Tile& t, Index step) const { return t.x + step * t.count * x_row; }
  T* d_gates(const Tile& t, T* gates, Index layer) const { return gates + layer * chunk * t.count * pitch; }
  T* d_reading(const Tile& t, Index j) const { return t.d_read + j * chunk * t.count * wide; }

  // The history does not fit into the caches, and a processor does not foresee that it is read backward. So the numbers
  // of the next step are prefetched: the gates during a product, the states row by row.

  Ahead kept_ahead(const Tile& t, Index layer, Index slot) const {
    return {kept(t, layer, slot), t.count * Cell::kept * hidden * Index(sizeof(T))};
  }

  /// Always inlined: GCC takes a function that only prefetches for one without effect, and drops its calls.
  __attribute__((always_inline)) inline void fetch_states(const Tile& t, Index layer, Index slot, Index n) const {
    fetch(h(t, layer, slot) + n * h_row, h_row);
    if (lstm) fetch(c(t, layer, slot) + n * hidden, hidden);
  }

  __attribute__((always_inline)) static inline void fetch(const T* from, Index count) {
    constexpr Index line = 64 / Index(sizeof(T));
    for (Index i = 0; i < count; i += line) __builtin_prefetch(from + i);
  }

  /// Where chunk after chunk begins: forced steps in chunks, free ones one at a time.
  Index chunk_end(Index begin) const {
    return begin < forced ? minimum(begin + chunk, forced) : begin + 1;
  }
  Index chunk_begin(Index end) const {
    return end > forced ? end - 1 : (end - 1) / chunk * chunk;
  }

  // --- forward -------------------------------------------------------------------------------------

  /// Packs the weights, as both passes read them.
  void prepare() const {
    const Shared s = shared();
    copy<T>(s.zeros, nullptr, larger(pitch, wide));
    *s.one = T(1);
    for (Index layer = 0; layer < layers; ++layer) {
      const Index in = input_of(layer);
      pack_gates(in, parameter(4 * layer), s.input_weights + layer * input_size());
      pack_gates(hidden, parameter(4 * layer + 1), s.hidden_weights + layer * hidden_size());
      if (call.keep) {
        pack_apart(rows, in, parameter(4 * layer), in, 1, s.input_back + layer * back_size());
        pack_apart(rows, hidden, parameter(4 * layer + 1), hidden, 1, s.hidden_back + layer * back_size());
      }
      const T *bias_ih = parameter(4 * layer + 2), *bias_hh = parameter(4 * layer + 3);
      T *bias = s.bias + layer * packed_row(), *state_bias = s.state_bias + layer * padded<T>(split);
      for (Index row = 0; row < padded<T>(joint); ++row)
        bias[row] = row < joint ? in_units(row, bias_ih[row] + bias_hh[row]) : T(0);
      for (Index row = 0; row < padded<T>(split); ++row) {
        bias[padded<T>(joint) + row] = row < split ? in_units(joint + row, bias_ih[joint + row]) : T(0);
        state_bias[row] = row < split ? in_units(joint + row, bias_hh[joint + row]) : T(0);
      }
    }
    for (Index j = 0; j < dense; ++j) {
      const Index in = dense_input(j), out = call.sizes[j];
      pack_apart(in, out, parameter(4 * layers + 2 * j), 1, in, s.dense_weights + j * dense_size());
      if (call.keep) pack_apart(out, in, parameter(4 * layers + 2 * j), in, 1, s.dense_back + j * dense_size());
      const T* bias = parameter(4 * layers + 2 * j + 1);
      for (Index i = 0; i < wide; ++i) s.dense_bias[j * wide + i] = i < out ? bias[i] : T(0);
    }
  }

  double unit(Index row) const { return Cell::units[row / hidden]; }
  T in_units(Index row, T value) const { return T(double(value) * unit(row)); }

  /// Packs the joint gates' columns, then the others', of weights that `k` numbers meet.
  void pack_gates(Index k, const T* numbers, T* to) const {
    pack(k, joint, numbers, 1, k, to, 0, [this](Index column) { return unit(column); });
    if (split)
      pack_apart(k, split, numbers + joint * k, 1, k, to + k * padded<T>(joint),
                 [this](Index column) { return unit(joint + column); });
  }
  Matrix<T> joint_weights(const T* packed) const { return {packed, 0, 0}; }
  Matrix<T> split_weights(Index k, const T* packed) const {
    return packed_apart(k, split, packed + k * padded<T>(joint));
  }

  /// As `pack` and `Matrix`, with as many columns apart as pays; the joint gates' weights have none.
  template <class Scale>
  static void pack_apart(Index k, Index m, const T* numbers, Index row_stride, Index column_stride, T* to,
                         Scale scale) {
    pack(k, m, numbers, row_stride, column_stride, to, columns_apart<T>(k, m), scale);
  }
  static void pack_apart(Index k, Index m, const T* numbers, Index row_stride, Index column_stride, T* to) {
    pack_apart(k, m, numbers, row_stride, column_stride, to, [](Index) { return 1.0; });
  }
  static Matrix<T> packed_apart(Index k, Index m, const T* numbers) { return {numbers, 0, columns_apart<T>(k, m)}; }

  void forward(const Tile& t) const {
    const Shared s = shared();
    begin(t);
    Index slot = 0;  // of the state before the chunk
    for (Index start = 0; start < steps;) {
      const Index end = chunk_end(start);
      if (slot + end - start > slots) {  // never where all steps are kept
        for (Index layer = 0; layer < layers; ++layer) {
          copy(h(t, layer, 0), h(t, layer, slot), t.count * h_row);
          if (lstm) copy(c(t, layer, 0), c(t, layer, slot), t.count * hidden);
        }
        slot = 0;
      }
      for (Index layer = 0; layer < layers; ++layer) run_layer(s, t, layer, start, end, slot);
      const T* said = readout(s, t, slot, end - start);
      write_outputs(t, said, start, end);
      write_trace(t, start, end, slot);
      slot += end - start;
      start = end;
    }
    write_last(t, slot);
  }

  void begin(const Tile& t) const {
    const T* given = static_cast<const T*>(call.x);
    for (Index step = 0; step < steps; ++step)
      for (Index n = 0; n < t.count; ++n) {
        T* row = x(t, step) + n * x_row;
        copy(row, given + ((t.first + n) * steps + step) * inputs, inputs);
        row[inputs] = T(1);
      }
    for (Index layer = 0; layer < layers; ++layer)
      for (Index n = 0; n < t.count; ++n) {
        const Index at = (layer * call.batch + t.first + n) * hidden;
        const T *given_h = static_cast<const T*>(call.state[0]), *given_c = static_cast<const T*>(call.state[1]);
        T* row = h(t, layer, 0) + n * h_row;
        copy(row, given_h ? given_h + at : nullptr, hidden);
        row[hidden] = T(1);
        if (lstm) copy(c(t, layer, 0) + n * hidden, given_c ? given_c + at : nullptr, hidden);
      }
  }

  void run_layer(const Shared& s, const Tile& t, Index layer, Index start, Index end, Index slot) const {
    const Index b = t.count, in = input_of(layer), in_row = input_row(layer), n = (end - start) * b;
    const T* from = layer ? h(t, layer - 1, slot + 1) : x(t, start);
    const T *input_weights = s.input_weights + layer * input_size(), *bias = s.bias + layer * packed_row();
    const T *hidden_weights = s.hidden_weights + layer * hidden_size();
    const bool one_product = in_one_product(in);
    const auto gates = call.keep ? Cell::template forward<true> : Cell::template forward<false>;
    if (!one_product)
      multiply<T>(in, joint, n, joint_weights(input_weights), from, in_row, 1, bias, 0, t.from_input, pitch);
    if (split)
      multiply<T>(in, split, n, split_weights(in, input_weights), from, in_row, 1, bias + padded<T>(joint), 0, t.n_x,
                  wide);
    for (Index step = 0; step < end - start; ++step) {
      const T *before = h(t, layer, slot + step), *cell = c(t, layer, slot + step);
      T *after = h(t, layer, slot + step + 1), *cell_after = c(t, layer, slot + step + 1);
      T* keep = call.keep ? kept(t, layer, slot + step) : nullptr;
      const Index later = minimum(slot + step + 2, slots - 1);
      const Ahead ahead = keep ? kept_ahead(t, layer, later) : Ahead{};
      if (one_product)
        multiply<T>(hidden, joint, b, joint_weights(hidden_weights), before, h_row, 1, bias, 0, t.z, pitch,
                    {in, input_weights, from + step * b * in_row, in_row}, ahead);
      else
        multiply<T>(hidden, joint, b, joint_weights(hidden_weights), before, h_row, 1,
                    t.from_input + step * b * pitch, pitch, t.z, pitch, {}, ahead);
      // n_h is written in whole vectors: the excess of a row falls on the next row's r, which is written later.
      T* n_h = keep ? keep + (Cell::kept - 1) * hidden : t.n_h;
      const Index n_h_row = keep ? Cell::kept * hidden : wide;
      if (split)
        multiply<T>(hidden, split, b, split_weights(hidden, hidden_weights), before, h_row, 1,
                    s.state_bias + layer * padded<T>(split), 0, n_h, n_h_row);
      for (Index i = 0; i < b; ++i) {
        if (keep) fetch_states(t, layer, later, i);
        gates(hidden, t.z + i * pitch, split ? t.n_x + (step * b + i) * wide : nullptr,
              split ? n_h + i * n_h_row : nullptr, before + i * h_row, lstm ? cell + i * hidden : nullptr,
              keep ? keep + i * Cell::kept * hidden : nullptr, after + i * h_row,
              lstm ? cell_after + i * hidden : nullptr);
        if (keep) after[i * h_row + hidden] = T(1);
      }
    }
  }

  /// Returns the readout of `count` steps from a slot on, rows of `outputs()` numbers; `dense_row(dense)` apart.
  const T* readout(const Shared& s, const Tile& t, Index slot, Index count) const {
    const T* in = h(t, layers - 1, slot + 1);
    const Index n = count * t.count;
    for (Index j = 0; j < dense; ++j) {
      const Index from = dense_input(j), to = call.sizes[j];
      const Matrix<T> weights = packed_apart(from, to, s.dense_weights + j * dense_size());
      multiply<T>(from, to, n, weights, in, dense_row(j), 1, s.dense_bias + j * wide, 0, t.reading, wide);
      T* out = read(t, j, slot);
      const bool last = j == dense - 1, relu = last ? call.relu_output : !call.tanh_between;
      for (Index i = 0; i < n; ++i)
        for (Index k = 0; k < to; k += lanes<T>) {
          Vec<T> value = load(t.reading + i * wide + k);
          if (relu)
            value = value < splat(T(0)) ? splat(T(0)) : value;  // NaN stays
          else if (!last)
            value = hyperbolic_tangent<T>(value * T(tanh_unit));
          store(out + i * to + k, value, to - k);
        }
      in = out;
    }
    return in;
  }

  void write_outputs(const Tile& t, const T* said, Index start, Index end) const {
    const Index width = outputs();
    T* to = static_cast<T*>(call.outputs);
    for (Index step = start; step < end; ++step)
      for (Index n = 0; n < t.count; ++n) {
        const T* from = said + ((step - start) * t.count + n) * dense_row(dense);
        const T* current = x(t, step) + n * x_row;
        T* out = to + ((t.first + n) * steps + step) * width;
        for (Index i = 0; i < width; ++i) out[i] = call.increment ? from[i] + current[i] : from[i];
        if (step + 1 >= forced && step + 1 < steps) copy(x(t, step + 1) + n * x_row, out, width);
      }
  }

  void write_trace(const Tile& t, Index start, Index end, Index slot) const {
    for (Index part = 0; part < parts; ++part) {
      T* to = static_cast<T*>(call.trace[part]);
      if (!to) continue;
      for (Index step = start; step < end; ++step)
        for (Index layer = 0; layer < layers; ++layer) {
          const Index at = slot + step - start + 1;
          T* rows_to = to + ((step * layers + layer) * call.batch + t.first) * hidden;
          write_state(t, part, layer, at, rows_to);
        }
    }
  }

  void write_last(const Tile& t, Index slot) const {
    for (Index part = 0; part < parts; ++part)
      for (Index layer = 0; call.last[part] && layer < layers; ++layer)
        write_state(t, part, layer, slot, static_cast<T*>(call.last[part]) + (layer * call.batch + t.first) * hidden);
  }

  void write_state(const Tile& t, Index part, Index layer, Index slot, T* to) const {
    for (Index n = 0; n < t.count; ++n)
      copy(to + n * hidden, part ? c(t, layer, slot) + n * hidden : h(t, layer, slot) + n * h_row, hidden);
  }

  // --- training ------------------------------------------------------------------------------------

  /// Adds up the squared errors of a tile's outputs, and puts the gradient of `weight` times their mean, over all
  /// that is scored of all tiles, in the outputs' place.
  void compare(const Tile& t) const {
    const Index width = outputs();
    const T slope = T(2.0 / double(call.batch * (steps - call.burn_in) * width)), weight = T(call.weight);
    double sum = 0;
    for (Index n = t.first; n < t.first + t.count; ++n) {
      const T* wanted = static_cast<const T*>(call.targets) + n * steps * width;
      T* said = static_cast<T*>(call.outputs) + n * steps * width;
      for (Index i = 0; i < call.burn_in * width; ++i) said[i] = T(0);
      for (Index i = call.burn_in * width; i < steps * width; ++i) {
        const T error = said[i] - wanted[i];
        sum += double(error) * double(error);
        said[i] = slope * error * weight;
      }
    }
    *found(t.number).squared_error = sum;
  }

  /// Returns the loss, infinite where it is beyond the numbers that are computed with.
  double squared_error() const {
    double sum = 0;
    for (Index number = 0; number < tiles.parts; ++number) sum += *found(number).squared_error;
    const double loss = call.weight * sum / double(call.batch * (steps - call.burn_in) * outputs());
    return loss > double(Lanes<T>::largest) ? __builtin_inf() : loss;
  }

  // --- backward ------------------------------------------------------------------------------------

  void backward(const Tile& t) const {
    const Shared s = shared();
    const Found f = found(t.number);
    begin_backward(t, f);
    for (Index group_end = steps; group_end > 0;) {
      // gradients of weights wait for a whole group of steps, free ones too
      const Index group = group_end > forced ? larger(forced, group_end - chunk) : chunk_begin(group_end);
      for (Index end = group_end; end > group;) {
        const Index start = chunk_begin(end);
        back_steps(s, t, start, end, group);
        end = start;
      }
      add_weight_gradients(s, t, f, group, group_end);
      group_end = group;
    }
    write_state_gradients(t);
  }

  void begin_backward(const Tile& t, const Found& f) const {
    for (Index layer = 0; layer < layers; ++layer)
      for (Index part = 0; part < parts; ++part) {
        const T* from = static_cast<const T*>(call.d_last[part]);
        for (Index n = 0; n < t.count; ++n)
          copy((part ? t.dc : t.dh) + (layer * t.count + n) * wide,
               from ? from + (layer * call.batch + t.first + n) * hidden : nullptr, hidden);
      }
    copy<T>(f.input, nullptr, input_outers(layers));
    copy<T>(f.hidden, nullptr, layers * hidden_outer().size());
    copy<T>(f.dense, nullptr, dense * dense_size());
    copy<T>(f.dense_bias, nullptr, dense * wide);
  }

  /// Goes back through the steps [start, end), whose gate gradients are kept from row `group` on.
  void back_steps(const Shared& s, const Tile& t, Index start, Index end, Index group) const {
    const Index b = t.count, n = (end - start) * b, offset = (start - group) * b;
    const T* d_out = back_readout(s, t, start, end, group);
    for (Index layer = layers - 1; layer >= 0; --layer) {
      const Matrix<T> recurrent = packed_apart(rows, hidden, s.hidden_back + layer * back_size());
      T *dh = t.dh + layer * b * wide, *dc = t.dc + layer * b * wide;
      T *dzx = d_gates(t, t.dzx, layer), *dzh = d_gates(t, t.dzh, layer);
      for (Index step = end - 1; step >= start; --step) {
        const Index row = (step - group) * b, next = larger(step - 1, 0);
        for (Index i = 0; i < b; ++i) {
          fetch_states(t, layer, next, i);
          Cell::backward(hidden, kept(t, layer, step) + i * Cell::kept * hidden,
                         h(t, layer, step) + i * h_row, lstm ? c(t, layer, step) + i * hidden : nullptr,
                         lstm ? c(t, layer, step + 1) + i * hidden : nullptr,
                         d_out + ((step - start) * b + i) * wide, dh + i * wide, dc + i * wide,
                         dzx + (row + i) * pitch, dzh + (row + i) * pitch);
        }
        if (step || call.d_state[0])  // of the state before the first step seldom anything is wanted
          multiply<T>(rows, hidden, b, recurrent, dzh + row * pitch, pitch, 1, lstm ? s.zeros : dh,
                      lstm ? 0 : wide, dh, wide, {}, kept_ahead(t, layer, next));
      }
      if (layer || call.d_x || call.free_steps) {
        const Matrix<T> down = packed_apart(rows, input_of(layer), s.input_back + layer * back_size());
        multiply<T>(rows, input_of(layer), n, down, dzx + offset * pitch, pitch, 1, s.zeros, 0, t.d_in, wide);
        d_out = t.d_in;
      }
    }
    if (call.d_x || call.free_steps) back_input(t, start, end);
  }

  /// Fills the gradients of the readout's layers and returns that of the top layer's outputs.
  const T* back_readout(const Shared& s, const Tile& t, Index start, Index end, Index group) const {
    const Index b = t.count, n = (end - start) * b, offset = (start - group) * b, width = outputs();
    T* d = d_reading(t, larger(dense, 1) - 1) + offset * wide;
    const T* given = static_cast<const T*>(call.d_outputs);
    for (Index step = start; step < end; ++step)
      for (Index i = 0; i < b; ++i)
        for (Index k = 0; k < width; ++k) {
          T value = given ? given[((t.first + i) * steps + step) * width + k] : T(0);
          if (step + 1 >= forced && step + 1 < steps) value += t.fed[i * width + k];
          d[((step - start) * b + i) * wide + k] = value;
        }
    for (Index j = dense - 1; j >= 0; --j) {
      const Index width_in = dense_input(j), width_out = call.sizes[j];
      const bool last = j == dense - 1, relu = last ? call.relu_output : !call.tanh_between;
      if (last && call.increment)  // the current value bypasses the readout, so its gradient is the output's
        for (Index i = 0; i < n; ++i)
          for (Index k = 0; k < width; ++k) t.d_out[i * wide + k] = d[i * wide + k];
      if (relu || !last) {
        const T* said = read(t, j, start);
        for (Index i = 0; i < n; ++i)
          for (Index k = 0; k < width_out; ++k) {
            const T y = said[i * width_out + k];
            T& value = d[i * wide + k];
            if (relu)
              value = y <= T(0) ? T(0) : value;
            else
              value *= T(1) - y * y;
          }
      }
      T* below = j ? d_reading(t, j - 1) + offset * wide : t.reading;
      const Matrix<T> weights = packed_apart(width_out, width_in, s.dense_back + j * dense_size());
      multiply<T>(width_out, width_in, n, weights, d, wide, 1, s.zeros, 0, below, wide);
      d = below;
    }
    return d;
  }

  /// Turns the gradient of the bottom layer's input into that of x, or of the forecast that was fed back.
  void back_input(const Tile& t, Index start, Index end) const {
    const Index b = t.count, width = outputs();
    for (Index step = start; step < end; ++step)
      for (Index i = 0; i < b; ++i) {
        T* d = t.d_in + ((step - start) * b + i) * wide;
        if (call.increment)
          for (Index k = 0; k < width; ++k) d[k] += t.d_out[((step - start) * b + i) * wide + k];
        const bool fed = step >= forced && step > 0;
        if (fed) copy(t.fed + i * width, d, width);
        if (!call.d_x) continue;
        T* to = static_cast<T*>(call.d_x) + ((t.first + i) * steps + step) * inputs;
        for (Index k = 0; k < inputs; ++k) to[k] = fed && k < width ? T(0) : d[k];
      }
  }

  void add_weight_gradients(const Shared& s, const Tile& t, const Found& f, Index start, Index end) const {
    const Index b = t.count, n = (end - start) * b;
    for (Index layer = 0; layer < layers; ++layer) {
      const T* from = layer ? h(t, layer - 1, start + 1) : x(t, start);
      input_outer(layer).add(n, from, input_row(layer), d_gates(t, t.dzx, layer), pitch, f.input + input_outers(layer));
      hidden_outer().add(n, h(t, layer, start), h_row, d_gates(t, t.dzh, layer), pitch,
                         f.hidden + layer * hidden_outer().size());
    }
    for (Index j = 0; j < dense; ++j) {  // here the inputs lie along the lanes: they are more than the outputs
      const Index in = dense_input(j), out = call.sizes[j];
      const T* from = j ? read(t, j - 1, start) : h(t, layers - 1, start + 1);
      T *g = f.dense + j * dense_size(), *gb = f.dense_bias + j * wide;
      const T* d = d_reading(t, j);
      multiply<T>(n, in, out, {from, dense_row(j), 0}, d, 1, wide, g, padded<T>(in), g, padded<T>(in));
      multiply<T>(n, out, 1, {d, wide, 0}, s.one, 0, 0, gb, 0, gb, 0);
    }
  }

  void write_state_gradients(const Tile& t) const {
    for (Index part = 0; part < parts; ++part) {
      T* to = static_cast<T*>(call.d_state[part]);
      if (!to) continue;
      for (Index layer = 0; layer < layers; ++layer)
        for (Index n = 0; n < t.count; ++n)
          copy(to + (layer * call.batch + t.first + n) * hidden,
               (part ? t.dc : t.dh) + (layer * t.count + n) * wide, hidden);
    }
  }

  /// Adds up the gradients of the tiles in their order, in torch's layouts; a training step adds them to what is there.
  void finish_backward() const {
    for (Index number = 0; number < tiles.parts; ++number) {
      const Found f = found(number);
      const bool first = number == 0 && !call.targets;
      for (Index layer = 0; layer < layers; ++layer) {
        const Index in = input_of(layer);
        const T *gx = f.input + input_outers(layer), *gh = f.hidden + layer * hidden_outer().size();
        input_outer(layer).add_to(gradient(4 * layer), gx, 0, in, first);
        hidden_outer().add_to(gradient(4 * layer + 1), gh, 0, hidden, first);
        input_outer(layer).add_to(gradient(4 * layer + 2), gx, in, in + 1, first);
        if (lstm)
          input_outer(layer).add_to(gradient(4 * layer + 3), gx, in, in + 1, first);
        else
          hidden_outer().add_to(gradient(4 * layer + 3), gh, hidden, hidden + 1, first);
      }
      for (Index j = 0; j < dense; ++j) {
        const Index in = dense_input(j), out = call.sizes[j];
        add(gradient(4 * layers + 2 * j), f.dense + j * dense_size(), out, in, in, 1, padded<T>(in), first);
        add(gradient(4 * layers + 2 * j + 1), f.dense_bias + j * wide, 1, out, 0, 1, 0, first);
      }
    }
  }

  /// Adds from[a * pitch + b] to to[a * a_stride + b * b_stride]; the first replaces what was there.
  static void add(T* to, const T* from, Index a_count, Index b_count, Index a_stride, Index b_stride, Index pitch,
                  bool first) {
    for (Index a = 0; a < a_count; ++a)
      for (Index b = 0; b < b_count; ++b) {
        T& sum = to[a * a_stride + b * b_stride];
        sum = first ? from[a * pitch + b] : sum + from[a * pitch + b];
      }
  }
};
