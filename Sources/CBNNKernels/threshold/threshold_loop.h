// The loop of the threshold kernels. The including file defines, for 8 channels from pointers,
// BNN_TEST_I32 and BNN_TEST_F32 (bits 0…7 of the answer), and BNN_TARGET.
#include "bnn_threshold.h"

#define BNN_DEFINE_ROWS(function, type, TEST8)                                                 \
  BNN_TARGET static uint64_t function##_word(                                                  \
    size_t count, const type *x, const type *lower, const type *upper) {                       \
    uint64_t word = 0;                                                                         \
    size_t c = 0;                                                                              \
    for (; c + 8 <= count; c += 8) word |= (uint64_t)TEST8(x + c, lower + c, upper + c) << c;  \
    for (; c < count; c++)                                                                     \
      word |= (uint64_t)(lower[c] <= x[c] && x[c] <= upper[c]) << c;                           \
    return word;                                                                               \
  }                                                                                            \
  BNN_TARGET static void function(                                                             \
    size_t rows, size_t channels, const type *x, const type *lower, const type *upper,         \
    const uint64_t *outside_is_plus, uint64_t *out) {                                          \
    for (size_t m = 0; m < rows; m++, x += channels)                                           \
      for (size_t c = 0; c < channels; c += 64) {                                              \
        const size_t count = channels - c < 64 ? channels - c : 64;                            \
        *out++ = outside_is_plus[c / 64] ^ function##_word(count, x + c, lower + c, upper + c); \
      }                                                                                        \
  }

BNN_DEFINE_ROWS(integers, int32_t, BNN_TEST_I32)
BNN_DEFINE_ROWS(floats, float, BNN_TEST_F32)
