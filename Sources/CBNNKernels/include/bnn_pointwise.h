// Steps on float32 numbers. y may be the same pointer as an input.
#ifndef BNN_POINTWISE_H
#define BNN_POINTWISE_H

#include "bnn_isa.h"

typedef enum bnn_arithmetic {
  BNN_ADD,
  BNN_SUBTRACT,
  BNN_MULTIPLY,
  BNN_DIVIDE,
  bnn_arithmetic_count,
} bnn_arithmetic;

// Functions of one number; those of BNNTensor's `PointwiseFunction` that take more than one
// instruction and are common between layers. `alpha` and `beta` (`gamma` of SELU) are their
// parameters.
typedef enum bnn_function {
  BNN_EXPONENTIAL,
  BNN_LOGARITHM,
  BNN_FLOOR,
  BNN_CEILING,
  BNN_ROUND_HALF_TO_EVEN,
  BNN_SIGMOID,
  BNN_TANH,
  BNN_ERF,
  BNN_SOFTPLUS,
  BNN_SOFTSIGN,
  BNN_ELU,
  BNN_SELU,
  BNN_CELU,
  BNN_HARD_SIGMOID,
  BNN_HARD_SWISH,
  BNN_GELU,
  BNN_GELU_TANH,
  bnn_function_count,
} bnn_function;

typedef struct bnn_pointwise {
  const char *name;
  bnn_isa isa;
  // From one number of an operand to the next are `a_step` and `b_step`, each 0 or 1; an operand
  // that stays must not lie in y.
  void (*arithmetic[bnn_arithmetic_count])(
    size_t count, const float *a, size_t a_step, const float *b, size_t b_step, float *y);
  // NaN where there is one; -infinity of none.
  float (*maximum)(size_t count, const float *x);
  // Of 16 sums, each of every 16th number, in the same order on every CPU.
  float (*sum)(size_t count, const float *x);
  // The place of the largest number of each line, or of the smallest; the first or the last of
  // several. NaN never replaces what was found. Lines begin `line_step` numbers after each other,
  // and their numbers, of which there is one at least, are `step` apart; one of the steps is 1.
  void (*place_of_extremum)(
    size_t lines, size_t length, const float *x, size_t line_step, size_t step, bool is_maximum,
    bool selects_last, int64_t *y);
  void (*functions[bnn_function_count])(
    size_t count, const float *x, float alpha, float beta, float *y);
} bnn_pointwise;

static inline void bnn_combine(
  const bnn_pointwise *kernel, bnn_arithmetic operation, size_t count, const float *a,
  size_t a_step, const float *b, size_t b_step, float *y) {
  kernel->arithmetic[operation](count, a, a_step, b, b_step, y);
}

static inline void bnn_apply_function(
  const bnn_pointwise *kernel, bnn_function function, size_t count, const float *x, float alpha,
  float beta, float *y) {
  kernel->functions[function](count, x, alpha, beta, y);
}

#define BNN_POINTWISE_KERNEL(object) BNN_DECLARE_KERNEL(bnn_pointwise, object)
#include "bnn_pointwise.inc"
#undef BNN_POINTWISE_KERNEL
BNN_DECLARE_DISPATCH(bnn_pointwise)

#endif
