// Six rows × up to 64 outputs in 24 registers; four weight vectors and one broadcast of four bytes
// per row and step.
#include "bnn_igemm.h"

#if BNN_X86_64

#include <immintrin.h>
#include <string.h>

#include "../in_order.h"

#define BNN_FEATURES target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")
#define BNN_TARGET __attribute__((BNN_FEATURES))
#define BNN_TARGET_INLINE static inline __attribute__((always_inline, BNN_FEATURES))

enum { columns = 16, rows_per_tile = 6, vectors_per_tile = 4 };

static size_t weight_bytes(size_t outputs, size_t depth) {
  return (outputs + columns - 1) / columns * columns * depth * 4;
}

// [tile of outputs][k][output of the tile][4].
static void pack_weights(size_t outputs, size_t depth, const int8_t *rows, void *packed) {
  int8_t *to = packed;
  for (size_t tile = 0; tile < outputs; tile += columns)
    for (size_t k = 0; k < depth; k++)
      for (size_t o = tile; o < tile + columns; o++)
        for (size_t i = 0; i < 4; i++) *to++ = o < outputs ? rows[(o * depth + k) * 4 + i] : 0;
}

// `rows` and `vectors` are constants at every call, so that the loops over them unroll into
// registers. `mask` has the outputs of the last vector.
BNN_TARGET_INLINE void multiply_tile(
  size_t rows, size_t vectors, size_t depth, const uint8_t *const *a, const uint32_t *offsets,
  const int8_t *weights, const int32_t *bases, __mmask16 mask, int32_t *out, size_t out_stride) {
  __m512i sums[rows_per_tile][vectors_per_tile];
#pragma clang loop unroll(full)
  for (size_t v = 0; v < vectors; v++) {
    const __m512i base =
      _mm512_maskz_loadu_epi32(v + 1 == vectors ? mask : 0xffff, bases + v * columns);
#pragma clang loop unroll(full)
    for (size_t m = 0; m < rows; m++) sums[m][v] = base;
  }
  const uint8_t *row[rows_per_tile];
#pragma clang loop unroll(full)
  for (size_t m = 0; m < rows; m++) row[m] = a[m];
  for (size_t k = 0; k < depth; k++) {
    const size_t offset = offsets[k];
    __m512i w[vectors_per_tile];
#pragma clang loop unroll(full)
    for (size_t v = 0; v < vectors; v++)
      w[v] = _mm512_load_si512(weights + (v * depth + k) * columns * 4);
#pragma clang loop unroll(full)
    for (size_t m = 0; m < rows; m++) {
      int32_t four;
      memcpy(&four, row[m] + offset, sizeof four);
      const __m512i x = _mm512_set1_epi32(four);
#pragma clang loop unroll(full)
      for (size_t v = 0; v < vectors; v++) {
        sums[m][v] = _mm512_dpbusd_epi32(sums[m][v], x, w[v]);
        BNN_LOADS_COME_AFTER(sums[m][v]);
      }
    }
  }
#pragma clang loop unroll(full)
  for (size_t m = 0; m < rows; m++)
#pragma clang loop unroll(full)
    for (size_t v = 0; v < vectors; v++)
      _mm512_mask_storeu_epi32(
        out + m * out_stride + v * columns, v + 1 == vectors ? mask : 0xffff, sums[m][v]);
}

typedef void tile_function(
  size_t depth, const uint8_t *const *a, const uint32_t *offsets, const int8_t *weights,
  const int32_t *bases, __mmask16 mask, int32_t *out, size_t out_stride);

#define BNN_TILE(rows, vectors)                                                               \
  BNN_TARGET static void tile_##rows##x##vectors(                                             \
    size_t depth, const uint8_t *const *a, const uint32_t *offsets, const int8_t *weights,    \
    const int32_t *bases, __mmask16 mask, int32_t *out, size_t out_stride) {                  \
    multiply_tile(rows, vectors, depth, a, offsets, weights, bases, mask, out, out_stride);   \
  }
#define BNN_TILES(rows) BNN_TILE(rows, 1) BNN_TILE(rows, 2) BNN_TILE(rows, 3) BNN_TILE(rows, 4)
BNN_TILES(1) BNN_TILES(2) BNN_TILES(3) BNN_TILES(4) BNN_TILES(5) BNN_TILES(6)

#define BNN_LIST(rows) {tile_##rows##x1, tile_##rows##x2, tile_##rows##x3, tile_##rows##x4}
static tile_function *const tiles[rows_per_tile][vectors_per_tile] = {
  BNN_LIST(1), BNN_LIST(2), BNN_LIST(3), BNN_LIST(4), BNN_LIST(5), BNN_LIST(6)};

BNN_TARGET static void multiply(
  const bnn_byte_rows *rows, size_t outputs, const void *packed_weights, const int32_t *bases,
  int32_t *out, size_t out_stride) {
  enum { width = vectors_per_tile * columns };
  const int8_t *weights = packed_weights;
  for (size_t o = 0; o < outputs; o += width, weights += width * 4 * rows->depth) {
    const size_t left = outputs - o < width ? outputs - o : width;
    const size_t vectors = (left + columns - 1) / columns;
    const size_t edge = left - (vectors - 1) * columns;
    const __mmask16 mask = (__mmask16)(0xffff >> (columns - edge));
    for (size_t m = 0; m < rows->count; m += rows_per_tile) {
      const size_t count = rows->count - m < rows_per_tile ? rows->count - m : rows_per_tile;
      tiles[count - 1][vectors - 1](
        rows->depth, rows->rows + m, rows->offsets, weights, bases + o, mask,
        out + m * out_stride + o, out_stride);
    }
  }
}

BNN_TARGET static void quantize(
  size_t count, const float *from, float inverse_scale, int32_t zero, uint8_t *to) {
  enum { lanes = 16 };
  const __m512 inverse = _mm512_set1_ps(inverse_scale);
  // Clamping to whole numbers before rounding gives what clamping after it does.
  const __m512 lower = _mm512_set1_ps((float)-zero), upper = _mm512_set1_ps((float)(255 - zero));
  const __m512i zeros = _mm512_set1_epi32(zero);
  for (size_t i = 0; i < count; i += lanes) {
    const size_t left = count - i;
    const __mmask16 mask = left < lanes ? (__mmask16)((1u << left) - 1) : 0xffff;
    __m512 x = _mm512_mul_ps(_mm512_maskz_loadu_ps(mask, from + i), inverse);
    // The second operand is the result where one is NaN.
    x = _mm512_min_ps(_mm512_max_ps(x, lower), upper);
    const __m512i whole = _mm512_cvt_roundps_epi32(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    _mm512_mask_cvtepi32_storeu_epi8(to + i, mask, _mm512_add_epi32(whole, zeros));
  }
}

const bnn_igemm bnn_igemm_6x64__avx512vnni = {
  .name = "bnn_igemm_6x64__avx512vnni",
  .isa = BNN_ISA_AVX512_VNNI,
  .rows_per_tile = rows_per_tile,
  .weight_bytes = weight_bytes,
  .pack_weights = pack_weights,
  .multiply = multiply,
  .quantize = quantize,
};

#endif
