// The loops of the pointwise kernels in plain C: the compiler vectorizes them for BNN_TARGET,
// which the including file defines, and ends with BNN_POINTWISE_FUNCTIONS in its object.
#include "bnn_layout.h"
#include "bnn_pointwise.h"
#include "functions.h"

#define BNN_ELEMENTS(expression)                 \
  _Pragma("clang loop vectorize(assume_safety)") \
  for (size_t i = 0; i < count; i++) y[i] = (expression);

#define BNN_ARITHMETIC(function, sign)                                                    \
  BNN_TARGET static void function(                                                        \
    size_t count, const float *a, size_t a_step, const float *b, size_t b_step, float *y) { \
    if (count == 0) return;                                                               \
    const float first_a = a[0], first_b = b[0];                                           \
    if (a_step == 0 && b_step == 0) {                                                     \
      BNN_ELEMENTS(first_a sign first_b)                                                  \
    } else if (a_step == 0) {                                                             \
      BNN_ELEMENTS(first_a sign b[i])                                                     \
    } else if (b_step == 0) {                                                             \
      BNN_ELEMENTS(a[i] sign first_b)                                                     \
    } else {                                                                              \
      BNN_ELEMENTS(a[i] sign b[i])                                                        \
    }                                                                                     \
  }

BNN_ARITHMETIC(add, +)
BNN_ARITHMETIC(subtract, -)
BNN_ARITHMETIC(multiply, *)
BNN_ARITHMETIC(divide, /)

BNN_FUNCTION float larger(float a, float b) { return a > b || a != a ? a : b; }
BNN_FUNCTION float plus(float a, float b) { return a + b; }

// Combines 16 numbers at a time, the rest with the first ones, then halves with halves.
#define BNN_COMBINED(function, combine, neutral)                            \
  BNN_TARGET static float function(size_t count, const float *x) {          \
    float partial[16];                                                      \
    for (size_t i = 0; i < 16; i++) partial[i] = neutral;                   \
    size_t first = 0;                                                       \
    for (; first + 16 <= count; first += 16)                                \
      for (size_t i = 0; i < 16; i++) partial[i] = combine(x[first + i], partial[i]); \
    for (size_t i = 0; i < count - first; i++)                              \
      partial[i] = combine(x[first + i], partial[i]);                       \
    for (size_t half = 8; half > 0; half /= 2)                              \
      for (size_t i = 0; i < half; i++) partial[i] = combine(partial[i + half], partial[i]); \
    return partial[0];                                                      \
  }

BNN_COMBINED(maximum, larger, -__builtin_inff())
BNN_COMBINED(sum, plus, 0)

enum { lines_at_once = 16, places_at_once = 64 };

// Some more numbers of lines beside each other, the first of them at `first`; the number of lines is
// a constant where it is common.
BNN_FUNCTION void extend_places(
  size_t lines, size_t first, size_t length, const float *x, size_t step, bool is_maximum,
  bool selects_last, float *best, int32_t *place) {
  for (size_t p = 0; p < length; p++, x += step)
    for (size_t i = 0; i < lines; i++) {
      const float candidate = x[i], current = best[i];
      const bool is_better = is_maximum ? candidate > current : candidate < current;
      const bool replaces = is_better | (selects_last & (candidate == current));
      best[i] = replaces ? candidate : current;
      place[i] = replaces ? (int32_t)(first + p) : place[i];
    }
}

BNN_FUNCTION void places_of_lines(
  size_t lines, size_t length, const float *x, size_t line_step, size_t step, bool is_maximum,
  bool selects_last, int64_t *y) {
  float best[lines_at_once];
  int32_t place[lines_at_once] = {0};
  for (size_t i = 0; i < lines; i++) best[i] = x[i * line_step];
  if (line_step == 1) {
    extend_places(lines, 0, length, x, step, is_maximum, selects_last, best, place);
  } else {
    // Numbers of all lines come beside each other first.
    for (size_t first = 0; first < length; first += places_at_once) {
      const size_t left = length - first, count = left < places_at_once ? left : places_at_once;
      uint32_t turned[places_at_once * lines_at_once];
      float numbers[places_at_once * lines_at_once];
      bnn_transpose(count, lines, (const uint32_t *)x + first, line_step, turned, lines);
      memcpy(numbers, turned, count * lines * sizeof numbers[0]);
      extend_places(
        lines, first, count, numbers, lines, is_maximum, selects_last, best, place);
    }
  }
  for (size_t i = 0; i < lines; i++) y[i] = place[i];
}

