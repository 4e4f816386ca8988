// The loops of the pointwise kernels in plain C: the compiler vectorizes them for BNN_TARGET,
// which the including file defines, and ends with BNN_POINTWISE_FUNCTIONS in its object.
#include "bnn_pointwise.h"

#define BNN_ELEMENTS(function, expression, ...)                       \
  BNN_TARGET static void function(size_t count, __VA_ARGS__, float *y) { \
    _Pragma("clang loop vectorize(assume_safety)")                    \
    for (size_t i = 0; i < count; i++) y[i] = (expression);           \
  }

BNN_ELEMENTS(add, a[i] + b[i], const float *a, const float *b)
BNN_ELEMENTS(divide_scalar, x[i] / divisor, const float *x, float divisor)

#define BNN_POINTWISE_FUNCTIONS .add = add, .divide_scalar = divide_scalar
