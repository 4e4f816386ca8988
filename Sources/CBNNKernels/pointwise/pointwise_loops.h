// The loops of the pointwise kernels in plain C: the compiler vectorizes them for BNN_TARGET,
// which the including file defines, and ends with BNN_POINTWISE_FUNCTIONS in its object.
//
// Contraction of a · b + c into a fused multiply-add is off here because compilers do it on
// their own wherever the target has the instruction.
#include "bnn_pointwise.h"

#if defined(__clang__)
#pragma clang fp contract(off)
#define BNN_VECTORIZE _Pragma("clang loop vectorize(assume_safety)")
#else
#pragma GCC optimize("fp-contract=off")
#define BNN_VECTORIZE _Pragma("GCC ivdep")
#endif

#define BNN_ROWS(function, parameter_a, parameter_b, expression)                                   \
  BNN_TARGET static void function(                                                                 \
    size_t rows, size_t channels, const float *x, const float *parameter_a,                        \
    const float *parameter_b, float *y) {                                                          \
    for (size_t m = 0; m < rows; m++, x += channels, y += channels) {                              \
      BNN_VECTORIZE                                                                                \
      for (size_t i = 0; i < channels; i++) y[i] = (expression);                                   \
    }                                                                                              \
  }

// A function, so that both slopes are loaded whatever the sign: no masked loads.
static inline __attribute__((always_inline)) float sloped(
  float x, float positive, float negative) {
  return x * (x < 0 ? negative : positive);
}

BNN_ROWS(affine, scale, bias, x[i] * scale[i] + bias[i])
BNN_ROWS(slopes, positive, negative, sloped(x[i], positive[i], negative[i]))

#define BNN_ELEMENTS(function, expression, ...)                                                    \
  BNN_TARGET static void function(size_t count, __VA_ARGS__, float *y) {                           \
    BNN_VECTORIZE                                                                                  \
    for (size_t i = 0; i < count; i++) y[i] = (expression);                                        \
  }

static inline __attribute__((always_inline)) float clamped(float x, float lower, float upper) {
  const float raised = x > lower || x != x ? x : lower;
  return raised < upper || raised != raised ? raised : upper;
}

BNN_ELEMENTS(clamp, clamped(x[i], lower, upper), const float *x, float lower, float upper)
BNN_ELEMENTS(add, a[i] + b[i], const float *a, const float *b)
BNN_ELEMENTS(multiply, a[i] * b[i], const float *a, const float *b)
BNN_ELEMENTS(add_scalar, x[i] + operand, const float *x, float operand)
BNN_ELEMENTS(multiply_scalar, x[i] * operand, const float *x, float operand)
BNN_ELEMENTS(divide_scalar, x[i] / divisor, const float *x, float divisor)
BNN_ELEMENTS(relu, x[i] <= 0 ? 0 : x[i], const float *x)
BNN_ELEMENTS(maximum, b[i] > a[i] || a[i] != a[i] ? b[i] : a[i], const float *a, const float *b)
BNN_ELEMENTS(minimum, b[i] < a[i] || a[i] != a[i] ? b[i] : a[i], const float *a, const float *b)
BNN_ELEMENTS(from_integers, (float)x[i], const int32_t *x)

#define BNN_POINTWISE_FUNCTIONS                                                                    \
  .affine = affine, .slopes = slopes, .clamp = clamp, .add = add, .multiply = multiply,            \
  .add_scalar = add_scalar, .multiply_scalar = multiply_scalar, .divide_scalar = divide_scalar,    \
  .relu = relu, .maximum = maximum, .minimum = minimum, .from_integers = from_integers
