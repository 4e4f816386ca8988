// Six rows × sixteen outputs in twelve registers; two weight vectors and one broadcast per step.
#include "bnn_fgemm.h"

#if BNN_X86_64

#include <immintrin.h>
#include <string.h>

#define BNN_TARGET __attribute__((target("avx2,fma")))
#define BNN_TARGET_INLINE static inline __attribute__((always_inline, target("avx2,fma")))

enum { rows_per_tile = 6, columns = bnn_fgemm_columns };

// `rows` is a constant at every call, so that the loops over it unroll into registers.
BNN_TARGET_INLINE void multiply_tile(
  size_t rows, size_t depth, const float *const *a, const uint32_t *offsets, const float *weights,
  float *out, size_t out_stride) {
  __m256 sums[rows_per_tile][2];
#pragma clang loop unroll(full)
  for (size_t m = 0; m < rows; m++) sums[m][0] = sums[m][1] = _mm256_setzero_ps();
  for (size_t k = 0; k < depth; k++) {
    const size_t offset = offsets[k];
    const __m256 w0 = _mm256_loadu_ps(weights + k * columns);
    const __m256 w1 = _mm256_loadu_ps(weights + k * columns + 8);
#pragma clang loop unroll(full)
    for (size_t m = 0; m < rows; m++) {
      const __m256 value = _mm256_broadcast_ss(a[m] + offset);
      sums[m][0] = _mm256_fmadd_ps(value, w0, sums[m][0]);
      sums[m][1] = _mm256_fmadd_ps(value, w1, sums[m][1]);
    }
  }
  const __m256 bias0 = _mm256_loadu_ps(weights + depth * columns);
  const __m256 bias1 = _mm256_loadu_ps(weights + depth * columns + 8);
#pragma clang loop unroll(full)
  for (size_t m = 0; m < rows; m++) {
    _mm256_storeu_ps(out + m * out_stride, _mm256_add_ps(sums[m][0], bias0));
    _mm256_storeu_ps(out + m * out_stride + 8, _mm256_add_ps(sums[m][1], bias1));
  }
}

BNN_TARGET static void multiply_rows(
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

BNN_TARGET static void multiply(
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

#define BNN_FEW_LANES 8
#define BNN_FEW_ROWS 3
#include "few_outputs.h"

const bnn_fgemm bnn_fgemm_6x16__avx2 = {
  .name = "bnn_fgemm_6x16__avx2",
  .isa = BNN_ISA_AVX2,
  .rows_per_tile = rows_per_tile,
  .multiply = multiply,
  BNN_FGEMM_FEW,
};

#endif
