// Six rows × sixteen outputs in 24 registers; four weight vectors and, for each row, one number
// that the multiplications take from lane 0 of its register.
#include "bnn_fgemm.h"

#if BNN_AARCH64

#include <arm_neon.h>
#include <string.h>

#define BNN_INLINE static inline __attribute__((always_inline))

enum { rows_per_tile = 6, columns = bnn_fgemm_columns, lanes = 4, vectors = columns / lanes };

// `rows` is a constant at every call, so that the loops over it unroll into registers.
BNN_INLINE void multiply_tile(
  size_t rows, size_t depth, const float *const *a, const uint32_t *offsets, const float *weights,
  float *out, size_t out_stride) {
  float32x4_t sums[rows_per_tile][vectors];
#pragma clang loop unroll(full)
  for (size_t m = 0; m < rows; m++)
#pragma clang loop unroll(full)
    for (size_t v = 0; v < vectors; v++) sums[m][v] = vdupq_n_f32(0);
  for (size_t k = 0; k < depth; k++) {
    const size_t offset = offsets[k];
    float32x4_t w[vectors];
#pragma clang loop unroll(full)
    for (size_t v = 0; v < vectors; v++) w[v] = vld1q_f32(weights + k * columns + v * lanes);
#pragma clang loop unroll(full)
    for (size_t m = 0; m < rows; m++) {
      const float value = a[m][offset];
#pragma clang loop unroll(full)
      for (size_t v = 0; v < vectors; v++) sums[m][v] = vfmaq_n_f32(sums[m][v], w[v], value);
    }
  }
#pragma clang loop unroll(full)
  for (size_t m = 0; m < rows; m++)
#pragma clang loop unroll(full)
    for (size_t v = 0; v < vectors; v++) {
      const float32x4_t bias = vld1q_f32(weights + depth * columns + v * lanes);
      vst1q_f32(out + m * out_stride + v * lanes, vaddq_f32(sums[m][v], bias));
    }
}

static void multiply_rows(
  size_t rows, size_t depth, const float *const *a, const uint32_t *offsets, const float *weights,
  float *out, size_t out_stride) {
  switch (rows) {
    case 6: return multiply_tile(6, depth, a, offsets, weights, out, out_stride);
    case 5: return multiply_tile(5, depth, a, offsets, weights, out, out_stride);
    case 4: return multiply_tile(4, depth, a, offsets, weights, out, out_stride);
    case 3: return multiply_tile(3, depth, a, offsets, weights, out, out_stride);
    case 2: return multiply_tile(2, depth, a, offsets, weights, out, out_stride);
    default: return multiply_tile(1, depth, a, offsets, weights, out, out_stride);
  }
}

static void multiply(
  const bnn_float_rows *rows, size_t outputs, const float *packed_weights, float *out,
  size_t out_stride) {
  const size_t depth = rows->depth;
  for (size_t tile = 0; tile < outputs; tile += columns, packed_weights += (depth + 1) * columns) {
    const size_t width = outputs - tile < columns ? outputs - tile : columns;
    for (size_t m = 0; m < rows->count; m += rows_per_tile) {
      const size_t count = rows->count - m < rows_per_tile ? rows->count - m : rows_per_tile;
      const float *const *from = rows->rows + m;
      float *to = out + m * out_stride + tile;
      if (width == columns) {
        multiply_rows(count, depth, from, rows->offsets, packed_weights, to, out_stride);
      } else {
        float edge[rows_per_tile * columns];
        multiply_rows(count, depth, from, rows->offsets, packed_weights, edge, columns);
        for (size_t i = 0; i < count; i++)
          memcpy(to + i * out_stride, edge + i * columns, width * sizeof(float));
      }
    }
  }
}

#define BNN_TARGET
#define BNN_FEW_LANES 4
#define BNN_FEW_ROWS 6
#include "few_outputs.h"

const bnn_fgemm bnn_fgemm_6x16__neon = {
  .name = "bnn_fgemm_6x16__neon",
  .isa = BNN_ISA_NEON,
  .rows_per_tile = rows_per_tile,
  .multiply = multiply,
  BNN_FGEMM_FEW,
};

#endif
