// The loops of the epilogue kernels for BNN_TARGET, which the including file defines; it ends with
// BNN_EPILOGUE_FUNCTIONS in its object.
#include "../channel_blocks.h"
#include "bnn_epilogue.h"
#include "mask_bits.h"

// Compilers fuse a · b + c on their own wherever the target has the instruction.
#pragma clang fp contract(off)

// One word of bits from the numbers in `values`.
#define BNN_TEST_VECTORS(type, values, lower, upper, word)             \
  mask_bits masks = {0};                                               \
  BNN_EACH_VECTOR {                                                    \
    type from, to;                                                     \
    memcpy(&from, (lower) + i * lanes, sizeof from);                   \
    memcpy(&to, (upper) + i * lanes, sizeof to);                       \
    const integers16 inside = (values[i] >= from) & (values[i] <= to); \
    add_mask(&masks, i, &inside);                                      \
  }                                                                    \
  uint64_t word = word_of_masks(&masks);                               \
  if (s.rest != 0) word &= ((uint64_t)1 << ((s.vectors - 1) * lanes + s.rest)) - 1

// A block from channel `c` of row `row`.
BNN_INLINE void finish_block(
  bool is_integer, span s, size_t row, size_t c, const void *x, const bnn_epilogue_step *steps,
  size_t count, float *values, const bnn_epilogue_test *test, uint64_t *bits) {
  floats16 v[block / lanes];
  BNN_EACH_VECTOR {
    if (is_integer) {
      integers16 whole;
      load(&whole, x, s, i);
      v[i] = __builtin_convertvector(whole, floats16);
    } else {
      load(&v[i], x, s, i);
    }
  }
  for (const bnn_epilogue_step *step = steps; step < steps + count; step++) {
    switch (step->kind) {
      case BNN_EPILOGUE_AFFINE:
        BNN_EACH_VECTOR {
          floats16 scale, bias;
          memcpy(&scale, step->a + c + i * lanes, sizeof scale);
          memcpy(&bias, step->b + c + i * lanes, sizeof bias);
          v[i] = v[i] * scale;
          v[i] = v[i] + bias;
        }
        break;
      case BNN_EPILOGUE_SLOPES:
        BNN_EACH_VECTOR {
          floats16 positive, negative;
          memcpy(&positive, step->a + c + i * lanes, sizeof positive);
          memcpy(&negative, step->b + c + i * lanes, sizeof negative);
          v[i] = v[i] * (v[i] < 0 ? negative : positive);
        }
        break;
      case BNN_EPILOGUE_CLAMP:
        BNN_EACH_VECTOR {
          const floats16 lower = step->lower, upper = step->upper;
          const floats16 raised = ((v[i] > lower) | (v[i] != v[i])) ? v[i] : lower;
          v[i] = ((raised < upper) | (raised != raised)) ? raised : upper;
        }
        break;
      case BNN_EPILOGUE_RELU:
        BNN_EACH_VECTOR {
          const floats16 zero = 0;
          v[i] = v[i] <= 0 ? zero : v[i];
        }
        break;
      case BNN_EPILOGUE_ADD:
      case BNN_EPILOGUE_MULTIPLY:
        BNN_EACH_VECTOR {
          floats16 operand;
          load(&operand, step->a + row * step->stride + c, s, i);
          v[i] = step->kind == BNN_EPILOGUE_ADD ? v[i] + operand : v[i] * operand;
        }
        break;
      case BNN_EPILOGUE_ADD_SCALAR:
        BNN_EACH_VECTOR v[i] = v[i] + step->a[row * step->stride];
        break;
      case BNN_EPILOGUE_MULTIPLY_SCALAR:
        BNN_EACH_VECTOR v[i] = v[i] * step->a[row * step->stride];
        break;
    }
  }
  if (values) BNN_EACH_VECTOR store(values, &v[i], s, i);
  if (bits) {
    const float *lower = (const float *)test->lower + c, *upper = (const float *)test->upper + c;
    BNN_TEST_VECTORS(floats16, v, lower, upper, word);
    *bits = word ^ test->outside_is_plus[c / block];
  }
}

BNN_INLINE void test_block(
  span s, size_t c, const int32_t *x, const bnn_epilogue_test *test, uint64_t *bits) {
  integers16 v[block / lanes];
  BNN_EACH_VECTOR load(&v[i], x, s, i);
  const int32_t *lower = (const int32_t *)test->lower + c;
  const int32_t *upper = (const int32_t *)test->upper + c;
  BNN_TEST_VECTORS(integers16, v, lower, upper, word);
  *bits = word ^ test->outside_is_plus[c / block];
}

#define BNN_DEFINE_FINISH(function, type, is_integer)                                            \
  BNN_TARGET static void function(                                                               \
    size_t rows, size_t channels, const type *x, size_t x_step, const bnn_epilogue_step *steps,  \
    size_t count, float *values, size_t values_step, const bnn_epilogue_test *test,              \
    uint64_t *bits) {                                                                            \
    const size_t words = (channels + block - 1) / block;                                         \
    for (size_t row = 0; row < rows; row++)                                                      \
      for (size_t c = 0; c < channels; c += block) {                                             \
        const size_t left = channels - c;                                                        \
        const type *from = x + row * x_step + c;                                                 \
        float *to = values ? values + row * values_step + c : NULL;                              \
        uint64_t *word = bits ? bits + row * words + c / block : NULL;                           \
        BNN_WITH_SPAN(left, BNN_FINISH_##is_integer)                                             \
      }                                                                                          \
  }

#define BNN_FINISH_true(s) finish_block(true, s, row, c, from, steps, count, to, test, word)
#define BNN_FINISH_false(s) finish_block(false, s, row, c, from, steps, count, to, test, word)
BNN_DEFINE_FINISH(finish_floats, float, false)
BNN_DEFINE_FINISH(finish_integers, int32_t, true)

BNN_TARGET static void test_accumulators(
  size_t rows, size_t channels, const int32_t *x, const bnn_epilogue_test *test, uint64_t *bits) {
  for (size_t row = 0; row < rows; row++)
    for (size_t c = 0; c < channels; c += block, bits++) {
      const size_t left = channels - c;
      const int32_t *from = x + row * channels + c;
#define BNN_TEST_BLOCK(s) test_block(s, c, from, test, bits)
      BNN_WITH_SPAN(left, BNN_TEST_BLOCK)
    }
}

#define BNN_EPILOGUE_FUNCTIONS \
  .floats = finish_floats, .integers = finish_integers, .accumulators = test_accumulators
