// Vectors of numbers and the functions of the gates, for one instruction set.
//
// Included once per instruction set, inside a namespace of its own, with SWEEP_BYTES the width of a
// register in bytes. Vectors are GCC's and Clang's vector extension, so the same text serves every set.

template <class T>
struct Lanes;

template <>
struct Lanes<float> {
  using Bits = uint32_t;  // unsigned: shifting out of a signed number has no meaning
  typedef float Vector __attribute__((vector_size(SWEEP_BYTES)));
  typedef uint32_t BitVector __attribute__((vector_size(SWEEP_BYTES)));
  typedef float Unaligned __attribute__((vector_size(SWEEP_BYTES), aligned(4), may_alias));
  static constexpr int mantissa = 23, bias = 127;
  static constexpr float magic = 12582912.0f + bias;  // 1.5 * 2^23 and more: adding it rounds to whole numbers
  static constexpr float largest_power = 126.25f, largest_tanh_power = 29.0f, largest = __FLT_MAX__;
  // of (tanh z - z) / z^3 in powers of z^2 for |z| <= ln 2 / 4, highest first, by Remez's exchange; relative error
  // of tanh z 6e-8
  static constexpr int terms = 2;
  static constexpr float series[terms] = {1.31106644208e-1f, -3.33312728012e-1f};
};

template <>
struct Lanes<double> {
  using Bits = uint64_t;
  typedef double Vector __attribute__((vector_size(SWEEP_BYTES)));
  typedef uint64_t BitVector __attribute__((vector_size(SWEEP_BYTES)));
  typedef double Unaligned __attribute__((vector_size(SWEEP_BYTES), aligned(8), may_alias));
  static constexpr int mantissa = 52, bias = 1023;
  static constexpr double magic = 6755399441055744.0 + bias;  // 1.5 * 2^52
  static constexpr double largest_power = 1022.25, largest_tanh_power = 58.0, largest = __DBL_MAX__;
  static constexpr int terms = 6;  // as above; error 4e-18
  static constexpr double series[terms] = {3.4448606957815805002e-3,  -8.8573106259596630115e-3,
                                           2.1869370770148074652e-2,  -5.3968252782758824394e-2,
                                           1.3333333332784180299e-1,  -3.3333333333332485855e-1};
};

template <class T>
using Vec = typename Lanes<T>::Vector;
template <class T>
constexpr Index lanes = SWEEP_BYTES / sizeof(T);

template <class T>
inline Vec<T> load(const T* from) {
  return *reinterpret_cast<const typename Lanes<T>::Unaligned*>(from);
}

template <class T>
inline void store(T* to, Vec<T> value) {
  *reinterpret_cast<typename Lanes<T>::Unaligned*>(to) = value;
}

template <class T>
inline Vec<T> splat(T value) {
  return value - Vec<T>{};  // x - 0 is x for every x, so only the broadcast is left; x + 0 is not for -0
}

/// Returns value in the first `count` lanes, rest behind them.
template <class T>
inline Vec<T> ahead_of(Index count, Vec<T> value, Vec<T> rest) {
  typename Lanes<T>::BitVector lane;
  for (Index i = 0; i < lanes<T>; ++i) lane[i] = typename Lanes<T>::Bits(i);
  return lane < typename Lanes<T>::Bits(count) ? value : rest;
}

/// Stores the first `count` lanes; behind them memory keeps its bits, which may be read and written back.
template <class T>
inline void store(T* to, Vec<T> value, Index count) {
  if (count >= lanes<T>) return store(to, value);
#ifdef __AVX512F__
  if constexpr (SWEEP_BYTES == 64) {
    if constexpr (sizeof(T) == 4)
      _mm512_mask_storeu_ps(to, (__mmask16)((1u << count) - 1), (__m512)value);
    else
      _mm512_mask_storeu_pd(to, (__mmask8)((1u << count) - 1), (__m512d)value);
    return;
  }
#endif
  store(to, ahead_of<T>(count, value, load(to)));
}

/// Loads the first `count` lanes, zeros behind them; memory is read up to the last lane.
template <class T>
inline Vec<T> load(const T* from, Index count) {
  return ahead_of<T>(count, load(from), Vec<T>{});
}

