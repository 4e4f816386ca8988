// Six rows × up to 64 outputs in 24 registers; four weight vectors and one broadcast per row and
// step.
#include "bnn_fgemm.h"

#if BNN_X86_64

#include <immintrin.h>

#include "../in_order.h"

#define BNN_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))
#define BNN_TARGET_INLINE \
  static inline __attribute__((always_inline, target("avx512f,avx512bw,avx512vl,avx512dq")))

enum { columns = bnn_fgemm_columns, rows_per_tile = 6, vectors_per_tile = 4 };

// `rows` and `vectors` are constants at every call, so that the loops over them unroll into
// registers. `mask` has the outputs of the last vector.
BNN_TARGET_INLINE void multiply_tile(
  size_t rows, size_t vectors, size_t depth, const float *const *a, const uint32_t *offsets,
  const float *weights, __mmask16 mask, float *out, size_t out_stride) {
  __m512 sums[rows_per_tile][vectors_per_tile];
#pragma clang loop unroll(full)
  for (size_t m = 0; m < rows; m++)
#pragma clang loop unroll(full)
    for (size_t v = 0; v < vectors; v++) sums[m][v] = _mm512_setzero_ps();
  const float *row[rows_per_tile];
#pragma clang loop unroll(full)
  for (size_t m = 0; m < rows; m++) row[m] = a[m];
  for (size_t k = 0; k < depth; k++) {
    const size_t offset = offsets[k];
    __m512 w[vectors_per_tile];
#pragma clang loop unroll(full)
    for (size_t v = 0; v < vectors; v++)
      w[v] = _mm512_loadu_ps(weights + (v * (depth + 1) + k) * columns);
#pragma clang loop unroll(full)
    for (size_t m = 0; m < rows; m++) {
      const __m512 value = _mm512_set1_ps(row[m][offset]);
#pragma clang loop unroll(full)
      for (size_t v = 0; v < vectors; v++) {
        sums[m][v] = _mm512_fmadd_ps(value, w[v], sums[m][v]);
        BNN_LOADS_COME_AFTER(sums[m][v]);
      }
    }
  }
  __m512 bias[vectors_per_tile];
#pragma clang loop unroll(full)
  for (size_t v = 0; v < vectors; v++)
    bias[v] = _mm512_loadu_ps(weights + (v * (depth + 1) + depth) * columns);
#pragma clang loop unroll(full)
  for (size_t m = 0; m < rows; m++)
#pragma clang loop unroll(full)
    for (size_t v = 0; v < vectors; v++)
      _mm512_mask_storeu_ps(
        out + m * out_stride + v * columns, v + 1 == vectors ? mask : 0xffff,
        _mm512_add_ps(sums[m][v], bias[v]));
}

typedef void tile_function(
  size_t depth, const float *const *a, const uint32_t *offsets, const float *weights,
  __mmask16 mask, float *out, size_t out_stride);

#define BNN_TILE(rows, vectors)                                                            \
  BNN_TARGET static void tile_##rows##x##vectors(                                          \
    size_t depth, const float *const *a, const uint32_t *offsets, const float *weights,    \
    __mmask16 mask, float *out, size_t out_stride) {                                       \
    multiply_tile(rows, vectors, depth, a, offsets, weights, mask, out, out_stride);       \
  }
#define BNN_TILES(rows) BNN_TILE(rows, 1) BNN_TILE(rows, 2) BNN_TILE(rows, 3) BNN_TILE(rows, 4)
BNN_TILES(1) BNN_TILES(2) BNN_TILES(3) BNN_TILES(4) BNN_TILES(5) BNN_TILES(6)

#define BNN_LIST(rows) {tile_##rows##x1, tile_##rows##x2, tile_##rows##x3, tile_##rows##x4}
static tile_function *const tiles[rows_per_tile][vectors_per_tile] = {
  BNN_LIST(1), BNN_LIST(2), BNN_LIST(3), BNN_LIST(4), BNN_LIST(5), BNN_LIST(6)};

BNN_TARGET static void multiply(
  const bnn_float_rows *rows, size_t outputs, const float *packed_weights, float *out,
  size_t out_stride) {
  enum { width = vectors_per_tile * columns };
  for (size_t o = 0; o < outputs; o += width, packed_weights += width * (rows->depth + 1)) {
    const size_t left = outputs - o < width ? outputs - o : width;
    const size_t vectors = (left + columns - 1) / columns;
    const size_t edge = left - (vectors - 1) * columns;
    const __mmask16 mask = (__mmask16)(0xffff >> (columns - edge));
    for (size_t m = 0; m < rows->count; m += rows_per_tile) {
      const size_t count = rows->count - m < rows_per_tile ? rows->count - m : rows_per_tile;
      tiles[count - 1][vectors - 1](
        rows->depth, rows->rows + m, rows->offsets, packed_weights, mask,
        out + m * out_stride + o, out_stride);
    }
  }
}

#define BNN_FEW_LANES 16
#define BNN_FEW_ROWS 6
#define BNN_FEW_LOAD_SOME(from, count) \
  _mm512_maskz_loadu_ps((__mmask16)((1u << (count)) - 1), from)
#include "few_outputs.h"

const bnn_fgemm bnn_fgemm_6x64__avx512 = {
  .name = "bnn_fgemm_6x64__avx512",
  .isa = BNN_ISA_AVX512,
  .rows_per_tile = rows_per_tile,
  .multiply = multiply,
  BNN_FGEMM_FEW,
};

#endif
