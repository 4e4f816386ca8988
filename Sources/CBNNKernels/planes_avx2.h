// Bit planes (see `bnn_planes`) in vectors of four rows.
#ifndef BNN_PLANES_AVX2_H
#define BNN_PLANES_AVX2_H

#include <immintrin.h>

#include "bnn_bgemm.h"

// Of the transposition of the 8 × 8 bits of each lane the exchanges from the first one on, of what is 1,
// 2 and 4 rows and columns apart.
__attribute__((target("avx2"), always_inline)) static inline __m256i exchange_rows(
  __m256i x, size_t first) {
  const struct {
    int shift;
    long long mask;
  } steps[3] = {{7, 0x00aa00aa00aa00aa}, {14, 0x0000cccc0000cccc}, {28, 0x00000000f0f0f0f0}};
#pragma clang loop unroll(full)
  for (size_t i = first; i < 3; i++) {
    const __m256i shifted = _mm256_srli_epi64(x, steps[i].shift);
    const __m256i swapped =
      _mm256_and_si256(_mm256_xor_si256(x, shifted), _mm256_set1_epi64x(steps[i].mask));
    x = _mm256_xor_si256(
      _mm256_xor_si256(x, swapped), _mm256_slli_epi64(swapped, steps[i].shift));
  }
  return x;
}

#endif
