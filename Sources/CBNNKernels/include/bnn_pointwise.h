// Steps on rows of float32 numbers, channels contiguous. Every arithmetic operation rounds by
// itself: no kernel of this family may fuse a multiplication with an addition.
//
// y may be the same pointer as an input. Rows follow each other without a gap; parameters have
// one entry per channel.
#ifndef BNN_POINTWISE_H
#define BNN_POINTWISE_H

#include "bnn_isa.h"

typedef struct bnn_pointwise {
  const char *name;
  bnn_isa isa;
  // y = x · scale + bias
  void (*affine)(
    size_t rows, size_t channels, const float *x, const float *scale, const float *bias, float *y);
  // y = x < 0 ? negative · x : positive · x
  void (*slopes)(
    size_t rows, size_t channels, const float *x, const float *positive, const float *negative,
    float *y);
  // y = min(max(x, lower), upper); NaN stays NaN
  void (*clamp)(size_t count, const float *x, float lower, float upper, float *y);
  void (*add)(size_t count, const float *a, const float *b, float *y);
  void (*multiply)(size_t count, const float *a, const float *b, float *y);
  void (*add_scalar)(size_t count, const float *x, float operand, float *y);
  void (*multiply_scalar)(size_t count, const float *x, float operand, float *y);
  void (*divide_scalar)(size_t count, const float *x, float divisor, float *y);
  // y = max(x, 0), which is +0 for −0; NaN stays NaN
  void (*relu)(size_t count, const float *x, float *y);
  // The larger (smaller) of the two, a where they are equal; the number where one is NaN.
  void (*maximum)(size_t count, const float *a, const float *b, float *y);
  void (*minimum)(size_t count, const float *a, const float *b, float *y);
  // y = (float)x
  void (*from_integers)(size_t count, const int32_t *x, float *y);
} bnn_pointwise;

#define BNN_POINTWISE_KERNEL(object) BNN_DECLARE_KERNEL(bnn_pointwise, object)
#include "bnn_pointwise.inc"
#undef BNN_POINTWISE_KERNEL
BNN_DECLARE_DISPATCH(bnn_pointwise)

#endif
