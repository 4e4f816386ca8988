// Two rows × sixteen outputs in eight registers: with more, compilers spill. Bytes become 16-bit numbers, whose products
// vpmaddwd adds without saturation: each lane has two of the four products of an output, and the
// halves are added at the end.
#include "bnn_igemm.h"

#if BNN_X86_64

#include <immintrin.h>

#define BNN_TARGET __attribute__((target("avx2")))
#define BNN_TARGET_INLINE static inline __attribute__((always_inline, target("avx2")))
#include "quantize_loops.h"

enum { rows_per_tile = 2, columns = 16, vectors = 4 };

static size_t weight_bytes(size_t outputs, size_t depth) {
  return (outputs + columns - 1) / columns * columns * depth * 4 * sizeof(int16_t);
}

// [tile of outputs][k][output of the tile][4] in 16 bits.
static void pack_weights(size_t outputs, size_t depth, const int8_t *rows, void *packed) {
  int16_t *to = packed;
  for (size_t tile = 0; tile < outputs; tile += columns)
    for (size_t k = 0; k < depth; k++)
      for (size_t o = tile; o < tile + columns; o++)
        for (size_t i = 0; i < 4; i++) *to++ = o < outputs ? rows[(o * depth + k) * 4 + i] : 0;
}

// The sums of neighbours in a and b: eight outputs in order.
BNN_TARGET_INLINE __m256i add_halves(__m256i a, __m256i b) {
  return _mm256_permute4x64_epi64(_mm256_hadd_epi32(a, b), _MM_SHUFFLE(3, 1, 2, 0));
}

// `rows` is a constant at every call, so that the loops over it unroll into registers.
BNN_TARGET_INLINE void multiply_tile(
  size_t rows, size_t depth, const uint8_t *const *a, const uint32_t *offsets,
  const int16_t *weights, const int32_t *bases, int32_t *out, size_t out_stride) {
  __m256i sums[rows_per_tile][vectors];
#pragma clang loop unroll(full)
  for (size_t m = 0; m < rows; m++)
#pragma clang loop unroll(full)
    for (size_t v = 0; v < vectors; v++) sums[m][v] = _mm256_setzero_si256();
  for (size_t k = 0; k < depth; k++, weights += columns * 4) {
    __m256i x[rows_per_tile];
#pragma clang loop unroll(full)
    for (size_t m = 0; m < rows; m++) {
      int32_t four;
      memcpy(&four, a[m] + offsets[k], sizeof four);
      // All lanes are the same, so that bytes need not cross them.
      x[m] = _mm256_unpacklo_epi8(_mm256_set1_epi32(four), _mm256_setzero_si256());
    }
#pragma clang loop unroll(full)
    for (size_t v = 0; v < vectors; v++) {
      const __m256i w = _mm256_load_si256((const __m256i *)(weights + v * 16));
#pragma clang loop unroll(full)
      for (size_t m = 0; m < rows; m++)
        sums[m][v] = _mm256_add_epi32(sums[m][v], _mm256_madd_epi16(x[m], w));
    }
  }
#pragma clang loop unroll(full)
  for (size_t m = 0; m < rows; m++)
#pragma clang loop unroll(full)
    for (size_t half = 0; half < 2; half++) {
      const __m256i base = _mm256_loadu_si256((const __m256i *)(bases + half * 8));
      const __m256i sum = add_halves(sums[m][half * 2], sums[m][half * 2 + 1]);
      _mm256_storeu_si256(
        (__m256i *)(out + m * out_stride + half * 8), _mm256_add_epi32(base, sum));
    }
}

BNN_TARGET static void multiply_rows(
  size_t rows, size_t depth, const uint8_t *const *a, const uint32_t *offsets,
  const int16_t *weights, const int32_t *bases, int32_t *out, size_t out_stride) {
  switch (rows) {
    case 2: return multiply_tile(2, depth, a, offsets, weights, bases, out, out_stride);
    default: return multiply_tile(1, depth, a, offsets, weights, bases, out, out_stride);
  }
}

BNN_TARGET static void multiply(
  const bnn_byte_rows *rows, size_t outputs, const void *packed_weights, const int32_t *bases,
  int32_t *out, size_t out_stride) {
  const size_t depth = rows->depth;
  const int16_t *weights = packed_weights;
  for (size_t tile = 0; tile < outputs; tile += columns, weights += depth * columns * 4) {
    const size_t width = outputs - tile < columns ? outputs - tile : columns;
    int32_t base[columns] = {0};
    memcpy(base, bases + tile, width * sizeof base[0]);
    for (size_t m = 0; m < rows->count; m += rows_per_tile) {
      const size_t count = rows->count - m < rows_per_tile ? rows->count - m : rows_per_tile;
      const uint8_t *const *from = rows->rows + m;
      int32_t *to = out + m * out_stride + tile;
      if (width == columns) {
        multiply_rows(count, depth, from, rows->offsets, weights, base, to, out_stride);
      } else {
        int32_t edge[rows_per_tile * columns];
        multiply_rows(count, depth, from, rows->offsets, weights, base, edge, columns);
        for (size_t i = 0; i < count; i++)
          memcpy(to + i * out_stride, edge + i * columns, width * sizeof to[0]);
      }
    }
  }
}

const bnn_igemm bnn_igemm_2x16__avx2 = {
  .name = "bnn_igemm_2x16__avx2",
  .isa = BNN_ISA_AVX2,
  .rows_per_tile = rows_per_tile,
  .weight_bytes = weight_bytes,
  .pack_weights = pack_weights,
  .multiply = multiply,
  .quantize = quantize,
};

#endif
