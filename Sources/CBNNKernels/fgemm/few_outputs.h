// Products with few outputs, in lanes along k, for BNN_TARGET, BNN_FEW_LANES lanes of a vector and
// BNN_FEW_ROWS rows at once, which the including file defines, and BNN_FEW_LOAD_SOME(from, count), the
// first numbers of a vector, where there is an instruction for it. It ends with BNN_FGEMM_FEW in its
// object.
#include <string.h>

#include "bnn_fgemm.h"

enum { few_lanes = BNN_FEW_LANES, few_rows = BNN_FEW_ROWS };
typedef float few_vector __attribute__((ext_vector_type(few_lanes)));

#define BNN_FEW_INLINE BNN_TARGET static inline __attribute__((always_inline))
#define BNN_FEW_UNROLL _Pragma("clang loop unroll(full)")

// The first numbers of a vector, and zeros.
BNN_FEW_INLINE few_vector load_some(const float *from, size_t count) {
#ifdef BNN_FEW_LOAD_SOME
  return (few_vector)BNN_FEW_LOAD_SOME(from, count);
#else
  float numbers[few_lanes] = {0};
  for (size_t i = 0; i < count; i++) numbers[i] = from[i];
  few_vector vector;
  memcpy(&vector, numbers, sizeof vector);
  return vector;
#endif
}

BNN_FEW_INLINE float sum_of_lanes(few_vector v) {
#if BNN_FEW_LANES == 16
  const float __attribute__((ext_vector_type(8))) eight = v.lo + v.hi;
#elif BNN_FEW_LANES == 8
  const few_vector eight = v;
#endif
#if BNN_FEW_LANES >= 8
  const float __attribute__((ext_vector_type(4))) four = eight.lo + eight.hi;
#else
  const few_vector four = v;
#endif
  const float __attribute__((ext_vector_type(2))) two = four.lo + four.hi;
  return two.x + two.y;
}

// One vector of each row with the weights of all outputs. `some` is 0 for a whole one.
BNN_FEW_INLINE void add_vectors(
  size_t rows, size_t outputs, const float *const row[few_rows], size_t first, size_t some,
  const float *weights, few_vector sums[few_rows][bnn_fgemm_few]) {
  few_vector x[few_rows];
  BNN_FEW_UNROLL for (size_t m = 0; m < rows; m++) {
    if (some == 0)
      memcpy(&x[m], row[m] + first, sizeof x[m]);
    else
      x[m] = load_some(row[m] + first, some);
  }
  BNN_FEW_UNROLL for (size_t o = 0; o < outputs; o++) {
    few_vector w;
    memcpy(&w, weights + o * bnn_fgemm_columns, sizeof w);
    BNN_FEW_UNROLL for (size_t m = 0; m < rows; m++) sums[m][o] += x[m] * w;
  }
}

// `rows` and `outputs` are constants at every call.
BNN_FEW_INLINE void multiply_few_tile(
  size_t rows, size_t outputs, const bnn_float_runs *source, size_t first, const float *weights,
  float *out, size_t out_stride) {
  few_vector sums[few_rows][bnn_fgemm_few];
  BNN_FEW_UNROLL for (size_t m = 0; m < rows; m++)
    BNN_FEW_UNROLL for (size_t o = 0; o < outputs; o++) sums[m][o] = 0;
  const size_t run = source->run;
  for (size_t r = 0; r < source->runs; r++) {
    const float *row[few_rows];
    BNN_FEW_UNROLL for (size_t m = 0; m < rows; m++)
      row[m] = source->from[(first + m) * source->runs + r];
    for (size_t i = 0; i < run; i += bnn_fgemm_columns, weights += outputs * bnn_fgemm_columns)
      for (size_t part = 0; part < bnn_fgemm_columns && i + part < run; part += few_lanes) {
        const size_t left = run - i - part;
        if (left >= few_lanes)
          add_vectors(rows, outputs, row, i + part, 0, weights + part, sums);
        else
          add_vectors(rows, outputs, row, i + part, left, weights + part, sums);
      }
  }
  BNN_FEW_UNROLL for (size_t m = 0; m < rows; m++)
    BNN_FEW_UNROLL for (size_t o = 0; o < outputs; o++)
      out[(first + m) * out_stride + o] = sum_of_lanes(sums[m][o]) + weights[o];
}

BNN_FEW_INLINE void multiply_few_rows(
  size_t outputs, const bnn_float_runs *source, const float *weights, float *out,
  size_t out_stride) {
  size_t m = 0;
  for (; m + few_rows <= source->count; m += few_rows)
    multiply_few_tile(few_rows, outputs, source, m, weights, out, out_stride);
  for (; m < source->count; m++)
    multiply_few_tile(1, outputs, source, m, weights, out, out_stride);
}

BNN_TARGET static void multiply_few(
  const bnn_float_runs *rows, size_t outputs, const float *packed_weights, float *out,
  size_t out_stride) {
  switch (outputs) {
    case 1: return multiply_few_rows(1, rows, packed_weights, out, out_stride);
    case 2: return multiply_few_rows(2, rows, packed_weights, out, out_stride);
    case 3: return multiply_few_rows(3, rows, packed_weights, out, out_stride);
    default: return multiply_few_rows(4, rows, packed_weights, out, out_stride);
  }
}

#define BNN_FGEMM_FEW .multiply_few = multiply_few
