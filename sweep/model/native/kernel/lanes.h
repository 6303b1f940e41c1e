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
  static constexpr float ln2_high = 0.693359375f, ln2_low = -2.12194440054690583e-4f;  // high has 10 bits
  static constexpr float magic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to whole numbers
  static constexpr float largest_exponent = 88.0f, largest_tanh = 10.0f, largest = __FLT_MAX__;
  // of (e^r - 1 - r) / r^2 for |r| <= ln 2 / 2, Chebyshev interpolation, highest power first; error 1e-8
  static constexpr int terms = 5;
  static constexpr float series[terms] = {1.39263256181e-3f, 8.36329275303e-3f, 4.16665537626e-2f,
                                          1.66665763056e-1f, 0.5f};
};

template <>
struct Lanes<double> {
  using Bits = uint64_t;
  typedef double Vector __attribute__((vector_size(SWEEP_BYTES)));
  typedef uint64_t BitVector __attribute__((vector_size(SWEEP_BYTES)));
  typedef double Unaligned __attribute__((vector_size(SWEEP_BYTES), aligned(8), may_alias));
  static constexpr int mantissa = 52, bias = 1023;
  static constexpr double ln2_high = 0.693145751953125, ln2_low = 1.42860682030941723212e-6;  // high has 20 bits
  static constexpr double magic = 6755399441055744.0;  // 1.5 * 2^52
  static constexpr double largest_exponent = 709.0, largest_tanh = 20.0, largest = __DBL_MAX__;
  static constexpr int terms = 10;  // as above; error 2e-17
  static constexpr double series[terms] = {
      2.5100569275813682631e-8, 2.762032742826823816e-7,  2.7557268072890098263e-6, 2.4801520792572692843e-5,
      1.9841269863303223296e-4, 1.3888888917538295848e-3, 8.3333333333300117609e-3, 4.1666666666623476764e-2,
      1.6666666666666667468e-1, 0.5};
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
  typename Lanes<T>::BitVector lane;
  for (Index i = 0; i < lanes<T>; ++i) lane[i] = typename Lanes<T>::Bits(i);
  store(to, lane < typename Lanes<T>::Bits(count) ? value : load(to));
}

/// Returns the smaller of x and a bound, NaN where x is NaN.
template <class T>
inline Vec<T> at_most(Vec<T> x, T bound) {
  const Vec<T> limit = splat(bound);
#ifdef __AVX512F__
  if constexpr (SWEEP_BYTES == 64) {  // these return their second operand where one is NaN
    if constexpr (sizeof(T) == 4)
      return (Vec<T>)_mm512_maskz_min_ps((__mmask16)-1, (__m512)limit, (__m512)x);
    else
      return (Vec<T>)_mm512_maskz_min_pd((__mmask8)-1, (__m512d)limit, (__m512d)x);
  }
#endif
#ifdef __AVX2__
  if constexpr (SWEEP_BYTES == 32) {
    if constexpr (sizeof(T) == 4)
      return (Vec<T>)_mm256_min_ps((__m256)limit, (__m256)x);
    else
      return (Vec<T>)_mm256_min_pd((__m256d)limit, (__m256d)x);
  }
#endif
  return x > limit ? limit : x;
}

/// Returns x between -bound and bound, NaN where x is NaN.
template <class T>
inline Vec<T> clamp(Vec<T> x, T bound) {
  return -at_most<T>(-at_most<T>(x, bound), bound);
}

/// Returns 1 / x for finite x, to about one unit in the last place.
template <class T>
inline Vec<T> reciprocal(Vec<T> x) {
#ifdef __AVX512F__
  if constexpr (SWEEP_BYTES == 64) {  // a seed of 14 bits and Newton's rule: a third of a division's time
    Vec<T> y;
    if constexpr (sizeof(T) == 4) {
      y = (Vec<T>)_mm512_maskz_rcp14_ps((__mmask16)-1, (__m512)x);
    } else {
      y = (Vec<T>)_mm512_maskz_rcp14_pd((__mmask8)-1, (__m512d)x);
      y = y + y * (T(1) - x * y);
    }
    return y + y * (T(1) - x * y);
  }
#endif
  return T(1) / x;
}