constexpr Index near_bytes = 16;  // within which shuffles are cheap
template <class T>
constexpr Index near_lanes = near_bytes / sizeof(T);

template <int... numbers>
struct Numbers {};
template <int count, int... numbers>
struct UpTo : UpTo<count - 1, count - 1, numbers...> {};
template <int... numbers>
struct UpTo<0, numbers...> {
  using Type = Numbers<numbers...>;
};

/// The lane, b's counted on from a's, of which `halved` makes lane i, adding the one half a segment on. Of four lanes and
/// segments of four: 0, 1, 4, 5, so that 0 + 2, 1 + 3 of a come before those of b; of segments of two: 0, 2, 4, 6.
template <class T, Index size>
constexpr Index first_of_two(Index i) {
  constexpr Index within = size > near_lanes<T> ? lanes<T> : near_lanes<T>;  // a's and b's are put together
  constexpr Index half = size / 2;
  const Index at = i % within, mine = at % (within / 2);
  return i - at + mine / half * size + mine % half + (at < within / 2 ? 0 : lanes<T>);
}

template <class T, Index size, int... i>
inline Vec<T> halved(Vec<T> a, Vec<T> b, Numbers<i...>) {
  const auto lane = [&](Index at) { return at < lanes<T> ? a[at] : b[at - lanes<T>]; };
  return Vec<T>{lane(first_of_two<T, size>(i))...} + Vec<T>{lane(first_of_two<T, size>(i) + size / 2)...};
}

/// Returns the segments of `size` lanes of a and b, each halved by adding its second half to its first: a's before b's
/// within each `near_bytes`, or within the whole while segments are larger.
template <class T, Index size>
inline Vec<T> halved(Vec<T> a, Vec<T> b) {
  return halved<T, size>(a, b, typename UpTo<int(lanes<T>)>::Type());
}

/// Returns the segments of `size` lanes of `count` vectors, `of(first)` and on, halved until one vector holds them.
template <class T, Index size, int count, class Of>
__attribute__((always_inline)) inline Vec<T> folded(const Of& of, int first = 0) {
  if constexpr (count == 1)
    return of(first);
  else
    return halved<T, 2 * size / count>(folded<T, size, count / 2>(of, first),
                                       folded<T, size, count / 2>(of, first + count / 2));
}

/// Returns the sums over all lanes of as many vectors as there are lanes: that of `of(row, column)` in lane
/// row * near_lanes + column. In each of them halves are added to halves.
template <class T, class Of>
__attribute__((always_inline)) inline Vec<T> totals(const Of& of) {
  return folded<T, near_lanes<T>, int(near_lanes<T>)>([&](int column) __attribute__((always_inline)) {
    return folded<T, lanes<T>, int(lanes<T> / near_lanes<T>)>(
        [&](int row) __attribute__((always_inline)) { return of(row, column); });
  });
}

/// Returns x between -bound and bound, NaN where x is NaN.
template <class T>
inline Vec<T> clamp(Vec<T> x, T bound) {
  const Vec<T> high = splat(bound), low = splat(-bound);
#ifdef __AVX512F__
  if constexpr (SWEEP_BYTES == 64) {  // minimum and maximum are their second operand where one is NaN
    if constexpr (sizeof(T) == 4)
      return (Vec<T>)_mm512_maskz_max_ps((__mmask16)-1, (__m512)low,
                                         _mm512_maskz_min_ps((__mmask16)-1, (__m512)high, (__m512)x));
    else
      return (Vec<T>)_mm512_maskz_max_pd((__mmask8)-1, (__m512d)low,
                                         _mm512_maskz_min_pd((__mmask8)-1, (__m512d)high, (__m512d)x));
  }
#endif
#ifdef __AVX2__
  if constexpr (SWEEP_BYTES == 32) {
    if constexpr (sizeof(T) == 4)
      return (Vec<T>)_mm256_max_ps((__m256)low, _mm256_min_ps((__m256)high, (__m256)x));
    else
      return (Vec<T>)_mm256_max_pd((__m256d)low, _mm256_min_pd((__m256d)high, (__m256d)x));
  }
#endif
  const Vec<T> below = x > high ? high : x;
  return below < low ? low : below;
}

