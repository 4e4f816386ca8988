// The loops of the bit kernels in plain C, vectorized by the compiler for BNN_TARGET, which the
// including file defines.
#include "bnn_bits.h"

// Bits of OR and AND differ where those of `from` and `to` do.
#define BNN_POOLED(to, from, inverted) (((to) & (from)) | (((to) ^ (from)) & ~(inverted)))

// Rows of one word; `step` is a constant where it is small.
__attribute__((always_inline)) static inline void pool_words(
  size_t rows, const uint64_t *restrict from, size_t step, uint64_t inverted,
  uint64_t *restrict to) {
  for (size_t m = 0; m < rows; m++) to[m] = BNN_POOLED(to[m], from[m * step], inverted);
}

BNN_TARGET static void pool(
  size_t rows, size_t words, const uint64_t *restrict from, size_t step,
  const uint64_t *restrict inverted, uint64_t *restrict to) {
  if (words == 1 && step == 1) return pool_words(rows, from, 1, inverted[0], to);
  if (words == 1 && step == 2) return pool_words(rows, from, 2, inverted[0], to);
  for (size_t m = 0; m < rows; m++, from += step, to += words)
    for (size_t i = 0; i < words; i++) to[i] = BNN_POOLED(to[i], from[i], inverted[i]);
}

BNN_TARGET static void unpack(size_t rows, size_t channels, const uint64_t *bits, float *out) {
  for (size_t m = 0; m < rows; m++)
    for (size_t c = 0; c < channels; c += 64) {
      const size_t count = channels - c < 64 ? channels - c : 64;
      const uint64_t word = *bits++;
      for (size_t i = 0; i < count; i++) out[i] = word >> i & 1 ? 1.0f : -1.0f;
      out += count;
    }
}