BNN_TARGET static void place_of_extremum(
  size_t lines, size_t length, const float *x, size_t line_step, size_t step, bool is_maximum,
  bool selects_last, int64_t *y) {
  for (; lines >= lines_at_once; lines -= lines_at_once) {
    places_of_lines(lines_at_once, length, x, line_step, step, is_maximum, selects_last, y);
    x += lines_at_once * line_step, y += lines_at_once;
  }
  if (lines > 0) places_of_lines(lines, length, x, line_step, step, is_maximum, selects_last, y);
}

// Limits that leave NaN as it is.
BNN_FUNCTION float positive_part(float x) { return x <= 0 ? 0 : x; }
BNN_FUNCTION float unit_clamp(float x) { return x <= 0 ? 0 : x >= 1 ? 1 : x; }

BNN_FUNCTION float softplus_of(float x) {
  return positive_part(x) + logarithm_of_one_plus(exponential_of(-__builtin_fabsf(x)));
}

BNN_FUNCTION float tanh_gelu_of(float x) {
  return 0.5f * x * (1 + tanh_of(0.7978845608028654f * (x + 0.044715f * (x * x * x))));
}

// y = the expression of x; each operation rounds to float32 by itself.
#define BNN_OF_ONE(name, expression)                                  \
  BNN_FUNCTION float name##_element(float x, float alpha, float beta) { \
    (void)alpha, (void)beta;                                          \
    return (expression);                                              \
  }                                                                   \
  BNN_TARGET static void name(                                        \
    size_t count, const float *x, float alpha, float beta, float *y) { \
    BNN_ELEMENTS(name##_element(x[i], alpha, beta))                   \
  }

BNN_OF_ONE(exponential, exponential_of(x))
BNN_OF_ONE(logarithm, logarithm_of(x))
BNN_OF_ONE(floor_down, __builtin_floorf(x))
BNN_OF_ONE(ceiling, __builtin_ceilf(x))
BNN_OF_ONE(round_half_to_even, __builtin_rintf(x))
BNN_OF_ONE(sigmoid, 1 / (1 + exponential_of(-x)))
BNN_OF_ONE(hyperbolic_tangent, tanh_of(x))
BNN_OF_ONE(error_function, erf_of(x))
BNN_OF_ONE(softplus, softplus_of(x))
BNN_OF_ONE(softsign, x / (1 + __builtin_fabsf(x)))
BNN_OF_ONE(elu, x < 0 ? alpha * (exponential_of(x) - 1) : x)
BNN_OF_ONE(selu, beta * (x > 0 ? x : alpha * (exponential_of(x) - 1)))
BNN_OF_ONE(celu, x < 0 ? alpha * (exponential_of(x / alpha) - 1) : x)
BNN_OF_ONE(hard_sigmoid, unit_clamp(alpha * x + beta))
BNN_OF_ONE(hard_swish, x * unit_clamp(x * (1.0f / 6) + 0.5f))
BNN_OF_ONE(gelu, 0.5f * x * (1 + erf_of(x * 0.7071067811865476f)))
BNN_OF_ONE(gelu_tanh, tanh_gelu_of(x))

#define BNN_POINTWISE_FUNCTIONS                                                      \
  .arithmetic = {                                                                    \
    [BNN_ADD] = add, [BNN_SUBTRACT] = subtract, [BNN_MULTIPLY] = multiply,           \
    [BNN_DIVIDE] = divide,                                                           \
  },                                                                                 \
  .maximum = maximum, .sum = sum, .place_of_extremum = place_of_extremum,            \
  .functions = {                                                                     \
    [BNN_EXPONENTIAL] = exponential, [BNN_LOGARITHM] = logarithm,                    \
    [BNN_FLOOR] = floor_down, [BNN_CEILING] = ceiling,                               \
    [BNN_ROUND_HALF_TO_EVEN] = round_half_to_even, [BNN_SIGMOID] = sigmoid,          \
    [BNN_TANH] = hyperbolic_tangent, [BNN_ERF] = error_function,                     \
    [BNN_SOFTPLUS] = softplus, [BNN_SOFTSIGN] = softsign, [BNN_ELU] = elu,           \
    [BNN_SELU] = selu, [BNN_CELU] = celu, [BNN_HARD_SIGMOID] = hard_sigmoid,         \
    [BNN_HARD_SWISH] = hard_swish, [BNN_GELU] = gelu, [BNN_GELU_TANH] = gelu_tanh,   \
  }