/// Returns a / b for finite b, to little more than half a unit in the last place.
template <class T>
inline Vec<T> quotient(Vec<T> a, Vec<T> b) {
#ifdef __AVX512F__
  if constexpr (SWEEP_BYTES == 64) {  // a seed of 14 bits and Newton's rule: less than a division's time
    Vec<T> inverse;
    if constexpr (sizeof(T) == 4) {
      inverse = (Vec<T>)_mm512_maskz_rcp14_ps((__mmask16)-1, (__m512)b);
    } else {
      inverse = (Vec<T>)_mm512_maskz_rcp14_pd((__mmask8)-1, (__m512d)b);
      inverse = inverse + inverse * (T(1) - b * inverse);
    }
    const Vec<T> first = a * inverse;  // the last step is taken for the quotient, and rounds once
    return first + inverse * (a - b * first);
  }
#endif
  return a / b;
}

// Sigmoid and tanh are made of powers of two, and take their arguments in units in which these need no scaling: the
// gates' weights are packed so. e^-x is 2^y for y = `sigmoid_unit` x, e^2x is 2^y for y = `tanh_unit` x.
constexpr double sigmoid_unit = -1.44269504088896340736, tanh_unit = 2.88539008177792681472;  // -1 / ln 2, 2 / ln 2

/// What 2^y is made of: scale (1 + t) / (1 - t), scale a power of two.
template <class T>
struct Power {
  Vec<T> scale, t;
};

/// Splits y = n + r with |r| <= 1/2, exactly, and returns 2^n and t = tanh(r ln 2 / 2), an odd polynomial. That takes
/// fewer multiplications than a polynomial for 2^r, and the gates divide in any case.
/// y must be such that n lies between -`bias` and `bias`; 2^-bias comes out as zero.
template <class T>
inline Power<T> power_of_two(Vec<T> y) {
  using L = Lanes<T>;
  constexpr T half_ln2 = T(0.346573590279972654709);
  const Vec<T> shifted = y + L::magic;
  const Vec<T> r = y - (shifted - L::magic);
  T factor = half_ln2;  // the series' coefficients times powers of ln 2 / 2, folded by the compiler
  T coefficient[L::terms];
#pragma GCC unroll 6
  for (int i = L::terms - 1; i >= 0; --i) coefficient[i] = L::series[i] * (factor *= half_ln2 * half_ln2);
  // two powers at a time: the gates wait for chains of dependent operations, not for their number
  const Vec<T> square = r * r, fourth = square * square;
  Vec<T> sum = coefficient[0] * square + coefficient[1];
#pragma GCC unroll 2
  for (int i = 2; i < L::terms; i += 2) sum = sum * fourth + (coefficient[i] * square + coefficient[i + 1]);
  const typename L::BitVector scale = (typename L::BitVector)shifted << L::mantissa;  // the last bits are n + bias
  return {(Vec<T>)scale, r * (sum * square + half_ln2)};
}

/// Returns 1 / (1 + 2^y), the sigmoid of y / `sigmoid_unit`, exactly 0 and 1 at the ends: the reciprocal of
/// 2^`largest_power` is below the smallest normal number, which FlushSubnormals makes zero. Something tiny instead
/// would turn what is NaN in torch, zero times infinity, into an infinity. The denominator stays finite there, which
/// `quotient` needs.
template <class T>
inline Vec<T> sigmoid(Vec<T> y) {
  using L = Lanes<T>;
  static_assert(L::largest_power > L::bias - 1 && L::largest_power < L::bias - 0.5, "neither zero nor a number");
  const Power<T> e = power_of_two<T>(clamp<T>(y, L::largest_power));
  const Vec<T> numerator = T(1) - e.t;
  return quotient<T>(numerator, e.scale * (T(1) + e.t) + numerator);
}

/// Returns (2^y - 1) / (2^y + 1), the tanh of y / `tanh_unit`, both times 1 - t: as exact near 0 as anywhere, odd to
/// the last bit but for the sign of 0, which is lost, and exactly 1 and -1 at the ends.
template <class T>
inline Vec<T> hyperbolic_tangent(Vec<T> y) {
  const Power<T> e = power_of_two<T>(clamp<T>(y, Lanes<T>::largest_tanh_power));
  const Vec<T> above = e.scale + T(1), below = e.scale - T(1);
  return quotient<T>(e.t * above + below, e.t * below + above);
}
