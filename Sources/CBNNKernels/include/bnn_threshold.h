// Tests numbers against an interval per channel and packs the answers as bits.
//
// Bit c of a row is set when `lower[c] <= x[c] && x[c] <= upper[c]` differs from bit c of
// `outside_is_plus`. A NaN lies in no interval. Rows of results are whole words; the bits of
// `outside_is_plus` after the last channel must be 0, and so are those of the result.
#ifndef BNN_THRESHOLD_H
#define BNN_THRESHOLD_H

#include "bnn_isa.h"

typedef struct bnn_threshold {
  const char *name;
  bnn_isa isa;
  void (*integers)(
    size_t rows, size_t channels, const int32_t *x, const int32_t *lower, const int32_t *upper,
    const uint64_t *outside_is_plus, uint64_t *out);
  void (*floats)(
    size_t rows, size_t channels, const float *x, const float *lower, const float *upper,
    const uint64_t *outside_is_plus, uint64_t *out);
} bnn_threshold;

#define BNN_THRESHOLD_KERNEL(object) BNN_DECLARE_KERNEL(bnn_threshold, object)
#include "bnn_threshold.inc"
#undef BNN_THRESHOLD_KERNEL
BNN_DECLARE_DISPATCH(bnn_threshold)

#endif
