// Bit planes (see `bnn_planes`) in vectors of four rows.
#ifndef BNN_PLANES_AVX2_H
#define BNN_PLANES_AVX2_H

#include <immintrin.h>

#include "bnn_bgemm.h"

#define BNN_PLANES_INLINE static inline __attribute__((always_inline, target("avx2")))

// Exchanges the bits of `a` outside of `mask` for those of `b` inside, `shift` apart.
BNN_PLANES_INLINE void exchange_bits(__m256i *a, __m256i *b, char mask, int shift) {
  const __m256i differ = _mm256_and_si256(
    _mm256_xor_si256(_mm256_srli_epi16(*a, shift), *b), _mm256_set1_epi8(mask));
  *b = _mm256_xor_si256(*b, differ);
  *a = _mm256_xor_si256(*a, _mm256_slli_epi16(differ, shift));
}

// Bit i of each byte of vector k becomes bit k of that byte of vector i.
BNN_PLANES_INLINE void transpose_bytes(__m256i vectors[8]) {
  _Pragma("clang loop unroll(full)") for (size_t k = 0; k < 4; k++) exchange_bits(vectors + k, vectors + k + 4, 0x0f, 4);
  _Pragma("clang loop unroll(full)") for (size_t k = 0; k < 8; k += k % 4 == 1 ? 3 : 1)
    exchange_bits(vectors + k, vectors + k + 2, 0x33, 2);
  _Pragma("clang loop unroll(full)") for (size_t k = 0; k < 8; k += 2)
    exchange_bits(vectors + k, vectors + k + 1, 0x55, 1);
}

// Of the transposition of the 8 × 8 bits of each lane the exchanges from the first one on, of what is 1,
// 2 and 4 rows and columns apart.
BNN_PLANES_INLINE __m256i exchange_rows(
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
