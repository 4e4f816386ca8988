// Bit planes of twice the mismatches of 8 rows × 64 outputs (see `bnn_planes`), to numbers.
#ifndef BNN_PLANES_AVX512_H
#define BNN_PLANES_AVX512_H

#include <immintrin.h>

#include "bnn_bgemm.h"

#define BNN_PLANES_INLINE \
  static inline __attribute__((always_inline, target("avx512f,avx512bw,avx512vl,avx512dq")))

// Exchanges the bits of `a` outside of `mask` for those of `b` inside, `shift` apart.
BNN_PLANES_INLINE void exchange_bits(__m512i *a, __m512i *b, char mask, unsigned shift) {
  enum { select = 0xca };
  const __m512i inside = _mm512_set1_epi8(mask);
  const __m512i from_b = _mm512_slli_epi16(*b, shift), from_a = _mm512_srli_epi16(*a, shift);
  *a = _mm512_ternarylogic_epi64(inside, *a, from_b, select);
  *b = _mm512_ternarylogic_epi64(inside, from_a, *b, select);
}

// Bit i of each byte of vector k becomes bit k of that byte of vector i.
BNN_PLANES_INLINE void transpose_bytes(__m512i vectors[8]) {
#pragma clang loop unroll(full)
  for (size_t k = 0; k < 4; k++) exchange_bits(vectors + k, vectors + k + 4, 0x0f, 4);
#pragma clang loop unroll(full)
  for (size_t k = 0; k < 8; k += k % 4 == 1 ? 3 : 1)
    exchange_bits(vectors + k, vectors + k + 2, 0x33, 2);
#pragma clang loop unroll(full)
  for (size_t k = 0; k < 8; k += 2) exchange_bits(vectors + k, vectors + k + 1, 0x55, 1);
}

// Of the transposition of the 8 × 8 bits of each lane the exchanges from the first one on, of what is 1,
// 2 and 4 rows and columns apart.
BNN_PLANES_INLINE __m512i exchange_rows(__m512i x, size_t first) {
  const struct {
    unsigned shift;
    long long mask;
  } steps[3] = {{7, 0x00aa00aa00aa00aa}, {14, 0x0000cccc0000cccc}, {28, 0x00000000f0f0f0f0}};
  enum { differs_inside = 0x28, exclusive_or = 0x96 };
  _Pragma("clang loop unroll(full)") for (size_t i = first; i < 3; i++) {
    const __m512i mask = _mm512_set1_epi64(steps[i].mask);
    const __m512i swapped = _mm512_ternarylogic_epi64(
      x, _mm512_srli_epi64(x, steps[i].shift), mask, differs_inside);
    x = _mm512_ternarylogic_epi64(
      x, swapped, _mm512_slli_epi64(swapped, steps[i].shift), exclusive_or);
  }
  return x;
}

// Output o of each lane of a plane becomes bit o, and the other way round.
BNN_PLANES_INLINE __m512i transpose_bits(__m512i x) { return exchange_rows(x, 0); }

// Planes as bytes: vector i has the outputs 8i to 8i + 7 of each row in the row's lane.
typedef struct plane_bytes {
  __m512i low[8], high[8];
} plane_bytes;

BNN_PLANES_INLINE plane_bytes bytes_of_planes(const bnn_planes *planes) {
  plane_bytes bytes;
#pragma clang loop unroll(full)
  for (size_t i = 0; i < 8; i++) {
    bytes.low[i] = _mm512_load_si512(planes->words[i]);
    bytes.high[i] = _mm512_load_si512(planes->words[i + 8]);
  }
  transpose_bytes(bytes.low);
  transpose_bytes(bytes.high);
  return bytes;
}

// The 16 outputs from 8i on, i being even, as 16-bit numbers: two rows in a vector, of which the
// second is two rows after the first; the first rows are 0, 1, 4 and 5.
BNN_PLANES_INLINE void numbers_of_bytes(const plane_bytes *bytes, size_t i, __m512i rows[4]) {
  const __m512i first_rows = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
  const __m512i last_rows = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
  const __m512i *low = bytes->low + i, *high = bytes->high + i;
  const __m512i even[2] = {
    _mm512_unpacklo_epi8(low[0], high[0]), _mm512_unpacklo_epi8(low[1], high[1])};
  const __m512i odd[2] = {
    _mm512_unpackhi_epi8(low[0], high[0]), _mm512_unpackhi_epi8(low[1], high[1])};
  rows[0] = _mm512_permutex2var_epi64(even[0], first_rows, even[1]);
  rows[1] = _mm512_permutex2var_epi64(odd[0], first_rows, odd[1]);
  rows[2] = _mm512_permutex2var_epi64(even[0], last_rows, even[1]);
  rows[3] = _mm512_permutex2var_epi64(odd[0], last_rows, odd[1]);
}

// All numbers: [row][output].
BNN_PLANES_INLINE void numbers_of_planes(const bnn_planes *planes, uint16_t (*out)[64]) {
  const plane_bytes bytes = bytes_of_planes(planes);
#pragma clang loop unroll(full)
  for (size_t i = 0; i < 8; i += 2) {
    __m512i rows[4];
    numbers_of_bytes(&bytes, i, rows);
#pragma clang loop unroll(full)
    for (size_t m = 0; m < 4; m++) {
      uint16_t(*to)[64] = out + m / 2 * 4 + m % 2;
      _mm256_storeu_si256((__m256i *)(to[0] + 8 * i), _mm512_castsi512_si256(rows[m]));
      _mm256_storeu_si256((__m256i *)(to[2] + 8 * i), _mm512_extracti64x4_epi64(rows[m], 1));
    }
  }
}

#endif
