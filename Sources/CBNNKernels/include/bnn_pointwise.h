// Steps on float32 numbers. y may be the same pointer as an input.
#ifndef BNN_POINTWISE_H
#define BNN_POINTWISE_H

#include "bnn_isa.h"

typedef struct bnn_pointwise {
  const char *name;
  bnn_isa isa;
  void (*add)(size_t count, const float *a, const float *b, float *y);
  void (*divide_scalar)(size_t count, const float *x, float divisor, float *y);
} bnn_pointwise;

#define BNN_POINTWISE_KERNEL(object) BNN_DECLARE_KERNEL(bnn_pointwise, object)
#include "bnn_pointwise.inc"
#undef BNN_POINTWISE_KERNEL
BNN_DECLARE_DISPATCH(bnn_pointwise)

#endif