/// What an exponential is made of: scale * (1 + rest), scale a power of two.
template <class T>
struct Exponential {
  Vec<T> scale, rest;
};

/// Splits `factor` x = n ln 2 + `factor` r with |factor r| <= ln 2 / 2, and returns 2^n and e^(factor r) - 1.
/// x must be such that n lies between -`bias` and `bias`; 2^-bias comes out as zero. Where products are
/// rounded before they are added, ln 2 comes in two parts, the high one's product exact. With fused
/// operations one constant serves: what n times its rounding adds to e^x is lost in the gates, which are flat
/// where n is large.
template <class T, int factor>
inline Exponential<T> exponential(Vec<T> x) {
  using L = Lanes<T>;
  const Vec<T> shifted = x * T(factor * 1.44269504088896340736) + L::magic;
  const Vec<T> n = shifted - L::magic;
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
  const Vec<T> r = x - n * T(0.693147180559945309417 / factor);
#else
  const Vec<T> r = (x - n * (L::ln2_high / factor)) - n * (L::ln2_low / factor);
#endif
  T power = factor;  // the series' coefficients times powers of the factor, folded by the compiler
  T coefficient[L::terms];
#pragma GCC unroll 10
  for (int i = L::terms - 1; i >= 0; --i) coefficient[i] = L::series[i] * (power *= factor);
  // two powers at a time: the gates wait for chains of dependent operations, not for their number
  const Vec<T> square = r * r;
  constexpr int odd = L::terms % 2;
  Vec<T> sum = odd ? splat(coefficient[0]) : coefficient[0] * r + coefficient[1];
#pragma GCC unroll 5
  for (int i = 2 - odd; i < L::terms; i += 2) sum = sum * square + (coefficient[i] * r + coefficient[i + 1]);
  const typename L::BitVector scale =
      ((typename L::BitVector)shifted << L::mantissa) + (typename L::Bits(L::bias) << L::mantissa);
  return {(Vec<T>)scale, sum * square + T(factor) * r};
}

/// Returns 1 / (1 + e^-x), exactly 0 and 1 at the ends: the reciprocal of e^`largest_exponent` is below the
/// smallest normal number, which FlushSubnormals makes zero. Something tiny instead would turn what is NaN in
/// torch, zero times infinity, into an infinity.
template <class T>
inline Vec<T> sigmoid(Vec<T> x) {
  const Exponential<T> e = exponential<T, -1>(clamp<T>(x, Lanes<T>::largest_exponent));
  return reciprocal<T>(e.scale * e.rest + (e.scale + T(1)));
}

/// Returns (e^2x - 1) / (e^2x + 1), computed as that where x is small, without forming e^2x - 1 by a
/// difference, and as 1 - 2 / (e^2x + 1) elsewhere: gradients hold 1 - tanh^2 and notice errors near 1. The
/// ends are exactly 1 and -1.
template <class T>
inline Vec<T> hyperbolic_tangent(Vec<T> x) {
  using BitVector = typename Lanes<T>::BitVector;
  const BitVector sign = (BitVector)x & (BitVector)splat(T(-0.0));
  const Vec<T> size = (Vec<T>)((BitVector)x ^ sign);
  const Exponential<T> e = exponential<T, 2>(at_most<T>(size, Lanes<T>::largest_tanh));
  const Vec<T> minus_one = e.scale * e.rest + (e.scale - T(1));
  const Vec<T> inverse = reciprocal<T>(minus_one + T(2));
  const Vec<T> result = size < splat(T(0.5)) ? minus_one * inverse : T(1) - (inverse + inverse);
  return (Vec<T>)((BitVector)result | sign);
}
