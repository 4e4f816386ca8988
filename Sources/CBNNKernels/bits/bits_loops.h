// The loops of the bit kernels in plain C, vectorized by the compiler for BNN_TARGET, which the
// including file defines.
#include "bnn_bits.h"

BNN_TARGET static void pool(
  size_t words, const uint64_t *from, const uint64_t *inverted, uint64_t *to) {
  for (size_t i = 0; i < words; i++)
    to[i] = ((to[i] | from[i]) & ~inverted[i]) | (to[i] & from[i] & inverted[i]);
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
