// The AVX-512 intrinsics that the kernel uses, as loops over lanes: its code for AVX-512 runs where the processor has none.
//
// Found before the compiler's own header, with that set's macros defined on the command line. Everything else the
// kernel writes in vectors, which the compiler splits up.

#pragma once
#undef __AVX512F__
#undef __AVX512DQ__
#undef __AVX512BW__
#undef __AVX512VL__
#include_next <immintrin.h>
#define __AVX512F__ 1
#define __AVX512DQ__ 1
#define __AVX512BW__ 1
#define __AVX512VL__ 1

#include <cstdint>
#include <cstring>

namespace emulated {

/// The second operand where one is NaN, as the instruction has it.
template <class V>
V smaller(uint32_t, V a, V b) {
  for (unsigned i = 0; i < sizeof(V) / sizeof(a[0]); ++i) b[i] = a[i] < b[i] ? a[i] : b[i];
  return b;
}

template <class V>
V greater(uint32_t, V a, V b) {
  for (unsigned i = 0; i < sizeof(V) / sizeof(a[0]); ++i) b[i] = a[i] > b[i] ? a[i] : b[i];
  return b;
}

/// 1 / x, cut off behind 14 bits.
template <class V, class Bits>
V rough_inverse(uint32_t, V x) {
  constexpr int mantissa = sizeof(Bits) == 4 ? 23 : 52;
  for (unsigned i = 0; i < sizeof(V) / sizeof(x[0]); ++i) {
    auto inverse = 1 / x[i];
    Bits bits;
    std::memcpy(&bits, &inverse, sizeof bits);
    if (inverse == inverse) bits = bits >> (mantissa - 14) << (mantissa - 14);
    std::memcpy(&inverse, &bits, sizeof bits);
    x[i] = inverse;
  }
  return x;
}

template <class T, class V>
void store_some(T* to, uint32_t mask, V value) {
  for (unsigned i = 0; i < sizeof(V) / sizeof(T); ++i)
    if (mask >> i & 1) to[i] = value[i];
}

}  // namespace emulated

#define _mm512_maskz_min_ps emulated::smaller<__m512>
#define _mm512_maskz_min_pd emulated::smaller<__m512d>
#define _mm512_maskz_max_ps emulated::greater<__m512>
#define _mm512_maskz_max_pd emulated::greater<__m512d>
#define _mm512_maskz_rcp14_ps emulated::rough_inverse<__m512, uint32_t>
#define _mm512_maskz_rcp14_pd emulated::rough_inverse<__m512d, uint64_t>
#define _mm512_mask_storeu_ps emulated::store_some
#define _mm512_mask_storeu_pd emulated::store_some
