// The population count of 32-bit lanes: one vector is 16 outputs × 32 bits of K. Three instructions
// for 512 products (XOR, count, add), which is all that four vectors of execution units can do; rows
// need no layout of their own.
//
// Weights: [tile of 16 outputs][half of a word][16 outputs].
#include "bnn_bgemm.h"

#if BNN_X86_64

#include <immintrin.h>

#define BNN_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vpopcntdq")))
#define BNN_TARGET_INLINE                \
  static inline __attribute__((          \
    always_inline, target("avx512f,avx512bw,avx512vl,avx512dq,avx512vpopcntdq")))

enum { columns = 16, rows_per_tile = 4 };

static size_t weight_bytes(size_t outputs, size_t words) {
  return (outputs + columns - 1) / columns * columns * words * sizeof(uint64_t);
}

static void pack_weights(size_t outputs, size_t words, const uint64_t *rows, void *packed) {
  uint32_t *out = packed;
  for (size_t tile = 0; tile < outputs; tile += columns)
    for (size_t half = 0; half < 2 * words; half++)
      for (size_t i = 0; i < columns; i++) {
        const uint64_t word = tile + i < outputs ? rows[(tile + i) * words + half / 2] : 0;
        *out++ = (uint32_t)(word >> 32 * (half % 2));
      }
}

// `rows` is a constant at every call, so that the loops over it unroll into registers.
BNN_TARGET_INLINE void multiply_tile(
  size_t rows, size_t halves, const uint32_t *const *bits, const uint32_t *offsets,
  const uint32_t *weights, __mmask16 outputs, const int32_t *const *bases, size_t first,
  int32_t *out, size_t out_stride) {
  __m512i mismatches[rows_per_tile];
#pragma clang loop unroll(full)
  for (size_t m = 0; m < rows; m++) mismatches[m] = _mm512_setzero_si512();
  for (size_t half = 0; half < halves; half++, weights += columns) {
    const size_t offset = offsets[half];
    const __m512i w = _mm512_load_si512(weights);
#pragma clang loop unroll(full)
    for (size_t m = 0; m < rows; m++) {
      const __m512i differ = _mm512_xor_si512(w, _mm512_set1_epi32((int32_t)bits[m][offset]));
      mismatches[m] = _mm512_add_epi32(mismatches[m], _mm512_popcnt_epi32(differ));
    }
  }
#pragma clang loop unroll(full)
  for (size_t m = 0; m < rows; m++) {
    const __m512i base = _mm512_maskz_loadu_epi32(outputs, bases[m] + first);
    const __m512i twice = _mm512_slli_epi32(mismatches[m], 1);
    _mm512_mask_storeu_epi32(
      out + m * out_stride + first, outputs, _mm512_sub_epi32(base, twice));
  }
}

BNN_TARGET static void multiply(
  const bnn_bit_rows *rows, const void *arranged, size_t outputs, const void *packed_weights,
  const void *next, const int32_t *const *bases, int32_t *out, size_t out_stride) {
  (void)arranged;
  (void)next;
  const size_t tile_halves = 2 * bnn_row_words(rows) * columns;
  // The rows of a tile stay in the first level cache while the weights pass by.
  for (size_t m = 0; m < rows->count; m += rows_per_tile) {
    const size_t count = rows->count - m;
    const uint32_t *weights = packed_weights;
    for (size_t o = 0; o < outputs; o += columns, weights += tile_halves) {
      const size_t left = outputs - o;
      const __mmask16 mask = (__mmask16)(left < columns ? (1u << left) - 1 : 0xffff);
#define BNN_MULTIPLY(n)                                                                         \
  multiply_tile(                                                                                \
    n, rows->halves, rows->rows + m, rows->offsets, weights, mask, bases + m, o,                \
    out + m * out_stride, out_stride)
      switch (count) {
        case 1: BNN_MULTIPLY(1); break;
        case 2: BNN_MULTIPLY(2); break;
        case 3: BNN_MULTIPLY(3); break;
        default: BNN_MULTIPLY(4);
      }
#undef BNN_MULTIPLY
    }
  }
}

const bnn_bgemm bnn_bgemm_4x16__avx512vpopcntdq = {
  .name = "bnn_bgemm_4x16__avx512vpopcntdq",
  .isa = BNN_ISA_AVX512_VPOPCNTDQ,
  .costs[BNN_CPU_OTHER] = {
    .rows = 1, .outputs = 16, .word = 3.2, .rest = 6, .tested_rest = 6, .group_word = 4.3},
  .costs[BNN_CPU_INTEL] = {.rows = 1, .outputs = 16, .word = 3.15, .rest = 18, .tested_rest = 10},
  .costs[BNN_CPU_ZEN5] = {
    .rows = 1, .outputs = 16, .word = 1.84, .rest = 2.1, .tested_rest = 10, .group_word = 1.6},
  .best_rows = 32,
  .best_outputs = 0,
  .weight_bytes = weight_bytes,
  .pack_weights = pack_weights,
  .arranged_bytes = NULL,
  .arrange = NULL,
  .halves_per_gather = 512,
  .multiply = multiply,
  .count = NULL,
};

#endif
